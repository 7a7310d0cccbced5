/*
 * crossing.h
 *		When does time alone flip a comparison?
 *
 * A comparison of a fixed value with a moving one holds from the moment on at
 * which the moving one, f(t), reaches a target.  f is made of steps such as an
 * interval added on a local clock or the beginning of a month: pieces that run
 * with time or stand still, and not monotone where the clock is changed or a
 * month ends.  So the comparison may flip more than once.
 *
 * Instants are microseconds.  No memory is allocated and no error raised.
 */
#ifndef SEGMENT_CROSSING_H
#define SEGMENT_CROSSING_H

/*
 * One piece of f: for every d with 0 <= d < reach, f(t + d) is value + d, or
 * value if flat.  A reach that is shorter than could be is no mistake.
 *
 * A flat piece may be a stair of a flight: for 0 <= d < run, f does not fall,
 * and f(t + d) is at most value + d + grain.  run is 0 if nothing is known.
 */
typedef struct CrossingPiece
{
	int64		value;
	int64		reach;
	bool		flat;
	int64		run;
	int64		grain;
} CrossingPiece;

/* The piece of f that begins at t; false if f has no value there. */
typedef bool (*CrossingFunction) (int64 t, CrossingPiece *piece, void *arg);

/* Before first, f is short of the target; from last on, it has reached it. */
typedef struct CrossingWindow
{
	int64		first;
	int64		last;
} CrossingWindow;

/*
 * The window for f of a step that adds (months, days, usecs), from the window
 * of what comes after it.  slack: how far the local calendar can pull the sum
 * from a whole number of days plus usecs, in either direction; zero if neither
 * months nor days are added.
 */
extern CrossingWindow crossing_widen(CrossingWindow window, int32 months, int32 days,
									 int64 usecs, int64 slack);

/* The same of a step whose result lies at least least and at most most from where it began. */
extern CrossingWindow crossing_widen_by(CrossingWindow window, int64 least, int64 most);

/*
 * The earliest t > from at which (f(t) >= target) differs from
 * (f(from) >= target).  False if there is none, or if f has no value where it
 * would have to be looked for.
 */
extern bool crossing_find(int64 from, int64 target, CrossingWindow window,
						  CrossingFunction f, void *arg, int64 *result);

/*
 * The earliest t > from at which f(t) differs from f(from), where f is flat
 * throughout; after most pieces the beginning of the next one.  False if f has
 * no value there.
 */
extern bool crossing_change(int64 from, int most, CrossingFunction f, void *arg,
							int64 *result);

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
