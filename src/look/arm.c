/*
 * arm.c
 *		Which arm of an experiment a key is in.
 *
 * Whoever measures an experiment years later has to find everybody in the arm
 * that they were in: what is computed here must never change.
 *
 * The first eight bytes of SHA-256 over the experiment's name, a zero byte and
 * the key, both in UTF-8, are a number; its share of 2^64, to 53 bits, times
 * the sum of the weights falls into the stretch of one arm, the arms standing
 * one after the other in the order in which jsonb keeps names.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "look/look.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(segment_arm_text);
PG_FUNCTION_INFO_V1(segment_arm_bigint);
PG_FUNCTION_INFO_V1(segment_arm_uuid);

#define WEIGHTS_HINT "Write the arms and their weights as '{\"control\": 10, \"mail\": 90}'."

typedef struct Arm
{
	JsonbValue	name;
	double		weight;
} Arm;

/* Weights as they were read; kept from call to call, as they are the same mostly. */
typedef struct Weights
{
	Jsonb	   *source;
	Arm		   *arms;			/* their names are in source */
	int			n;
	double		total;
} Weights;

static void
refuse_weight(const JsonbValue *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("weight of arm \"%.*s\" must be a number above 0", name->val.string.len,
					name->val.string.val),
			 errhint(WEIGHTS_HINT)));
}

static double
read_weight(const JsonbValue *name, const JsonbValue *value)
{
	double		weight;

	if (value->type != jbvNumeric)
		refuse_weight(name);
	weight = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	if (!(weight > 0) || isinf(weight))
		refuse_weight(name);
	return weight;
}

static void
read_arms(Weights *weights)
{
	JsonbIterator *it = JsonbIteratorInit(&weights->source->root);
	JsonbIteratorToken token;
	JsonbValue	v;

	if (!JB_ROOT_IS_OBJECT(weights->source) || JB_ROOT_COUNT(weights->source) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must be an object with at least one arm"),
				 errhint(WEIGHTS_HINT)));
	weights->arms = palloc(JB_ROOT_COUNT(weights->source) * sizeof(Arm));
	weights->n = 0;
	weights->total = 0;
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		Arm		   *arm = &weights->arms[weights->n];

		if (token == WJB_KEY)
		{
			if (v.val.string.len == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("an arm must have a name"),
						 errhint(WEIGHTS_HINT)));
			arm->name = v;
		}
		else if (token == WJB_VALUE)
		{
			arm->weight = read_weight(&arm->name, &v);
			weights->total += arm->weight;
			weights->n++;
		}
	}
	if (isinf(weights->total))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must have a sum that double precision can hold"),
				 errhint(WEIGHTS_HINT)));
}

/* The weights of a call; those of the call before if they are the same. */
static const Weights *
weights_argument(FunctionCallInfo fcinfo)
{
	Jsonb	   *source = PG_GETARG_JSONB_P(2);
	Weights    *weights = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (weights != NULL && VARSIZE(weights->source) == VARSIZE(source) &&
		memcmp(weights->source, source, VARSIZE(source)) == 0)
		return weights;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = NULL;
	if (weights != NULL)
	{
		pfree(weights->arms);
		pfree(weights->source);
		pfree(weights);
	}
	weights = palloc0(sizeof(Weights));
	weights->source = palloc(VARSIZE(source));
	memcpy(weights->source, source, VARSIZE(source));
	read_arms(weights);
	fcinfo->flinfo->fn_extra = weights;
	MemoryContextSwitchTo(caller);
	return weights;
}

static void
append_utf8(StringInfo content, char *string, int length)
{
	char	   *converted = pg_server_to_any(string, length, PG_UTF8);

	appendBinaryStringInfo(content, converted, converted == string ? length : strlen(converted));
}

/* Where a key stands in an experiment: from 0 to just below 1. */
static double
place_of(text *experiment, char *key, int length)
{
	StringInfoData content;
	bytea	   *hash;
	uint64		number;

	if (VARSIZE_ANY_EXHDR(experiment) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an experiment must have a name"),
				 errhint("Each experiment has one of its own, so that their arms are independent.")));
	initStringInfo(&content);
	appendStringInfoSpaces(&content, VARHDRSZ);
	append_utf8(&content, VARDATA_ANY(experiment), VARSIZE_ANY_EXHDR(experiment));
	appendStringInfoChar(&content, '\0');
	append_utf8(&content, key, length);
	SET_VARSIZE(content.data, content.len);
	hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(content.data)));
	memcpy(&number, VARDATA_ANY(hash), sizeof(number));
	return (double) (pg_ntoh64(number) >> 11) / (double) (UINT64CONST(1) << 53);
}

static text *
choose(const Weights *weights, double place)
{
	double		end = weights->arms[0].weight;
	int			chosen = 0;

	/* rounding may leave the last end just below the total */
	for (; place * weights->total >= end && chosen < weights->n - 1; end += weights->arms[chosen].weight)
		chosen++;
	return cstring_to_text_with_len(weights->arms[chosen].name.val.string.val,
									weights->arms[chosen].name.val.string.len);
}

static text *
arm_of(FunctionCallInfo fcinfo, char *key, int length)
{
	return choose(weights_argument(fcinfo), place_of(PG_GETARG_TEXT_PP(1), key, length));
}

void
look_check_experiment(text *experiment, Jsonb *weights)
{
	Weights		read = {.source = weights};

	read_arms(&read);
	(void) place_of(experiment, "", 0);
}

/* arm(key text, experiment text, weights jsonb) → text */
Datum
segment_arm_text(PG_FUNCTION_ARGS)
{
	text	   *key = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(arm_of(fcinfo, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}

/* arm(key bigint, experiment text, weights jsonb) → text */
Datum
segment_arm_bigint(PG_FUNCTION_ARGS)
{
	char		key[MAXINT8LEN + 1];

	PG_RETURN_TEXT_P(arm_of(fcinfo, key, pg_lltoa(PG_GETARG_INT64(0), key)));
}

/* arm(key uuid, experiment text, weights jsonb) → text */
Datum
segment_arm_uuid(PG_FUNCTION_ARGS)
{
	char	   *key = DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(0)));

	PG_RETURN_TEXT_P(arm_of(fcinfo, key, strlen(key)));
}
