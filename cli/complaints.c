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

/* One line, as editors read it; for who reads a terminal, folded. */
static void print_headline(const struct complaint *complaint, const char *headline)
{
	const bool color = wants_color(stderr);

	if (color)
		fputs(complaint->severity == SEVERITY_ERROR ? RED : YELLOW, stderr);
	if (isatty(STDERR_FILENO))
		print_folded(stderr, 0, INDENT, headline);
	else
		fputs(headline, stderr);
	fputs(color ? PLAIN "\n" : "\n", stderr);
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
