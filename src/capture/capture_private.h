/*
 * capture_private.h
 *		What the files of this room share among themselves.
 */
#ifndef SEGMENT_CAPTURE_PRIVATE_H
#define SEGMENT_CAPTURE_PRIVATE_H

#include "access/attnum.h"
#include "capture/capture.h"
#include "executor/tuptable.h"
#include "nodes/primnodes.h"
#include "utils/rel.h"

/* keyset.c: the distinct keys of one statement, up to a limit */

typedef struct KeySet KeySet;

typedef enum KeySetKind
{
	KEYSET_INTEGERS,
	KEYSET_BYTES
} KeySetKind;

/* Keys are kept in the current memory context. */
extern KeySet *keyset_create(KeySetKind kind, int limit);

/* Add a key; false if it is new and the limit is reached. */
extern bool keyset_add_integer(KeySet *set, int64 key);
extern bool keyset_add_bytes(KeySet *set, const char *data, Size length);

extern bool keyset_is_empty(const KeySet *set);

/* Calls visit for each key: length 0 and a pointer to an int64, or bytes. */
typedef void (*KeyVisitor) (const void *key, Size length, void *arg);
extern void keyset_visit(KeySet *set, KeyVisitor visit, void *arg);

/* key.c: how the key of a source is read from the rows of one relation */

typedef enum KeyForm
{
	KEY_INTEGER,				/* a column of type int2, int4 or int8 */
	KEY_TEXT,					/* a column of type text or varchar */
	KEY_UUID,					/* a column of type uuid */
	KEY_OTHER					/* anything else: evaluated, then put out as text */
} KeyForm;

typedef struct KeyReader
{
	Oid			tbl;			/* segment table to mark */
	KeyForm		form;
	AttrNumber	attno;			/* the column, unless KEY_OTHER */
	int			width;			/* bytes of an integer column */

	/* KEY_OTHER only */
	Expr	   *expr;			/* of the key's type, planned; its Vars have varno 1 */
	Oid			output;			/* the type's output function */
	bool		as_owner;		/* more than a column: needs the owner's rights */
	Oid			owner;
	char	   *time_zone;
	char	   *label;			/* of the source, for error messages */
} KeyReader;

/*
 * Finds out how to read the key of a source in a relation; from the cache if
 * nothing has changed.  False: nothing is to be marked.  What the reader
 * points to lives in the current memory context.
 */
extern bool key_reader_find(KeyReader *reader, int source, Relation rel);

/* Adds "while reading the key of ..." to errors; the argument is the label. */
extern void key_error_context(void *label);

/* trigger.c */

/* OID of segment.capture(). */
extern Oid	capture_function(void);

/* marklog.c: appending many marks for one segment table */

typedef struct MarkWriter
{
	Relation	log;
	Datum		xid;
	Datum		tbl;
	Datum		marked_at;
	int			count;			/* tuples waiting */
	TupleTableSlot **slots;		/* of tuples waiting; NULL before the second */
	HeapTuple	first;
} MarkWriter;

extern void mark_begin(MarkWriter *writer, Oid tbl);

/* key NULL: every customer */
extern void mark_put(MarkWriter *writer, const char *key, Size length);
extern void mark_end(MarkWriter *writer);

/* wake.c */
extern void wake_init(void);

#endif							/* SEGMENT_CAPTURE_PRIVATE_H */
