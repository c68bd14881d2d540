/* findings.h - what `doctor` and `explain` have to say, a paragraph each: good, note or bad; what
 * is not good ends with the name of its paragraph in the manual.  One thread.
 */
#ifndef CFSHIM_FINDINGS_H
#define CFSHIM_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum paragraph {
	PARAGRAPH_NONE,
#define PARAGRAPH(name, manual, heading) PARAGRAPH_##name,
#include "paragraphs.def"
#undef PARAGRAPH
	PARAGRAPH_COUNT
};

/* How many were printed of the kinds that are not good. */
struct findings {
	size_t notes, bad;
};

/* Printed at once, folded at 80 columns. */
void find_good(const char *format, ...) __attribute__((format(printf, 1, 2)));
void find_note(struct findings *findings, enum paragraph paragraph, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void find_bad(struct findings *findings, enum paragraph paragraph, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What it is about: a line `label  text` before the findings, and one after them. */
void print_labelled(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The last line, in colour where the standard output is a terminal. */
void find_verdict(bool is_good, const char *text);

/* `text` as it can be shown: control bytes, and those that are no ASCII, as \xHH.  What does not
 * fit is cut off.  Returns `buffer`. */
const char *printable(char *buffer, size_t size, const char *text);

#endif
