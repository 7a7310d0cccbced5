/*
 * pattern.c
 *		The pattern of a sequence, as text and compiled.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/conditions.h"
#include "aggregate/pattern.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Patterns that are shared at one time; aggregates of one query rarely have more. */
#define SHARED_PATTERNS 8

static struct
{
	MemoryContext context;		/* in which the pattern lives, NULL for none */
	const Pattern *pattern;
}			shared[SHARED_PATTERNS];
static int	next_shared = 0;

/* A SequenceInterval: reads as interval_in does. */
static bool
read_interval(const char *text, int length, int64_t *microseconds, void *arg)
{
	char		work[256];
	char	   *string = pnstrdup(text, length);
	char	   *field[MAXDATEFIELDS];
	int			type[MAXDATEFIELDS];
	int			fields;
	int			kind = DTK_DELTA;
	int			error;
	struct pg_itm_in parts;
	Interval	interval;

	memset(&parts, 0, sizeof(parts));
	error = ParseDateTime(string, work, sizeof(work), field, type, MAXDATEFIELDS, &fields);
	if (error == 0)
		error = DecodeInterval(field, type, fields, INTERVAL_FULL_RANGE, &kind, &parts);
	if (error == DTERR_BAD_FORMAT)
	{
		memset(&parts, 0, sizeof(parts));
		error = DecodeISO8601Interval(string, &kind, &parts);
	}
	if (error != 0 || kind != DTK_DELTA || itmin2interval(&parts, &interval) != 0)
		return false;
	pfree(string);
	*microseconds = aggregate_length(&interval, "an interval of pattern");
	return *microseconds >= 0;
}

static const char elements_hint[] =
"Elements are (?1), ., .*, and (?t>=60), with nothing between them.";

/* What is wrong, and how to mend it. */
static const struct
{
	const char *reason;
	const char *hint;
}			mistakes[] = {
	[SEQUENCE_UNKNOWN_ELEMENT] = {
		"No element of a pattern begins like this.", elements_hint
	},
	[SEQUENCE_UNKNOWN_OPERATOR] = {
		"There is no such comparison of times.",
		"Use one of >=, >, <=, < and ==, with no space around it."
	},
	[SEQUENCE_NO_NUMBER] = {
		"A number is missing.",
		"Give the number of a condition as in (?1), or seconds or an interval as in (?t>=1.5) and (?t<'1 hour')."
	},
	[SEQUENCE_TOO_FINE] = {
		"A time is finer than a microsecond.",
		"Give seconds with at most six decimal places."
	},
	[SEQUENCE_OUT_OF_RANGE] = {
		"A time is out of range.",
		"Give a time of less than 292,000 years."
	},
	[SEQUENCE_BAD_INTERVAL] = {
		"This is not an interval, or it is negative.",
		"Give an interval in quotes, such as '1 hour', or a number of seconds."
	},
	[SEQUENCE_NOT_CLOSED] = {
		"A closing parenthesis is missing.",
		"Elements are such as (?1) and (?t<=3600); an interval stands in quotes, as in (?t<'1 hour')."
	},
	[SEQUENCE_TWO_WAITS] = {
		"A time can not follow directly after another.",
		"A time is measured from the element before it, which must be (?1), . or .*."
	}
};

static void
report_mistake(const SequenceError *error, const char *text, int length, int conditions)
{
	int			character = pg_mbstrlen_with_len(text, error->position) + 1;

	if (error->mistake == SEQUENCE_TOO_LONG)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pattern is too long"),
				 errdetail("It has %d bytes, at most %d are allowed.", length, SEQUENCE_LENGTH),
				 errhint("Use .* and times in place of many single elements.")));
	if (error->mistake == SEQUENCE_UNKNOWN_CONDITION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pattern names a condition that does not exist, at character %d", character),
				 errdetail("The conditions are numbered from 1 to %d.", conditions),
				 errhint("Conditions are the arguments after the time.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid pattern at character %d: \"%s\"", character, pnstrdup(text, length)),
			 errdetail_internal("%s", mistakes[error->mistake].reason),
			 errhint("%s", mistakes[error->mistake].hint)));
}

