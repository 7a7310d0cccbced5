/*
 * rows.c
 *		Rows through the transition functions: into one state, and into some that
 *		are serialized, deserialized and combined in two orders, as parallel
 *		workers do.  All must come to the same, errors included.
 */
#include "target.h"

#include <math.h>

#include "aggregate/aggregate.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#define ARGUMENTS_MAX 80
#define PARTS 3

/* What is left of the input; zeroes follow it. */
typedef struct Input
{
	const uint8 *at;
	const uint8 *end;
} Input;

/* A call's argument, its type as a word, and its values. */
typedef struct Argument
{
	Oid			type;
	const char *name;
	bool		constant;
	bool		drawn;
	NullableDatum kept;			/* of a constant; lives in shim_query */
} Argument;

typedef struct Rows
{
	const Aggregate *aggregate;
	Input		input;
	int			count;
	Argument	arguments[ARGUMENTS_MAX];
	bool		constant;		/* are constant arguments constant? */
	bool		whole_numbers;	/* no float but small whole numbers so far? */
	TimestampTz at;				/* of the last row */
	ShimTypes	types;
	FmgrInfo	functions[PARTS + 1];
	void	   *states[PARTS + 1];
	bool		failed[PARTS + 1];	/* the last is that of all rows */
} Rows;

static int
take(Input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static void
take_bytes(Input *input, void *into, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8 *) into)[i] = (uint8) take(input);
}

/* Instants come mostly in order, near each other and near the present. */
static Datum
take_instant(Rows *rows)
{
	static const int64 units[] = {
		1, USECS_PER_SEC, USECS_PER_MINUTE, USECS_PER_HOUR, USECS_PER_DAY,
		7 * USECS_PER_DAY, 365 * USECS_PER_DAY, USECS_PER_HOUR / 2
	};
	int			form = take(&rows->input);
	int			steps = take(&rows->input) % 32;
	/* where it began at the end of time, it may wrap around */
	uint64		step = (uint64) units[form % 8] * steps;
	TimestampTz at = rows->at;

	if (form < 160)
		at = (TimestampTz) ((uint64) at + step);
	else if (form < 224)
		at = (TimestampTz) ((uint64) at - step);
	else if (form < 240)
		at = SHIM_AS_OF + units[form % 8] * (steps - 16);
	else if (form < 244)
		at = form % 2 == 0 ? DT_NOBEGIN : DT_NOEND;
	else
		take_bytes(&rows->input, &at, sizeof(at));
	/* The type holds nothing else. */
	if (!TIMESTAMP_NOT_FINITE(at) && !IS_VALID_TIMESTAMP(at))
		at = at < 0 ? MIN_TIMESTAMP : END_TIMESTAMP - 1;
	if (!TIMESTAMP_NOT_FINITE(at))
		rows->at = at;
	return TimestampTzGetDatum(at);
}

static Datum
take_interval(Rows *rows)
{
	static const Interval usual[] = {
		{0, 1, 0}, {0, 7, 0}, {30 * USECS_PER_MINUTE, 0, 0}, {USECS_PER_HOUR, 0, 0},
		{0, 30, 0}, {0, 0, 1}, {0, 0, 12}, {0, 0, 0}, {1, 0, 0}, {-1, 0, 0}, {0, 365, 0},
		{USECS_PER_SEC, 0, 0}
	};
	int			form = take(&rows->input);
	Interval   *interval = palloc(sizeof(Interval));

	if (form < 192)
		*interval = usual[form % lengthof(usual)];
	else
	{
		memset(interval, 0, sizeof(Interval));
		take_bytes(&rows->input, &interval->time, 8);
		if (form % 2 == 0)
		{
			take_bytes(&rows->input, &interval->day, 4);
			take_bytes(&rows->input, &interval->month, 4);
		}
	}
	return IntervalPGetDatum(interval);
}

