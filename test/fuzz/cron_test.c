/*
 * cron_test.c
 *		worker/cron against brute force, without a server: random lines under
 *		random clocks, second by second.
 *
 *	of src/worker/cron*.c
 *
 *	cc -O2 -Isrc -o cron_test test/fuzz/cron_test.c src/worker/cron*.c && ./cron_test
 *
 * Prints the first mismatch and fails, or prints how much was tried.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "worker/cron.h"

#define CASES		250
#define DAYS		6
#define SPANS		6
#define STRINGS		300000
#define EPOCH		INT64_C(946684800)	/* 2000-01-01, as Unix has it */

typedef struct Clock
{
	int			nspans;
	int64_t		until[SPANS];
	int64_t		offset[SPANS];
} Clock;

/* A line's fields, as sets: minute, hour, day, month, weekday. */
typedef struct Sets
{
	bool		in[5][60];
	bool		any[5];
} Sets;

static const int lowest[] = {0, 0, 1, 1, 0};
static const int highest[] = {59, 23, 31, 12, 7};

static void
span_of(void *arg, int64_t instant, CronSpan *span)
{
	const Clock *clock = arg;
	int			i = 0;

	while (i < clock->nspans - 1 && instant >= clock->until[i])
		i++;
	span->offset = clock->offset[i];
	span->until = i < clock->nspans - 1 ? clock->until[i] : INT64_MAX;
}

static int64_t
shown_at(Clock *clock, int64_t instant)
{
	CronSpan	span;

	span_of(clock, instant, &span);
	return instant + span.offset;
}

static void
make_clock(Clock *clock, int64_t from)
{
	static const int64_t jumps[] = {3600, 3600, -3600, -3600, 1800, -1800, 86400, -86400, 7200, 45 * 60, -61, 17};

	clock->nspans = 1 + rand() % SPANS;
	clock->offset[0] = (rand() % 27 - 13) * 3600;
	for (int i = 0; i < clock->nspans; i++)
	{
		from += 600 + rand() % (rand() % 3 == 0 ? 7200 : DAYS * 86400 / SPANS);
		clock->until[i] = from / 60 * 60 + (rand() % 8 == 0 ? rand() % 60 : 0);
		if (i > 0)
			clock->offset[i] = clock->offset[i - 1] + jumps[rand() % 12];
		if (clock->offset[i] > 86400 || clock->offset[i] < -86400)
			clock->offset[i] = 0;
	}
}

static void
make_line(Sets *sets, char *text)
{
	memset(sets, 0, sizeof(*sets));
	*text = '\0';
	for (int i = 0; i < 5; i++)
	{
		sets->any[i] = rand() % 3 == 0 || (i == 3 && rand() % 2 == 0);
		if (sets->any[i])
		{
			int			step = rand() % 3 == 0 ? 1 + rand() % (i == 4 ? 6 : highest[i] - lowest[i]) : 1;

			for (int value = lowest[i]; value <= (i == 4 ? 6 : highest[i]); value += step)
				sets->in[i][value] = true;
			text += step == 1 ? sprintf(text, "* ") : sprintf(text, "*/%d ", step);
			continue;
		}
		for (int n = 1 + rand() % 4; n > 0; n--)
		{
			int			a = lowest[i] + rand() % (highest[i] - lowest[i] + 1);
			int			b = rand() % 2 == 0 ? a : a + rand() % (highest[i] - a + 1);

			for (int value = a; value <= b; value++)
				sets->in[i][i == 4 ? value % 7 : value] = true;
			text += a == b ? sprintf(text, "%d", a) : sprintf(text, "%d-%d", a, b);
			text += sprintf(text, n > 1 ? "," : " ");
		}
	}
}

/* Does what the clock shows, a whole minute, match? */
static bool
matches(const Sets *sets, int64_t shown)
{
	time_t		second = shown + EPOCH;
	struct tm	tm;
	bool		day;
	bool		weekday;

	gmtime_r(&second, &tm);
	day = sets->in[2][tm.tm_mday];
	weekday = sets->in[4][tm.tm_wday];
	return sets->in[0][tm.tm_min] && sets->in[1][tm.tm_hour] && sets->in[3][tm.tm_mon + 1] &&
		(sets->any[2] || sets->any[4] ? day && weekday : day || weekday);
}

