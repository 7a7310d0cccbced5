/*
 * target.h
 *		What is tried of the aggregates' states, for whatever drives it: libFuzzer
 *		or replay.c.
 *
 * An input is a letter and what it speaks of:
 *	W	one to three serialized states, hostile or not, between WIRE_SEPARATORs
 *	V	the same; what has values of any type has those of bigint, not text
 *	R	rows for one of the aggregates
 */
#ifndef TARGET_H
#define TARGET_H

#include "shim.h"

#define WIRE_SEPARATOR "\xff\xa5\x5a\xfe"
#define WIRE_SEPARATOR_SIZE 4
#define WIRES_MAX 3

/* An aggregate as the install script has it; see functions.pl. */
typedef struct Aggregate
{
	const char *name;
	PGFunction	transition;
	const char *transition_name;
	PGFunction	final;
	const char *final_name;
	PGFunction	combine;
	bool		final_extra;	/* the final function gets NULLs for the arguments */
	const char *types;			/* of the arguments, with commas */
	const char *names;
	const char *result;			/* type; of a composite one its columns' types, in () */
} Aggregate;

extern const Aggregate aggregates[];
extern const int aggregates_count;

/* A serialized state. */
typedef struct Wire
{
	const char *data;
	size_t		size;
} Wire;

/* If set, gets each state that rows have made. */
extern void (*target_state_made) (const Wire *wire);

/* Tries an input; what is wrong ends the program. */
extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/*
 * Changes serialized states in an input, in ways that make sense for them; gives
 * the new size, of at most the room.
 */
extern size_t target_change(uint8 *data, size_t size, size_t room, unsigned int seed);

/* Its parts: states.c, rows.c */
extern void try_wires(const Wire *wires, int count);
extern void try_rows(const uint8 *data, size_t size);

/* Calls into the library, false where they end in an error. --------------- */

/* A state in the row's memory, of which the next function is to combine it. */
extern bool state_deserialize(const Wire *wire, void **state);

/* The same, combined into nothing: a state to work with. */
extern bool state_copy(const Wire *wire, void **state);

/* The bytes live in the query's memory. */
extern bool state_serialize(void *state, Wire *wire);

/* Into a state that is not NULL if anything was merged, and empties the row's memory. */
extern bool state_combine(void **state, void *other);

/*
 * The serialized state, which must not fail, must be accepted again, and come
 * out the same.
 */
extern Wire state_wire(void *state, const char *what);

/* Calls each final function that takes the state; none may change it. */
extern void state_finals(void *state, const char *what);

/*
 * The results of all final functions for two states are the same; if nearly,
 * floats may differ by rounding.
 */
extern void states_agree(void *a, void *b, bool nearly, const char *what);

/* Fails, showing both, if they differ. */
extern void wires_agree(const Wire *a, const Wire *b, const char *what);

/* The same, if all states of this kind that mean the same have the same form. */
extern void forms_agree(void *state, const Wire *a, const Wire *b, const char *what);

/* Sums of floats depend on the order: those of this kind round. */
extern bool state_is_rounded(void *state);

#endif							/* TARGET_H */
