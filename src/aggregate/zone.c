/*
 * zone.c
 *		Local time in the session's time zone.
 */
#include "postgres.h"

#include "aggregate/zone.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* A time in which the zone's distance from UTC does not change. */
typedef struct Span
{
	int64		from;			/* seconds since 1970 */
	int64		until;			/* not included */
	int64		distance;		/* microseconds east of UTC */
} Span;

/*
 * Spans that were met, so that most rows need no look into the zone's rules.
 * They are those of one zone; a pg_tz is never freed or changed.
 */
#define SPANS 16
static pg_tz *spans_of = NULL;
static Span spans[SPANS];
static int	spans_used = 0;
static int	last_span = 0;
static int	victim = 0;

/* The span from a second to the zone's next change, or a longer one. */
static const Span *
look_up(pg_time_t second)
{
	struct pg_tm *local = pg_localtime(&second, spans_of);
	int64		distance = local == NULL ? 0 : (int64) local->tm_gmtoff * USECS_PER_SEC;
	int64		until;
	pg_time_t	boundary = 0;
	long int	before;
	long int	after;
	int			before_is_dst;
	int			after_is_dst;
	pg_time_t	from = second;
	int			found;

	found = pg_next_dst_boundary(&from, &before, &before_is_dst,
								 &boundary, &after, &after_is_dst, spans_of);
	if (found == 0)
	{
		/*
		 * At the very last change in the zone's table none is found, though
		 * those after it are known by rule.
		 */
		from++;
		found = pg_next_dst_boundary(&from, &before, &before_is_dst,
									 &boundary, &after, &after_is_dst, spans_of);
	}
	until = found > 0 ? boundary : found == 0 ? PG_INT64_MAX : second + 1;

	/* What ends with the same change is the same span, met at a later second. */
	for (last_span = 0; last_span < spans_used; last_span++)
	{
		if (spans[last_span].until == until && spans[last_span].distance == distance)
		{
			spans[last_span].from = second;
			return &spans[last_span];
		}
	}

	if (spans_used < SPANS)
		last_span = spans_used++;
	else
		last_span = victim = (victim + 1) % SPANS;
	spans[last_span].from = second;
	spans[last_span].until = until;
	spans[last_span].distance = distance;
	return &spans[last_span];
}

static const Span *
find_span(pg_time_t second)
{
	if (spans_of != session_timezone)
	{
		spans_of = session_timezone;
		spans_used = last_span = 0;
	}
	if (last_span < spans_used &&
		second >= spans[last_span].from && second < spans[last_span].until)
		return &spans[last_span];

	for (int i = 0; i < spans_used; i++)
	{
		if (second >= spans[i].from && second < spans[i].until)
		{
			last_span = i;
			return &spans[i];
		}
	}
	return look_up(second);
}

int64
zone_local(TimestampTz at)
{
	int64		second = at / USECS_PER_SEC;

	if (at % USECS_PER_SEC < 0)
		second--;
	second += (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	return at + find_span(second)->distance;
}

int32
zone_week_of(int32 day)
{
	/* 2000-01-01 is the sixth day of its week. */
	int64		from_monday = (int64) day + 5;

	return (int32) (from_monday >= 0 ? from_monday / 7 : -((6 - from_monday) / 7));
}

int32
zone_month_of(int32 day)
{
	int			year;
	int			month;
	int			day_of_month;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
	return (year - 2000) * MONTHS_PER_YEAR + month - 1;
}