static Pattern *
make_pattern(const char *text, int length, int conditions, MemoryContext context)
{
	Pattern    *pattern = (Pattern *) MemoryContextAlloc(context, offsetof(Pattern, text) + length);

	pattern->conditions = conditions;
	pattern->length = length;
	memcpy(pattern->text, text, length);
	return pattern;
}

const Pattern *
pattern_compile(PatternMemory *memory, const char *text, int length, int conditions,
				MemoryContext context)
{
	SequenceAction actions[SEQUENCE_ACTIONS];
	SequencePattern compiled;
	SequenceError error;
	Size		size;

	if (memory->pattern != NULL && memory->pattern->conditions == conditions &&
		pattern_has_text(memory->pattern, text, length))
		return memory->pattern;

	compiled.actions = actions;
	error = sequence_compile(text, length, conditions, read_interval, NULL, &compiled);
	if (error.mistake != SEQUENCE_FINE)
		report_mistake(&error, text, length, conditions);

	if (memory->pattern != NULL)
	{
		pfree(memory->pattern);
		memory->pattern = NULL;
		pfree(memory->compiled.actions);
	}
	size = compiled.count * sizeof(SequenceAction);
	memory->compiled = compiled;
	memory->compiled.actions = (SequenceAction *) MemoryContextAlloc(context, size);
	memcpy(memory->compiled.actions, actions, size);
	memory->pattern = make_pattern(text, length, conditions, context);
	return memory->pattern;
}

/* A context goes: nothing in it can be shared any more. */
static void
forget_shared(void *context)
{
	for (int i = 0; i < SHARED_PATTERNS; i++)
	{
		if (shared[i].context == (MemoryContext) context)
			shared[i].context = NULL;
	}
}

const Pattern *
pattern_share(const Pattern *pattern, MemoryContext context)
{
	MemoryContextCallback *callback;
	const Pattern *copy;

	for (int i = 0; i < SHARED_PATTERNS; i++)
	{
		if (shared[i].context == context &&
			shared[i].pattern->conditions == pattern->conditions &&
			pattern_has_text(shared[i].pattern, pattern->text, pattern->length))
			return shared[i].pattern;
	}

	copy = make_pattern(pattern->text, pattern->length, pattern->conditions, context);
	callback = (MemoryContextCallback *)
		MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	callback->func = forget_shared;
	callback->arg = context;
	MemoryContextRegisterResetCallback(context, callback);
	shared[next_shared].pattern = copy;
	shared[next_shared].context = context;
	next_shared = (next_shared + 1) % SHARED_PATTERNS;
	return copy;
}

void
pattern_send(const Pattern *pattern, StringInfo wire)
{
	pq_sendint8(wire, pattern->conditions);
	pq_sendint32(wire, pattern->length);
	pq_sendbytes(wire, pattern->text, pattern->length);
}

const Pattern *
pattern_receive(StringInfo wire)
{
	int			conditions = pq_getmsgbyte(wire);
	uint32		length = pq_getmsgint(wire, 4);
	SequenceAction actions[SEQUENCE_ACTIONS];
	SequencePattern compiled;
	const Pattern *pattern;

	if (length > SEQUENCE_LENGTH)
		return NULL;
	pattern = make_pattern(pq_getmsgbytes(wire, length), length, conditions,
						   CurrentMemoryContext);
	compiled.actions = actions;
	if (sequence_compile(pattern->text, length, conditions, read_interval, NULL,
						 &compiled).mistake != SEQUENCE_FINE)
		return NULL;
	return pattern_is_valid(pattern) ? pattern : NULL;
}

bool
pattern_is_valid(const Pattern *pattern)
{
	return pattern->conditions >= 1 && pattern->conditions <= CONDITIONS_MAX &&
		pattern->length >= 0 && pattern->length <= SEQUENCE_LENGTH;
}