static Datum
take_float(Rows *rows)
{
	int			form = take(&rows->input);
	float8		value = form % 64 - 8;

	if (form >= 224)
	{
		take_bytes(&rows->input, &value, sizeof(value));
		rows->whole_numbers = false;
	}
	else if (form >= 216)
	{
		value = form % 4 == 0 ? NAN : form % 4 == 1 ? INFINITY : form % 4 == 2 ? -INFINITY : 0.1;
		rows->whole_numbers = false;
	}
	return Float8GetDatum(value);
}

/* Words for arguments of these names; the rest are made of any bytes. */
static Datum
take_text(Rows *rows, const char *name)
{
	static const char *const words[][2] = {
		{"unit", "day"}, {"unit", "week"}, {"unit", "month"}, {"unit", "hour"},
		{"mode", "strict_order"}, {"mode", "strict_deduplication"}, {"mode", "strict_increase"},
		{"mode", "strict_once"}, {"mode", "allow_reentry"},
		{"mode", "strict_order, strict_once"}, {"mode", ""},
		{"mode", "strict_deduplication,strict_increase"}, {"mode", "strict_increase,allow_reentry"},
		{"pattern", "(?1)(?2)"}, {"pattern", "(?1).*(?2)"}, {"pattern", "(?1).(?2)"},
		{"pattern", "(?1)(?t<=3600)(?2)"}, {"pattern", "(?1)(?t>'1 hour')(?2).*(?3)"},
		{"pattern", "(?2).*.*.*(?1)"}, {"pattern", ".*"}, {"pattern", "(?1)(?t==1)(?1)"},
		{"pattern", "(?3)(?t!=2)(?1).*(?2)"}, {"pattern", "(?1)(?1)(?1)"},
	};
	int			form = take(&rows->input);
	int			known = 0;
	char		bytes[64];
	int			length;

	for (int i = 0; i < (int) lengthof(words); i++)
		known += strcmp(words[i][0], name) == 0;
	if (known > 0 && form < 232)
	{
		int			chosen = form % known;

		for (int i = 0; i < (int) lengthof(words); i++)
			if (strcmp(words[i][0], name) == 0 && chosen-- == 0)
				return PointerGetDatum(shim_varlena(words[i][1], strlen(words[i][1]),
													CurrentMemoryContext));
	}

	length = form % 8 == 7 ? take(&rows->input) % (int) sizeof(bytes) : form % 8;
	take_bytes(&rows->input, bytes, length);
	for (int i = 0; i < length; i++)
	{
		/* short ones are mostly the same */
		bytes[i] = length < 3 ? 'a' + bytes[i] % 4 : bytes[i] & 0x7f;
		if (bytes[i] == '\0')
			bytes[i] = ' ';
	}
	return PointerGetDatum(shim_varlena(bytes, length, CurrentMemoryContext));
}

static Datum
take_integer(Rows *rows, bool wide)
{
	int			form = take(&rows->input);
	int64		value = form % 16;

	if (form >= 232)
		take_bytes(&rows->input, &value, sizeof(value));
	return wide ? Int64GetDatum(value) : Int32GetDatum((int32) value);
}

static Datum
take_booleans(Rows *rows)
{
	int			form = take(&rows->input);
	int			count = form < 240 ? rows->count % 5 + 1 : form % 70;
	Datum		values[70];

	for (int i = 0; i < count; i++)
		values[i] = BoolGetDatum(take(&rows->input) % 3 == 0);
	return PointerGetDatum(shim_array(values, count, BOOLOID, 1, true));
}

