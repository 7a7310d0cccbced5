/*
 * chain_functions.c
 *		The steps that functions of a moving value are.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "rule/analysis.h"
#include "rule/local.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/formatting.h"
#include "utils/timestamp.h"

/* A year as age() counts it, in days of the order of intervals. */
#define AGE_YEAR	360

static int64
unit_length(const char *unit)
{
	int			code;

	return local_unit(cstring_to_text(unit), &code) ? local_unit_length(code) : 0;
}

/* From here on the value stands still until the unit ends on the clock. */
static void
append_trunc(Chain *chain, const char *unit)
{
	bool		plain = chain->count == 0 ||
		(chain->count == 1 && chain->domain != CHAIN_INSTANT);

	if (!chain->stepping && plain)
	{
		chain->unit = pstrdup(unit);
		if (chain->count == 0)
			chain->zone = "''::text";
	}
	else if (chain->stepping && chain->unit != NULL && chain->neutral == chain->count &&
			 unit_length(unit) > unit_length(chain->unit))
	{
		/* longer units begin where shorter ones do, but for weeks */
		if (strcmp(chain->unit, "week") != 0)
			chain->unit = pstrdup(unit);
	}
	else
		chain->neutral = -1;
	chain->stepping = true;
	chain->hasty = unit_length(unit) < USECS_PER_SEC;
	chain_append(chain, "trunc", psprintf("'%s'::text", unit));
	if (chain->neutral >= 0)
		chain->neutral = chain->count;
}

/* To the clock's local time or back, which changes nothing about when it steps. */
static void
append_conversion(Chain *chain, const char *step, const char *zone)
{
	bool		neutral = chain->neutral == chain->count && chain->zone != NULL &&
		strcmp(chain->zone, zone) == 0;

	chain_append(chain, step, zone);
	if (neutral)
		chain->neutral = chain->count;
}

static void
append_local(Chain *chain, char *zone)
{
	if (chain->count == 0)
		chain->zone = zone;
	append_conversion(chain, "local", zone);
	chain->domain = CHAIN_LOCAL;
}

static void
append_instant(Chain *chain, const char *zone)
{
	append_conversion(chain, "instant", zone);
	chain->domain = CHAIN_INSTANT;
}

/* A constant text, in lower case, or NULL. */
static char *
constant_text(Node *node)
{
	Const	   *value = (Const *) node;

	if (!IsA(node, Const) || value->constisnull || value->consttype != TEXTOID)
		return NULL;
	return asc_tolower(TextDatumGetCString(value->constvalue),
					   VARSIZE_ANY_EXHDR(DatumGetPointer(value->constvalue)));
}

static bool
date_trunc_chain(const TimeWalk *walk, FuncExpr *func, Chain *chain)
{
	char	   *unit = constant_text(linitial(func->args));
	char	   *zone = "''::text";
	int64		length;
	int			code;

	if (unit == NULL || !local_unit(cstring_to_text(unit), &code))
		return false;
	length = local_unit_length(code);
	if (length == 1)
		return true;			/* a microsecond: as it was */
	if (chain->domain == CHAIN_LOCAL)
	{
		append_trunc(chain, unit);
		return true;
	}
	if (list_length(func->args) == 3)
	{
		if (length < USECS_PER_DAY || walk_moving(walk, lthird(func->args)))
			return false;
		zone = psprintf("(%s)::text", walk_text(walk, lthird(func->args)));
	}
	if (length < USECS_PER_DAY)
	{
		append_trunc(chain, unit);
		return true;
	}
	append_local(chain, zone);
	append_trunc(chain, unit);
	append_instant(chain, zone);
	return true;
}

/* extract(epoch from x): the time since then. */
static void
epoch_chain(Chain *chain)
{
	if (chain->domain == CHAIN_INSTANT)
		chain_append(chain, "since", "'1970-01-01 00:00:00+00'::timestamptz");
	else if (chain->domain != CHAIN_SPAN)
		chain_append(chain, "since", "'1970-01-01 00:00:00'::timestamp");
	chain->domain = CHAIN_NUMBER;
	chain->factor = USECS_PER_SEC;
}

