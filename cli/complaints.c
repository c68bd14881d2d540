/* Complaints on standard error, as check and explain show them. */
#include "columns.h"
#include "policy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDENT 4
#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN  "\033[0m"

/* Where, and that it is a warning: what is in colour. */
static size_t head_length(const struct complaint *complaint, const char *headline)
{
	const char *const end = complaint->severity == SEVERITY_ERROR ? ": " : ": warning: ";
	const char *head = strstr(headline, end);

	return head != NULL ? (size_t)(head - headline) + strlen(end) - 1 : 0;
}

/* One line, as editors read it; for who reads a terminal, folded. */
static void print_headline(const struct complaint *complaint, const char *headline)
{
	const size_t head = head_length(complaint, headline);

	if (wants_color(stderr))
		fprintf(stderr, "%s%.*s" PLAIN,
			complaint->severity == SEVERITY_ERROR ? RED : YELLOW, (int)head, headline);
	else
		fprintf(stderr, "%.*s", (int)head, headline);
	print_foldable(stderr, head, INDENT, headline + head);
}

void print_complaints(const struct complaints *complaints, enum severity least)
{
	size_t more = complaints->errors + complaints->warnings - complaints->count;

	for (size_t i = 0; i < complaints->count; i++) {
		const struct complaint *complaint = &complaints->list[i];
		char *text, *excerpt;

		if (least == SEVERITY_ERROR && complaint->severity != SEVERITY_ERROR)
			continue;
		text = complaint_print(complaints, complaint);
		excerpt = text;
		if (text != NULL)
			print_headline(complaint, strsep(&excerpt, "\n"));
		if (excerpt != NULL)
			fputs(excerpt, stderr);
		free(text);
	}
	if (more > 0 && least == SEVERITY_WARNING)
		fprintf(stderr, "%s: and %zu more\n", complaints->file, more);
	if (complaints->out_of_memory)
		fprintf(stderr, "cfshim: no memory\n");
}
