/*
 * key.c
 *		How the key of a source is read from the rows of one relation.
 *
 * Worked out once per backend for each source and relation, since a partition
 * may number its columns in its own way, and worked out again when anything it
 * depends on was altered.
 */
#include "postgres.h"

#include "capture/capture_private.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "context.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct CacheKey
{
	int			source;
	Oid			relid;
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	key;			/* must be first */

	/*
	 * An entry is good when both hold.  valid is set before anything is read
	 * and cleared by the callbacks, so that a change in the midst of building
	 * is not missed; built is set at the end, so that an error in the midst
	 * leaves nothing usable behind.
	 */
	bool		built;
	bool		valid;

	Oid			source_relation;
	bool		part;			/* is relid the source's relation or a part of it? */
	MemoryContext context;		/* of what the reader points to */
	KeyReader	reader;
} CacheEntry;

static HTAB *cache = NULL;

static void
forget_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (!OidIsValid(relid) || relid == entry->key.relid ||
			relid == entry->source_relation || relid == entry->reader.tbl)
			entry->valid = false;
	}
}

/* A type or a function changed: expressions may mean something else. */
static void
forget_all(Datum arg, int cacheid, uint32 hashvalue)
{
	forget_relation((Datum) 0, InvalidOid);
}

static void
create_cache(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(CacheKey);
	ctl.entrysize = sizeof(CacheEntry);
	ctl.hcxt = CacheMemoryContext;
	cache = hash_create("segment keys", 16, &ctl,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, forget_all, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, forget_all, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, forget_all, (Datum) 0);
}

void
key_error_context(void *label)
{
	errcontext("while reading the key of %s", (const char *) label);
}

/* The same while parsing, when a missing column has one likely cause. */
static void
parse_error_context(void *label)
{
	if (geterrcode() == ERRCODE_UNDEFINED_COLUMN)
		errhint("If the column was dropped, drop the source with segment.drop_source() and add it again.");
	key_error_context(label);
}

/* Bytes of an integer type, 0 for any other. */
static int
integer_width(Oid type)
{
	return type == INT2OID ? 2 : type == INT4OID ? 4 : type == INT8OID ? 8 : 0;
}

/*
 * The relation's columns by the names that the expression knows, where one was
 * renamed and the definition has not followed yet; NIL: by their own.
 */
static List *
names_known(const Source *source, const List *known, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *names = NIL;
	bool		renamed = false;

	for (int i = 0; i < desc->natts; i++)
	{
		char	   *name = NameStr(TupleDescAttr(desc, i)->attname);
		AttrNumber	attno;

		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		attno = known == NIL ? InvalidAttrNumber : get_attnum(source->relation, name);
		if (attno > 0 && attno <= list_length(known))
		{
			char	   *then = ((SourceColumn *) list_nth(known, attno - 1))->name;

			renamed |= strcmp(name, then) != 0;
			name = then;
		}
		names = lappend(names, makeString(pstrdup(name)));
	}
	return renamed ? names : NIL;
}

/* The canonical text as an expression over the relation's row. */
static Node *
transform(ParseState *pstate, const Source *source, const List *known, Relation rel)
{
	List	   *raw = raw_parser(source->key, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, raw)->stmt);
	ResTarget  *target = linitial_node(ResTarget, select->targetList);
	Alias	   *alias = makeAlias(get_rel_name(source->relation), names_known(source, known, rel));
	ParseNamespaceItem *item;

	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock, alias, false, true);
	addNSItemToQuery(pstate, item, false, true, true);
	return segment_expand_generated(transformExpr(pstate, target->val, EXPR_KIND_INDEX_EXPRESSION),
									rel);
}

