/*
 * store.c
 *		Writing the configuration tables, as the extension's owner.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/definition.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#define MAX_ARGS 13

/* Arguments of a statement, gathered one by one. */
typedef struct Args
{
	int			n;
	Oid			types[MAX_ARGS];
	Datum		values[MAX_ARGS];
	char		nulls[MAX_ARGS];
} Args;

static void
add_arg(Args *args, Oid type, Datum value, bool isnull)
{
	Assert(args->n < MAX_ARGS);
	args->types[args->n] = type;
	args->values[args->n] = value;
	args->nulls[args->n] = isnull ? 'n' : ' ';
	args->n++;
}

static void
add_oid(Args *args, Oid value)
{
	add_arg(args, OIDOID, ObjectIdGetDatum(value), !OidIsValid(value));
}

static void
add_text(Args *args, const char *value)
{
	add_arg(args, TEXTOID, value == NULL ? (Datum) 0 : CStringGetTextDatum(value),
			value == NULL);
}

static void
add_int(Args *args, int value)
{
	add_arg(args, INT4OID, Int32GetDatum(value), false);
}

/* Runs one statement as the extension's owner; returns the int in its first column, if any. */
static int
run(const char *sql, Args *args)
{
	RunContext	ctx;
	int			result = 0;

	context_enter_catalog(&ctx);
	SPI_connect();
	if (context_run(sql, args->n, args->types, args->values, args->nulls, false) > 0 && SPI_tuptable != NULL)
	{
		bool		isnull;

		result = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
	return result;
}

void
catalog_insert_table(const SegmentTable *table)
{
	Args		args = {0};

	add_oid(&args, table->relid);
	add_oid(&args, table->history);
	add_text(&args, table->key_name);
	add_oid(&args, table->key_type);
	add_text(&args, table->time_zone);
	run("INSERT INTO segment.config_table (tbl, history, key_name, key_type, time_zone)"
		" VALUES ($1, $2, $3, $4, $5)", &args);
}

void
catalog_set_events(Oid relid, Oid events)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_oid(&args, events);
	run("UPDATE segment.config_table SET events = $2 WHERE tbl = $1", &args);
}

void
catalog_set_max_age(Oid relid, const Interval *max_age)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_arg(&args, INTERVALOID, IntervalPGetDatum(max_age), false);
	run("UPDATE segment.config_table SET max_age = $2 WHERE tbl = $1", &args);
}

void
catalog_set_changes(Oid relid, Oid changes, const Interval *kept)
{
	Args		args = {0};

	add_oid(&args, relid);
	if (!OidIsValid(changes))
	{
		run("DELETE FROM segment.config_changes WHERE tbl = $1", &args);
		return;
	}
	add_oid(&args, changes);
	add_arg(&args, INTERVALOID, IntervalPGetDatum(kept), false);
	run("INSERT INTO segment.config_changes (tbl, changes, kept) VALUES ($1, $2, $3)"
		" ON CONFLICT (tbl) DO UPDATE SET changes = $2, kept = $3", &args);
}

/* A list of NamedExpr as a jsonb object. */
static Datum
named_exprs_jsonb(List *exprs)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;
	ListCell   *lc;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, exprs)
	{
		NamedExpr  *expr = lfirst(lc);
		JsonbValue	v;

		v.type = jbvString;
		v.val.string.val = expr->name;
		v.val.string.len = strlen(expr->name);
		pushJsonbValue(&state, WJB_KEY, &v);
		v.val.string.val = expr->expression;
		v.val.string.len = strlen(expr->expression);
		pushJsonbValue(&state, WJB_VALUE, &v);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(object));
}

int
catalog_insert_source(const Source *source)
{
	Args		args = {0};

	add_oid(&args, source->tbl);
	add_text(&args, source->kind == SOURCE_EVENTS ? "events" : "attributes");
	add_oid(&args, source->relation);
	add_text(&args, source->name);
	add_text(&args, source->key);
	add_text(&args, source->at);
	add_text(&args, source->event);
	add_text(&args, source->value);
	add_text(&args, source->item);
	add_arg(&args, JSONBOID, named_exprs_jsonb(source->extra), false);
	return run("INSERT INTO segment.config_source"
			   " (tbl, kind, relation, name, key, at, event, value, item, extra)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id", &args);
}

void
catalog_delete_source(int id)
{
	Args		args = {0};

	add_int(&args, id);
	run("DELETE FROM segment.config_source WHERE id = $1", &args);
	run("DELETE FROM segment.source_part WHERE source = $1", &args);
}

void
catalog_update_source(const Source *source)
{
	Args		args = {0};

	add_int(&args, source->id);
	add_text(&args, source->at);
	add_text(&args, source->event);
	add_text(&args, source->value);
	add_text(&args, source->item);
	add_arg(&args, JSONBOID, named_exprs_jsonb(source->extra), false);
	add_text(&args, source->key);
	run("UPDATE segment.config_source SET at = $2, event = $3, value = $4, item = $5, extra = $6,"
		" key = $7 WHERE id = $1", &args);
}

