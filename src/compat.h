/*
 * compat.h
 *		The only file that may name PG_VERSION_NUM.
 *
 * Wrappers have the signature of the newest version supported.
 */
#ifndef SEGMENT_COMPAT_H
#define SEGMENT_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "segment supports PostgreSQL 15 to 18"
#endif

/* The macros for values of variable length left postgres.h in PostgreSQL 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Ownership checks became one generic function in PostgreSQL 16. */
#if PG_VERSION_NUM < 160000
#include "utils/acl.h"
#define segment_owns_relation(relid, role) pg_class_ownercheck((relid), (role))
#define segment_owns_database(database, role) pg_database_ownercheck((database), (role))
#else
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "utils/acl.h"
#define segment_owns_relation(relid, role) \
	object_ownercheck(RelationRelationId, (relid), (role))
#define segment_owns_database(database, role) \
	object_ownercheck(DatabaseRelationId, (database), (role))
#endif

/* Values that GUC check hooks return are allocated by guc.c since PostgreSQL 16. */
#if PG_VERSION_NUM < 160000
#define segment_guc_alloc(size) malloc(size)
#define segment_guc_free(ptr) free(ptr)
#else
#include "utils/guc.h"
#define segment_guc_alloc(size) guc_malloc(LOG, (size))
#define segment_guc_free(ptr) guc_free(ptr)
#endif

/* Time zone abbreviations report their errors in an extra argument since 16. */
#if PG_VERSION_NUM < 160000
#define segment_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz))
#else
#define segment_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz), \
				   &(DateTimeErrorExtra) {0})
#endif
#if PG_VERSION_NUM < 160000
#define segment_decode_abbreviation(lower, ftype, offset, tz) \
	(*(ftype) = DecodeTimezoneAbbrev(0, (lower), (offset), (tz)))
#else
#define segment_decode_abbreviation(lower, ftype, offset, tz) \
	DecodeTimezoneAbbrev(0, (lower), (ftype), (offset), (tz), &(DateTimeErrorExtra) {0})
#endif

/* Background workers may connect as a role that may not log in, since 17. */
#if PG_VERSION_NUM < 170000
#define SEGMENT_BGWORKER_ANY_ROLE 0
#else
#include "postmaster/bgworker.h"
#define SEGMENT_BGWORKER_ANY_ROLE BGWORKER_BYPASS_ROLELOGINCHECK
#endif

/*
 * How ordering indexes see an operator, a list; and its place among less (1) to
 * greater (5), or 6 for unequal: CompareType has the numbers of btree.
 */
#include "utils/lsyscache.h"
#if PG_VERSION_NUM < 180000
#define segment_operator_orders(operator) get_op_btree_interpretation(operator)
#define segment_order_strategy(order) (((OpBtreeInterpretation *) (order))->strategy)
#else
#define segment_operator_orders(operator) get_op_index_interpretation(operator)
#define segment_order_strategy(order) ((int) ((OpIndexInterpretation *) (order))->cmptype)
#endif

/* What does not return is said before the declaration since PostgreSQL 18. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/* PortalRun lost the argument run_once in PostgreSQL 18. */
#if PG_VERSION_NUM < 180000
#define segment_portal_run(portal, count, top, dest, altdest, qc) \
	PortalRun((portal), (count), (top), true, (dest), (altdest), (qc))
#else
#define segment_portal_run(portal, count, top, dest, altdest, qc) \
	PortalRun((portal), (count), (top), (dest), (altdest), (qc))
#endif

/* EnableDisableTrigger got the parent and the choice to recurse in PostgreSQL 16. */
#if PG_VERSION_NUM < 160000
#define segment_enable_disable_trigger(rel, name, parent, fires_when, skip_system, recurse, lockmode) \
	EnableDisableTrigger((rel), (name), (fires_when), (skip_system), (lockmode))
#else
#define segment_enable_disable_trigger(rel, name, parent, fires_when, skip_system, recurse, lockmode) \
	EnableDisableTrigger((rel), (name), (parent), (fires_when), (skip_system), (recurse), (lockmode))
#endif

/* Virtual generated columns, which no row holds, came with PostgreSQL 18. */
#if PG_VERSION_NUM < 180000
#define segment_expand_generated(node, rel) (node)
#else
#include "rewrite/rewriteHandler.h"
#define segment_expand_generated(node, rel) expand_generated_columns_in_expr((node), (rel), 1)
#endif

/* JSON_VALUE and its like, which make values of any type, came with PostgreSQL 17. */
#if PG_VERSION_NUM < 170000
#define segment_is_json_query(node) false
#else
#include "nodes/primnodes.h"
#define segment_is_json_query(node) IsA((node), JsonExpr)
#endif

/* Intervals may be infinite since PostgreSQL 17. */
#include "datatype/timestamp.h"
#if PG_VERSION_NUM < 170000
#define segment_interval_is_finite(interval) ((void) (interval), true)
#else
#define segment_interval_is_finite(interval) (!INTERVAL_NOT_FINITE(interval))
#endif

#endif							/* SEGMENT_COMPAT_H */
