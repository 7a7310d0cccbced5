/*
 * evaluate.c
 *		Runs the query that computes rows, into a tuplestore.
 *
 * A plain SELECT of its own, so that it can run in parallel, which a statement
 * that also writes can not.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/queryenvironment.h"

/*
 * With more columns than that a query is not compiled: LLVM's time grows faster
 * than the number of expressions, to ten seconds in each process for those of
 * all presets, and a million events run no faster for it.
 */
#define JIT_MOST_COLUMNS 64

/* Receives rows into a tuplestore, and counts them for the progress of the run. */
typedef struct RowReceiver
{
	DestReceiver pub;
	Evaluation *evaluation;
	MemoryContext context;
} RowReceiver;

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->context);

	receiver->evaluation->desc = CreateTupleDescCopy(typeinfo);
	MemoryContextSwitchTo(old);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;

	tuplestore_puttupleslot(receiver->evaluation->rows, slot);
	receiver->evaluation->count++;
	if (receiver->evaluation->count % 1000 == 0)
		progress_report(receiver->evaluation->count);
	return true;
}

static void
receiver_shutdown(DestReceiver *self)
{
}

static void
receiver_destroy(DestReceiver *self)
{
}

/* The argument of a query over keys, or none. */
static ParamListInfo
key_params(Datum keys)
{
	ParamListInfo params;

	if (keys == (Datum) 0)
		return NULL;
	params = makeParamList(1);
	params->params[0].value = keys;
	params->params[0].isnull = false;
	params->params[0].ptype = TEXTARRAYOID;
	params->params[0].pflags = PARAM_FLAG_CONST;
	return params;
}

Evaluation *
evaluation_begin(void)
{
	Evaluation *evaluation = palloc0(sizeof(Evaluation));

	evaluation->rows = tuplestore_begin_heap(false, false, work_mem);
	return evaluation;
}

typedef struct RowQuery
{
	const SegmentTable *table;
	const char *sql;
	SPIExecuteOptions options;
} RowQuery;

static void
run_query(void *arg)
{
	RowQuery   *query = arg;
	volatile int result = 0;

	rule_simplify(query->sql);
	PG_TRY();
	{
		result = SPI_execute_extended(query->sql, &query->options);
	}
	PG_FINALLY();
	{
		rule_simplify(NULL);
	}
	PG_END_TRY();
	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute rows of %s: %s",
						catalog_qualified_name(query->table->relid),
						SPI_result_code_string(result))));
}

static void
query_into(const SegmentTable *table, const char *sql, Datum keys, bool snapshot_of_caller,
		   Evaluation *evaluation)
{
	RowReceiver receiver = {
		.pub = {receive_row, receiver_startup, receiver_shutdown, receiver_destroy, DestNone},
		.context = CurrentMemoryContext,
		.evaluation = evaluation,
	};
	RowQuery	query = {
		.table = table,
		.sql = sql,
		.options = {
			.params = key_params(keys),
			.read_only = snapshot_of_caller,
			.dest = (DestReceiver *) &receiver,
		},
	};

	if (list_length(table->columns) > JIT_MOST_COLUMNS)
		context_set("jit", "off");
	guard_hide_sql(run_query, &query, sql, guard_subject(table, NULL));
}

void
evaluate_into(const SegmentTable *table, const Selection *selection, Evaluation *evaluation)
{
	/* for some customers, compiling takes longer than it saves */
	if (selection->whom == RULE_KEYS)
		context_set("jit", "off");
	query_into(table, rule_evaluate_sql(table, selection->whom, selection->future),
			   selection->whom == RULE_EVERYBODY ? (Datum) 0 : selection->keys,
			   selection->snapshot_of_caller, evaluation);
}

Evaluation *
evaluate(const SegmentTable *table, const Selection *selection)
{
	Evaluation *evaluation = evaluation_begin();

	evaluate_into(table, selection, evaluation);
	return evaluation;
}

Evaluation *
evaluate_query(const SegmentTable *table, const char *sql, Datum except)
{
	Evaluation *evaluation = evaluation_begin();

	query_into(table, sql, except, false, evaluation);
	return evaluation;
}

void
evaluation_register(const Evaluation *evaluation)
{
	EphemeralNamedRelation enr = palloc0(sizeof(EphemeralNamedRelationData));

	enr->md.name = ROWS_NAME;
	enr->md.reliddesc = InvalidOid;
	enr->md.tupdesc = evaluation->desc;
	enr->md.enrtype = ENR_NAMED_TUPLESTORE;
	enr->md.enrtuples = evaluation->count;
	enr->reldata = evaluation->rows;
	if (SPI_register_relation(enr) != SPI_OK_REL_REGISTER)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not register computed rows")));
}

void
evaluation_end(Evaluation *evaluation)
{
	SPI_unregister_relation(ROWS_NAME);
	tuplestore_end(evaluation->rows);
}

void
run_sql(const char *sql, int nargs, Oid *types, Datum *values, bool read_only)
{
	context_run(sql, nargs, types, values, NULL, read_only);
}

Datum
first_value(bool *isnull)
{
	*isnull = true;
	if (SPI_processed == 0 || SPI_tuptable == NULL)
		return (Datum) 0;
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
}

int64
first_int64(void)
{
	bool		isnull;
	Datum		value = first_value(&isnull);

	return isnull ? 0 : DatumGetInt64(value);
}
