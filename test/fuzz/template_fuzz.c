/*
 * template_fuzz.c
 *		Any text as a template of a preset.
 *
 *	of src/preset/template.c
 *
 * Pieces written out again are the template, text has no braces that open, and names are names.
 */
#include <stdlib.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>

#include "preset/template.h"

#define CHECK(what) do { if (!(what)) abort(); } while (0)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const TemplatePiece *piece)
{
	CHECK(piece->length > 0);
	for (size_t i = 0; i < piece->length; i++)
		CHECK(strchr("abcdefghijklmnopqrstuvwxyz0123456789_", piece->start[i]) != NULL);
}

/* What stands between two places is the piece as it would be written, but for leading zeros. */
static void
check_piece(const TemplatePiece *piece, const char *from, const char *to)
{
	char		number[32] = "";

	if (piece->kind == TEMPLATE_TEXT)
	{
		CHECK(piece->start == from && from + piece->length == to && piece->length > 0);
		for (size_t i = 0; i + 1 < piece->length; i++)
			CHECK(piece->start[i] != '{' || piece->start[i + 1] != '{');
		return;
	}
	check_name(piece);
	CHECK(piece->element >= 0 && piece->element <= TEMPLATE_MAX_ELEMENT);
	CHECK(piece->kind == TEMPLATE_OPTION || piece->element == 0);
	CHECK(strncmp(from, "{{", 2) == 0 && strncmp(to - 2, "}}", 2) == 0);
	CHECK(piece->start == from + (piece->kind == TEMPLATE_COLUMN ? 3 : 2));
	if (piece->element > 0)
	{
		const char *digits = piece->start + piece->length;

		CHECK(*digits == '.');
		for (digits++; *digits == '0'; digits++)
			;
		snprintf(number, sizeof(number), "%d}}", piece->element);
		CHECK(strncmp(digits, number, strlen(number)) == 0 && digits + strlen(number) == to);
	}
	else
		CHECK(piece->start + piece->length + 2 == to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size + 1);
	const char *rest = text;
	TemplatePiece piece;

	memcpy(text, data, size);
	text[size] = '\0';
	for (;;)
	{
		const char *next = template_next(rest, &piece);

		if (piece.kind == TEMPLATE_END)
		{
			CHECK(next == rest && *rest == '\0');
			break;
		}
		if (piece.kind == TEMPLATE_BAD)
		{
			CHECK(strncmp(piece.start, "{{", 2) == 0 && *next == '\0' && piece.length == strlen(piece.start));
			break;
		}
		CHECK(next > rest);
		check_piece(&piece, rest, next);
		rest = next;
	}
	free(text);
	return 0;
}