/* Does the line come at an instant, if the clock has never shown more than most before? */
static bool
comes(const Sets *sets, int64_t shown, int64_t most)
{
	if (sets->any[0] || sets->any[1])
		return shown % 60 == 0 && matches(sets, shown);
	for (int64_t label = most + 1; label <= shown; label++)
		if (label % 60 == 0 && matches(sets, label))
			return true;
	return false;
}

static int
complain(const char *text, const Clock *clock, int64_t instant, const char *what, int64_t got)
{
	printf("not ok: \"%s\" at %" PRId64 ": %s %" PRId64 "\n", text, instant, what, got);
	for (int i = 0; i < clock->nspans; i++)
		printf("# until %" PRId64 ": %" PRId64 "\n", clock->until[i], clock->offset[i]);
	return 1;
}

/* One line under one clock; returns how often it came, or -1. */
static int
try_line(int number)
{
	int64_t		start = ((int64_t) number * 37 % 400) * 365 * 86400 + (int64_t) (rand() % 365) * 86400;
	int64_t		last = INT64_MIN;
	int64_t		next;
	int64_t		most = INT64_MIN;
	int			runs = 0;
	char		text[512];
	CronError	error;
	CronLine	line;
	Clock		clock;
	Sets		sets;

	do
		make_line(&sets, text);
	while (!cron_parse(text, &line, &error));
	make_clock(&clock, start);
	for (int64_t t = start - 2 * 86400; t < start; t++)
		if (shown_at(&clock, t) > most)
			most = shown_at(&clock, t);
	if (!cron_next(&line, span_of, &clock, start - 1, &next))
		next = INT64_MAX;
	for (int64_t t = start; t < start + DAYS * 86400; t++)
	{
		int64_t		shown = shown_at(&clock, t);
		bool		run = comes(&sets, shown, most);
		int64_t		latest;

		if (run != (next == t))
			return complain(text, &clock, t, run ? "comes, but next was" : "does not come, but next was", next), -1;
		if (run)
		{
			last = t;
			runs++;
			if (!cron_next(&line, span_of, &clock, t, &next))
				next = INT64_MAX;
		}
		if (shown > most)
			most = shown;
		if (last != INT64_MIN && (run || rand() % 20000 == 0) &&
			(!cron_latest(&line, span_of, &clock, t, &latest) || latest != last))
			return complain(text, &clock, t, "the latest was", latest), -1;
	}
	return runs;
}

/* Whatever the text, an answer and no crash: a line with some signs changed. */
static int
try_string(void)
{
	static const char signs[] = "0123456789*,-/ \t@jansuCRON_TZ=/EB\xc3\xbc";
	char		text[512];
	CronLine	line;
	CronError	error;
	Sets		sets;

	make_line(&sets, text);
	for (int changes = rand() % 4; changes > 0; changes--)
		text[rand() % strlen(text)] = signs[rand() % ((int) sizeof(signs) - 1)];
	text[rand() % 4 == 0 ? rand() % strlen(text) : strlen(text)] = '\0';
	cron_recognize(text);
	if (cron_parse(text, &line, &error))
		return 1;
	for (const char *c = error.detail; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	int			runs = 0;
	int			lines = 0;

	srand(argc > 1 ? atoi(argv[1]) : 1);
	for (int i = 0; i < CASES; i++)
	{
		int			n = try_line(i);

		if (n < 0)
			return 1;
		runs += n;
	}
	for (int i = 0; i < STRINGS; i++)
	{
		int			n = try_string();

		if (n < 0)
		{
			printf("not ok: a complaint is not ASCII\n");
			return 1;
		}
		lines += n;
	}
	printf("ok: cron, %d lines under as many clocks with %d runs, %d texts of which %d were lines\n",
		   CASES, runs, STRINGS, lines);
	return 0;
}
