/*
 * value.h
 *		Values of any type that a column can have: in order, and on the wire.
 */
#ifndef SEGMENT_VALUE_H
#define SEGMENT_VALUE_H

#include "fmgr.h"
#include "lib/stringinfo.h"

/* What is known of a type; zeroed before it is looked up. */
typedef struct ValueType
{
	Oid			oid;			/* of the type itself, also if it is a domain */
	Oid			collation;		/* in which values are compared */
	bool		by_value;
	int16		length;			/* as pg_type.typlen */
	bool		has_order;		/* by the default btree operators? */
	bool		is_binary;		/* written in binary, else as text? */
	FmgrInfo	compare;		/* if has_order */
	FmgrInfo	write;			/* the type's send function, or its output function */
} ValueType;

/*
 * Looks a type up; functions remember what they know in context.  Errors:
 * a pseudo-type such as record (0A000), no collation where one is needed (42P22).
 */
extern void value_type(ValueType *type, Oid oid, Oid collation, MemoryContext context);

/* The value in memory of its own kind: neither compressed nor out of line. */
extern Datum value_plain(const ValueType *type, Datum value);

/*
 * Negative, 0 or positive: plain values in the type's order.  What it holds equal
 * or does not order is in the order of the form on the wire, so 0 means the same.
 */
extern int	value_compare(ValueType *type, Datum a, Datum b);

/* Writes a value with its type. */
extern void value_send(ValueType *type, Datum value, StringInfo wire);

/*
 * Reads what value_send has written, a plain value in the current context.  False
 * if it can not have been written so; errors of the type's own receive function.
 */
extern bool value_receive(StringInfo wire, Oid *oid, Datum *value);

#endif							/* SEGMENT_VALUE_H */
