/* columns.h - text in columns, as wide as what stands in them; cells are wrapped where a row would
 * be over 80 columns.  One thread.  Every function takes the NULL that columns_begin() gives
 * without memory.
 */
#ifndef CFSHIM_COLUMNS_H
#define CFSHIM_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct columns;

/* `headings` has `count` elements, and lives as long as the columns.  NULL: no memory. */
struct columns *columns_begin(const char *const *headings, size_t count);
void columns_end(struct columns *columns);

/* A row of as many cells as there are headings; copied.  False: no memory, and nothing was added.
 */
bool columns_add(struct columns *columns, const char *const *cells);

/* Bold headings where `file` is a terminal that wants it. */
void columns_print(struct columns *columns, FILE *file);

/* `text`, which begins at `column`, folded at 80 columns, with `indent` blanks before each further
 * line; the last one is not ended.  A word that is longer than a line stays whole. */
void print_folded(FILE *file, size_t column, size_t indent, const char *text);

/* `text` and an end of line: on a terminal folded, from `column` on; elsewhere one line. */
void print_foldable(FILE *file, size_t column, size_t indent, const char *text);

/* Is `file` a terminal, and NO_COLOR not set (no-color.org)?  One in memory is meant for standard
 * output. */
bool wants_color(FILE *file);

#endif
