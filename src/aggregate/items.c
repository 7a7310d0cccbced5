/*
 * items.c
 *		The distinct items of a customer's events.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/items.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Room of the first allocations. */
#define FIRST_CAPACITY 2
#define FIRST_ROOM 32

/* More items than this are looked up by hash. */
#define ITEMS_WITHOUT_SLOTS 8

/*
 * Bounds within which elements of up to 56 bytes, slots and texts each fit in one
 * allocation, and items with up to 30 bytes of each element in a serialized state.
 */
#define ITEMS_MAX (1 << 24)
#define TEXTS_MAX ((uint32) 1 << 29)

/* Room that doubles until it is enough, within a bound. */
static uint32
grown(uint32 room, uint32 first, uint64 needed, uint32 bound)
{
	uint64		more = Max(room, first);

	while (more < needed)
		more *= 2;
	return (uint32) Min(more, bound);
}

static void *
enlarge(void *block, Size size, MemoryContext context)
{
	return block == NULL ? MemoryContextAlloc(context, size) : repalloc(block, size);
}

/* The slot of an item: the one that is its own, or a free one. */
static ItemSlot *
find_slot(const Items *items, uint32 hash, const char *bytes, uint32 length)
{
	uint32		mask = items->slot_count - 1;

	for (uint32 i = hash & mask;; i = (i + 1) & mask)
	{
		ItemSlot   *slot = &items->slots[i];
		const ItemKey *item;

		if (slot->place == 0)
			return slot;
		item = items_at(items, slot->place - 1);
		if (slot->hash == hash && item->length == length &&
			memcmp(items_bytes(items, item), bytes, length) == 0)
			return slot;
	}
}

/*
 * Whoever names the items must not be able to choose many of one hash, so it
 * depends on a secret of this process.  Slots never leave the process, and
 * nothing depends on their order.
 */
static uint32
hash_item(const char *bytes, uint32 length)
{
	static uint64 secret = 0;

	while (secret == 0)
	{
		if (!pg_strong_random(&secret, sizeof(secret)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate a random number")));
	}
	return (uint32) hash_bytes_extended((const unsigned char *) bytes, (int) length, secret);
}

/* Makes slots for twice as many items as have come, and fills them. */
static void
make_slots(Items *items, MemoryContext context)
{
	uint32		count = Max(items->slot_count * 2, ITEMS_WITHOUT_SLOTS * 4);

	if (items->slots != NULL)
		pfree(items->slots);
	items->slots = (ItemSlot *) MemoryContextAllocZero(context, count * sizeof(ItemSlot));
	items->slot_count = count;
	for (int i = 0; i < items->count; i++)
	{
		const ItemKey *item = items_at(items, i);
		const char *bytes = items_bytes(items, item);
		uint32		hash = hash_item(bytes, item->length);
		ItemSlot   *slot = find_slot(items, hash, bytes, item->length);

		CHECK_FOR_INTERRUPTS();
		slot->hash = hash;
		slot->place = i + 1;
	}
}

/* Makes room for one item more. */
static void
reserve(Items *items, uint32 length, MemoryContext context)
{
	if (items->count >= ITEMS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many items for one aggregate state"),
				 errdetail("This aggregate holds at most %d different items for each group.",
						   ITEMS_MAX),
				 errhint("Aggregate by customer, or by categories of items.")));
	if (length > TEXTS_MAX - items->used)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("items are too long for one aggregate state"),
				 errdetail("The different items of a group may have %u bytes together.",
						   TEXTS_MAX),
				 errhint("Aggregate by customer, or by short names or numbers of items.")));

	if (items->count == items->capacity)
	{
		uint32		capacity = grown(items->capacity, FIRST_CAPACITY,
									 items->count + 1, ITEMS_MAX);

		items->elements = enlarge(items->elements, capacity * items->size, context);
		items->capacity = capacity;
	}
	if (items->texts == NULL || length > items->room - items->used)
	{
		uint32		room = grown(items->room, FIRST_ROOM,
								 (uint64) items->used + length, TEXTS_MAX);

		items->texts = enlarge(items->texts, room, context);
		items->room = room;
	}
}

