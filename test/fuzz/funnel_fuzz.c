/*
 * funnel_fuzz.c
 *		Any text as a mode, and any events through any funnel.
 *
 * An input is the number of steps, the mode, the window as a power of two, and
 * events of three bytes: distance from the one before, and two conditions met.
 * The whole is read as the words of a mode, too.
 */
#include <stdlib.h>
#include <string.h>

#include "model/funnel.h"

#define CHECK(what) do { if (!(what)) abort(); } while (0)
#define MOST_EVENTS 300

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_words(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size > 0 ? size : 1);
	const char *word = NULL;
	size_t		length = 0;
	unsigned	modes = 0;

	memcpy(text, data, size);
	switch (funnel_parse_modes(text, size, &modes, &word, &length))
	{
		case FUNNEL_MODE_OK:
			CHECK(modes < 2 * FUNNEL_ALLOW_REENTRY);
			break;
		case FUNNEL_MODE_UNKNOWN:
		case FUNNEL_MODE_ALONE:
			CHECK(word >= text && word + length <= text + size);
			break;
	}
	free(text);
}

static int
scan_all(FunnelScan *scan, const MarkedEvent *events, size_t count)
{
	int			level = 0;

	for (size_t done = 0, taken; done < count; done += taken)
	{
		taken = funnel_advance(scan, events + done, count - done);
		CHECK(taken <= count - done);
		CHECK(scan->level >= level && scan->level <= scan->steps);
		level = scan->level;
		if (taken == 0)
			break;
	}
	return level;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MarkedEvent events[MOST_EVENTS];
	int64_t		times[FUNNEL_STEPS_MAX];
	FunnelScan	scan;
	size_t		count = 0;
	int64_t		at = INT64_MIN;
	int			steps;
	unsigned	modes;
	int64_t		window;

	try_words(data, size);
	if (size < 3)
		return 0;
	steps = data[0] % FUNNEL_STEPS_MAX + 1;
	modes = data[1] % (2 * FUNNEL_ALLOW_REENTRY);
	window = INT64_MAX >> (data[2] % 64);
	for (size_t i = 3; i + 2 < size && count < MOST_EVENTS; i += 3)
	{
		int64_t		distance = (int64_t) (data[i] & 15) << (data[i] % 56);

		at = at > INT64_MAX - distance ? INT64_MAX : at + distance;
		events[count].at = at;
		events[count++].marks = data[i + 1] == 0xff ? 0 :
			UINT64_C(1) << (data[i + 1] % steps) | UINT64_C(1) << (data[i + 2] % steps);
	}
	funnel_begin(&scan, steps, window, modes);
	scan_all(&scan, events, count);

	funnel_begin(&scan, steps, window, 0);
	if (scan_all(&scan, events, count) > 0)
	{
		funnel_times(&scan, events, count, times);
		for (int i = 1; i < scan.level; i++)
			CHECK(times[i] >= times[i - 1] && (uint64_t) times[i] - (uint64_t) times[0] <= (uint64_t) window);
	}
	return 0;
}