/* extract(field from a difference or an age). */
static bool
extract_span_chain(const char *field, Chain *chain)
{
	bool		day = strcmp(field, "day") == 0 || strcmp(field, "days") == 0;
	bool		age = chain->domain == CHAIN_AGE;

	if (!age && strcmp(field, "epoch") == 0)
	{
		epoch_chain(chain);
		return true;
	}
	if (!age && day)
	{
		chain_append(chain, "whole", "'1 day'::interval");
		chain->domain = CHAIN_NUMBER;
		chain->factor = USECS_PER_DAY;
		chain->stepping = true;
		chain->cut = true;
	}
	else if (age && (strcmp(field, "year") == 0 || strcmp(field, "years") == 0))
	{
		chain_append(chain, "fields", "'month'::text");
		chain_append(chain, "whole", psprintf("'%d days'::interval", AGE_YEAR));
		chain->domain = CHAIN_NUMBER;
		chain->factor = (double) AGE_YEAR * USECS_PER_DAY;
		chain->stepping = true;
		chain->cut = true;
	}
	else if (age && (day || strcmp(field, "month") == 0 || strcmp(field, "months") == 0))
	{
		chain_append(chain, "fields", day ? "'day'::text" : "'month'::text");
		chain->domain = CHAIN_FIELD;
		chain->stepping = true;
		chain->cut = true;
	}
	else
		return false;
	/* for fields of an age, its pieces are looked at one by one */
	if (chain->domain == CHAIN_NUMBER)
		chain->hasty = false;
	return true;
}

/* The unit at whose end a field of a time changes, or NULL. */
static const char *
unit_of_field(const char *field)
{
	static const char *const units[][2] = {
		{"minute", "minute"}, {"hour", "hour"}, {"day", "day"}, {"dow", "day"},
		{"isodow", "day"}, {"doy", "day"}, {"week", "week"}, {"isoyear", "week"},
		{"month", "month"}, {"quarter", "quarter"}, {"year", "year"},
		{"decade", "decade"}, {"century", "century"}, {"millennium", "millennium"}
	};

	for (int i = 0; i < lengthof(units); i++)
	{
		if (strcmp(field, units[i][0]) == 0)
			return units[i][1];
	}
	return NULL;
}

static bool
extract_chain(FuncExpr *func, Chain *chain)
{
	char	   *field = constant_text(linitial(func->args));
	const char *unit;

	if (field == NULL)
		return false;
	if (chain->domain == CHAIN_SPAN || chain->domain == CHAIN_AGE)
		return extract_span_chain(field, chain);
	if (chain->domain > CHAIN_DATE)
		return false;
	if (strcmp(field, "epoch") == 0)
	{
		epoch_chain(chain);
		return true;
	}
	unit = unit_of_field(field);
	if (unit == NULL)
		return false;
	if (chain->domain == CHAIN_INSTANT)
		append_local(chain, "''::text");
	append_trunc(chain, unit);
	chain->domain = CHAIN_FIELD;
	return true;
}

/*
 * to_char by a pattern of dates alone, such as 'MMDD': it changes at midnights.
 */
static bool
to_char_chain(FuncExpr *func, Chain *chain)
{
	static const char *const patterns[] = {
		"iyyy", "yyyy", "month", "ddd", "day", "mon", "iw", "ww", "id", "dy", "dd", "mm", "yy", "cc",
		"q", "d", "fm"
	};
	char	   *format = constant_text(lsecond(func->args));

	if (format == NULL || chain->domain > CHAIN_DATE)
		return false;
	while (*format != '\0')
	{
		int			length = *format >= '0' && *format <= '9' ? 1 : strspn(format, " -/.,:_");

		for (int i = 0; length == 0 && i < lengthof(patterns); i++)
		{
			if (strncmp(format, patterns[i], strlen(patterns[i])) == 0)
				length = strlen(patterns[i]);
		}
		if (length == 0)
			return false;
		format += length;
	}
	if (chain->domain == CHAIN_INSTANT)
		append_local(chain, "''::text");
	append_trunc(chain, "day");
	chain->domain = CHAIN_FIELD;
	return true;
}

