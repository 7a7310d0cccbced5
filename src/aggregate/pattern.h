/*
 * pattern.h
 *		The pattern of a sequence, as text and compiled.
 */
#ifndef SEGMENT_PATTERN_H
#define SEGMENT_PATTERN_H

#include "lib/stringinfo.h"
#include "model/sequence.h"

/* The text of a pattern, as states keep it. */
typedef struct Pattern
{
	int			conditions;		/* their number in the call, 1 to 64 */
	int			length;			/* of the text, bytes, at most SEQUENCE_LENGTH */
	char		text[FLEXIBLE_ARRAY_MEMBER];	/* without a zero at the end */
} Pattern;

/* The pattern that a function has compiled last; zeroes at first. */
typedef struct PatternMemory
{
	Pattern    *pattern;		/* NULL before the first one */
	SequencePattern compiled;
} PatternMemory;

/*
 * Compiles a pattern, unless it is the one in memory, whose pointers live in
 * context.  Error 22023 if it is not one.
 */
extern const Pattern *pattern_compile(PatternMemory *memory, const char *text, int length,
									  int conditions, MemoryContext context);

/* A copy that lives in a context, the same one for many equal patterns. */
extern const Pattern *pattern_share(const Pattern *pattern, MemoryContext context);

static inline bool
pattern_has_text(const Pattern *pattern, const char *text, int length)
{
	return pattern->length == length && memcmp(pattern->text, text, length) == 0;
}

/* Writes a pattern, and reads it; NULL if that can't have been written so. */
extern void pattern_send(const Pattern *pattern, StringInfo wire);
extern const Pattern *pattern_receive(StringInfo wire);

/* Are the numbers within their limits? */
extern bool pattern_is_valid(const Pattern *pattern);

#endif							/* SEGMENT_PATTERN_H */