/* Fills in form, attno, width and expr; the expression is in the current context. */
static void
compile(KeyReader *reader, const Source *source, const List *known, Oid key_type, Relation rel)
{
	ParseState *pstate = make_parsestate(NULL);
	Node	   *expr = transform(pstate, source, known, rel);
	Node	   *coerced;
	Oid			type = exprType(expr);
	int			width = integer_width(type);

	if (IsA(expr, Var) && width > 0 && width <= integer_width(key_type))
	{
		reader->form = KEY_INTEGER;
		reader->attno = ((Var *) expr)->varattno;
		reader->width = width;
		return;
	}
	coerced = coerce_to_target_type(pstate, expr, type, key_type, -1,
									COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	if (coerced == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("key of type %s cannot be converted to type %s",
						format_type_be(type), format_type_be(key_type)),
				 errhint("Drop the source with segment.drop_source() and add it again.")));
	assign_expr_collations(pstate, coerced);
	free_parsestate(pstate);
	reader->expr = expression_planner((Expr *) coerced);

	expr = (Node *) reader->expr;
	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	reader->form = KEY_OTHER;
	reader->as_owner = !IsA(expr, Var);
	if (IsA(expr, Var) && ((Var *) expr)->varattno > 0)
	{
		reader->attno = ((Var *) expr)->varattno;
		if (key_type == TEXTOID || key_type == VARCHAROID)
			reader->form = KEY_TEXT;
		else if (key_type == UUIDOID)
			reader->form = KEY_UUID;
	}
}

/* Works out the reader of an entry whose tbl and source_relation are known. */
static void
build_reader(CacheEntry *entry, const Source *source, const List *known, Relation rel)
{
	SegmentTable *table = catalog_load(source->tbl);
	KeyReader	reader = {.tbl = source->tbl};
	ErrorContextCallback callback;
	RunContext	ctx;
	MemoryContext old;
	bool		varlena;

	reader.owner = table->owner;
	reader.label = psprintf("source \"%s\" of segment table \"%s\"",
							source->name, get_rel_name(source->tbl));
	callback.callback = parse_error_context;
	callback.arg = reader.label;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	/* planning may run functions, to fold constants */
	context_enter_owner(&ctx, table->owner, table->time_zone);
	compile(&reader, source, known, table->key_type, rel);
	context_leave(&ctx);
	error_context_stack = callback.previous;

	getTypeOutputInfo(table->key_type, &reader.output, &varlena);
	old = MemoryContextSwitchTo(entry->context);
	reader.expr = copyObject(reader.expr);
	reader.label = pstrdup(reader.label);
	reader.time_zone = pstrdup(table->time_zone);
	MemoryContextSwitchTo(old);
	entry->reader = reader;
}

/* False, and nothing is cached, if the source or its segment table is gone. */
static bool
build(CacheEntry *entry, Relation rel)
{
	Snapshot	snapshot;
	Source	   *source;
	List	   *known = NIL;

	entry->built = false;
	entry->valid = true;
	if (entry->context == NULL)
		entry->context = AllocSetContextCreate(CacheMemoryContext, "segment key",
											   ALLOCSET_SMALL_SIZES);
	MemoryContextReset(entry->context);

	/* the expression goes with the names by which it knows the columns */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	source = catalog_load_source_as_of(entry->key.source, snapshot);
	if (source != NULL)
		known = catalog_load_columns(source, snapshot);
	UnregisterSnapshot(snapshot);
	if (source == NULL)
		return false;

	/* from here on the callback knows what to look for */
	entry->source_relation = source->relation;
	entry->reader.tbl = source->tbl;
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(source->tbl)))
		return false;

	entry->part = RelationGetRelid(rel) == source->relation ||
		typeInheritsFrom(RelationGetForm(rel)->reltype,
						 get_rel_type_id(source->relation));
	if (entry->part)
		build_reader(entry, source, known, rel);
	entry->built = true;
	return true;
}

bool
key_reader_find(KeyReader *reader, int source, Relation rel)
{
	CacheKey	key = {source, RelationGetRelid(rel)};
	CacheEntry *entry;
	bool		found;

	if (cache == NULL)
		create_cache();
	entry = hash_search(cache, &key, HASH_ENTER, &found);
	if (!found)
		memset((char *) entry + sizeof(CacheKey), 0,
			   sizeof(CacheEntry) - sizeof(CacheKey));
	if (!(entry->built && entry->valid) && !build(entry, rel))
		return false;
	if (!entry->part)
		return false;

	/* evaluation may run anything, and so make the entry be built anew */
	*reader = entry->reader;
	if (reader->form == KEY_OTHER)
	{
		reader->expr = copyObject(reader->expr);
		reader->time_zone = pstrdup(reader->time_zone);
		reader->label = pstrdup(reader->label);
	}
	return true;
}
