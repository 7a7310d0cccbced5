/*
 * internal.h
 *		What the files of the refresh room share among themselves.
 */
#ifndef SEGMENT_REFRESH_INTERNAL_H
#define SEGMENT_REFRESH_INTERNAL_H

#include "lib/stringinfo.h"
#include "refresh/refresh.h"

typedef struct DueQueue DueQueue;

typedef struct Refresh
{
	Oid			relid;
	bool		nonatomic;		/* may commit between steps */
	bool		rebuild;		/* asked for by CALL rebuild */
	MemoryContext run_context;	/* lives as long as the run */
	MemoryContext step_context; /* reset after each step */
	Run			run;
	char	   *collected;		/* snapshot of what was collected, in a transaction block */
	TimestampTz started;		/* as-of instant of the run: what was due then is worked off */
	TimestampTz latest;			/* no row speaks of a later instant, unless the run goes back */
	DueQueue   *due;			/* customers due at that instant */
	int			fresh_asides;	/* customers set aside who were not before */
	char	   *first_aside;	/* the first of those set aside, and why */
	int64		told_entered;	/* of so many in run.entered and run.left listeners know */
	int64		told_left;
	int64		claim_from;		/* where to look for work: the collection, and in it the key, */
	char	   *claimed;		/* taken last; NULL: as table_state says */
} Refresh;

/* refresh.c: the segment table as it is defined now, locked against changes of its definition */
extern SegmentTable *open_table(Refresh *refresh);

/* shape.c: error with a hint unless the relation has the columns that the definition says */
extern void check_shape(const SegmentTable *table);

/* state.c */

typedef struct TableState
{
	bool		whole;			/* every customer has to be computed */
	bool		rewind;			/* because time has gone back */
} TableState;

/* What this refresh has to do. */
extern TableState state_read(Refresh *refresh);

/* Notes how far in time rows speak, in the transaction that writes them. */
extern void state_raise(Refresh *refresh, TimestampTz as_of, bool exactly);

/* The instant of which rows shall speak now: not one before the latest. */
extern TimestampTz state_instant(Refresh *refresh);

/*
 * Changing what is known, with the lock on the table's work: $1 is the table.
 * The new version is the last in the index.
 */
#define UPDATE_STATE "UPDATE segment.table_state_version s SET version = s.version + 1, "
#define NEWEST_STATE \
"s.tbl = $1 AND s.version = (SELECT v.version FROM segment.table_state_version v" \
"  WHERE v.tbl = $1 ORDER BY v.version DESC LIMIT 1)"

/* The first collection of which work may have rows, and noting that earlier ones are gone. */
extern int64 state_claim_from(Refresh *refresh);
extern void state_store_claimed(Refresh *refresh, int64 collection);

/* Notes that everything was computed. */
extern void state_store_rebuilt(Refresh *refresh, int64 ignored);

/* How many customers there are, as the planner believes. */
extern int64 row_estimate(Oid relid);

/* due.c: with the lock on work */

/* Looks for customers who are due; returns how many are at hand to be taken. */
extern int64 due_ready(Refresh *refresh, const SegmentTable *table);

/* So many of those at hand, the longest due first: their keys, a text array. */
extern Datum due_keys(const Refresh *refresh, int64 count);

/* So many of them were taken. */
extern void due_taken(Refresh *refresh, int64 count);

/* May there be more that were not taken? */
extern bool due_left(const Refresh *refresh);

/* claim.c: with the lock on work */

/*
 * Takes at most *marked rows out of work, the oldest first, and fills the batch
 * with customers due: their keys, or 0 if there are none.  *marked becomes the
 * number of rows taken.
 */
extern Datum claim_keys(Refresh *refresh, int64 due, int64 *marked);

/*
 * Takes everything out of work, before any event is read: what is collected
 * from now on stays.
 */
extern void claim_all(Refresh *refresh);

/* backlog.c: in a collection, which has put so many rows into work; none waits for others */

/*
 * Where more than segment.backlog_limit keys of a table wait, everybody takes
 * their place.  Returns the number to store in place of "after".
 */
extern int64 backlog_limit(int64 before, int64 after);

/* Gives back the space of rows that are gone, as the last thing before the commit. */
extern void backlog_compact(int64 before, int64 after);

/* evaluate.c */

