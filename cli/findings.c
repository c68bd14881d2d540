#include "findings.h"

#include "columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 10

static const struct {
	const char *manual, *heading;
} paragraphs[PARAGRAPH_COUNT] = {
#define PARAGRAPH(name, manual, heading) [PARAGRAPH_##name] = {manual, heading},
#include "paragraphs.def"
#undef PARAGRAPH
};

const char *printable(char *buffer, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text != '\0'; text++) {
		const unsigned char byte = (unsigned char)*text;
		const bool plain = byte >= ' ' && byte < 0x7f;

		if (used + (plain ? 1 : 4) >= size)
			break;
		if (plain)
			buffer[used++] = (char)byte;
		else
			used += (size_t)snprintf(buffer + used, size - used, "\\x%02x", byte);
	}
	buffer[used] = '\0';
	return buffer;
}

__attribute__((format(printf, 4, 0))) static void print_line(const char *label, const char *color,
							     enum paragraph paragraph,
							     const char *format, va_list arguments)
{
	const bool colored = wants_color(stdout);
	char *text = NULL, *shown = NULL, *whole = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		return;
	shown = malloc(4 * strlen(text) + 2);
	if (shown != NULL) {
		printable(shown, 4 * strlen(text) + 2, text);
		printf("%s%-*s%s", colored ? color : "", LABEL_WIDTH, label,
		       colored ? "\033[0m" : "");
		if (paragraph != PARAGRAPH_NONE &&
		    asprintf(&whole, "%s. See \"%s\" in %s.", shown, paragraphs[paragraph].heading,
			     paragraphs[paragraph].manual) < 0)
			whole = NULL;
		print_folded(stdout, LABEL_WIDTH, LABEL_WIDTH, whole ? whole : shown);
		putchar('\n');
	}
	free(whole);
	free(shown);
	free(text);
}

void find_good(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("good", "\033[32m", PARAGRAPH_NONE, format, arguments);
	va_end(arguments);
}

void find_note(struct findings *findings, enum paragraph paragraph, const char *format, ...)
{
	va_list arguments;

	findings->notes++;
	va_start(arguments, format);
	print_line("note", "\033[33m", paragraph, format, arguments);
	va_end(arguments);
}

void find_bad(struct findings *findings, enum paragraph paragraph, const char *format, ...)
{
	va_list arguments;

	findings->bad++;
	va_start(arguments, format);
	print_line("bad", "\033[1;31m", paragraph, format, arguments);
	va_end(arguments);
}

void find_verdict(bool is_good, const char *text)
{
	const bool colored = wants_color(stdout);
	const char *color = is_good ? "\033[1;32m" : "\033[1;31m";

	printf("%s%-*s%s%s%s\n", colored ? "\033[1m" : "", LABEL_WIDTH, "verdict",
	       colored ? color : "", text, colored ? "\033[0m" : "");
}

void print_labelled(const char *label, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(label, "\033[1m", PARAGRAPH_NONE, format, arguments);
	va_end(arguments);
}
