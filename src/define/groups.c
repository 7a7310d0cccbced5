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

void
define_put_group(const SegmentTable *table, const char *name, List *labels, List *rules,
				 const CheckedRule *rule)
{
	Column		column = {0};

	column.name = unconstify(char *, name);
	column.kind = COLUMN_GROUP;
	column.over = OVER_ROW;
	column.expression = rule->expression;
	column.type = rule->type;
	column.crossings = rule->crossings;
	column.unanalyzed = rule->unanalyzed;
	column.depends = rule->depends;
	column.labels = labels;
	column.rules = rules;
	catalog_put_column(table->relid, &column);
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

/* Labels and rules, by turns, from the array of the arguments. */
static void
split_labels(const char *name, ArrayType *array, List **labels, List **rules)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *seen = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	if (n == 0 || n % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 n == 0 ? errmsg("group \"%s\" has no label", name) :
				 errmsg("group \"%s\" has a label without a rule", name),
				 errhint("Give labels and rules by turns, such as 'heavy', 'logins >= 20', 'light', 'logins >= 1'.")));
	if (n / 2 > MAX_LABELS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("group \"%s\" has more than %d labels", name, MAX_LABELS)));
	for (int i = 0; i < n; i += 2)
	{
		char	   *label;

		if (nulls[i] || nulls[i + 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a label or a rule of group \"%s\" is null", name),
					 errhint("Customers for whom no rule holds have NULL; that needs no label.")));
		label = TextDatumGetCString(elements[i]);
		check_label(name, label, seen);
		seen = lappend(seen, makeString(label));
		*labels = lappend(*labels, label);
		*rules = lappend(*rules, TextDatumGetCString(elements[i + 1]));
	}
}

/* add_group(tbl, name, VARIADIC labels_and_rules) */
Datum
segment_add_group(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "labels_and_rules"};
	SegmentTable *table;
	char	   *name;
	List	   *labels = NIL;
	List	   *rules = NIL;
	CheckedRule *rule;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	define_check_new_name(table, name, "group");
	split_labels(name, PG_GETARG_ARRAYTYPE_P(2), &labels, &rules);
	rule = define_check_group(table, name, labels, &rules);
	define_notice_unanalyzed(table, rule, psprintf("group \"%s\"", name));
	define_ddl(table, "ALTER TABLE %s ADD COLUMN %s text", catalog_qualified_name(table->relid),
			   quote_identifier(name));
	define_put_group(table, name, labels, rules, rule);
	define_changed(table->relid, name);
	PG_RETURN_VOID();
}

/* drop_group(tbl, name): its customers leave it now; the history stays */
Datum
segment_drop_group(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_GROUP, "group");
	PG_RETURN_VOID();
}
