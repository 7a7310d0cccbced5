/*
 * preset.h
 *		Presets: definitions ready to use, from rows of the extension's own tables.
 *
 * This room stands above define: what a preset adds are ordinary definitions.
 * load.c reads its templates and options, options.c checks what the user gave
 * and makes SQL of it, plan.c chooses and expands the columns, install.c adds
 * and drops them.
 */
#ifndef SEGMENT_PRESET_H
#define SEGMENT_PRESET_H

#include "compat.h"
#include "define/define.h"
#include "utils/jsonb.h"

typedef enum OptionType
{
	OPTION_EVENT,				/* a condition on the stream's column event */
	OPTION_ITEM,				/* the same on item */
	OPTION_TEXT,
	OPTION_INTEGER,
	OPTION_NUMBER,
	OPTION_INTERVAL,
	OPTION_BOOLEAN,
	OPTION_TEXTS,
	OPTION_NUMBERS,				/* ascending: cut points */
	OPTION_INTERVALS,			/* the same */
	OPTION_EVENT_COLUMN,		/* a column of the stream */
	OPTION_COLUMN,				/* a column of the row */
	OPTION_LABELS				/* of a group, with their rules */
} OptionType;

typedef struct PresetOption
{
	char	   *name;
	OptionType	type;
	Jsonb	   *fallback;		/* the default; NULL: none */
	bool		known;			/* may be given: a template of the preset names it */

	/* of the value, once options are read */
	JsonbValue *value;			/* NULL: null */
	char	   *sql;			/* NULL: null, or labels */
	List	   *elements;		/* of char *, SQL, of an array */
	List	   *names;			/* of char *: events given by name */
	List	   *labels;			/* of char * */
	List	   *rules;			/* of char *: templates in which columns alone are expanded */

	/* once the columns are planned */
	bool		used;
	int			elements_used;	/* the highest element that a template names; 0: none */
} PresetOption;

/* One definition of a column; those of one name are alternatives. */
typedef struct PresetColumn
{
	char	   *name;			/* without the prefix */
	ColumnKind	kind;
	char	   *expression;		/* template; of a group: NULL, or the option with its labels */
	char	   *score;			/* of a band: a column of the preset or a common one */
	int			bands;
	bool		descending;
	List	   *labels;			/* of char * */
	List	   *rules;			/* of char *, templates */
	List	   *needs;			/* of char *: options that must not be null */
	List	   *unless;			/* of char *: options that must be null */
	char	   *description;
	bool		own;			/* the preset's, no common one */
} PresetColumn;

typedef struct Preset
{
	char	   *name;
	List	   *options;		/* of PresetOption: its own, and the common ones that it has not */
	List	   *columns;		/* of PresetColumn: its own and the common ones, in order */

	/* once options are read */
	char	   *prefix;
	List	   *only;			/* of char *; NIL: all */
	bool		check_events;
} Preset;

/* What is to be made of a column. */
typedef struct PlannedColumn
{
	Column	   *column;			/* with its name, expanded */
	char	   *description;
} PlannedColumn;

/* load.c */

/* Error (22023) that names the presets that there are, if it is none of them. */
extern Preset *preset_load(const char *name);
extern PresetOption *preset_find_option(const Preset *preset, const char *name, size_t length);

/* Is it one of the names (of char *)? */
extern bool preset_has_name(const List *names, const char *name);

/* "Did you mean …?  Known: …", from names (of char *). */
extern char *preset_hint(const char *given, List *names);

/* options.c */

/*
 * Reads the options that a user gave, and checks them against the segment
 * table; error (22023) that names the option if one is unknown or wrong.
 */
extern void preset_read_options(Preset *preset, const SegmentTable *table, Jsonb *options);

/* The prefix alone, with which to look for a preset that is there. */
extern char *preset_read_prefix(const Preset *preset, Jsonb *options);

/* Do options mean the same, by their values and defaults? */
extern bool preset_same_options(const Preset *preset, Jsonb *a, Jsonb *b);

/* values.c */

/* Checks the value of an option, and makes SQL of it. */
extern void preset_read_value(const Preset *preset, PresetOption *option, const SegmentTable *table);

/* Error (22023): an option must be something else. */
pg_noreturn extern void preset_refuse_value(const Preset *preset, const char *option, const char *must_be,
							const char *hint);

/* The strings of a JSON array (of char *); error, with that hint, if it is none. */
extern List *preset_read_strings(const Preset *preset, const char *option, const JsonbValue *value,
								 const char *hint);

/* plan.c */

/*
 * The columns to be made (of PlannedColumn), each after those that it reads;
 * tells in a NOTICE what is left out for want of an option.
 */
extern List *preset_plan(Preset *preset);

/* events.c */

/*
 * Error (22023) if an event that planned columns name is none of the stream's.
 * Runs as the segment table's owner, for as long as reading the stream may take.
 */
extern void preset_check_events(const Preset *preset, const SegmentTable *table);

#endif							/* SEGMENT_PRESET_H */
