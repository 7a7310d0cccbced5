/*
 * template.c
 *		Reading a template, piece by piece.
 */
#include "preset/template.h"

#include <string.h>

static int
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* A number from 1 on; moves *p behind it, not at all if there is none. */
static int
read_element(const char **p)
{
	const char *digit = *p;
	int			element = 0;

	while (*digit >= '0' && *digit <= '9' && element <= TEMPLATE_MAX_ELEMENT)
		element = element * 10 + (*digit++ - '0');
	if (element == 0 || element > TEMPLATE_MAX_ELEMENT)
		return 0;
	*p = digit;
	return element;
}

/* What stands behind opening braces; NULL if it is no name with closing braces. */
static const char *
read_name(const char *inside, TemplatePiece *piece)
{
	const char *p = inside;

	piece->kind = *p == '.' ? TEMPLATE_COLUMN : TEMPLATE_OPTION;
	if (*p == '.')
		p++;
	piece->start = p;
	while (is_name(*p))
		p++;
	piece->length = p - piece->start;
	if (piece->length == 0)
		return NULL;
	if (piece->kind == TEMPLATE_OPTION && *p == '.')
	{
		p++;
		piece->element = read_element(&p);
		if (piece->element == 0)
			return NULL;
	}
	return strncmp(p, "}}", 2) == 0 ? p + 2 : NULL;
}

const char *
template_next(const char *template, TemplatePiece *piece)
{
	const char *braces = strstr(template, "{{");
	const char *next;

	piece->start = template;
	piece->element = 0;
	piece->length = braces == NULL ? strlen(template) : (size_t) (braces - template);
	piece->kind = piece->length > 0 ? TEMPLATE_TEXT : TEMPLATE_END;
	if (piece->length > 0 || braces == NULL)
		return template + piece->length;

	next = read_name(braces + 2, piece);
	if (next != NULL)
		return next;
	piece->kind = TEMPLATE_BAD;
	piece->start = braces;
	piece->length = strlen(braces);
	piece->element = 0;
	return braces + piece->length;
}
