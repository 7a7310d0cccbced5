/*
 * presets.h
 *		Which presets a segment table has, and the columns that came with them.
 */
#ifndef SEGMENT_CATALOG_PRESETS_H
#define SEGMENT_CATALOG_PRESETS_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct InstalledPreset
{
	char	   *preset;
	char	   *prefix;			/* of the names of its columns */
	Jsonb	   *options;		/* as they were given, without the prefix */
	List	   *columns;		/* of char *, in the order in which they were added */
} InstalledPreset;

/* Those of a segment table (of InstalledPreset), by preset and prefix. */
extern List *catalog_load_presets(Oid relid);

/* The one of that name and prefix among them, or NULL. */
extern InstalledPreset *catalog_find_preset(List *installed, const char *preset, const char *prefix);

/* Remembers a preset with its columns, in place of what is remembered of it. */
extern void catalog_put_preset(Oid relid, const InstalledPreset *installed);
extern void catalog_delete_preset(Oid relid, const char *preset, const char *prefix);

#endif							/* SEGMENT_CATALOG_PRESETS_H */
