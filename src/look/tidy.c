/*
 * tidy.c
 *		The text of an expression, as PostgreSQL prints it, made plain.
 *
 * What is printed has to be unambiguous for a parser; a reader can do without
 * some of it.  The text is cut into tokens, and these are rewritten.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "look/explain.h"
#include "utils/formatting.h"

typedef struct Token
{
	char	   *text;			/* NULL: left out */
	bool		spaced;			/* white space stands before it */
} Token;

typedef struct Tokens
{
	Token	   *token;
	int			n;
} Tokens;

static bool
is_word_char(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '$' || IS_HIGHBIT_SET(c);
}

/* Where the token that begins at p ends. */
static const char *
token_end(const char *p)
{
	static const char operators[] = "+-*/<>=~!@#%^&|`?";
	char		quote = *p;

	if (quote == '\'' || quote == '"')
	{
		/* a doubled quote is two tokens' worth of quotes, and goes on */
		do
		{
			p++;
			while (*p != '\0' && *p != quote)
				p++;
			if (*p != '\0')
				p++;
		} while (*p == quote);
		return p;
	}
	if (p[0] == ':' && p[1] == ':')
		return p + 2;
	if (is_word_char(*p))
	{
		while (is_word_char(*p))
			p++;
		return p;
	}
	if (strchr(operators, *p) != NULL)
	{
		while (*p != '\0' && strchr(operators, *p) != NULL)
			p++;
		return p;
	}
	return p + 1;
}

static Tokens
tokenize(const char *text)
{
	Tokens		t;

	t.token = palloc0(sizeof(Token) * (strlen(text) + 1));
	t.n = 0;
	for (const char *p = text; *p != '\0';)
	{
		const char *end;

		if (isspace((unsigned char) *p))
		{
			t.token[t.n].spaced = true;
			p++;
			continue;
		}
		end = token_end(p);
		t.token[t.n++].text = pnstrdup(p, end - p);
		p = end;
	}
	return t;
}

/* The next token that is not left out, or -1. */
static int
next_of(const Tokens *t, int i)
{
	for (i++; i < t->n; i++)
	{
		if (t->token[i].text != NULL)
			return i;
	}
	return -1;
}

static int
previous_of(const Tokens *t, int i)
{
	for (i--; i >= 0; i--)
	{
		if (t->token[i].text != NULL)
			return i;
	}
	return -1;
}

static bool
is(const Tokens *t, int i, const char *text)
{
	return i >= 0 && i < t->n && t->token[i].text != NULL && strcmp(t->token[i].text, text) == 0;
}

static bool
is_one_of(const Tokens *t, int i, const char *const *texts)
{
	for (; *texts != NULL; texts++)
	{
		if (is(t, i, *texts))
			return true;
	}
	return false;
}

/* The tokens from i on, as they stand next to each other, are these words? */
static bool
are(const Tokens *t, int i, const char *const *texts)
{
	for (; *texts != NULL; texts++, i++)
	{
		if (!is(t, i, *texts))
			return false;
	}
	return true;
}

static void
leave_out(Tokens *t, int from, int count)
{
	for (int i = from; i < from + count; i++)
		t->token[i].text = NULL;
}

/* The parenthesis that closes the one at i, or -1. */
static int
closing(const Tokens *t, int i)
{
	int			depth = 0;

	for (; i >= 0; i = next_of(t, i))
	{
		if (is(t, i, "(") || is(t, i, "["))
			depth++;
		else if ((is(t, i, ")") || is(t, i, "]")) && --depth == 0)
			return i;
	}
	return -1;
}

/* An interval as it is written: without what begins the style that prints hours as hours, and with whole months. */
static char *
written_interval(const char *literal)
{
	const char *from = strncmp(literal, "'@ ", 3) == 0 ? literal + 3 : literal + 1;
	const char *month = strstr(from, " mon");

	return month == NULL ? psprintf("interval '%s", from) :
		psprintf("interval '%.*s month%s", (int) (month - from), from, month + 4);
}

/* 'x'::type, of types that are written in front of the constant, or need none. */
static void
tidy_constant(Tokens *t, int i)
{
	static const struct
	{
		const char *printed[5];
		const char *written;	/* in front of it; "": nothing; NULL: nothing, and no quotes */
	}			types[] = {
		{{"date"}, "date"},
		{{"timestamp", "with", "time", "zone"}, "timestamptz"},
		{{"timestamp", "without", "time", "zone"}, "timestamp"},
		{{"text"}, ""},
		{{"character", "varying"}, ""},
		{{"smallint"}, NULL},
		{{"integer"}, NULL},
		{{"bigint"}, NULL},
		{{"numeric"}, NULL},
		{{"real"}, NULL},
		{{"double", "precision"}, NULL},
	};
	static const char *const text_array[] = {"text", "[", "]", NULL};
	char	   *text = t->token[i].text;

	if (text == NULL || text[0] != '\'' || !is(t, i + 1, "::"))
		return;
	if (is(t, i + 2, "interval") && !is(t, i + 3, "(") && !is(t, i + 3, "["))
	{
		t->token[i].text = written_interval(text);
		leave_out(t, i + 1, 2);
		return;
	}
	if (are(t, i + 2, text_array))
	{
		leave_out(t, i + 1, 4);
		return;
	}
	for (int k = 0; k < lengthof(types); k++)
	{
		int			words = 0;

		while (types[k].printed[words] != NULL)
			words++;
		if (!are(t, i + 2, types[k].printed) || is(t, i + 2 + words, "(") || is(t, i + 2 + words, "["))
			continue;
		if (types[k].written == NULL)
		{
			/* a number, not NaN or Infinity */
			if (strspn(text + 1, "+-.0123456789e") != strlen(text) - 2)
				return;
			t->token[i].text = pnstrdup(text + 1, strlen(text) - 2);
		}
		else
			t->token[i].text = psprintf("%s%s%s", types[k].written,
										types[k].written[0] == '\0' ? "" : " ", text);
		leave_out(t, i + 1, 1 + words);
		return;
	}
}

