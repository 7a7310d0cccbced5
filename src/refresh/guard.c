/*
 * guard.c
 *		Errors that expressions raise: caught, and told in the user's words.
 *
 * What is run is generated, so the statement says nothing to the user.  The
 * column that fails is found afterwards, by computing again with fewer of them.
 */
#include "postgres.h"

#include "context.h"
#include "executor/spi.h"
#include "refresh/internal.h"
#include "utils/memutils.h"

/*
 * Classes of errors that no customer's data causes: what goes on around an
 * expression, and broken definitions.  All others count as of data, those that
 * functions of the user's make up among them.
 */
static const char *const classes_of_others[] = {
	"00", "01", "02", "03", "08", "09", "0A", "0B", "0L", "0P", "0Z", "24", "25", "26", "27",
	"28", "2B", "2D", "34", "3B", "3D", "3F", "40", "42", "53", "55", "57", "58", "72", "F0",
	"HV", "XX"
};

bool
guard_is_of_data(int sqlerrcode)
{
	const char *state = unpack_sql_state(sqlerrcode);

	for (int i = 0; i < lengthof(classes_of_others); i++)
	{
		if (strncmp(state, classes_of_others[i], 2) == 0)
			return false;
	}
	return true;
}

/* Errors that say that a definition is broken: a column or a function is gone. */
static bool
is_of_definition(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) ==
		ERRCODE_TO_CATEGORY(ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION);
}

ErrorData *
guard_run(AttemptStep step, void *arg, GuardCatches catches)
{
	ErrorData  *error = attempt_run(step, arg, false);

	if (error != NULL && !guard_is_of_data(error->sqlerrcode) &&
		(catches == GUARD_DATA || !is_of_definition(error->sqlerrcode)))
		ReThrowError(error);
	return error;
}

void
guard_run_and_undo(AttemptStep step, void *arg)
{
	ErrorData  *error = attempt_run(step, arg, true);

	if (error != NULL)
		ReThrowError(error);
}

char *
guard_subject(const SegmentTable *table, const char *column)
{
	char	   *name = catalog_qualified_name(table->relid);

	/* a part of a rule that is being explained has no name either */
	if (column == NULL || (strncmp(column, RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0 &&
						   strcmp(column, ELIGIBLE_NAME) != 0))
		return psprintf("rows of segment table %s", name);
	if (*column == '\0')
		return psprintf("sources of segment table %s", name);
	if (strcmp(column, ELIGIBLE_NAME) == 0)
		return psprintf("rule of eligibility of segment table %s", name);
	return psprintf("column \"%s\" of segment table %s", column, name);
}

/* One line of a context in place of another: that which holds the statement. */
static char *
replace_line(const char *context, const char *sql, const char *instead)
{
	const char *found = context == NULL ? NULL : strstr(context, sql);
	const char *begin = found;
	const char *end;

	if (found == NULL)
		return context == NULL ? NULL : pstrdup(context);
	while (begin > context && begin[-1] != '\n')
		begin--;
	end = strchr(found + strlen(sql), '\n');
	return psprintf("%.*s%s%s", (int) (begin - context), context, instead, end == NULL ? "" : end);
}

void
guard_hide_sql(AttemptStep step, void *arg, const char *sql, const char *instead)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		step(arg);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		if (error->internalquery != NULL && strcmp(error->internalquery, sql) == 0)
		{
			error->internalquery = NULL;
			error->internalpos = 0;
			error->context = error->context == NULL ? pstrdup(instead) :
				psprintf("%s\n%s", instead, error->context);
		}
		else
			error->context = replace_line(error->context, sql, instead);
		ReThrowError(error);
	}
	PG_END_TRY();
}

typedef struct Statement
{
	const char *sql;
	int			nargs;
	Oid		   *types;
	Datum	   *values;
} Statement;

static void
statement_step(void *arg)
{
	Statement  *statement = arg;

	run_sql(statement->sql, statement->nargs, statement->types, statement->values, false);
}

void
guard_run_sql(const char *sql, int nargs, Oid *types, Datum *values, const char *instead)
{
	Statement	statement = {.sql = sql,.nargs = nargs,.types = types,.values = values};

	guard_hide_sql(statement_step, &statement, sql, instead);
}