static Datum
take_value(Rows *rows, const Argument *argument)
{
	switch (argument->type)
	{
		case BOOLOID:
			return BoolGetDatum(take(&rows->input) % 2 == 0);
		case INT4OID:
			return take_integer(rows, false);
		case INT8OID:
			return take_integer(rows, true);
		case FLOAT8OID:
			return take_float(rows);
		case TEXTOID:
			return take_text(rows, argument->name);
		case TIMESTAMPTZOID:
			return take_instant(rows);
		case INTERVALOID:
			return take_interval(rows);
		case BOOLARRAYOID:
			return take_booleans(rows);
		default:
			shim_fail("segment.%s: rows.c makes no values of type %u yet",
					  rows->aggregate->name, argument->type);
	}
}

/* A value that does not overlap others', NULL now and then. */
static NullableDatum
take_argument(Rows *rows, Argument *argument)
{
	NullableDatum result;

	if (argument->constant && argument->drawn)
		return argument->kept;
	if (argument->constant)
		CurrentMemoryContext = shim_query;
	result.isnull = !argument->constant && argument->type != BOOLOID &&
		take(&rows->input) >= 248;
	result.value = result.isnull ? (Datum) 0 : take_value(rows, argument);
	CurrentMemoryContext = shim_row;
	argument->kept = result;
	argument->drawn = true;
	return result;
}

static Oid
type_named(const char *name, size_t length)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			types[] = {
		{"timestamptz", TIMESTAMPTZOID}, {"interval", INTERVALOID}, {"float8", FLOAT8OID},
		{"text", TEXTOID}, {"int4", INT4OID}, {"int8", INT8OID}, {"boolean", BOOLOID},
		{"boolean[]", BOOLARRAYOID}
	};

	for (int i = 0; i < (int) lengthof(types); i++)
		if (strlen(types[i].name) == length && strncmp(types[i].name, name, length) == 0)
			return types[i].type;
	return InvalidOid;
}

static void
add_argument(Rows *rows, Oid type, const char *name)
{
	Argument   *argument = &rows->arguments[rows->count++];
	bool		varies = type == FLOAT8OID || type == TIMESTAMPTZOID || type == BOOLOID ||
		type == BOOLARRAYOID || strcmp(name, "item") == 0 || strcmp(name, "value") == 0;

	argument->type = type;
	argument->name = name;
	argument->constant = rows->constant && !varies;
	rows->types.types[rows->count] = type;
}

/* The arguments of an aggregate, some of them chosen by the input. */
static void
choose_arguments(Rows *rows)
{
	static char names[ARGUMENTS_MAX][64];
	const char *type = rows->aggregate->types;
	const char *name = rows->aggregate->names;

	shim_value_type = take(&rows->input) % 2 == 0 ? TEXTOID : INT8OID;
	while (*type != '\0')
	{
		size_t		type_length = strcspn(type, ",");
		size_t		name_length = strcspn(name, ",");
		char	   *copy = names[rows->count];

		memset(copy, 0, sizeof(names[0]));
		memcpy(copy, name, Min(name_length, sizeof(names[0]) - 1));
		if (type_length == 3 && strncmp(type, "any", 3) == 0)
		{
			int			conditions = take(&rows->input);

			conditions = conditions < 240 ? conditions % 5 + 1 : conditions % 64 + 1;
			for (int i = 0; i < conditions; i++)
				add_argument(rows, BOOLOID, copy);
		}
		else if (type_length == 10 && strncmp(type, "anyelement", 10) == 0)
			add_argument(rows, shim_value_type, "value");
		else
		{
			Oid			known = type_named(type, type_length);

			if (known == InvalidOid)
				shim_fail("segment.%s: rows.c does not know type %.*s yet",
						  rows->aggregate->name, (int) type_length, type);
			add_argument(rows, known, copy);
		}
		type += type_length + (type[type_length] == ',');
		name += name_length + (name[name_length] == ',');
	}
	rows->types.types[0] = INTERNALOID;
	rows->types.count = rows->count + 1;
}

