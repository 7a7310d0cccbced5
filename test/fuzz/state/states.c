/*
 * states.c
 *		States on the wire: what is accepted must be sound.
 */
#include "target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregate/aggregate.h"
#include "catalog/pg_type.h"

#define AGGREGATES_MAX 100

extern Datum segment_aggregate_combine(PG_FUNCTION_ARGS);
extern Datum segment_aggregate_serialize(PG_FUNCTION_ARGS);
extern Datum segment_aggregate_deserialize(PG_FUNCTION_ARGS);

/* What can't be asked of a kind; all else is asked of all. */
static const struct
{
	const char *kind;
	bool		rounded;		/* sums round even where weights are small whole numbers */
	bool		unordered;		/* written as it came: a state can have several forms */
	bool		reformed;		/* an exact sum can have several forms, too */
	bool		loose;			/* accepts other forms than it writes */
}			exceptions[] = {
	{.kind = "engagement",.rounded = true},
	{.kind = "occasion",.unordered = true},
	{.kind = "affinity",.unordered = true,.reformed = true,.loose = true},
	{.kind = "top_items",.unordered = true,.reformed = true,.loose = true},
	{.kind = "trend",.reformed = true,.loose = true},
	{.kind = "concentration",.reformed = true,.loose = true},
	{.kind = "unconverted",.unordered = true},
	/* the text of a value that has a binary form */
	{.kind = "first",.loose = true},
	{.kind = "last",.loose = true},
};

void		(*target_state_made) (const Wire *wire) = NULL;

static const AggregateKind *
kind_of(void *state)
{
	return ((AggregateState *) state)->kind;
}

static bool
call(PGFunction function, int count, Datum a, bool a_is_null, Datum b, Datum *result)
{
	LOCAL_FCINFO(fcinfo, 2);
	FmgrInfo	flinfo = {.fn_addr = function,.fn_nargs = count,.fn_mcxt = shim_query};

	InitFunctionCallInfoData(*fcinfo, &flinfo, count, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = a;
	fcinfo->args[0].isnull = a_is_null;
	fcinfo->args[1].value = b;
	fcinfo->args[1].isnull = false;
	return shim_call(function, fcinfo, result);
}

bool
state_deserialize(const Wire *wire, void **state)
{
	struct varlena *bytes = shim_varlena(wire->data, wire->size, shim_row);
	Datum		result;

	if (!call(segment_aggregate_deserialize, 2, PointerGetDatum(bytes), false,
			  PointerGetDatum(NULL), &result))
		return false;
	*state = DatumGetPointer(result);
	/* The bytes may be gone when the state is used. */
	pfree(bytes);
	return true;
}

bool
state_serialize(void *state, Wire *wire)
{
	Datum		result;
	struct varlena *bytes;
	char	   *data;

	if (!call(segment_aggregate_serialize, 1, PointerGetDatum(state), false,
			  PointerGetDatum(NULL), &result))
		return false;
	bytes = (struct varlena *) DatumGetPointer(result);
	wire->size = VARSIZE(bytes) - VARHDRSZ;
	data = MemoryContextAlloc(shim_query, wire->size + 1);
	memcpy(data, VARDATA(bytes), wire->size);
	wire->data = data;
	return true;
}

/* That of the aggregate whose name is the kind's, else that of them all. */
static PGFunction
combine_of(void *state)
{
	for (int i = 0; i < aggregates_count; i++)
		if (strcmp(aggregates[i].name, kind_of(state)->name) == 0)
			return aggregates[i].combine;
	return segment_aggregate_combine;
}

bool
state_combine(void **state, void *other)
{
	Datum		result;
	bool		done = call(combine_of(other), 2, PointerGetDatum(*state),
							*state == NULL, PointerGetDatum(other), &result);

	if (done)
		*state = DatumGetPointer(result);
	MemoryContextReset(shim_row);
	return done;
}

bool
state_copy(const Wire *wire, void **state)
{
	void	   *read;

	*state = NULL;
	return state_deserialize(wire, &read) && state_combine(state, read);
}

void
wires_agree(const Wire *a, const Wire *b, const char *what)
{
	const Wire *both[] = {a, b};

	if (a->size == b->size && memcmp(a->data, b->data, a->size) == 0)
		return;
	for (int i = 0; i < 2; i++)
	{
		for (size_t j = 0; j < both[i]->size; j++)
			fprintf(stderr, "%02x", (unsigned char) both[i]->data[j]);
		fputs("\n", stderr);
	}
	shim_fail("%s", what);
}

#define EXCEPTED(state, what) \
	do { \
		for (int i = 0; i < (int) lengthof(exceptions); i++) \
			if (strcmp(exceptions[i].kind, kind_of(state)->name) == 0) \
				return exceptions[i].what; \
		return false; \
	} while (0)

bool
state_is_rounded(void *state)
{
	EXCEPTED(state, rounded);
}

static bool
state_is_unordered(void *state)
{
	EXCEPTED(state, unordered);
}

static bool
state_is_reformed(void *state)
{
	EXCEPTED(state, reformed);
}

static bool
state_is_loose(void *state)
{
	EXCEPTED(state, loose);
}

/*
 * One final function, and its result as text, which lives in shim_query; NULL if
 * it ended in an error.  False if the state is not one of its kind.
 */
static bool
call_final(const Aggregate *aggregate, void *state, const char **shown)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	FmgrInfo	flinfo = {.fn_addr = aggregate->final,.fn_mcxt = shim_query};
	ShimTypes	types = {.count = 1,.types = {INTERNALOID}};
	Datum		result;

	for (const char *at = aggregate->types; aggregate->final_extra && at != NULL;
		 at = strchr(at + 1, ','))
		types.types[types.count++] = shim_value_type;
	flinfo.fn_nargs = types.count;
	flinfo.fn_expr = (fmNodePtr) &types;
	InitFunctionCallInfoData(*fcinfo, &flinfo, types.count, InvalidOid, NULL, NULL);
	for (int i = 0; i < types.count; i++)
	{
		fcinfo->args[i].value = i == 0 ? PointerGetDatum(state) : (Datum) 0;
		fcinfo->args[i].isnull = i > 0;
	}
	shim_result_type = aggregate->result;
	*shown = NULL;
	if (shim_call(aggregate->final, fcinfo, &result))
		*shown = MemoryContextStrdup(shim_query,
									 shim_show(result, fcinfo->isnull, aggregate->result));
	MemoryContextReset(shim_row);
	return *shown != NULL || shim_error_code != ERRCODE_INVALID_BINARY_REPRESENTATION;
}

