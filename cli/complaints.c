/* Complaints on standard error, as check and explain show them. */
#include "columns.h"
#include "policy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN  "\033[0m"

void print_complaints(const struct complaints *complaints, enum severity least)
{
	size_t more = complaints->errors + complaints->warnings - complaints->count;
	bool color = wants_color(stderr);

	for (size_t i = 0; i < complaints->count; i++) {
		const struct complaint *complaint = &complaints->list[i];
		char *text;
		int headline;

		if (least == SEVERITY_ERROR && complaint->severity != SEVERITY_ERROR)
			continue;
		text = complaint_print(complaints, complaint);
		headline = text ? (int)strcspn(text, "\n") : 0;
		fprintf(stderr, "%s%.*s%s%s",
			!color                                  ? ""
			: complaint->severity == SEVERITY_ERROR ? RED
								: YELLOW,
			headline, text ? text : "", color ? PLAIN : "",
			text ? text + headline : "");
		free(text);
	}
	if (more > 0 && least == SEVERITY_WARNING)
		fprintf(stderr, "%s: and %zu more\n", complaints->file, more);
	if (complaints->out_of_memory)
		fprintf(stderr, "cfshim: no memory\n");
}
