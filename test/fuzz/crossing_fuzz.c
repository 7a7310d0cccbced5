/*
 * crossing_fuzz.c
 *		The arithmetic of crossings with numbers up to the ends of their ranges.
 *
 * An input is the fields of Input, and pieces of f after them.  What is found is
 * compared with a walk along the same pieces.
 */
#include "postgres.h"

#include <stdlib.h>
#include <string.h>

#include "common/int.h"
#include "model/crossing.h"

#define CHECK(what) do { if (!(what)) abort(); } while (0)

typedef struct Input
{
	int64		from;
	int64		target;
	CrossingWindow window;
	int32		months;
	int32		days;
	int64		usecs;
	int64		slack;
} Input;

/* What bytes say of f: from first on, pieces one after another, then no value. */
typedef struct Pieces
{
	int64		first;
	const uint8 *data;
	size_t		count;
} Pieces;

#define PIECE_SIZE 10

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/* The piece of so many, as it begins. */
static CrossingPiece
piece_at(const Pieces *pieces, size_t i)
{
	const uint8 *data = pieces->data + i * PIECE_SIZE;
	CrossingPiece piece = {.flat = data[0] & 1};

	memcpy(&piece.value, data + 2, sizeof(piece.value));
	piece.reach = INT64CONST(1) << (data[1] % 62);
	/* a value within its piece is one, too */
	if (piece.value > PG_INT64_MAX - piece.reach)
		piece.value -= piece.reach;
	return piece;
}

/* A CrossingFunction */
static bool
f(int64 t, CrossingPiece *piece, void *arg)
{
	const Pieces *pieces = arg;
	int64		begin = pieces->first;

	if (t < begin)
		return false;
	for (size_t i = 0; i < pieces->count; i++)
	{
		CrossingPiece whole = piece_at(pieces, i);
		int64		end;

		if (pg_add_s64_overflow(begin, whole.reach, &end))
			end = PG_INT64_MAX;
		if (t < end)
		{
			*piece = whole;
			piece->reach = end - t;
			if (!whole.flat)
				piece->value += t - begin;
			return true;
		}
		begin = end;
	}
	return false;
}

static void
try_find(const Input *input, Pieces *pieces)
{
	/* all the time there is: then the answer is that of a walk along the pieces */
	CrossingWindow always = {input->from, PG_INT64_MAX};
	int64		found;
	bool		is_found = crossing_find(input->from, input->target, always, f, pieces, &found);
	CrossingPiece here,
				there;

	if (!f(input->from, &here, pieces))
	{
		CHECK(!is_found);
		return;
	}
	if (is_found)
	{
		CHECK(found > input->from && f(found, &there, pieces));
		CHECK((there.value >= input->target) != (here.value >= input->target));
		CHECK(f(found - 1, &there, pieces));
		CHECK((there.value >= input->target) == (here.value >= input->target));
	}
	/* windows from anywhere */
	(void) crossing_find(input->from, input->target, input->window, f, pieces, &found);
	if (crossing_change(input->from, 20, f, pieces, &found))
		CHECK(found > input->from);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Input		input;
	Pieces		pieces;
	CrossingWindow widened;
	int64		sum;

	if (size < sizeof(input))
		return 0;
	memcpy(&input, data, sizeof(input));
	pieces.first = input.from;
	pieces.data = data + sizeof(input);
	pieces.count = (size - sizeof(input)) / PIECE_SIZE;

	sum = crossing_add_span(input.from, input.months, input.days, input.usecs);
	if (input.months >= 0 && input.days >= 0 && input.usecs >= 0)
		CHECK(sum >= input.from);
	if (input.months <= 0 && input.days <= 0 && input.usecs <= 0)
		CHECK(sum <= input.from);

	/* slack is that of a calendar: days, not ages */
	input.slack = input.slack & 0x3fffffffff;
	if (input.window.first <= input.window.last)
	{
		widened = crossing_widen(input.window, input.months, input.days, input.usecs, input.slack);
		CHECK(widened.first <= widened.last);
		widened = crossing_widen_by(input.window, -input.slack, input.slack);
		CHECK(widened.first <= input.window.first && widened.last >= input.window.last);
	}
	try_find(&input, &pieces);
	return 0;
}
