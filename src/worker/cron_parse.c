/*
 * cron_parse.c
 *		Reading cron lines.
 */
#include <stdio.h>
#include <string.h>

#include "worker/cron.h"

#define FIELDS 5
#define BLANKS " \t\r\n"
#define ZONE_PREFIX "CRON_TZ="

/* So much of a field is shown in an error. */
#define SHOWN 40

typedef struct Field
{
	const char *name;
	int			low;
	int			high;
	const char *const *names;	/* of the values from low on, or NULL */
	const char *range_hint;
} Field;

static const char *const month_names[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL
};
static const char *const weekday_names[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL
};
static const Field fields[FIELDS] = {
	{"minute", 0, 59, NULL, "Minutes are 0 to 59."},
	{"hour", 0, 23, NULL, "Hours are 0 to 23."},
	{"day of the month", 1, 31, NULL, "Days of the month are 1 to 31."},
	{"month", 1, 12, month_names, "Months are 1 to 12 or jan to dec."},
	{"day of the week", 0, 7, weekday_names,
	"Days of the week are 0 to 7, where 0 and 7 are Sunday, or sun to sat."}
};

static const struct
{
	const char *name;
	const char *line;
}			shortcuts[] =
{
	{"hourly", "0 * * * *"},
	{"daily", "0 0 * * *"},
	{"midnight", "0 0 * * *"},
	{"weekly", "0 0 * * 0"},
	{"monthly", "0 0 1 * *"},
	{"yearly", "0 0 1 1 *"},
	{"annually", "0 0 1 1 *"}
};

#define FORM_HINT "A cron line has five fields: minute, hour, day of the month, month, day of the week, such as '30 3 * * mon-fri'."
#define ITEM_HINT "A field is *, a value, a range such as 1-5, either with a step such as */15 or 8-18/2, or a list of these such as 0,15-20,45."

/* One field of a line, and what reads it. */
typedef struct Reader
{
	const Field *field;
	const char *start;
	int			length;
	CronError  *error;
} Reader;

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(int c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/* Are the first characters of a text this word, in whatever case? */
static bool
is_word(const char *text, size_t length, const char *word)
{
	if (strlen(word) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (lower((unsigned char) text[i]) != word[i])
			return false;
	return true;
}

static bool
fail(CronError *error, const char *detail, const char *hint)
{
	snprintf(error->detail, CRON_DETAIL_SIZE, "%s", detail);
	error->hint = hint;
	return false;
}

/* Fails over a field: "<what> in the <field> field "<text>"." */
static bool
fail_field(const Reader *reader, const char *what, const char *hint)
{
	bool		whole = reader->length <= SHOWN;

	for (int i = 0; i < reader->length; i++)
		if (reader->start[i] < ' ' || reader->start[i] > '~')
			whole = false;
	if (whole)
		snprintf(reader->error->detail, CRON_DETAIL_SIZE, "%s in the field \"%.*s\" (%s).",
				 what, reader->length, reader->start, reader->field->name);
	else
		snprintf(reader->error->detail, CRON_DETAIL_SIZE, "%s in the field of the %s.",
				 what, reader->field->name);
	reader->error->hint = hint;
	return false;
}

/* Reads digits; more than any field takes come out as a number too large. */
static bool
read_digits(const char **at, int *value)
{
	if (!is_digit((unsigned char) **at))
		return false;
	for (*value = 0; is_digit((unsigned char) **at); (*at)++)
		if (*value < 10000)
			*value = *value * 10 + (**at - '0');
	return true;
}

/* Reads a number or a name of the field. */
static bool
read_value(const Reader *reader, const char **at, int *value)
{
	const Field *field = reader->field;
	const char *start = *at;

	if (read_digits(at, value))
	{
		if (*value < field->low || *value > field->high)
			return fail_field(reader, "A value is out of range", field->range_hint);
		return true;
	}
	while (is_letter((unsigned char) **at))
		(*at)++;
	for (int i = 0; field->names != NULL && field->names[i] != NULL; i++)
		if (is_word(start, (size_t) (*at - start), field->names[i]))
		{
			*value = field->low + i;
			return true;
		}
	if (*at > start)
		return fail_field(reader, "A name is not known", field->range_hint);
	return fail_field(reader, "A value is missing or not understood", ITEM_HINT);
}

/* Reads a step after a range, if there is one. */
static bool
read_step(const Reader *reader, const char **at, int width, int *step)
{
	*step = 1;
	if (**at != '/')
		return true;
	(*at)++;
	if (!read_digits(at, step))
		return fail_field(reader, "A step is not a number", ITEM_HINT);
	if (*step == 0)
		return fail_field(reader, "A step is zero", "Steps are 1 or more.");
	if (*step > width)
		return fail_field(reader, "A step is longer than its range",
						  "Steps begin anew in each range; for a fixed distance give an interval such as '90 minutes'.");
	return true;
}

/* Reads an item of a field's list: *, a value or a range, and a step. */
static bool
read_item(const Reader *reader, const char **at, uint64_t *values, bool *any)
{
	const Field *field = reader->field;
	int			low = field->low;
	int			high = field->names == weekday_names ? 6 : field->high;
	int			step;

	if (**at == '*')
	{
		(*at)++;
		*any = true;
	}
	else
	{
		if (!read_value(reader, at, &low))
			return false;
		high = low;
		if (**at == '-')
		{
			(*at)++;
			if (!read_value(reader, at, &high))
				return false;
			/* Sunday ends a week as well as it begins one */
			if (field->names == weekday_names && high == 0 && low > 0)
				high = 7;
			if (high < low)
				return fail_field(reader, "A range goes backward",
								  "Give two ranges, such as 22-23,0-5.");
		}
		else if (**at == '/')
			return fail_field(reader, "A step follows a single value",
							  "Give the range that it goes through, such as 5-59/10.");
	}
	if (!read_step(reader, at, high - low, &step))
		return false;
	for (int value = low; value <= high; value += step)
		*values |= UINT64_C(1) << (field->names == weekday_names ? value % 7 : value);
	return true;
}

/* Reads one field: a list of items. */
static bool
read_field(const Reader *reader, uint64_t *values, bool *any)
{
	const char *at = reader->start;
	const char *end = reader->start + reader->length;

	*values = 0;
	*any = false;
	for (;;)
	{
		if (!read_item(reader, &at, values, any))
			return false;
		if (at == end)
			return true;
		if (*at != ',')
			return fail_field(reader, "Something is not understood", ITEM_HINT);
		at++;
	}
}

static int
count_words(const char *text)
{
	int			words = 0;

	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS))
	{
		text += strcspn(text, BLANKS);
		words++;
	}
	return words;
}

