/*
 * definition.h
 *		Definitions: reading and writing the configuration tables.
 *
 * Knows nothing of how expressions are checked, captured or run.
 */
#ifndef SEGMENT_DEFINITION_H
#define SEGMENT_DEFINITION_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/snapshot.h"

/* A named expression: an extra column of a source, or an attribute. */
typedef struct NamedExpr
{
	char	   *name;
	char	   *expression;		/* canonical */
} NamedExpr;

typedef enum SourceKind
{
	SOURCE_EVENTS,
	SOURCE_ATTRIBUTES
} SourceKind;

typedef struct Source
{
	int			id;				/* argument of its triggers */
	SourceKind	kind;
	Oid			tbl;			/* segment table */
	Oid			relation;
	char	   *name;
	char	   *key;			/* canonical expressions; NULL where not given */
	char	   *at;
	char	   *event;
	char	   *value;
	char	   *item;
	List	   *extra;			/* of NamedExpr */
} Source;

typedef enum ColumnKind
{
	COLUMN_ATTRIBUTE,
	COLUMN_SCORE,
	COLUMN_SEGMENT,
	COLUMN_GROUP,
	COLUMN_BAND,
	COLUMN_ELIGIBLE				/* no column of the table: the rule of set_eligible */
} ColumnKind;

/* What a column is computed from. */
typedef enum ColumnOver
{
	OVER_ATTRIBUTES,
	OVER_EVENTS,				/* an aggregate over the stream */
	OVER_ROW					/* an expression over other columns */
} ColumnOver;

typedef struct Column
{
	char	   *name;
	ColumnKind	kind;
	int			position;
	ColumnOver	over;
	char	   *expression;		/* canonical */
	Oid			type;
	List	   *crossings;		/* of char *: instants at which time alone may change it */
	char	   *unanalyzed;		/* NULL, or the part that keeps it from being exact */
	List	   *depends;		/* of char *: columns that the expression reads */

	/*
	 * Of a group: its labels, and for each the rule (of char *, canonical).
	 * The expression is made of them.
	 */
	List	   *labels;
	List	   *rules;

	/*
	 * Of a band: how many there are, and whether the first is that of the
	 * highest scores.  The score is the one column in depends; the expression
	 * holds the cut points.
	 */
	int			bands;
	bool		descending;
} Column;

typedef struct SegmentTable
{
	Oid			relid;
	Oid			owner;
	Oid			author;			/* with whose rights text is parsed: the owner's, but for preview() */
	Oid			history;
	Oid			events;			/* the stream's view, or InvalidOid */
	Oid			changes;		/* where changes of memberships are kept, or InvalidOid */
	Interval   *changes_kept;	/* how long, or NULL */
	char	   *key_name;
	Oid			key_type;
	char	   *time_zone;
	Interval   *max_age;
	bytea	   *salt;			/* of the fingerprints of suppressed customers; NULL: there are none */
	bool		merged;			/* the events of some keys count for others */
	List	   *sources;		/* of Source, both kinds, by id */
	List	   *columns;		/* of Column, by position */
} SegmentTable;

/* The name under which the rule of set_eligible is kept. */
#define ELIGIBLE_NAME "__segment_eligible"

/* Names beginning so are kept for the extension. */
#define RESERVED_PREFIX "__segment_"

/* load.c */

/* Reads a definition; error with a hint if relid is no segment table. */
extern SegmentTable *catalog_load(Oid relid);

/* The same without sources and columns, and without a look whether keys are merged. */
extern SegmentTable *catalog_load_bare(Oid relid);
extern bool catalog_is_segment_table(Oid relid);

/*
 * Until the end of the transaction, no other may take keys of this segment
 * table out of work (ExclusiveLock), or takes any (ShareLock).  With wait
 * false: whether the lock could be had at once.
 */
extern bool catalog_lock_work(Oid relid, LOCKMODE mode, bool wait);

/* The sources of a segment table, also of one that is gone. */
extern List *catalog_load_sources(Oid relid);

/* One source by id, or NULL.  Reads by index, without SPI: triggers call it. */
extern Source *catalog_load_source(int id);

/* The same as a snapshot sees it. */
extern Source *catalog_load_source_as_of(int id, Snapshot snapshot);

/*
 * A definition as a snapshot sees it, for whoever compares it with rows in
 * that snapshot; catalog_load reads the latest.
 */
extern SegmentTable *catalog_load_as_of(Oid relid, Snapshot snapshot);

/* Error unless the current role owns the segment table (or is a member of its owner). */
extern void catalog_check_owner(Oid relid);

/* Is a column a rule of true or false, which NULL does not meet? */
extern bool catalog_is_condition(const Column *column);

/* Does the history tell of a column's values? */
extern bool catalog_is_recorded(const Column *column);