/*
 * Is there reason to call this final function with the state?  Not if one before
 * it is the same, or if it has refused the kind.
 */
static bool is_refused[AGGREGATE_IDS][AGGREGATES_MAX];

static bool
is_called(int aggregate, void *state)
{
	for (int i = 0; i < aggregate; i++)
		if (aggregates[i].final == aggregates[aggregate].final)
			return false;
	return !is_refused[kind_of(state)->id][aggregate];
}

/* The same texts but for digits of floats, which begin with ~? */
static bool
nearly_same(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0')
	{
		if (*a == '~' && *b == '~')
		{
			double		x = strtod(a + 1, (char **) &a);
			double		y = strtod(b + 1, (char **) &b);

			if (x != y && !(isnan(x) && isnan(y)) && !(fabs(x - y) <= 1e-9 * Max(1, fabs(x))))
				return false;
		}
		else if (*a++ != *b++)
			return false;
	}
	return *a == *b;
}

void
states_agree(void *a, void *b, bool nearly, const char *what)
{
	for (int i = 0; i < aggregates_count; i++)
	{
		const Aggregate *aggregate = &aggregates[i];
		const char *shown;
		const char *other;

		if (!is_called(i, a) || !call_final(aggregate, a, &shown))
			continue;
		call_final(aggregate, b, &other);
		if (shown == NULL || other == NULL)
		{
			if (shown != other)
				shim_fail("%s: for segment.%s, an error depends on it", what, aggregate->name);
		}
		else if (nearly ? !nearly_same(shown, other) : strcmp(shown, other) != 0)
			shim_fail("%s: segment.%s gives\n%s\n%s", what, aggregate->name, shown, other);
	}
}

void
forms_agree(void *state, const Wire *a, const Wire *b, const char *what)
{
	if (!state_is_rounded(state) && !state_is_unordered(state) && !state_is_reformed(state))
		wires_agree(a, b, what);
}

