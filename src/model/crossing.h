/*
 * crossing.h
 *		When does time alone flip a comparison?
 *
 * A comparison of a fixed instant with a moving one holds from the moment on
 * at which the moving one, f(t), reaches a target.  f is t plus an interval in
 * a local calendar: piecewise linear with slope one, and not monotone where the
 * clock is changed or a month ends.  So the comparison may flip more than once.
 *
 * Instants are microseconds.  No memory is allocated and no error raised.
 */
#ifndef SEGMENT_CROSSING_H
#define SEGMENT_CROSSING_H

/*
 * One piece of f: *value is f(t), and f(t + d) is f(t) + d for every d with
 * 0 <= d < *reach.  A reach that is shorter than could be is no mistake.
 * False if f has no value at t.
 */
typedef bool (*CrossingShift) (int64 t, int64 *value, int64 *reach, void *arg);

/* Before first, f is short of the target; from last on, it has reached it. */
typedef struct CrossingWindow
{
	int64		first;
	int64		last;
} CrossingWindow;

/*
 * Window for f(t) = t + (months, days, usecs).  slack: how far the local
 * calendar can pull f(t) from t plus a whole number of days plus usecs, in
 * either direction; zero if neither months nor days are added.
 */
extern CrossingWindow crossing_window(int64 target, int32 months, int32 days,
									  int64 usecs, int64 slack);

/*
 * The earliest t > from at which (f(t) >= target) differs from
 * (f(from) >= target).  False if there is none, or if f has no value where it
 * would have to be looked for.
 */
extern bool crossing_find(int64 from, int64 target, CrossingWindow window,
						  CrossingShift shift, void *arg, int64 *result);

/*
 * t plus a span as the order of intervals counts it: a month is 30 days, a day
 * is 24 hours.  Sums out of range become the least or the greatest value.
 */
extern int64 crossing_add_span(int64 t, int32 months, int32 days, int64 usecs);

/* Quotient rounded down; b > 0. */
static inline int64
crossing_floor_div(int64 a, int64 b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

#endif							/* SEGMENT_CROSSING_H */
