/*
 * rename.c
 *		Following columns of sources that were renamed.
 *
 * A stored expression knows columns by their names.  Beside it is noted which
 * number each name had, so that it can be read as it was meant, and written
 * with the names of today.
 */
#include "postgres.h"

#include "access/table.h"
#include "context.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct Following
{
	const SegmentTable *table;
	Source	   *source;
	List	   *before;			/* of SourceColumn: as the expressions know them */
	List	   *now;
	bool		changed;		/* an expression */
} Following;

/* The command that takes a source out of the definition, for a hint. */
static char *
drop_command(const SegmentTable *table, const Source *source)
{
	return psprintf("SELECT segment.%s(%s, %s)",
					source->kind == SOURCE_EVENTS ? "drop_source" : "drop_attributes",
					quote_literal_cstr(catalog_qualified_name(table->relid)),
					quote_literal_cstr(source->name));
}

static const char *
add_function(const Source *source)
{
	return source->kind == SOURCE_EVENTS ? "segment.add_source()" : "segment.add_attributes()";
}

void
rule_refuse_column_change(const SegmentTable *table, const Source *source, const char *column,
						  const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("%s column \"%s\" of %s: segment table %s reads it", what, column,
					catalog_qualified_name(source->relation), catalog_qualified_name(table->relid)),
			 errhint("In one transaction: %s; change the column; then add it again with %s.",
					 drop_command(table, source), add_function(source))));
}

/* Names of columns in a stored expression, and perhaps of other things. */
static bool
gather_names(Node *node, void *context)
{
	List	  **names = context;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		*names = lappend(*names, llast(castNode(ColumnRef, node)->fields));
		return false;
	}
	return raw_expression_tree_walker(node, gather_names, names);
}

static Node *
parse_stored(const char *text)
{
	RawStmt    *stmt = linitial_node(RawStmt, raw_parser(text, RAW_PARSE_PLPGSQL_EXPR));

	return linitial_node(ResTarget, castNode(SelectStmt, stmt->stmt)->targetList)->val;
}

static bool
reads(const char *text, const char *column)
{
	List	   *names = NIL;

	if (text == NULL)
		return false;
	gather_names(parse_stored(text), &names);
	return list_member(names, makeString(unconstify(char *, column)));
}

bool
rule_source_reads(const Source *source, const char *column)
{
	RunContext	ctx;
	bool		result;
	ListCell   *lc;

	/* how a string is read is a setting of the session */
	context_enter_settings(&ctx, "UTC");
	result = reads(source->key, column) || reads(source->at, column) ||
		reads(source->event, column) || reads(source->value, column) ||
		reads(source->item, column);
	foreach(lc, source->extra)
		result = result || reads(((NamedExpr *) lfirst(lc))->expression, column);
	context_leave(&ctx);
	return result;
}

/* The columns that are there now, by the names that the expressions know. */
static List *
names_before(const Following *f)
{
	List	   *names = NIL;

	for (int i = 0; i < list_length(f->now); i++)
	{
		char	   *name = ((SourceColumn *) list_nth(f->now, i))->name;

		if (name[0] == '\0')
			continue;
		if (i < list_length(f->before))
			name = ((SourceColumn *) list_nth(f->before, i))->name;
		else if (rule_source_reads(f->source, name))
			/* a new column of the name that another one had */
			name = psprintf(RESERVED_PREFIX "new_%d", i + 1);
		names = lappend(names, makeString(name));
	}
	return names;
}

/* A stored expression with the names of today. */
static char *
follow(Following *f, char *text)
{
	Oid			relation = f->source->relation;
	ParseState *pstate;
	ParseNamespaceItem *item;
	Relation	rel;
	Node	   *node;
	char	   *result;

	if (text == NULL)
		return NULL;
	pstate = make_parsestate(NULL);
	rel = table_open(relation, AccessShareLock);
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										 makeAlias(get_rel_name(relation), names_before(f)),
										 false, true);
	addNSItemToQuery(pstate, item, false, true, true);
	node = transformExpr(pstate, parse_stored(text), EXPR_KIND_SELECT_TARGET);
	assign_expr_collations(pstate, node);
	result = rule_deparse(node, relation);
	table_close(rel, NoLock);
	free_parsestate(pstate);
	f->changed |= strcmp(result, text) != 0;
	return result;
}

static void
follow_all(Following *f)
{
	Source	   *source = f->source;
	ListCell   *lc;
	RunContext	ctx;

	context_enter_owner(&ctx, f->table->owner, f->table->time_zone);
	source->key = follow(f, source->key);
	source->at = follow(f, source->at);
	source->event = follow(f, source->event);
	source->value = follow(f, source->value);
	source->item = follow(f, source->item);
	foreach(lc, source->extra)
	{
		NamedExpr  *named = lfirst(lc);

		named->expression = follow(f, named->expression);
	}
	context_leave(&ctx);
}

/* False where one can't follow: a column that is read is gone, or has another type. */
static bool
check_columns(const Following *f, bool strict, bool *renamed)
{
	for (int i = 0; i < list_length(f->before); i++)
	{
		const SourceColumn *before = list_nth(f->before, i);
		const SourceColumn *now = list_nth(f->now, i);

		if (strcmp(before->name, now->name) == 0 && before->type == now->type)
			continue;
		if (before->name[0] == '\0' || !rule_source_reads(f->source, before->name))
			continue;
		*renamed = true;
		if (before->type == now->type)
			continue;
		if (!strict)
			return false;
		rule_refuse_column_change(f->table, f->source, before->name, now->name[0] == '\0' ?
								  "somebody dropped" : "somebody changed the type of");
	}
	return true;
}

static bool
same_columns(const List *before, const List *now)
{
	const ListCell *lc,
			   *lc2;

	if (list_length(before) != list_length(now))
		return false;
	forboth(lc, before, lc2, now)
	{
		const SourceColumn *one = lfirst(lc);
		const SourceColumn *other = lfirst(lc2);

		if (strcmp(one->name, other->name) != 0 || one->type != other->type)
			return false;
	}
	return true;
}

static void
following_context(void *arg)
{
	Following  *f = arg;

	errcontext("while following renamed columns of source \"%s\" of segment table \"%s\"",
			   f->source->name, get_rel_name(f->table->relid));
}

bool
rule_follow_renames(const SegmentTable *table, Source *source, bool strict)
{
	Following	f = {.table = table, .source = source};
	bool		renamed = false;
	ListCell   *lc;

	f.before = catalog_load_columns(source, NULL);
	if (f.before == NIL)
		return false;
	f.now = catalog_current_columns(source->relation);
	if (same_columns(f.before, f.now))
		return false;
	if (!check_columns(&f, strict, &renamed))
		return false;
	if (renamed)
	{
		ErrorContextCallback callback = {error_context_stack, following_context, &f};

		error_context_stack = &callback;
		follow_all(&f);
		error_context_stack = callback.previous;
	}
	if (f.changed)
	{
		catalog_update_source(source);
		foreach(lc, source->kind == SOURCE_ATTRIBUTES ? source->extra : NIL)
		{
			NamedExpr  *named = lfirst(lc);

			catalog_set_expression(table->relid, named->name, named->expression);
		}
	}
	catalog_note_columns(source);
	return f.changed;
}
