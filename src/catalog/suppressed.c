/*
 * suppressed.c
 *		Customers who were erased and shall stay so.
 *
 * A fingerprint is SHA-256 over the salt of the segment table and what stands
 * for the key: its bytes where equal keys have the same, else what the hash
 * functions of its type make of it, which agree with the type's equality.  It
 * depends on no setting and on no encoding.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "catalog/suppressed.h"
#include "context.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(segment_is_suppressed);

#define SALT_LENGTH 16

/* Columns of segment.suppressed, as sql/catalog.sql orders them. */
enum
{
	SUPPRESSED_TBL = 1, SUPPRESSED_FINGERPRINT
};

/* How the keys of a segment table are read; kept for a query that asks of many. */
typedef struct Reader
{
	SegmentTable *table;
	Oid			collation;
	Oid			parameter;		/* of the input function */
	FmgrInfo	input;
	FmgrInfo	bytes;			/* text or binary output; invalid: hashes are taken */
	bool		is_text;		/* bytes are characters */
	FmgrInfo	hash;
} Reader;

bool
suppressed_one_text(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	Oid			proc;

	/* trailing blanks do not count in its equality */
	if (getBaseType(type) == BPCHAROID)
		return false;
	proc = get_opfamily_proc(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
							 BTEQUALIMAGE_PROC);
	return OidIsValid(proc) &&
		DatumGetBool(OidFunctionCall1Coll(proc, get_typcollation(type),
										  ObjectIdGetDatum(entry->btree_opintype)));
}

/* Functions are looked up into the memory context given. */
static void
reader_begin(Reader *reader, const SegmentTable *table, MemoryContext context)
{
	Oid			type = table->key_type;
	char		category = TypeCategory(type);
	Oid			function;
	bool		is_varlena;

	memset(reader, 0, sizeof(Reader));
	reader->table = unconstify(SegmentTable *, table);
	reader->collation = get_typcollation(type);
	getTypeInputInfo(type, &function, &reader->parameter);
	fmgr_info_cxt(function, &reader->input, context);
	if (!suppressed_one_text(type))
	{
		TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC);

		if (!OidIsValid(entry->hash_extended_proc))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("customers with keys of type %s can not be suppressed", format_type_be(type)),
					 errdetail("A fingerprint of a key needs a hash operator class that supports seeds."),
					 errhint("Erase with suppress => false, and keep out the customer by set_eligible().")));
		fmgr_info_cxt(entry->hash_extended_proc, &reader->hash, context);
		return;
	}
	/* an enum's binary form is its label, too */
	reader->is_text = category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM;
	if (reader->is_text)
		getTypeOutputInfo(type, &function, &is_varlena);
	else
		getTypeBinaryOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, &reader->bytes, context);
}

/* In UTF-8, so that a dump can be restored into another encoding. */
static void
append_text(StringInfo content, char *text)
{
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		text = pg_server_to_any(text, strlen(text), PG_UTF8);
	appendStringInfoString(content, text);
}

/* Two hashes, as one may have few different bits. */
static void
append_hashes(StringInfo content, Reader *reader, const char *salt, Datum value)
{
	for (int i = 0; i < 2; i++)
	{
		uint64		seed;
		uint64		hash;

		memcpy(&seed, salt + i * sizeof(uint64), sizeof(uint64));
		hash = DatumGetUInt64(FunctionCall2Coll(&reader->hash, reader->collation, value,
												UInt64GetDatum(pg_ntoh64(seed))));
		hash = pg_hton64(hash);
		appendBinaryStringInfo(content, (char *) &hash, sizeof(hash));
	}
}

static Datum
fingerprint(Reader *reader, const char *key)
{
	bytea	   *salt = reader->table->salt;
	Datum		value = InputFunctionCall(&reader->input, unconstify(char *, key), reader->parameter, -1);
	StringInfoData content;

	initStringInfo(&content);
	appendStringInfoSpaces(&content, VARHDRSZ);
	appendBinaryStringInfo(&content, VARDATA_ANY(salt), VARSIZE_ANY_EXHDR(salt));
	if (OidIsValid(reader->hash.fn_oid))
		append_hashes(&content, reader, VARDATA_ANY(salt), value);
	else if (reader->is_text)
		append_text(&content, OutputFunctionCall(&reader->bytes, value));
	else
	{
		bytea	   *sent = SendFunctionCall(&reader->bytes, value);

		appendBinaryStringInfo(&content, VARDATA(sent), VARSIZE(sent) - VARHDRSZ);
	}
	SET_VARSIZE(content.data, content.len);
	return DirectFunctionCall1(sha256_bytea, PointerGetDatum(content.data));
}

/* Straight by index: the owner of a segment table may not read fingerprints. */
static bool
is_there(Oid relid, Datum print, Snapshot snapshot)
{
	Relation	rel = table_open(context_relation("suppressed"), AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&keys[0], SUPPRESSED_TBL, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], SUPPRESSED_FINGERPRINT, BTEqualStrategyNumber, F_BYTEAEQ, print);
	scan = systable_beginscan(rel, context_relation("suppressed_pkey"), true, snapshot, 2, keys);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static bytea *
make_salt(void)
{
	bytea	   *salt = palloc(VARHDRSZ + SALT_LENGTH);

	SET_VARSIZE(salt, VARHDRSZ + SALT_LENGTH);
	if (!pg_strong_random(VARDATA(salt), SALT_LENGTH))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random salt")));
	return salt;
}

bool
suppressed_add(const SegmentTable *table, const char *key)
{
	SegmentTable salted = *table;
	Reader		reader;

	if (salted.salt == NULL)
		salted.salt = make_salt();
	reader_begin(&reader, &salted, CurrentMemoryContext);
	return catalog_put_suppressed(table->relid, salted.salt, fingerprint(&reader, key));
}

bool
suppressed_remove(const SegmentTable *table, const char *key)
{
	Reader		reader;

	if (table->salt == NULL)
		return false;
	reader_begin(&reader, table, CurrentMemoryContext);
	return catalog_delete_suppressed(table->relid, fingerprint(&reader, key));
}

bool
suppressed_is(const SegmentTable *table, const char *key)
{
	Reader		reader;

	if (table->salt == NULL)
		return false;
	reader_begin(&reader, table, CurrentMemoryContext);
	return is_there(table->relid, fingerprint(&reader, key), NULL);
}

/*
 * is_suppressed(tbl, key) → boolean.  Asked by the query that computes rows,
 * for each customer, and so by the owner: what it says is nobody else's.
 */
Datum
segment_is_suppressed(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Reader	   *reader = fcinfo->flinfo->fn_extra;

	if (reader == NULL || reader->table->relid != relid)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		SegmentTable *table = catalog_load_as_of(relid, GetActiveSnapshot());

		catalog_check_owner(relid);
		reader = palloc0(sizeof(Reader));
		reader_begin(reader, table, fcinfo->flinfo->fn_mcxt);
		MemoryContextSwitchTo(old);
		fcinfo->flinfo->fn_extra = reader;
	}
	if (reader->table->salt == NULL)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(is_there(relid, fingerprint(reader, text_to_cstring(PG_GETARG_TEXT_PP(1))),
							GetActiveSnapshot()));
}
