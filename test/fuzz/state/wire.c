/*
 * wire.c
 *		StringInfo and messages, with no room to spare.
 */
#include "shim.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

SHIM(void, initStringInfo, (StringInfo wire))
{
	wire->data = palloc(1);
	wire->data[0] = '\0';
	wire->maxlen = 1;
	wire->len = wire->cursor = 0;
}

/* Exactly as much room as was asked for. */
SHIM(void, enlargeStringInfo, (StringInfo wire, int needed))
{
	if (needed < 0 || (Size) needed >= MaxAllocSize - (Size) wire->len)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("out of memory")));
	if (wire->len + needed + 1 <= wire->maxlen)
		return;
	wire->maxlen = wire->len + needed + 1;
	wire->data = repalloc(wire->data, wire->maxlen);
}

SHIM(void, appendBinaryStringInfoNT, (StringInfo wire, const void *data, int length))
{
	shim_enlargeStringInfo(wire, length);
	memcpy(wire->data + wire->len, data, length);
	wire->len += length;
}

SHIM(void, appendBinaryStringInfo, (StringInfo wire, const void *data, int length))
{
	shim_appendBinaryStringInfoNT(wire, data, length);
	wire->data[wire->len] = '\0';
}

SHIM(void, appendStringInfoString, (StringInfo wire, const char *text))
{
	shim_appendBinaryStringInfo(wire, text, strlen(text));
}

SHIM(void, appendStringInfoChar, (StringInfo wire, char c))
{
	shim_appendBinaryStringInfo(wire, &c, 1);
}

SHIM(void, pq_sendbytes, (StringInfo wire, const void *data, int length))
{
	shim_appendBinaryStringInfoNT(wire, data, length);
}

/* In the server's own encoding nothing is converted. */
SHIM(void, pq_sendtext, (StringInfo wire, const char *text, int length))
{
	shim_appendBinaryStringInfo(wire, text, length);
}

SHIM(void, pq_sendfloat8, (StringInfo wire, float8 value))
{
	int64		bits;

	memcpy(&bits, &value, sizeof(bits));
	pq_sendint64(wire, bits);
}

SHIM(void, pq_begintypsend, (StringInfo wire))
{
	shim_initStringInfo(wire);
	shim_appendBinaryStringInfo(wire, "\0\0\0\0", VARHDRSZ);
}

SHIM(bytea *, pq_endtypsend, (StringInfo wire))
{
	SET_VARSIZE(wire->data, wire->len);
	return (bytea *) wire->data;
}

SHIM(void, pq_copymsgbytes, (StringInfo wire, void *data, int length))
{
	if (length < 0 || length > wire->len - wire->cursor)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("insufficient data left in message")));
	memcpy(data, wire->data + wire->cursor, length);
	wire->cursor += length;
}

SHIM(const char *, pq_getmsgbytes, (StringInfo wire, int length))
{
	const char *at = wire->data + wire->cursor;

	if (length < 0 || length > wire->len - wire->cursor)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("insufficient data left in message")));
	wire->cursor += length;
	return at;
}

SHIM(int, pq_getmsgbyte, (StringInfo wire))
{
	return (unsigned char) *shim_pq_getmsgbytes(wire, 1);
}

SHIM(unsigned int, pq_getmsgint, (StringInfo wire, int size))
{
	const unsigned char *at = (const unsigned char *) shim_pq_getmsgbytes(wire, size);
	unsigned int value = 0;

	if (size != 1 && size != 2 && size != 4)
		shim_fail("integer of %d bytes", size);
	for (int i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

SHIM(int64, pq_getmsgint64, (StringInfo wire))
{
	uint64		high = shim_pq_getmsgint(wire, 4);

	return (int64) (high << 32 | shim_pq_getmsgint(wire, 4));
}

SHIM(float8, pq_getmsgfloat8, (StringInfo wire))
{
	int64		bits = shim_pq_getmsgint64(wire);
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* In the server's own encoding it is checked, but here any bytes may be texts. */
SHIM(char *, pq_getmsgtext, (StringInfo wire, int length, int *bytes))
{
	const char *at = shim_pq_getmsgbytes(wire, length);
	char	   *text = palloc(length + 1);

	memcpy(text, at, length);
	text[length] = '\0';
	*bytes = length;
	return text;
}

SHIM(void, pq_getmsgend, (StringInfo wire))
{
	if (wire->cursor != wire->len)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("invalid message format")));
}
