/*
 * interval.c
 *		The confidence intervals of model/interval as SQL functions.
 *
 * NULL is what too few observations leave open, and any argument that is NULL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "look/look.h"
#include "model/interval.h"

PG_FUNCTION_INFO_V1(segment_rate_interval);
PG_FUNCTION_INFO_V1(segment_rate_difference_interval);
PG_FUNCTION_INFO_V1(segment_mean_interval);
PG_FUNCTION_INFO_V1(segment_mean_difference_interval);

void
look_check_level(double level)
{
	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be above 0 and below 1"),
				 errhint("0.95 stands for intervals of 95 %%.")));
}

static double
level_argument(FunctionCallInfo fcinfo, int arg)
{
	double		level = PG_GETARG_FLOAT8(arg);

	look_check_level(level);
	return level;
}

/* The result (low, high); NULLs without bounds. */
static Datum
return_bounds(FunctionCallInfo fcinfo, const Bounds *bounds)
{
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {bounds == NULL, bounds == NULL};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the function is not declared as the extension declares it")));
	if (bounds != NULL)
	{
		values[0] = Float8GetDatum(bounds->low);
		values[1] = Float8GetDatum(bounds->high);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Arguments arg and arg + 1: how many of how many. */
static void
check_count(FunctionCallInfo fcinfo, int arg)
{
	if (PG_GETARG_INT64(arg) < 0 || PG_GETARG_INT64(arg) > PG_GETARG_INT64(arg + 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%lld of %lld is no rate", (long long) PG_GETARG_INT64(arg),
						(long long) PG_GETARG_INT64(arg + 1)),
				 errhint("Give how many converted, from 0 to all, then how many there were.")));
}

/* Arguments arg to arg + 2: mean, variance, n. */
static Sample
sample_argument(FunctionCallInfo fcinfo, int arg)
{
	Sample		sample = {
		.mean = PG_GETARG_FLOAT8(arg),
		.variance = PG_GETARG_FLOAT8(arg + 1),
		.n = (double) PG_GETARG_INT64(arg + 2)
	};

	if (sample.variance < 0 || sample.n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variance and number must not be negative")));
	return sample;
}

/* rate_interval(hits, n, level) → (low, high) */
Datum
segment_rate_interval(PG_FUNCTION_ARGS)
{
	double		level = level_argument(fcinfo, 2);
	Bounds		bounds;

	check_count(fcinfo, 0);
	if (PG_GETARG_INT64(1) == 0)
		return return_bounds(fcinfo, NULL);
	bounds = interval_rate((double) PG_GETARG_INT64(0), (double) PG_GETARG_INT64(1), level);
	return return_bounds(fcinfo, &bounds);
}

/* rate_difference_interval(hits, n, control_hits, control_n, level) → (low, high) */
Datum
segment_rate_difference_interval(PG_FUNCTION_ARGS)
{
	double		level = level_argument(fcinfo, 4);
	Bounds		bounds;

	check_count(fcinfo, 0);
	check_count(fcinfo, 2);
	if (PG_GETARG_INT64(1) == 0 || PG_GETARG_INT64(3) == 0)
		return return_bounds(fcinfo, NULL);
	bounds = interval_rate_difference((double) PG_GETARG_INT64(0), (double) PG_GETARG_INT64(1),
									  (double) PG_GETARG_INT64(2), (double) PG_GETARG_INT64(3),
									  level);
	return return_bounds(fcinfo, &bounds);
}

/* mean_interval(mean, variance, n, level) → (low, high) */
Datum
segment_mean_interval(PG_FUNCTION_ARGS)
{
	double		level = level_argument(fcinfo, 3);
	Sample		sample = sample_argument(fcinfo, 0);
	Bounds		bounds;

	if (sample.n < 2)
		return return_bounds(fcinfo, NULL);
	bounds = interval_mean(&sample, level);
	return return_bounds(fcinfo, &bounds);
}

/* mean_difference_interval(mean, variance, n, control_mean, control_variance, control_n, level) → (low, high) */
Datum
segment_mean_difference_interval(PG_FUNCTION_ARGS)
{
	double		level = level_argument(fcinfo, 6);
	Sample		sample = sample_argument(fcinfo, 0);
	Sample		control = sample_argument(fcinfo, 3);
	Bounds		bounds;

	if (sample.n < 2 || control.n < 2)
		return return_bounds(fcinfo, NULL);
	bounds = interval_mean_difference(&sample, &control, level);
	return return_bounds(fcinfo, &bounds);
}
