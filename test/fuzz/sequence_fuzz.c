/*
 * sequence_fuzz.c
 *		Any text as a pattern, and what compiles searched for in any events.
 *
 * An input is the number of conditions, the pattern, a byte 0xff, and events of
 * two bytes: the distance from the one before, and its condition.
 */
#include <stdlib.h>
#include <string.h>

#include "model/sequence.h"

#define CHECK(what) do { if (!(what)) abort(); } while (0)
#define MOST_EVENTS 300

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A SequenceInterval that knows digits, negative ones too. */
static bool
read_digits(const char *text, int length, int64_t *microseconds, void *arg)
{
	(void) arg;
	*microseconds = 0;
	for (int i = 0; i < length; i++)
	{
		if (text[i] < '0' || text[i] > '9' || i > 17)
			return false;
		*microseconds = *microseconds * 10 + text[i] - '0';
	}
	return length > 0;
}

static void
check_pattern(const SequencePattern *pattern, int length, int conditions)
{
	CHECK(pattern->count >= 1 && pattern->count <= length + 1 && pattern->count <= SEQUENCE_ACTIONS);
	CHECK(pattern->tail >= 0 && pattern->tail <= pattern->count);
	CHECK(pattern->conditions >= 0 && pattern->conditions <= conditions);
	for (int i = 0; i < pattern->count; i++)
		CHECK(pattern->actions[i].distance >= 0);
}

static void
search_all(const SequencePattern *pattern, const MarkedEvent *events, int count)
{
	int64_t    *chain = malloc(sizeof(int64_t) * pattern->count);
	int64_t		found[SEQUENCE_EVENTS + 1];

	for (int goal = SEQUENCE_MATCH; goal <= SEQUENCE_EVENTS; goal++)
	{
		SequenceSearch asked = {.pattern = pattern, .events = events, .count = count,
		.goal = (SequenceGoal) goal, .chain = chain};
		size_t		size = sequence_search_size(&asked);
		void	   *memory = malloc(size);

		memset(memory, 0xa5, size);
		sequence_search(&asked, memory);
		free(memory);
		found[goal] = asked.found;
		/* linear in events times elements; each chain that is counted begins anew */
		CHECK(asked.steps <= ((int64_t) count + 1) * (pattern->count + 1) * 8);
		if (goal != SEQUENCE_EVENTS)
			continue;
		CHECK(asked.found <= pattern->count);
		for (int i = 0; i < asked.found; i++)
			CHECK(chain[i] >= 0 && chain[i] < count && (i == 0 || chain[i] > chain[i - 1]));
	}
	CHECK(found[SEQUENCE_MATCH] == 0 || found[SEQUENCE_MATCH] == 1);
	CHECK((found[SEQUENCE_COUNT] > 0) == (found[SEQUENCE_MATCH] == 1) || count == 0);
	free(chain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end;
	SequencePattern pattern;
	SequenceError error;
	MarkedEvent events[MOST_EVENTS];
	int			conditions;
	int			length;
	int			count = 0;
	int64_t		at = 0;
	char	   *text;

	if (size == 0)
		return 0;
	conditions = data[0] % SEQUENCE_CONDITIONS + 1;
	data++;
	size--;
	end = memchr(data, 0xff, size);
	length = (int) (end == NULL ? size : (size_t) (end - data));

	/* as long as it is and no longer, for AddressSanitizer to see */
	text = malloc(length > 0 ? length : 1);
	memcpy(text, data, length);
	pattern.actions = malloc(sizeof(SequenceAction) * (length < SEQUENCE_LENGTH ? length + 1 : SEQUENCE_ACTIONS));
	error = sequence_compile(text, length, conditions, read_digits, NULL, &pattern);
	CHECK(error.mistake == SEQUENCE_FINE || (error.position >= 0 && error.position <= length));
	if (error.mistake == SEQUENCE_FINE)
	{
		check_pattern(&pattern, length, conditions);
		for (size_t i = (size_t) length + 1; i + 1 < size && count < MOST_EVENTS; i += 2)
		{
			at += (int64_t) data[i] << (data[i] % 40);
			events[count].at = at;
			events[count++].marks = UINT64_C(1) << (data[i + 1] % conditions);
		}
		search_all(&pattern, events, count);
	}
	free(pattern.actions);
	free(text);
	return 0;
}