/* Adds an item that has no element yet. */
static void *
add(Items *items, const char *bytes, uint32 length, MemoryContext context)
{
	ItemKey    *item;

	reserve(items, length, context);
	item = items_at(items, items->count);
	memset(item, 0, items->size);
	item->offset = items->used;
	item->length = length;
	memcpy(items->texts + items->used, bytes, length);
	items->used += length;
	items->count++;
	return item;
}

/* The element of an item, NULL if it has none; remembers its slot, if there are. */
static void *
look_up(const Items *items, const char *bytes, uint32 length, ItemSlot **slot, uint32 *hash)
{
	*slot = NULL;
	if (items->slot_count > 0)
	{
		*hash = hash_item(bytes, length);
		*slot = find_slot(items, *hash, bytes, length);
		return (*slot)->place == 0 ? NULL : items_at(items, (*slot)->place - 1);
	}

	for (int i = 0; i < items->count; i++)
	{
		ItemKey    *item = items_at(items, i);

		if (item->length == length && memcmp(items_bytes(items, item), bytes, length) == 0)
			return item;
	}
	return NULL;
}

void *
items_find(Items *items, const char *bytes, uint32 length, MemoryContext context)
{
	ItemSlot   *slot;
	uint32		hash = 0;
	ItemKey    *item = look_up(items, bytes, length, &slot, &hash);

	if (item != NULL)
		return item;

	item = add(items, bytes, length, context);
	if (slot != NULL)
	{
		slot->hash = hash;
		slot->place = items->count;
	}
	/* At most half of the slots are taken. */
	if (items->count > Max(ITEMS_WITHOUT_SLOTS, items->slot_count / 2))
		make_slots(items, context);
	Assert(items_is_valid(items));
	return item;
}

int
items_compare(const Items *items, const void *element, const void *other)
{
	uint32		length = ((const ItemKey *) element)->length;
	uint32		other_length = ((const ItemKey *) other)->length;
	int			order = memcmp(items_bytes(items, element), items_bytes(items, other),
							   Min(length, other_length));

	if (order == 0 && length != other_length)
		order = length < other_length ? -1 : 1;
	return order;
}

ArrayType *
items_array(const Items *items, void *const *elements, int count)
{
	Datum	   *texts = (Datum *) palloc(Max(count, 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		texts[i] = PointerGetDatum(cstring_to_text_with_len(items_bytes(items, elements[i]),
															((ItemKey *) elements[i])->length));
	}
	return construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT);
}

void
items_send(const Items *items, const void *element, StringInfo wire)
{
	uint32		length = ((const ItemKey *) element)->length;

	pq_sendint32(wire, length);
	pq_sendbytes(wire, items_bytes(items, element), (int) length);
}

void *
items_receive(Items *items, StringInfo wire)
{
	uint32		length = pq_getmsgint(wire, 4);
	const char *bytes;
	int			count = items->count;
	void	   *element;

	if (length > TEXTS_MAX)
		return NULL;
	bytes = pq_getmsgbytes(wire, (int) length);
	if (!pg_verify_mbstr(GetDatabaseEncoding(), bytes, (int) length, true))
		return NULL;
	element = items_find(items, bytes, length, CurrentMemoryContext);
	return items->count > count ? element : NULL;
}

bool
items_can_receive(uint32 count, StringInfo wire, Size least)
{
	return count <= ITEMS_MAX && (wire->len - wire->cursor) / (least + 4) >= count;
}

bool
items_is_valid(const Items *items)
{
	return items->count >= 0 && items->count <= items->capacity &&
		items->capacity <= ITEMS_MAX && items->used <= items->room &&
		items->room <= TEXTS_MAX && items->size >= sizeof(ItemKey) &&
		(items->elements == NULL) == (items->capacity == 0) &&
		(items->slots == NULL) == (items->slot_count == 0) &&
		items->count <= Max(ITEMS_WITHOUT_SLOTS, items->slot_count / 2);
}