void
guard_rethrow(const SegmentTable *table, ErrorData *error, const char *column)
{
	if (column != NULL)
	{
		error->context = replace_line(error->context, guard_subject(table, NULL),
									  guard_subject(table, column));
		if (catalog_find_column(table, column) != NULL && error->column_name == NULL)
			error->column_name = pstrdup(column);
	}
	ReThrowError(error);
}

/* The columns, each after what it reads. */
static List *
in_order(const SegmentTable *table)
{
	List	   *result = NIL;
	List	   *known = NIL;
	int			before;

	do
	{
		ListCell   *lc,
				   *lc2;

		before = list_length(result);
		foreach(lc, table->columns)
		{
			Column	   *column = lfirst(lc);
			bool		ready = !list_member_ptr(result, column);

			foreach(lc2, column->over == OVER_ROW ? column->depends : NIL)
				ready = ready && (strcmp(lfirst(lc2), table->key_name) == 0 ||
								  list_member(known, makeString(lfirst(lc2))));
			if (!ready)
				continue;
			result = lappend(result, column);
			known = lappend(known, makeString(column->name));
		}
	} while (list_length(result) > before);
	return result;
}

typedef struct Trial
{
	SegmentTable table;			/* with some of the columns */
	const Selection *selection;
	TimestampTz as_of;
} Trial;

static void
try_to_evaluate(void *arg)
{
	Trial	   *trial = arg;
	RunContext	ctx;

	SPI_connect();
	context_enter_owner(&ctx, trial->table.owner, trial->table.time_zone);
	context_set_as_of(trial->as_of);
	tuplestore_end(evaluate(&trial->table, trial->selection)->rows);
	context_leave(&ctx);
	SPI_finish();
}

/* Does the evaluation fail if the table has these columns alone? */
static bool
fails_with(Trial *trial, const SegmentTable *table, List *columns)
{
	ListCell   *lc,
			   *lc2;

	trial->table.columns = columns;
	trial->table.sources = NIL;
	foreach(lc, table->sources)
	{
		Source	   *source = palloc(sizeof(Source));

		*source = *(Source *) lfirst(lc);
		trial->table.sources = lappend(trial->table.sources, source);
		if (source->kind != SOURCE_ATTRIBUTES)
			continue;
		source->extra = NIL;
		foreach(lc2, ((Source *) lfirst(lc))->extra)
		{
			if (catalog_find_column(&trial->table, ((NamedExpr *) lfirst(lc2))->name) != NULL)
				source->extra = lappend(source->extra, lfirst(lc2));
		}
	}
	return guard_run(try_to_evaluate, trial, GUARD_EXPRESSIONS) != NULL;
}

char *
guard_failing_column(const SegmentTable *table, const Selection *selection, TimestampTz as_of)
{
	List	   *columns = in_order(table);
	Trial		trial = {.table = *table, .selection = selection, .as_of = as_of};
	int			fails = list_length(columns);	/* with so many columns it fails */
	int			succeeds = -1;	/* and with so many it does not */

	if (!fails_with(&trial, table, columns))
		return NULL;
	while (fails - succeeds > 1)
	{
		int			n = succeeds + (fails - succeeds) / 2;

		if (fails_with(&trial, table, list_truncate(list_copy(columns), n)))
			fails = n;
		else
			succeeds = n;
	}
	return fails == 0 ? "" : ((Column *) list_nth(columns, fails - 1))->name;
}

typedef struct NamedEvaluation
{
	const SegmentTable *table;
	const Selection *selection;
	Evaluation *result;
} NamedEvaluation;

static void
evaluate_step(void *arg)
{
	NamedEvaluation *named = arg;

	evaluate_into(named->table, named->selection, named->result);
}

Evaluation *
evaluate_named(const SegmentTable *table, const Selection *selection, TimestampTz as_of)
{
	NamedEvaluation named = {.table = table, .selection = selection};
	ErrorData  *error;

	/* a file it spills to is of the outer transaction */
	named.result = evaluation_begin();
	error = guard_run(evaluate_step, &named, GUARD_EXPRESSIONS);
	if (error != NULL)
		guard_rethrow(table, error, guard_failing_column(table, selection, as_of));
	return named.result;
}
