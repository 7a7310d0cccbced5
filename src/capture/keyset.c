/*
 * keyset.c
 *		The distinct keys of one statement, up to a limit.
 *
 * Most statements have one key, so the first is kept apart and the hash table
 * made for the second.  Rows of one key often follow each other: the latest
 * key is compared before the table is asked.
 */
#include "postgres.h"

#include "capture/capture_private.h"
#include "common/hashfn.h"

typedef struct IntegerEntry
{
	int64		key;
	char		status;
} IntegerEntry;

/* Fibonacci hashing: the high bits depend on all of the key's. */
static inline uint32
hash_integer(int64 key)
{
	return (uint32) (((uint64) key * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);
}

#define SH_PREFIX integers
#define SH_ELEMENT_TYPE IntegerEntry
#define SH_KEY_TYPE int64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_integer(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Bytes
{
	const char *data;
	Size		length;
} Bytes;

typedef struct BytesEntry
{
	Bytes		key;
	uint32		hash;
	char		status;
} BytesEntry;

static inline bool
same_bytes(Bytes a, Bytes b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

#define SH_PREFIX bytes
#define SH_ELEMENT_TYPE BytesEntry
#define SH_KEY_TYPE Bytes
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key).data, (int) (key).length)
#define SH_EQUAL(tb, a, b) same_bytes((a), (b))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define INITIAL_SIZE 64

struct KeySet
{
	KeySetKind	kind;
	int			limit;
	int			count;
	MemoryContext context;

	/* the first key, and the latest one that was added */
	int64		first_integer;
	int64		latest_integer;
	Bytes		first_bytes;
	Bytes		latest_bytes;

	/* every key, once there are two */
	integers_hash *integers;
	bytes_hash *bytes;
};

KeySet *
keyset_create(KeySetKind kind, int limit)
{
	KeySet	   *set = palloc0(sizeof(KeySet));

	set->kind = kind;
	set->limit = limit;
	set->context = CurrentMemoryContext;
	return set;
}

bool
keyset_add_integer(KeySet *set, int64 key)
{
	bool		found;

	if (set->count > 0 && key == set->latest_integer)
		return true;
	if (set->count == 0)
	{
		if (set->limit == 0)
			return false;
		set->first_integer = set->latest_integer = key;
		set->count = 1;
		return true;
	}
	if (set->integers == NULL)
	{
		set->integers = integers_create(set->context, INITIAL_SIZE, NULL);
		integers_insert(set->integers, set->first_integer, &found);
	}
	set->latest_integer = key;
	if (set->count == set->limit)
		return integers_lookup(set->integers, key) != NULL;
	integers_insert(set->integers, key, &found);
	set->count += !found;
	return true;
}

/* A copy that lives as long as the set. */
static Bytes
keep(KeySet *set, Bytes key)
{
	char	   *copy = MemoryContextAlloc(set->context, key.length + 1);

	memcpy(copy, key.data, key.length);
	copy[key.length] = '\0';
	key.data = copy;
	return key;
}

bool
keyset_add_bytes(KeySet *set, const char *data, Size length)
{
	Bytes		key = {data, length};
	BytesEntry *entry;
	bool		found;

	if (set->count > 0 && same_bytes(key, set->latest_bytes))
		return true;
	if (set->count == 0)
	{
		if (set->limit == 0)
			return false;
		set->first_bytes = set->latest_bytes = keep(set, key);
		set->count = 1;
		return true;
	}
	if (set->bytes == NULL)
	{
		set->bytes = bytes_create(set->context, INITIAL_SIZE, NULL);
		bytes_insert(set->bytes, set->first_bytes, &found);
	}
	entry = bytes_lookup(set->bytes, key);
	if (entry == NULL)
	{
		if (set->count >= set->limit)
			return false;
		entry = bytes_insert(set->bytes, keep(set, key), &found);
		set->count++;
	}
	set->latest_bytes = entry->key;
	return true;
}

bool
keyset_is_empty(const KeySet *set)
{
	return set->count == 0;
}

int
keyset_count(const KeySet *set)
{
	return set->count;
}

void
keyset_visit(KeySet *set, KeyVisitor visit, void *arg)
{
	if (set->count == 0)
		return;
	if (set->integers != NULL)
	{
		integers_iterator it;
		IntegerEntry *entry;

		integers_start_iterate(set->integers, &it);
		while ((entry = integers_iterate(set->integers, &it)) != NULL)
			visit(&entry->key, 0, arg);
	}
	else if (set->bytes != NULL)
	{
		bytes_iterator it;
		BytesEntry *entry;

		bytes_start_iterate(set->bytes, &it);
		while ((entry = bytes_iterate(set->bytes, &it)) != NULL)
			visit(entry->key.data, entry->key.length, arg);
	}
	else if (set->kind == KEYSET_INTEGERS)
		visit(&set->first_integer, 0, arg);
	else
		visit(set->first_bytes.data, set->first_bytes.length, arg);
}
