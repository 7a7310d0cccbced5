/*
 * sequence_compile.c
 *		From the text of a pattern to its actions.
 */
#include "model/sequence.h"

#include <string.h>

#define USECS_PER_SECOND INT64_C(1000000)

/* The text, and what has been read of it. */
typedef struct Reader
{
	const char *text;
	int			length;
	int			at;				/* bytes read */
	int			conditions;
	SequenceInterval interval;
	void	   *arg;
	SequenceError error;
} Reader;

static bool
fail(Reader *reader, SequenceMistake mistake, int position)
{
	reader->error.mistake = mistake;
	reader->error.position = position;
	return false;
}

/* Skips a word if it comes next. */
static bool
skip(Reader *reader, const char *word)
{
	int			length = (int) strlen(word);

	if (reader->length - reader->at < length ||
		memcmp(reader->text + reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

static bool
next_is_digit(const Reader *reader)
{
	return reader->at < reader->length &&
		reader->text[reader->at] >= '0' && reader->text[reader->at] <= '9';
}

/* Reads digits into a number that stays below most. */
static bool
read_number(Reader *reader, int64_t most, int64_t *number)
{
	int			start = reader->at;

	*number = 0;
	if (!next_is_digit(reader))
		return fail(reader, SEQUENCE_NO_NUMBER, start);
	for (; next_is_digit(reader); reader->at++)
	{
		*number = *number * 10 + (reader->text[reader->at] - '0');
		if (*number >= most)
			return fail(reader, SEQUENCE_OUT_OF_RANGE, start);
	}
	return true;
}

/* Reads a number of seconds, such as 90 or 0.25. */
static bool
read_seconds(Reader *reader, int64_t *distance)
{
	int64_t		seconds;
	int64_t		digit = USECS_PER_SECOND;
	int			start = reader->at;

	if (!read_number(reader, INT64_MAX / USECS_PER_SECOND, &seconds))
		return false;
	*distance = seconds * USECS_PER_SECOND;
	if (!skip(reader, "."))
		return true;
	if (!next_is_digit(reader))
		return fail(reader, SEQUENCE_NO_NUMBER, reader->at);
	for (; next_is_digit(reader); reader->at++)
	{
		digit /= 10;
		if (digit == 0)
			return fail(reader, SEQUENCE_TOO_FINE, start);
		*distance += digit * (reader->text[reader->at] - '0');
	}
	return true;
}

/* Reads an interval after its first quote. */
static bool
read_interval(Reader *reader, int64_t *distance)
{
	const char *start = reader->text + reader->at;
	const char *end = memchr(start, '\'', reader->length - reader->at);

	if (end == NULL ||
		!reader->interval(start, (int) (end - start), distance, reader->arg) ||
		*distance < 0)
		return fail(reader, SEQUENCE_BAD_INTERVAL, reader->at - 1);
	reader->at += (int) (end - start) + 1;
	return true;
}

/* Reads a wait after "(?t". */
static bool
read_wait(Reader *reader, SequenceAction *action)
{
	/* a sign comes before what it begins with */
	static const struct
	{
		const char *sign;
		SequenceKind kind;
	}			operators[] = {
		{"<=", SEQUENCE_LESS_EQUAL},
		{"<", SEQUENCE_LESS},
		{">=", SEQUENCE_GREATER_EQUAL},
		{">", SEQUENCE_GREATER},
		{"==", SEQUENCE_EQUAL}
	};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
	{
		if (!skip(reader, operators[i].sign))
			continue;
		action->kind = operators[i].kind;
		return skip(reader, "'") ? read_interval(reader, &action->distance) :
			read_seconds(reader, &action->distance);
	}
	return fail(reader, SEQUENCE_UNKNOWN_OPERATOR, reader->at);
}

/* Reads the number of a condition after "(?". */
static bool
read_condition(Reader *reader, SequencePattern *pattern, SequenceAction *action)
{
	int64_t		number;
	int			start = reader->at;
	bool		read = read_number(reader, INT32_MAX, &number);

	if (!read && reader->error.mistake != SEQUENCE_OUT_OF_RANGE)
		return false;
	if (!read || number < 1 || number > reader->conditions || number > SEQUENCE_CONDITIONS)
	{
		reader->error.number = read ? (int) number : INT32_MAX;
		return fail(reader, SEQUENCE_UNKNOWN_CONDITION, start);
	}
	action->kind = SEQUENCE_EVENT;
	action->mark = UINT64_C(1) << (number - 1);
	if (number > pattern->conditions)
		pattern->conditions = (int) number;
	return true;
}

/* Reads one element. */
static bool
read_element(Reader *reader, SequencePattern *pattern, SequenceAction *action)
{
	int			start = reader->at;

	memset(action, 0, sizeof(SequenceAction));
	if (skip(reader, ".*"))
		action->kind = SEQUENCE_STAR;
	else if (skip(reader, "."))
		action->kind = SEQUENCE_ANY;
	else if (!skip(reader, "(?"))
		return fail(reader, SEQUENCE_UNKNOWN_ELEMENT, start);
	else
	{
		if (skip(reader, "t"))
		{
			if (!read_wait(reader, action))
				return false;
			if (action[-1].kind > SEQUENCE_STAR)
				return fail(reader, SEQUENCE_TWO_WAITS, start);
		}
		else if (!read_condition(reader, pattern, action))
			return false;
		if (!skip(reader, ")"))
			return fail(reader, SEQUENCE_NOT_CLOSED, reader->at);
	}
	return true;
}

/* Can an action be passed when no event is left? */
static bool
passes_at_end(const SequenceAction *action)
{
	switch (action->kind)
	{
		case SEQUENCE_STAR:
		case SEQUENCE_LESS:
		case SEQUENCE_LESS_EQUAL:
			return true;
		case SEQUENCE_GREATER_EQUAL:
			return action->distance == 0;
		default:
			return false;
	}
}

SequenceError
sequence_compile(const char *text, int length, int conditions,
				 SequenceInterval interval, void *arg, SequencePattern *pattern)
{
	Reader		reader = {text, length, 0, conditions, interval, arg, {SEQUENCE_FINE, 0, 0}};

	if (length > SEQUENCE_LENGTH)
	{
		(void) fail(&reader, SEQUENCE_TOO_LONG, SEQUENCE_LENGTH);
		return reader.error;
	}

	memset(&pattern->actions[0], 0, sizeof(SequenceAction));
	pattern->actions[0].kind = SEQUENCE_STAR;
	pattern->count = 1;
	pattern->conditions = 0;
	while (reader.at < length)
	{
		if (!read_element(&reader, pattern, &pattern->actions[pattern->count]))
			return reader.error;
		pattern->count++;
	}

	pattern->tail = pattern->count;
	while (pattern->tail > 0 && passes_at_end(&pattern->actions[pattern->tail - 1]))
		pattern->tail--;
	return reader.error;
}
