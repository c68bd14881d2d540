#include "complaint.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

/* What is shown of a long line: so much before the column, and so much in all. */
#define EXCERPT_BEFORE 60
#define EXCERPT_BYTES  100

void complaints_begin(struct complaints *complaints, const char *file)
{
	*complaints = (struct complaints){.file = strdup(file)};
	complaints->out_of_memory = complaints->file == NULL;
}

void complaints_clear(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++) {
		free(complaints->list[i].sentence);
		free(complaints->list[i].excerpt);
	}
	free(complaints->list);
	free(complaints->file);
	*complaints = (struct complaints){0};
}

/* A tab stays one in the line and in the caret's padding: it is as wide in both. */
static void excerpt_add(struct text *text, const char *byte, bool as_padding)
{
	size_t before = text->length;

	if (*byte == '\t') {
		text_add(text, "\t");
	} else {
		text_add_visible(text, byte, 1);
		if (as_padding && !text->no_memory)
			memset(text->bytes + before, ' ', text->length - before);
	}
}

static char *excerpt(const char *line, unsigned column)
{
	size_t length = strlen(line);
	size_t caret = column - 1 < length ? column - 1 : length;
	size_t from = caret > EXCERPT_BEFORE ? caret - EXCERPT_BEFORE : 0;
	size_t to = length - from > EXCERPT_BYTES ? from + EXCERPT_BYTES : length;
	struct text text = {0};

	text_add(&text, "%s", from > 0 ? "..." : "");
	for (size_t i = from; i < to; i++)
		excerpt_add(&text, line + i, false);
	text_add(&text, "%s\n%s", to < length ? "..." : "", from > 0 ? "   " : "");
	for (size_t i = from; i < caret; i++)
		excerpt_add(&text, line + i, true);
	text_add(&text, "^\n");
	return text_end(&text);
}

static bool has_room(const struct complaints *complaints, enum severity severity)
{
	if (severity == SEVERITY_WARNING && complaints->warnings > COMPLAINTS_MAX / 2)
		return false;
	return complaints->count < COMPLAINTS_MAX;
}

/* The list is allocated whole with the first complaint: most policies have none. */
static bool complaint_keep(struct complaints *complaints, const struct complaint *complaint)
{
	if (complaints->list == NULL)
		complaints->list = calloc(COMPLAINTS_MAX, sizeof(*complaints->list));
	if (complaints->list == NULL)
		return false;
	complaints->list[complaints->count++] = *complaint;
	return true;
}

/* Server sections have keys of their port's, and a mistake in one of these is the same mistake. */
static bool is_kept(const struct complaints *complaints, const struct complaint *complaint)
{
	for (size_t i = 0; complaint->sentence != NULL && i < complaints->count; i++) {
		const struct complaint *kept = &complaints->list[i];

		if (kept->severity == complaint->severity && kept->at.line == complaint->at.line &&
		    kept->at.column == complaint->at.column &&
		    strcmp(kept->sentence, complaint->sentence) == 0)
			return true;
	}
	return false;
}

void complain_list(struct complaints *complaints, enum severity severity, struct position at,
		   const char *line, const char *format, va_list values)
{
	struct complaint complaint = {.severity = severity, .at = at};
	size_t *number = severity == SEVERITY_ERROR ? &complaints->errors : &complaints->warnings;
	struct text sentence = {0};

	*number += 1;
	if (!has_room(complaints, severity))
		return;
	text_add_list(&sentence, format, values);
	complaint.sentence = text_end(&sentence);
	if (is_kept(complaints, &complaint)) {
		*number -= 1;
		free(complaint.sentence);
		return;
	}
	if (line != NULL && at.line > 0 && at.column > 0)
		complaint.excerpt = excerpt(line, at.column);
	if (complaint.sentence == NULL || !complaint_keep(complaints, &complaint)) {
		complaints->out_of_memory = true;
		free(complaint.sentence);
		free(complaint.excerpt);
	}
}

void complain(struct complaints *complaints, enum severity severity, struct position at,
	      const char *line, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	complain_list(complaints, severity, at, line, format, values);
	va_end(values);
}

const struct complaint *complaints_first_error(const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		if (complaints->list[i].severity == SEVERITY_ERROR)
			return &complaints->list[i];
	return NULL;
}

static void headline_add(struct text *text, const struct complaints *complaints,
			 const struct complaint *complaint)
{
	const char *file = complaints->file ? complaints->file : "-";

	text_add_visible(text, file, strlen(file));
	if (complaint->at.line > 0)
		text_add(text, ":%u:%u", complaint->at.line, complaint->at.column);
	text_add(text, ": %s", complaint->severity == SEVERITY_WARNING ? "warning: " : "");
	text_add_visible(text, complaint->sentence, strlen(complaint->sentence));
}

size_t complaint_headline(const struct complaints *complaints, const struct complaint *complaint,
			  char *buffer, size_t size)
{
	struct text text = {0};
	const char *headline;
	size_t length, fits;

	headline_add(&text, complaints, complaint);
	headline = text_end(&text);
	if (headline == NULL)
		headline = "no memory";
	length = strlen(headline);
	if (size > 0) {
		fits = length < size ? length : size - 1;
		memcpy(buffer, headline, fits);
		buffer[fits] = '\0';
	}
	free(text.bytes);
	return length;
}

char *complaint_print(const struct complaints *complaints, const struct complaint *complaint)
{
	struct text text = {0};

	headline_add(&text, complaints, complaint);
	text_add(&text, "\n%s", complaint->excerpt ? complaint->excerpt : "");
	return text_end(&text);
}
