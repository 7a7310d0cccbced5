/*
 * items.h
 *		The distinct items of a customer's events, and something about each:
 *		part of the state of aggregates that count by item.
 *
 * Items are texts, told apart and ordered by their bytes, whatever the collation
 * of the database.  Most customers have few, so up to eight are looked up one by
 * one; a hash table is made for more.
 */
#ifndef SEGMENT_ITEMS_H
#define SEGMENT_ITEMS_H

#include "lib/stringinfo.h"
#include "utils/array.h"

/* How each element begins: which item it is about. */
typedef struct ItemKey
{
	uint32		offset;			/* of its bytes in texts */
	uint32		length;			/* bytes */
} ItemKey;

typedef struct ItemSlot
{
	uint32		hash;
	uint32		place;			/* of the element, plus 1; 0 if the slot is free */
} ItemSlot;

typedef struct Items
{
	char	   *elements;		/* NULL while capacity is 0 */
	char	   *texts;			/* bytes of all items; NULL while room is 0 */
	ItemSlot   *slots;			/* NULL while there are none */
	int			count;			/* elements */
	int			capacity;		/* room for elements */
	uint32		slot_count;		/* a power of two, or 0 */
	uint32		used;			/* bytes of texts */
	uint32		room;			/* for texts, bytes */
	Size		size;			/* of an element, bytes; set before the first one */
} Items;

/* The element of this place, from 0 in the order in which they came. */
static inline void *
items_at(const Items *items, int place)
{
	return items->elements + place * items->size;
}

/* The bytes of an item; they do not end with a zero. */
static inline const char *
items_bytes(const Items *items, const void *element)
{
	return items->texts + ((const ItemKey *) element)->offset;
}

/*
 * The element of an item; if it has none yet, a new one, all zeroes but for the
 * ItemKey.  It may move when the next one is added.  context is that of the array.
 */
extern void *items_find(Items *items, const char *bytes, uint32 length,
						MemoryContext context);

/* The order of two items by their bytes: negative, 0 or positive. */
extern int	items_compare(const Items *items, const void *element, const void *other);

/* The items of these elements as an array of texts. */
extern ArrayType *items_array(const Items *items, void *const *elements, int count);

/* Writes the item of an element. */
extern void items_send(const Items *items, const void *element, StringInfo wire);

/*
 * Reads what items_send has written, in the current context: its element, which
 * is new.  NULL if it can not have been written so: the item has come before, or
 * is no text of the database's encoding.
 */
extern void *items_receive(Items *items, StringInfo wire);

/*
 * Can so many elements be on the wire, each of at least so many bytes beside its
 * item?
 */
extern bool items_can_receive(uint32 count, StringInfo wire, Size least);

/* Do the fields fit together?  (Without looking at every element.) */
extern bool items_is_valid(const Items *items);

#endif							/* SEGMENT_ITEMS_H */