/* Reads "@daily" and the like; *text becomes the fields that it stands for. */
static bool
expand_shortcut(const char **text, CronError *error)
{
	const char *name = *text + 1;
	size_t		length = strcspn(name, BLANKS);

	if (count_words(name + length) != 0)
		return fail(error, "Something follows a name that begins with @.", NULL);
	for (size_t i = 0; i < sizeof(shortcuts) / sizeof(shortcuts[0]); i++)
		if (is_word(name, length, shortcuts[i].name))
		{
			*text = shortcuts[i].line;
			return true;
		}
	return fail(error, is_word(name, length, "reboot") ?
				"@reboot is no time: tables are looked at after a restart anyway." :
				"The name after @ is not known.",
				"Names are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually.");
}

/* Reads "CRON_TZ=...", if it is there. */
static bool
read_zone(const char **text, CronLine *line, CronError *error)
{
	size_t		length;

	if (strncmp(*text, ZONE_PREFIX, strlen(ZONE_PREFIX)) != 0)
		return true;
	*text += strlen(ZONE_PREFIX);
	length = strcspn(*text, BLANKS);
	if (length == 0 || length >= CRON_ZONE_SIZE)
		return fail(error, "CRON_TZ= is not followed by a time zone.",
					"Give a name such as in 'CRON_TZ=Europe/Berlin 0 3 * * *'.");
	memcpy(line->zone, *text, length);
	line->zone[length] = '\0';
	*text += length;
	*text += strspn(*text, BLANKS);
	return true;
}

/* Is there such a day in some year? */
static bool
can_come(const CronLine *line)
{
	static const int longest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (line->either_day)
		return true;
	for (int month = 1; month <= 12; month++)
		if ((line->months >> month & 1) != 0 &&
			(line->days & ((UINT64_C(2) << longest[month]) - 1)) != 0)
			return true;
	return false;
}

bool
cron_recognize(const char *text)
{
	text += strspn(text, BLANKS);
	if (text[0] == '@')
		return is_letter((unsigned char) text[1]);
	if (strncmp(text, ZONE_PREFIX, strlen(ZONE_PREFIX)) == 0 || strchr(text, '*') != NULL)
		return true;
	if (count_words(text) != FIELDS)
		return false;

	/* words of an interval that begin with digits are followed by others */
	for (int i = 0; i < 3; i++)
	{
		if (!is_digit((unsigned char) *text))
			return false;
		text += strcspn(text, BLANKS);
		text += strspn(text, BLANKS);
	}
	return true;
}

bool
cron_parse(const char *text, CronLine *line, CronError *error)
{
	uint64_t	values[FIELDS];
	bool		any[FIELDS];

	memset(line, 0, sizeof(*line));
	text += strspn(text, BLANKS);
	if (!read_zone(&text, line, error))
		return false;
	if (text[0] == '@' && !expand_shortcut(&text, error))
		return false;
	if (count_words(text) != FIELDS)
	{
		snprintf(error->detail, CRON_DETAIL_SIZE, "The number of its fields is %d instead of five.",
				 count_words(text));
		error->hint = FORM_HINT;
		return false;
	}
	for (int i = 0; i < FIELDS; i++)
	{
		Reader		reader = {&fields[i], text, (int) strcspn(text, BLANKS), error};

		if (!read_field(&reader, &values[i], &any[i]))
			return false;
		text += reader.length;
		text += strspn(text, BLANKS);
	}
	line->minutes = values[0];
	line->hours = (uint32_t) values[1];
	line->days = (uint32_t) values[2];
	line->months = (uint32_t) values[3];
	line->weekdays = (uint32_t) values[4];
	line->either_day = !any[2] && !any[4];
	line->by_the_clock = any[0] || any[1];
	if (!can_come(line))
		return fail(error, "No month that it names has such a day.",
					"February has at most 29 days, April, June, September and November 30.");
	return true;
}