/* The rows of a query of a stage; except: its $1, or 0. */
extern Evaluation *evaluate_query(const SegmentTable *table, const char *sql, Datum except);

/* evaluate() in two steps, for whoever runs the second in a subtransaction. */
extern Evaluation *evaluation_begin(void);
extern void evaluate_into(const SegmentTable *table, const Selection *selection,
						  Evaluation *evaluation);

/* Runs a statement with arguments; error unless it succeeds. */
extern void run_sql(const char *sql, int nargs, Oid *types, Datum *values, bool read_only);

/* The first column of the first row of the last statement; *isnull if there is none. */
extern Datum first_value(bool *isnull);
extern int64 first_int64(void);

/* apply.c */

typedef enum ApplyMode
{
	APPLY_REFRESH,
	APPLY_REWIND,				/* the as-of instant lies before that of an earlier refresh */
	APPLY_AGAIN,				/* of rows that stay refreshed when they were; others stay */
	APPLY_NEW_COLUMNS			/* others stay, too */
} ApplyMode;

/*
 * Brings the segment table and its history to the registered rows, writing
 * only what differs; returns how many rows of the table it wrote, and counts in
 * the run who entered and left.  The rows are those of keys; keys 0: of
 * everybody except some, or of all.
 */
extern int64 apply_rows(Run *run, const SegmentTable *table, Datum keys, Datum except,
						TimestampTz as_of, ApplyMode mode);

/* Adds who entered and left to the run: these columns of the row that the last statement returned. */
extern void count_moves(Run *run, int column);

/* Runs a statement that writes to the table or its history: an error over deferred constraints gets a hint. */
extern void apply_sql(const SegmentTable *table, const char *sql, int nargs, Oid *types,
					  Datum *values);

/* Sees to it that the scheduler knows of the earliest valid_until of the registered rows. */
extern void apply_next_due(const SegmentTable *table);

/* left.key = right.key, whatever the search_path. */
extern char *same_key(const SegmentTable *table, const char *left, const char *right);

/* Keeps the instants at which customers without a row may get one. */
extern void apply_pending(const SegmentTable *table, Datum keys);

/* process.c: with the lock on work */

/*
 * Computes and applies the rows of some keys (text[]), or of everybody.
 * Customers whose data makes that fail are set aside; error if they are more
 * than segment.set_aside_limit in this run.
 */
extern void process_keys(Refresh *refresh, const SegmentTable *table, Datum keys);
extern void process_everybody(Refresh *refresh, bool future, bool rewind);

/* keys.c: with the owner's rights, and inside SPI */

/* A key as its type writes it; an error of the type gets a hint. */
extern char *key_canonical(const SegmentTable *table, Datum key);

/* Keys (of char *) as text[]. */
extern Datum key_array(List *keys);

/* A canonical key, or the text of an equal one that stands in segment.merged; by the active snapshot. */
extern char *key_as_merged(const SegmentTable *table, char *key);

/*
 * Keys (text[]), and besides them those that they count for where they are
 * merged; 0 for 0.  snapshot: the active one, or NULL: a fresh one.  With any
 * rights, inside SPI or not.
 */
extern Datum keys_and_customers(const SegmentTable *table, Datum keys, Snapshot snapshot);

/* setaside.c: with the lock on work */

/* A customer for whom an expression fails. */
typedef struct Failure
{
	char	   *key;
	char	   *column;			/* as guard_failing_column gives it */
	ErrorData  *error;
} Failure;

/* Sets customers (of Failure) aside, and counts them. */
extern void aside_store(Refresh *refresh, const SegmentTable *table, List *failures,
						TimestampTz as_of);

/* Some customers (0: all), but those who still fail (or 0), are set aside no more. */
extern void aside_forget(Oid tbl, Datum keys, Datum failing);

/* " AND" a row of the segment table is not among these; "" if there are none. */
extern char *not_aside(const SegmentTable *table, Datum keys, const char *parameter);

/* Says what the run has set aside. */
extern void aside_warn(Refresh *refresh);

/* cuts.c: with the owner's rights, and inside SPI */

/* How many rows of a relation, a table or a query in parentheses, have the score of each of some bands (of Column). */
extern int64 *cuts_count_scores(List *bands, const char *from);