/* A cast among times. */
static bool
cast_chain(Oid type, Chain *chain)
{
	if (chain->domain > CHAIN_DATE)
		return false;
	if (type == TIMESTAMPTZOID && chain->domain != CHAIN_INSTANT)
		append_instant(chain, "''::text");
	else if (type != TIMESTAMPTZOID && chain->domain == CHAIN_INSTANT)
		append_local(chain, "''::text");
	if (type == TIMESTAMPOID)
		chain->domain = CHAIN_LOCAL;
	if (type == DATEOID)
	{
		if (chain->domain != CHAIN_DATE)
			append_trunc(chain, "day");
		chain->domain = CHAIN_DATE;
	}
	return true;
}

/* A cast to a number of digits of the second; with 6, or -1 for none, it does nothing. */
static bool
round_chain(FuncExpr *func, Chain *chain)
{
	double		digits;

	if (!rule_constant_number(lsecond(func->args), &digits))
		return false;
	if (digits < 0 || digits >= MAX_TIMESTAMP_PRECISION)
		return true;
	chain_append(chain, "round", psprintf("%d", (int) digits));
	chain->hasty = !chain->stepping ? digits > 0 : chain->hasty;
	chain->stepping = true;
	return true;
}

static bool
age_chain(const TimeWalk *walk, FuncExpr *func, Chain *chain)
{
	Oid			type = func->funcid == F_AGE_TIMESTAMP_TIMESTAMP ? TIMESTAMPOID : TIMESTAMPTZOID;

	if (!chain_append_fixed(walk, chain, "age", lsecond(func->args),
					  type == TIMESTAMPOID ? "(%s)::timestamp" : "(%s)::timestamptz"))
		return false;
	chain->domain = CHAIN_AGE;
	return true;
}

/* A number rounded down. */
static bool
floor_chain(Chain *chain)
{
	if (chain->domain != CHAIN_NUMBER || chain->rounded || chain->factor != rint(chain->factor) ||
		chain->factor < 1 || chain->factor > 1e17)
		return false;
	/* also what stands still in between may stand between two whole numbers */
	chain_append(chain, "floor", psprintf("'%.6f seconds'::interval", chain->factor / USECS_PER_SEC));
	chain->hasty = chain->factor < USECS_PER_SEC;
	chain->stepping = true;
	chain->cut = true;
	return true;
}

bool
chain_through_function(const TimeWalk *walk, FuncExpr *func, Chain *chain)
{
	switch (func->funcid)
	{
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
		case F_DATE_TIMESTAMP:
		case F_TIMESTAMP_DATE:
		case F_TIMESTAMPTZ_DATE:
			return cast_chain(func->funcresulttype, chain);
		case F_TIMESTAMPTZ_TIMESTAMPTZ_INT4:
		case F_TIMESTAMP_TIMESTAMP_INT4:
			return round_chain(func, chain);
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
			return date_trunc_chain(walk, func, chain);
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
		case F_TIMEZONE_TEXT_TIMESTAMP:
			if (walk_moving(walk, linitial(func->args)))
				return false;
			if (chain->domain == CHAIN_INSTANT)
				append_local(chain, psprintf("(%s)::text", walk_text(walk, linitial(func->args))));
			else
				append_instant(chain, psprintf("(%s)::text", walk_text(walk, linitial(func->args))));
			return true;
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_INTERVAL:
		case F_DATE_PART_TEXT_DATE:
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_INTERVAL:
			return extract_chain(func, chain);
		case F_AGE_TIMESTAMPTZ_TIMESTAMPTZ:
		case F_AGE_TIMESTAMP_TIMESTAMP:
			return age_chain(walk, func, chain);
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
			return to_char_chain(func, chain);
		case F_FLOOR_NUMERIC:
		case F_FLOOR_FLOAT8:
			return floor_chain(chain);
		case F_NUMERIC_INT4:
		case F_FLOAT8_INT4:
		case F_INT8_INT4:
			return chain->domain == CHAIN_NUMBER;
		default:
			return false;
	}
}
