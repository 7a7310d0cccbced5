/*
 * template.h
 *		Reading a template, piece by piece.  Pure: knows no PostgreSQL.
 *
 * A template is SQL with {{option}}, {{option.1}} (its first element) and
 * {{.column}} in it.  Names are lower-case letters, digits and underscores.
 */
#ifndef SEGMENT_TEMPLATE_H
#define SEGMENT_TEMPLATE_H

#include <stddef.h>

typedef enum TemplateKind
{
	TEMPLATE_END,
	TEMPLATE_TEXT,				/* as it is */
	TEMPLATE_OPTION,
	TEMPLATE_COLUMN,
	TEMPLATE_BAD				/* braces that hold something else: the text from them on */
} TemplateKind;

typedef struct TemplatePiece
{
	TemplateKind kind;
	const char *start;			/* of the text or the name, within the template */
	size_t		length;
	int			element;		/* of an option: from 1 on; 0: the whole */
} TemplatePiece;

#define TEMPLATE_MAX_ELEMENT 999

/*
 * Reads the piece that a template begins with; returns what follows it.  After
 * TEMPLATE_END and TEMPLATE_BAD nothing follows.
 */
extern const char *template_next(const char *template, TemplatePiece *piece);

#endif							/* SEGMENT_TEMPLATE_H */
