/* text.h - text that grows as one adds to it; memory that fails is remembered and told at the end.
 * Owner: the caller, from `struct text text = { 0 }` to text_end().  Threads: as any plain object.
 */
#ifndef CFSHIM_TEXT_H
#define CFSHIM_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* NUL-terminated once something was added */
	size_t length;
	size_t capacity;
	bool no_memory;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_list(struct text *text, const char *format, va_list values)
	__attribute__((format(printf, 2, 0)));

/* Printable ASCII as it is, any other byte as \xHH: nothing reaches a terminal that could move its
 * cursor. */
void text_add_visible(struct text *text, const char *bytes, size_t length);

/* The text, for free(); NULL: no memory. */
char *text_end(struct text *text);

#endif