/*
 * Makes the cut points of bands (of Column) from a relation, stores them, and
 * puts them into the bands' expressions; where nobody has the score they stay
 * as they are.
 */
extern void cuts_make(const SegmentTable *table, List *bands, const char *from, TimestampTz as_of);

/* recut.c */

/* An evaluation in stages, between which bands are cut. */
typedef struct Stages
{
	List	   *bands;			/* of String: those to cut anew */
	List	   *again;			/* of String: columns to compute from the stored rows; NIL: all, from the events */
	Datum		except;			/* text[] of keys to leave out, or 0 */
	bool		future;			/* from the events: look for those still to come */
} Stages;

/*
 * Rows of everybody, with new cut points for some bands, which are stored, and
 * put into the table's definition as loaded.  Computed from the stored rows:
 * without those who are due.
 */
extern Evaluation *evaluate_and_recut(const SegmentTable *table, const Stages *stages,
									  TimestampTz as_of);

/*
 * New cut points for a band from the scores in the segment table, and everybody
 * banded by them, with the lock on work.  Returns how many rows were written;
 * -1 if nobody has a score, and nothing was done.
 */
extern int64 recut_band(Refresh *refresh, const SegmentTable *table, Column *band);

/* The names (of String) of all bands. */
extern List *all_bands(const SegmentTable *table);

/* Has a band cut points? */
extern bool band_is_cut(const SegmentTable *table, const Column *band);

/*
 * The same in a subtransaction: false, and nothing done, if the data of some
 * customer makes it fail.
 */
extern bool try_recut(Refresh *refresh, const SegmentTable *table, Column *band);

/* newcolumns.c */

/*
 * Computes the columns that were defined since everybody was computed, and what
 * reads them, from the stored rows.  Returns whether there were any.
 */
extern bool compute_new_columns(Refresh *refresh, const SegmentTable *table);

/*
 * The same in a subtransaction.  If it fails for some customer, nothing is
 * done, and everybody has to be computed from the events.
 */
typedef enum NewColumns
{
	NEW_COLUMNS_NONE,
	NEW_COLUMNS_DONE,
	NEW_COLUMNS_FAIL
} NewColumns;

extern NewColumns try_new_columns(Refresh *refresh, const SegmentTable *table);

/* Is a band among them that has no cut points, or none any more? */
extern bool new_band_waits(const SegmentTable *table);

/* differs.c: a condition that holds if a column is wrong in a stored row (o) beside the expected one (n) */
extern char *verify_differs(const SegmentTable *table, Column *column);

/* history.c */

/* For each recorded column, ", value before": as the row (o) of the table has it. */
extern void history_append_before(StringInfo sql, const SegmentTable *table);

/* Whose intervals may end and open. */
typedef enum HistoryScope
{
	HISTORY_OF_KEYS,			/* those of some customers */
	HISTORY_OF_MANY,			/* those of customers who differ, perhaps of all */
	HISTORY_OF_ALL,				/* the same, and whoever has no row now shall be in nothing */
	HISTORY_IS_EMPTY			/* those of all; there is none yet */
} HistoryScope;

/*
 * Common table expressions that bring the history after what "diff" and "gone"
 * change, and keep the changes: "ended" and "opened" are the intervals.  False
 * if the table has nothing that the history tells of.
 */
extern bool history_append_moves(StringInfo sql, const SegmentTable *table, HistoryScope scope);

/* Has the history no row?  With the lock on the table's work. */
extern bool history_is_empty(const SegmentTable *table);

/* A query of who is in what by the rows of a relation: key, segment, label. */
extern char *history_members_sql(const SegmentTable *table, const char *from);

/*
 * Going back in time: undoes what the history says of the time after the
 * as-of instant, and brings it to the registered rows, whatever was in between;
 * that of those excepted to their rows in the table.  Counts who enters and
 * leaves by that.
 */
extern void history_rewind(Run *run, const SegmentTable *table, Datum except, TimestampTz as_of);

/* changes.c */

/* Tells listeners what the run has changed since it last told them. */
extern void changes_announce(Refresh *refresh);

/* Now and then, forgets changes that are older than they are to be kept; with the lock on work. */
extern void changes_trim(Refresh *refresh, const SegmentTable *table);

#endif							/* SEGMENT_REFRESH_INTERNAL_H */