/* pg_catalog.x, OPERATOR(pg_catalog.=), what LIKE is kept as, and functions that are printed as key words. */
static void
tidy_name(Tokens *t, int i)
{
	static const char *const functions[] = {
		"COALESCE", "NULLIF", "GREATEST", "LEAST", "EXTRACT", "CURRENT_DATE", NULL
	};
	static const char *const likes[][2] = {
		{"~~", "LIKE"}, {"!~~", "NOT LIKE"}, {"~~*", "ILIKE"}, {"!~~*", "NOT ILIKE"}
	};
	static const char *const schema[] = {"pg_catalog", ".", NULL};
	static const char *const operator[] = {"OPERATOR", "(", "pg_catalog", ".", NULL};

	if (are(t, i, operator) && is(t, i + 5, ")"))
	{
		t->token[i].text = t->token[i + 4].text;
		leave_out(t, i + 1, 5);
	}
	else if (are(t, i, schema))
	{
		t->token[i + 2].spaced = t->token[i].spaced;
		leave_out(t, i, 2);
	}
	for (int k = 0; k < lengthof(likes); k++)
	{
		if (is(t, i, likes[k][0]))
			t->token[i].text = pstrdup(likes[k][1]);
	}
	if (is_one_of(t, i, functions))
		t->token[i].text = asc_tolower(t->token[i].text, strlen(t->token[i].text));
}

/* = ANY (ARRAY[...]) is how IN (...) is kept. */
static void
tidy_list(Tokens *t, int i)
{
	static const char *const in[] = {"=", "ANY", "(", "ARRAY", "[", NULL};
	static const char *const not_in[] = {"<>", "ALL", "(", "ARRAY", "[", NULL};
	bool		negated = are(t, i, not_in);
	int			end;

	if (!negated && !are(t, i, in))
		return;
	end = closing(t, i + 4);
	if (end < 0 || !is(t, end + 1, ")"))
		return;
	t->token[i].text = negated ? "NOT IN" : "IN";
	leave_out(t, i + 1, 1);
	leave_out(t, i + 3, 2);
	leave_out(t, end, 1);
}

/* From after i until before end: numbers, names, calls and arithmetic, and nothing else? */
static bool
is_arithmetic(const Tokens *t, int i, int end)
{
	static const char *const operators[] = {"+", "-", "*", "/", "%", "::", ".", NULL};

	for (i = next_of(t, i); i >= 0 && i < end; i = next_of(t, i))
	{
		const char *text = t->token[i].text;

		if (is(t, i, "("))
			i = closing(t, i);
		else if (is_word_char(text[0]))
		{
			/* key words are upper case; those of calls and constants are none */
			if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text) && !is(t, next_of(t, i), "("))
				return false;
		}
		else if (text[0] != '\'' && text[0] != '"' && !is_one_of(t, i, operators))
			return false;
	}
	return i == end;
}

/* Parentheses around arithmetic that is compared. */
static void
tidy_parentheses(Tokens *t, int i)
{
	static const char *const comparisons[] = {"<", "<=", ">", ">=", "=", "<>", NULL};
	static const char *const before[] = {"AND", "OR", "NOT", "WHERE", "WHEN", "(", ",", NULL};
	static const char *const after[] = {"AND", "OR", "THEN", "IS", ")", ",", NULL};
	int			previous = previous_of(t, i);
	int			end;
	int			next;

	if (!is(t, i, "(") ||
		!(previous < 0 || is_one_of(t, previous, comparisons) || is_one_of(t, previous, before)))
		return;
	end = closing(t, i);
	if (end < 0)
		return;
	next = next_of(t, end);
	if (!(next < 0 || is_one_of(t, next, comparisons) || is_one_of(t, next, after)) ||
		!is_arithmetic(t, i, end))
		return;
	t->token[next_of(t, i)].spaced = t->token[i].spaced;
	leave_out(t, i, 1);
	leave_out(t, end, 1);
}

char *
explain_tidy(const char *text)
{
	Tokens		t = tokenize(text);
	StringInfoData result;

	for (int i = 0; i < t.n; i++)
	{
		tidy_constant(&t, i);
		tidy_name(&t, i);
		tidy_list(&t, i);
	}
	for (int i = 0; i < t.n; i++)
		tidy_parentheses(&t, i);

	initStringInfo(&result);
	for (int i = 0; i < t.n; i++)
	{
		if (t.token[i].text != NULL)
			appendStringInfo(&result, "%s%s", t.token[i].spaced && result.len > 0 ? " " : "",
							 t.token[i].text);
	}
	/* also those of a constant: it is to be one line */
	for (char *p = result.data; *p != '\0'; p++)
	{
		if (*p == '\n')
			*p = ' ';
	}
	return result.data;
}
