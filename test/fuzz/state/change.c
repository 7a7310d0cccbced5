/*
 * change.c
 *		Changes of serialized states: numbers become those at the edges, states are
 *		doubled, so that what is accepted by itself meets others like it.
 */
#include "target.h"

#include "datatype/timestamp.h"

static const uint64 edges[] = {
	0, 1, 2, 255, PG_INT64_MAX, PG_INT64_MAX - 1, (uint64) PG_INT64_MIN, PG_UINT64_MAX,
	PG_INT64_MAX / 2 + 1, PG_INT32_MAX, (uint64) PG_INT32_MAX + 1, PG_UINT32_MAX,
	(uint64) MIN_TIMESTAMP, END_TIMESTAMP - 1, END_TIMESTAMP, SHIM_AS_OF,
	UINT64CONST(0x3ff0000000000000), UINT64CONST(0x7fefffffffffffff),
	UINT64CONST(0x7ff0000000000000), UINT64CONST(0x7ff8000000000000)
};

/* libFuzzer's own changes */
extern size_t LLVMFuzzerMutate(uint8 *data, size_t size, size_t room) __attribute__((weak));
extern size_t LLVMFuzzerCustomMutator(uint8 *data, size_t size, size_t room, unsigned int seed);

/* The part of an input in which a byte is: from *start, *length long. */
static void
find_part(const uint8 *data, size_t size, size_t at, size_t *start, size_t *length)
{
	const uint8 *from = data + 1;
	const uint8 *end = data + size;
	const uint8 *next;

	while ((next = memmem(from, end - from, WIRE_SEPARATOR, WIRE_SEPARATOR_SIZE)) != NULL &&
		   (size_t) (next - data) < at)
		from = next + WIRE_SEPARATOR_SIZE;
	*start = from - data;
	*length = (next == NULL ? end : next) - from;
}

/* A number becomes one at the edge, or a neighbor, or one that stands before. */
static void
change_number(uint8 *data, size_t start, size_t length, uint64 dice)
{
	size_t		width = (size_t) 1 << (dice % 4);
	size_t		step = Min(width, 4);
	uint64		value = 0;
	size_t		place;

	dice /= 4;
	if (length < 2 + width)
		return;
	/* two bytes for the kind and its version, and mostly whole fields */
	place = start + 2 + dice % ((length - 2 - width) / step + 1) * step;
	dice /= 64;
	/* a field of one byte before it shifts the rest */
	if (dice % 4 == 0 && place + width < start + length)
		place++;
	dice /= 4;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | data[place + i];
	switch (dice % 4)
	{
		case 0:
			value += 1;
			break;
		case 1:
			value -= 1;
			break;
		case 2:
			value = edges[dice / 4 % lengthof(edges)];
			break;
		default:
			if (place >= start + 2 + width)
				memcpy(data + place, data + place - width, width);
			return;
	}
	for (size_t i = 0; i < width; i++)
		data[place + i] = (uint8) (value >> 8 * (width - 1 - i));
}

/* Appends another part like the one given. */
static size_t
double_part(uint8 *data, size_t size, size_t room, size_t start, size_t length)
{
	if (size + WIRE_SEPARATOR_SIZE + length > room)
		return size;
	memcpy(data + size, WIRE_SEPARATOR, WIRE_SEPARATOR_SIZE);
	memcpy(data + size + WIRE_SEPARATOR_SIZE, data + start, length);
	return size + WIRE_SEPARATOR_SIZE + length;
}

size_t
target_change(uint8 *data, size_t size, size_t room, unsigned int seed)
{
	uint64		dice = seed;
	int			changes;

	dice = (dice + 1) * UINT64CONST(0x9e3779b97f4a7c15);
	changes = (int) (dice >> 33) % 3 + 1;
	for (int i = 0; i < changes && size > 1; i++)
	{
		size_t		start;
		size_t		length;

		dice = dice * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
		find_part(data, size, 1 + (dice >> 40) % (size - 1), &start, &length);
		if ((dice >> 32) % 8 == 0)
			size = double_part(data, size, room, start, length);
		else
			change_number(data, start, length, dice >> 35);
	}
	return size;
}

size_t
LLVMFuzzerCustomMutator(uint8 *data, size_t size, size_t room, unsigned int seed)
{
	if (size > 4 && (data[0] == 'W' || data[0] == 'V') && seed % 2 == 0)
		return target_change(data, size, room, seed / 2);
	return LLVMFuzzerMutate(data, size, room);
}