/* Does every column hold for an interval, and not as of refreshed_at alone? */
extern bool catalog_all_exact(const SegmentTable *table);

extern Column *catalog_find_column(const SegmentTable *table, const char *name);

/* store.c: rows of the configuration tables, written as the extension's owner */
extern void catalog_insert_table(const SegmentTable *table);
extern void catalog_set_events(Oid relid, Oid events);
extern void catalog_set_max_age(Oid relid, const Interval *max_age);

/* Where changes of memberships are kept, and how long; InvalidOid: they are kept no more. */
extern void catalog_set_changes(Oid relid, Oid changes, const Interval *kept);
extern int	catalog_insert_source(const Source *source);
extern void catalog_delete_source(int id);

/*
 * Gives a source other expressions.  Those of its key must mean the same: by
 * it triggers mark.
 */
extern void catalog_update_source(const Source *source);

/* Puts the columns into this order of names (of char *), those it does not name after them. */
extern void catalog_set_order(Oid relid, List *names);
extern void catalog_put_column(Oid relid, const Column *column);
extern void catalog_delete_column(Oid relid, const char *name);
extern void catalog_delete_table(Oid relid);

/*
 * A column that the next refresh is to compute for everybody from the stored
 * rows.  With the lock on the table's work; forgotten when that is done.
 */
extern void catalog_note_new_column(Oid relid, const char *name);
extern void catalog_forget_new_columns(Oid relid);

/* Their names (of char *), as the transaction sees them now. */
extern List *catalog_new_columns(Oid relid);
extern void catalog_set_expression(Oid relid, const char *name, const char *expression);

/* parts.c: what belongs to a source, as it was last seen */

typedef struct SourcePart
{
	Oid			relid;
	int64		place;			/* a hash of how it hangs on the others */
	int64		triggers;		/* one of its triggers; 0: they are not complete */
} SourcePart;

/* A column of a source's relation, by which its expressions know it. */
typedef struct SourceColumn
{
	char	   *name;			/* empty if dropped */
	Oid			type;
} SourceColumn;

/* Parts of a source (of SourcePart), by relid; snapshot NULL: the latest.  NIL: nothing is noted. */
extern List *catalog_load_parts(int source, Snapshot snapshot);

/* Notes the parts; the columns of a relation that is noted already stay as noted. */
extern void catalog_store_parts(const Source *source, List *parts);

/* The noted columns (of SourceColumn) of a source's relation, by number; NIL: not noted. */
extern List *catalog_load_columns(const Source *source, Snapshot snapshot);

/* The columns (of SourceColumn) of a relation as they are now, by number. */
extern List *catalog_current_columns(Oid relid);

/* Notes them as those by which the expressions of a source know them. */
extern void catalog_note_columns(const Source *source);

/* Ids of the sources to which a relation belonged when they were last seen. */
extern List *catalog_sources_of_part(Oid relid);

/*
 * A fingerprint of a customer who is left out from now on, made with this salt,
 * and one who no longer is; with the lock on the table's work.  Both return
 * whether it made a difference; with the last one the salt goes, too.
 */
extern bool catalog_put_suppressed(Oid relid, const bytea *salt, Datum fingerprint);
extern bool catalog_delete_suppressed(Oid relid, Datum fingerprint);

/* cuts.c: the cut points of bands */

/*
 * The latest cut points of a band as the text of an array, or NULL if it has
 * none, none of this type of score, or none that is still in force.
 */
extern char *catalog_band_cuts(Oid relid, const char *name, Oid type);

/*
 * Keeps new cut points (cuts: text[]), made as of an instant from so many
 * customers.  The same ones as before are no new version.
 */
extern void catalog_put_cuts(Oid relid, const char *name, Oid type, Datum cuts,
							 int64 population, TimestampTz made_at);

/* The cut points of a band are out of force until new ones are made; they stay as history. */
extern void catalog_retire_cuts(Oid relid, const char *name);

/* An array of texts, none of them NULL, as a list (of char *), and the other way round. */
extern List *catalog_text_list(Datum array);
extern Datum catalog_text_array(List *strings);

/* names.c */

/* "schema"."name", quoted as needed, whatever the search_path. */
extern char *catalog_qualified_name(Oid relid);
extern char *catalog_type_name(Oid type);

/* OPERATOR(schema.=) of a type, whatever the search_path. */
extern char *catalog_equality(Oid type);

/*
 * The statement that keeps changes: rows is a query of the key's column,
 * segment, label and entered; $1 is the instant at which it came to that.
 */
extern char *catalog_changes_insert(const SegmentTable *table, const char *rows);

/* Error if a name can not become a column: empty, too long, reserved. */
extern void catalog_check_name(const char *name, const char *what);

#endif							/* SEGMENT_DEFINITION_H */
