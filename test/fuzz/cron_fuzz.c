/*
 * cron_fuzz.c
 *		Any text as a cron line, and what is one beside any clock on the wall.
 *
 *	of src/worker/cron*.c
 *
 * An input is an instant of eight bytes, four bytes for the zone, and the line.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/cron.h"

#define CHECK(what) do { if (!(what)) abort(); } while (0)
#define YEARS_USED INT64_C(31556952) * 100000

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A clock that is set forth and back, by up to some hours, at even distances. */
typedef struct Clock
{
	int64_t		offset;
	int64_t		jump;
	int64_t		distance;		/* 0: never */
} Clock;

static void
zone(void *arg, int64_t instant, CronSpan *span)
{
	const Clock *clock = arg;
	int64_t		turn;

	span->offset = clock->offset;
	span->until = INT64_MAX;
	if (clock->distance == 0)
		return;
	turn = instant / clock->distance - (instant % clock->distance < 0 ? 1 : 0);
	if (turn & 1)
		span->offset += clock->jump;
	span->until = (turn + 1) * clock->distance;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CronLine	line;
	CronError	error = {{0}, NULL};
	Clock		clock;
	int64_t		instant;
	int64_t		next;
	int64_t		latest;
	char	   *text;

	if (size < 12)
		return 0;
	memcpy(&instant, data, sizeof(instant));
	instant %= YEARS_USED;
	clock.offset = ((int8_t) data[8]) * INT64_C(900) / 2;
	clock.jump = ((int8_t) data[9]) * INT64_C(60);
	clock.distance = data[10] == 0 ? 0 : (data[10] + INT64_C(1)) * 86400 * 4 + data[11];

	text = malloc(size - 12 + 1);
	memcpy(text, data + 12, size - 12);
	text[size - 12] = '\0';
	(void) cron_recognize(text);
	if (!cron_parse(text, &line, &error))
	{
		CHECK(memchr(error.detail, '\0', sizeof(error.detail)) != NULL);
		for (const char *c = error.detail; *c != '\0'; c++)
			CHECK((unsigned char) *c < 128);
	}
	else
	{
		CHECK(memchr(line.zone, '\0', sizeof(line.zone)) != NULL);
		if (cron_next(&line, zone, &clock, instant, &next))
		{
			CHECK(next > instant);
			/* the last one up to there is that one, and none lies between */
			CHECK(cron_latest(&line, zone, &clock, next, &latest) && latest == next);
			CHECK(!cron_latest(&line, zone, &clock, next - 1, &latest) || latest <= instant);
		}
	}
	free(text);
	return 0;
}
