/*
 * capture_private.h
 *		What the files of this room share among themselves.
 */
#ifndef SEGMENT_CAPTURE_PRIVATE_H
#define SEGMENT_CAPTURE_PRIVATE_H

#include "access/attnum.h"
#include "capture/capture.h"
#include "commands/trigger.h"
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
extern int	keyset_count(const KeySet *set);

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

/* read.c: the keys of rows */

typedef struct RowReader RowReader;

/*
 * Between begin and end a key that is more than a column is read with the
 * rights of the segment table's owner: nothing else is to be done meanwhile.
 */
extern RowReader *rows_begin(const KeyReader *reader);

/* Adds the key of a row; false if it is new and the set is full. */
extern bool rows_add(RowReader *rows, TupleTableSlot *slot, KeySet *keys);
extern void rows_end(RowReader *rows);

/* Marks a key that keyset_visit shows. */
extern void key_put(MarkWriter *writer, KeyForm form, const void *key, Size length);

/* row.c: a trigger for each row */
extern void capture_row(int source, const KeyReader *reader, TriggerData *trigdata);

/* parts.c: what belongs to a source */

/* Is a row of pg_trigger a trigger with this one argument? */
extern bool trigger_has_argument(HeapTuple tuple, Relation pg_trigger, const char *id);

/* The relations as they are now (of SourcePart), but temporary ones, by relid. */
extern List *parts_now(const Source *source, const List *relids);
extern bool parts_differ(const List *parts, const List *others);
extern SourcePart *find_part(const List *parts, Oid relid);

/* wake.c */
extern void wake_init(void);

#endif							/* SEGMENT_CAPTURE_PRIVATE_H */
