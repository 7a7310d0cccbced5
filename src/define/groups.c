/*
 * groups.c
 *		Groups: a text column of the first label whose rule holds.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "define/define.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(segment_add_group);
PG_FUNCTION_INFO_V1(segment_alter_group);
PG_FUNCTION_INFO_V1(segment_drop_group);

/* The conditions under which a label's crossing matters name all labels before it. */
#define MAX_LABELS 100

CheckedRule *
define_check_group(const SegmentTable *table, const char *name, List *labels, List **rules)
{
	List	   *checked = NIL;
	List	   *canonical = NIL;
	ListCell   *lc,
			   *lc2;

	forboth(lc, labels, lc2, *rules)
	{
		char	   *what = psprintf("label \"%s\" of group \"%s\"", (char *) lfirst(lc), name);
		CheckedRule *rule = define_check_rule(table, lfirst(lc2), OVER_ROW, BOOLOID, what);

		checked = lappend(checked, rule);
		canonical = lappend(canonical, rule->expression);
	}
	*rules = canonical;
	return rule_first_label(labels, checked, table, table->relid);
}

static void
check_label(const char *name, const char *label, List *before)
{
	if (*label == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a label of group \"%s\" is empty", name),
				 errhint("Customers for whom no rule holds have NULL; every label needs a text.")));
	if (list_member(before, makeString(unconstify(char *, label))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label \"%s\" of group \"%s\" is given twice", label, name),
				 errhint("Join its rules with OR, or choose another label.")));
}

void
define_check_labels(const Column *group)
{
	List	   *seen = NIL;
	ListCell   *lc;

	if (group->labels == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("group \"%s\" has no label", group->name),
				 errhint("Give it a label and a rule at least.")));
	if (list_length(group->labels) > MAX_LABELS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("group \"%s\" has more than %d labels", group->name, MAX_LABELS)));
	foreach(lc, group->labels)
	{
		check_label(group->name, lfirst(lc), seen);
		seen = lappend(seen, makeString(lfirst(lc)));
	}
}

/* A group from the arguments tbl, name, and labels and rules by turns. */
static Column *
group_of_arguments(FunctionCallInfo fcinfo)
{
	Column	   *group = palloc0(sizeof(Column));
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	group->kind = COLUMN_GROUP;
	group->name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	if (n == 0 || n % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 n == 0 ? errmsg("group \"%s\" has no label", group->name) :
				 errmsg("group \"%s\" has a label without a rule", group->name),
				 errhint("Give labels and rules by turns, such as 'heavy', 'logins >= 20', 'light', 'logins >= 1'.")));
	for (int i = 0; i < n; i += 2)
	{
		if (nulls[i] || nulls[i + 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a label or a rule of group \"%s\" is null", group->name),
					 errhint("Customers for whom no rule holds have NULL; that needs no label.")));
		group->labels = lappend(group->labels, TextDatumGetCString(elements[i]));
		group->rules = lappend(group->rules, TextDatumGetCString(elements[i + 1]));
	}
	define_check_labels(group);
	return group;
}

/* add_group(tbl, name, VARIADIC labels_and_rules) */
Datum
segment_add_group(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "labels_and_rules"};
	SegmentTable *table;
	Column	   *group;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	group = group_of_arguments(fcinfo);
	define_add_column(table, group);
	define_changed(table->relid, group->name);
	PG_RETURN_VOID();
}

/* alter_group(tbl, name, VARIADIC labels_and_rules) */
Datum
segment_alter_group(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "labels_and_rules"};

	define_require(fcinfo, 3, names);
	define_alter(PG_GETARG_OID(0), group_of_arguments(fcinfo));
	PG_RETURN_VOID();
}

/* drop_group(tbl, name): its customers leave it now; the history stays */
Datum
segment_drop_group(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_GROUP);
	PG_RETURN_VOID();
}