Wire
state_wire(void *state, const char *what)
{
	Wire		wire;
	Wire		again;
	void	   *copy;

	if (!state_serialize(state, &wire))
		shim_fail("%s: %s can't be serialized", what, kind_of(state)->name);
	if (!state_copy(&wire, &copy))
		shim_fail("%s: %s refuses what it has serialized", what, kind_of(state)->name);
	if (!state_serialize(copy, &again))
		shim_fail("%s: %s can't be serialized again", what, kind_of(state)->name);
	/* The order of what is written as it came remains. */
	if (state_is_reformed(state))
		states_agree(state, copy, false, "a round trip");
	else
		wires_agree(&wire, &again, "a state is another one after a round trip");
	MemoryContextReset(shim_row);
	return wire;
}

void
state_finals(void *state, const char *what)
{
	Wire		before;
	Wire		after;
	const char *shown;
	bool		taken = false;

	before = state_wire(state, what);
	for (int i = 0; i < aggregates_count; i++)
	{
		if (!is_called(i, state))
			continue;
		if (call_final(&aggregates[i], state, &shown))
			taken = true;
		else
			is_refused[kind_of(state)->id][i] = true;
	}
	if (!taken)
		shim_fail("%s: no final function takes a state of %s", what, kind_of(state)->name);
	after = state_wire(state, what);
	if (!state_is_reformed(state))
		wires_agree(&before, &after, "a final function has changed its state");
}

/* Combines all in one order, looking at the results in between or not. */
static void *
combine_all(const Wire *wires, const int *order, int count, bool look)
{
	void	   *state = NULL;

	for (int i = 0; i < count; i++)
	{
		void	   *other;

		if (!state_deserialize(&wires[order[i]], &other))
			shim_fail("a state is accepted once only");
		if (!state_combine(&state, other))
			return NULL;
		if (look)
			state_finals(state, "combined");
	}
	return state;
}

static void
try_group(const Wire *wires, const int *order, int count)
{
	int			reversed[WIRES_MAX];
	void	   *forward;
	void	   *backward;
	Wire		one;
	Wire		other;

	for (int i = 0; i < count; i++)
		reversed[i] = order[count - 1 - i];
	forward = combine_all(wires, order, count, false);
	backward = combine_all(wires, reversed, count, true);
	if (forward == NULL || backward == NULL)
		return;
	one = state_wire(forward, "combined");
	other = state_wire(backward, "combined backward");
	forms_agree(forward, &one, &other, "combining depends on the order");
	if (!state_is_rounded(forward))
		states_agree(forward, backward, false, "combining in another order");
	state_finals(forward, "combined");
}

void
try_wires(const Wire *wires, int count)
{
	int			accepted[WIRES_MAX];
	int			accepted_count = 0;

	for (int i = 0; i < count; i++)
	{
		void	   *state;
		Wire		out;

		if (state_copy(&wires[i], &state))
		{
			/* What is accepted can have been written by the library. */
			out = state_wire(state, "deserialized");
			if (!state_is_loose(state))
				wires_agree(&wires[i], &out, "what is accepted is not what is written");
			accepted[accepted_count++] = i;
		}
		MemoryContextReset(shim_row);
	}

	/* Those of one kind, and each alone. */
	for (int i = 0; i < accepted_count; i++)
	{
		int			group[WIRES_MAX] = {accepted[i]};
		int			group_count = 1;

		try_group(wires, group, 1);
		for (int j = i + 1; j < accepted_count; j++)
			if (wires[accepted[j]].data[0] == wires[accepted[i]].data[0])
				group[group_count++] = accepted[j];
		if (group_count > 1)
			try_group(wires, group, group_count);
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Wire		wires[WIRES_MAX];
	int			count = 1;

	if (size < 1)
		return 0;
	shim_begin();
	shim_value_type = data[0] == 'V' ? INT8OID : TEXTOID;
	if (data[0] != 'W' && data[0] != 'V')
		try_rows(data + 1, size - 1);
	else
	{
		const char *at = (const char *) data + 1;
		const char *end = (const char *) data + size;

		wires[0].data = at;
		wires[0].size = end - at;
		while (count < WIRES_MAX &&
			   (at = memmem(wires[count - 1].data, wires[count - 1].size,
							WIRE_SEPARATOR, WIRE_SEPARATOR_SIZE)) != NULL)
		{
			wires[count - 1].size = at - wires[count - 1].data;
			wires[count].data = at + WIRE_SEPARATOR_SIZE;
			wires[count].size = end - wires[count].data;
			count++;
		}
		try_wires(wires, count);
	}
	shim_begin();
	return 0;
}
