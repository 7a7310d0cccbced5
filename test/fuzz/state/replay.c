/*
 * replay.c
 *		The target without libFuzzer:
 *
 *	replay FILE...					tries inputs
 *	replay --random NUMBER SEED		tries random rows, and states changed at random
 *	replay --seeds DIRECTORY NUMBER SEED	writes random rows, and the states they
 *									come to, as inputs to start from
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>

#include "catalog/pg_type.h"

#define INPUT_MAX 4096
#define STATES_MAX 64

static uint64 dice;

static int
pick(int many)
{
	dice = dice * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	return (int) ((dice >> 33) % (uint64) many);
}

/* The last states that were made. */
static Wire states[STATES_MAX];
static int	states_made = 0;

static void
keep_state(const Wire *wire)
{
	Wire	   *kept = &states[states_made++ % STATES_MAX];
	char	   *copy = malloc(wire->size + 1);

	free((char *) kept->data);
	memcpy(copy, wire->data, wire->size);
	kept->data = copy;
	kept->size = wire->size;
}

static size_t
random_rows(uint8 *input, int aggregate)
{
	size_t		size = 4 + pick(pick(4) == 0 ? 1000 : 120);

	for (size_t i = 0; i < size; i++)
		input[i] = (uint8) pick(256);
	input[0] = 'R';
	input[1] = (uint8) aggregate;
	/* constants are constant, mostly; see try_rows */
	if (pick(4) > 0)
		input[2] = 1;
	return size;
}

/* Up to three of the states, mostly of the kind of the last one. */
static size_t
random_wires(uint8 *input)
{
	size_t		size = 0;
	int			many = 1 + pick(WIRES_MAX);
	int			kind = states[(states_made - 1) % STATES_MAX].data[0];

	/* mostly the type of the values of the last ones */
	input[size++] = (shim_value_type == INT8OID) != (pick(8) == 0) ? 'V' : 'W';
	for (int i = 0; i < many; i++)
	{
		const Wire *wire = &states[pick(Min(states_made, STATES_MAX))];

		for (int tries = 0; tries < 8 && wire->data[0] != kind; tries++)
			wire = &states[pick(Min(states_made, STATES_MAX))];
		if (size + WIRE_SEPARATOR_SIZE + wire->size > INPUT_MAX)
			break;
		if (size > 1)
		{
			memcpy(input + size, WIRE_SEPARATOR, WIRE_SEPARATOR_SIZE);
			size += WIRE_SEPARATOR_SIZE;
		}
		memcpy(input + size, wire->data, wire->size);
		size += wire->size;
	}
	return size;
}

static size_t
change(uint8 *input, size_t size)
{
	if (pick(4) > 0)
		return target_change(input, size, INPUT_MAX, pick(PG_INT32_MAX));
	for (int changes = pick(4); changes > 0 && size > 1; changes--)
	{
		size_t		at = 1 + pick((int) size - 1);

		switch (pick(4))
		{
			case 0:
				input[at] = (uint8) pick(256);
				break;
			case 1:
				input[at] ^= (uint8) (1 << pick(8));
				break;
			case 2:
				input[at] += (uint8) (pick(3) - 1);
				break;
			default:
				size -= pick(2);
		}
	}
	return size;
}

static void
write_input(const char *directory, char letter, int number, const uint8 *input, size_t size)
{
	char		path[1024];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%c%d", directory, letter, number);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(input, 1, size, file) != size || fclose(file) != 0)
		shim_fail("can't write %s", path);
}

/* An exact copy, so that a sanitizer sees reads beyond it. */
static void
try_input(const uint8 *input, size_t size)
{
	uint8	   *copy = malloc(size + 1);

	memcpy(copy, input, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
try_random(const char *directory, int number, const char *seed)
{
	static uint8 input[INPUT_MAX];
	size_t		size;

	dice = strtoull(seed, NULL, 10);
	target_state_made = keep_state;
	for (int i = 0; i < number; i++)
	{
		size = random_rows(input, i % aggregates_count);
		if (directory != NULL)
			write_input(directory, 'R', i, input, size);
		try_input(input, size);
		if (states_made == 0)
			continue;
		size = random_wires(input);
		if (directory != NULL)
			write_input(directory, 'W', i, input, size);
		else
			try_input(input, change(input, size));
	}
	printf("%d random inputs, %d states\n", number, states_made);
}

int
main(int argc, char **argv)
{
	static uint8 input[1 << 20];

	if (argc == 4 && strcmp(argv[1], "--random") == 0)
		try_random(NULL, atoi(argv[2]), argv[3]);
	else if (argc == 5 && strcmp(argv[1], "--seeds") == 0)
		try_random(argv[2], atoi(argv[3]), argv[4]);
	else
	{
		for (int i = 1; i < argc; i++)
		{
			FILE	   *file = fopen(argv[i], "rb");

			if (file == NULL)
				shim_fail("can't read %s", argv[i]);
			try_input(input, fread(input, 1, sizeof(input), file));
			fclose(file);
		}
		printf("%d inputs\n", argc - 1);
	}
	return 0;
}