static void
add_row(Rows *rows, int part, const NullableDatum *values)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	Datum		result;

	if (rows->failed[part])
		return;
	InitFunctionCallInfoData(*fcinfo, &rows->functions[part], rows->types.count, InvalidOid,
							 NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(rows->states[part]);
	fcinfo->args[0].isnull = rows->states[part] == NULL;
	memcpy(&fcinfo->args[1], values, sizeof(NullableDatum) * rows->count);
	if (!shim_call(rows->aggregate->transition, fcinfo, &result))
		rows->failed[part] = true;
	else if (!fcinfo->isnull)
		rows->states[part] = DatumGetPointer(result);
	else if (rows->states[part] != NULL)
		shim_fail("segment.%s has lost its state", rows->aggregate->name);
}

/* The parts in one order; false if anything ended in an error. */
static bool
combine_parts(Rows *rows, const Wire *wires, bool backward, void **state)
{
	*state = NULL;
	for (int i = 0; i < PARTS; i++)
	{
		int			part = backward ? PARTS - 1 - i : i;
		void	   *other;

		if (rows->failed[part])
			return false;
		if (rows->states[part] == NULL)
			continue;
		if (!state_deserialize(&wires[part], &other))
			shim_fail("segment.%s refuses its own state", rows->aggregate->name);
		if (!state_combine(state, other))
			return false;
	}
	return true;
}

static void
compare_parts(Rows *rows)
{
	Wire		wires[PARTS + 1];
	void	   *whole = rows->states[PARTS];

	for (int i = 0; i <= PARTS; i++)
	{
		if (rows->failed[i] || rows->states[i] == NULL)
			continue;
		wires[i] = state_wire(rows->states[i], rows->aggregate->name);
		if (target_state_made != NULL)
			target_state_made(&wires[i]);
	}
	for (int backward = 0; backward < 2; backward++)
	{
		void	   *state;
		Wire		wire;
		bool		done = combine_parts(rows, wires, backward, &state);

		if (done == rows->failed[PARTS])
			shim_fail("segment.%s: an error depends on how rows are split", rows->aggregate->name);
		if (!done)
			continue;
		if ((state == NULL) != (whole == NULL))
			shim_fail("segment.%s: a state depends on how rows are split", rows->aggregate->name);
		if (state == NULL)
			continue;
		wire = state_wire(state, rows->aggregate->name);
		forms_agree(state, &wires[PARTS], &wire, "a state depends on how rows are split");
		if (rows->whole_numbers || !state_is_rounded(state))
			states_agree(whole, state, state_is_rounded(state), "rows that are split");
		state_finals(state, rows->aggregate->name);
	}
}

void
try_rows(const uint8 *data, size_t size)
{
	static Rows rows;
	NullableDatum values[ARGUMENTS_MAX];

	memset(&rows, 0, sizeof(rows));
	rows.input.at = data;
	rows.input.end = data + size;
	rows.aggregate = &aggregates[take(&rows.input) % aggregates_count];
	rows.constant = take(&rows.input) % 8 != 0;
	rows.whole_numbers = true;
	rows.at = SHIM_AS_OF - 100 * USECS_PER_DAY;
	choose_arguments(&rows);
	for (int i = 0; i <= PARTS; i++)
	{
		rows.functions[i].fn_addr = rows.aggregate->transition;
		rows.functions[i].fn_nargs = rows.types.count;
		rows.functions[i].fn_mcxt = shim_query;
		rows.functions[i].fn_expr = (fmNodePtr) &rows.types;
	}
	while (rows.input.at < rows.input.end)
	{
		int			form = take(&rows.input);

		for (int i = 0; i < rows.count; i++)
			values[i] = take_argument(&rows, &rows.arguments[i]);
		add_row(&rows, form % PARTS, values);
		add_row(&rows, PARTS, values);
		MemoryContextReset(shim_row);
		/* as a window does */
		if (form >= 232 && !rows.failed[PARTS] && rows.states[PARTS] != NULL)
			state_finals(rows.states[PARTS], rows.aggregate->name);
	}
	compare_parts(&rows);
}