Datum
catalog_text_array(List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(strings), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, strings)
		elements[n++] = CStringGetTextDatum((char *) lfirst(lc));
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
catalog_put_column(Oid relid, const Column *column)
{
	static const char *const kinds[] = {"attribute", "score", "segment", "group", "band", "eligible"};
	static const char *const overs[] = {"attributes", "events", "row"};
	Args		args = {0};

	add_oid(&args, relid);
	add_text(&args, column->name);
	add_text(&args, kinds[column->kind]);
	add_text(&args, overs[column->over]);
	add_text(&args, column->expression);
	add_oid(&args, column->type);
	add_arg(&args, TEXTARRAYOID, catalog_text_array(column->crossings), false);
	add_text(&args, column->unanalyzed);
	add_arg(&args, TEXTARRAYOID, catalog_text_array(column->depends), false);
	add_arg(&args, TEXTARRAYOID, catalog_text_array(column->labels), column->labels == NIL);
	add_arg(&args, TEXTARRAYOID, catalog_text_array(column->rules), column->rules == NIL);
	add_arg(&args, INT4OID, Int32GetDatum(column->bands), column->kind != COLUMN_BAND);
	add_arg(&args, BOOLOID, BoolGetDatum(column->descending), column->kind != COLUMN_BAND);
	run("INSERT INTO segment.config_column AS c"
		" (tbl, name, kind, position, over, expression, type, crossings, unanalyzed, depends,"
		"  labels, rules, bands, descending)"
		" SELECT $1, $2, $3, coalesce(max(position), 0) + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13"
		"   FROM segment.config_column WHERE tbl = $1"
		" ON CONFLICT (tbl, name) DO UPDATE SET over = $4, expression = $5, type = $6,"
		"   crossings = $7, unanalyzed = $8, depends = $9, labels = $10, rules = $11,"
		"   bands = $12, descending = $13", &args);
}

/* Customers for whom an expression failed may do without it now. */
static void
retry_asides(Oid relid)
{
	Args		args = {0};

	add_oid(&args, relid);
	run("WITH again AS (UPDATE segment.aside SET retry_at = '-infinity' WHERE tbl = $1 RETURNING tbl)"
		" UPDATE segment.table_state_version SET next_due = least(next_due, clock_timestamp()), version = version + 1"
		" WHERE tbl = $1 AND version = (SELECT version FROM segment.table_state_version"
		"   WHERE tbl = $1 ORDER BY version DESC LIMIT 1) AND EXISTS (SELECT FROM again)", &args);
}

void
catalog_delete_column(Oid relid, const char *name)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_text(&args, name);
	run("DELETE FROM segment.config_column WHERE tbl = $1 AND name = $2", &args);
	run("DELETE FROM segment.config_band_cut WHERE tbl = $1 AND band = $2", &args);
	run("DELETE FROM segment.new_column WHERE tbl = $1 AND name = $2", &args);
	run("DELETE FROM segment.config_preset_column WHERE tbl = $1 AND name = $2", &args);
	retry_asides(relid);
}

void
catalog_note_new_column(Oid relid, const char *name)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_text(&args, name);
	run("INSERT INTO segment.new_column (tbl, name, defined_at)"
		" VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING", &args);
}

void
catalog_forget_new_columns(Oid relid)
{
	Args		args = {0};

	add_oid(&args, relid);
	run("DELETE FROM segment.new_column WHERE tbl = $1", &args);
}

void
catalog_set_expression(Oid relid, const char *name, const char *expression)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_text(&args, name);
	add_text(&args, expression);
	run("UPDATE segment.config_column SET expression = $3 WHERE tbl = $1 AND name = $2", &args);
}

void
catalog_set_order(Oid relid, List *names)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_arg(&args, TEXTARRAYOID, catalog_text_array(names), false);
	run("UPDATE segment.config_column c SET position = n.position"
		" FROM (SELECT name, row_number() OVER (ORDER BY array_position($2, name::text), position)"
		"         AS position FROM segment.config_column WHERE tbl = $1) n"
		" WHERE c.tbl = $1 AND c.name = n.name AND c.position <> n.position", &args);
}

bool
catalog_lock_work(Oid relid, LOCKMODE mode, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, context_relation("work"), relid, 0);
	return LockAcquire(&tag, mode, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void
catalog_delete_table(Oid relid)
{
	Args		args = {0};

	static const char *const relations[] = {
		"config_column", "config_band_cut", "config_source", "config_job", "config_preset_column",
		"config_preset", "config_changes", "config_table",
		"job_state", "run", "pending", "aside", "new_column", "source_part", "table_state_version", "suppressed",
		"merged"
	};

	add_oid(&args, relid);

	/*
	 * A collection would wait for the deletion of keys; the lock tells it not
	 * to.  Whoever has it now waits for us to let go of the table: what is left
	 * in work then does no harm.
	 */
	if (catalog_lock_work(relid, ExclusiveLock, false))
		run("DELETE FROM segment.work WHERE tbl = $1", &args);
	for (int i = 0; i < lengthof(relations); i++)
		run(psprintf("DELETE FROM segment.%s WHERE tbl = $1", relations[i]), &args);
}

bool
catalog_put_suppressed(Oid relid, const bytea *salt, Datum fingerprint)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_arg(&args, BYTEAOID, fingerprint, false);
	if (run("INSERT INTO segment.suppressed (tbl, fingerprint) VALUES ($1, $2)"
			" ON CONFLICT DO NOTHING RETURNING 1", &args) == 0)
		return false;
	args.values[1] = PointerGetDatum(salt);
	run("UPDATE segment.config_table SET salt = $2 WHERE tbl = $1 AND salt IS NULL", &args);
	return true;
}

bool
catalog_delete_suppressed(Oid relid, Datum fingerprint)
{
	Args		args = {0};

	add_oid(&args, relid);
	add_arg(&args, BYTEAOID, fingerprint, false);
	if (run("DELETE FROM segment.suppressed WHERE tbl = $1 AND fingerprint = $2 RETURNING 1", &args) == 0)
		return false;
	args.n = 1;
	run("UPDATE segment.config_table SET salt = NULL WHERE tbl = $1"
		" AND NOT EXISTS (SELECT FROM segment.suppressed WHERE tbl = $1)", &args);
	return true;
}
