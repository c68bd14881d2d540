#include "columns.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_WIDTH 80
#define GAP        2

struct columns {
	const char *const *headings;
	size_t count, gap;
	char **cells; /* row after row */
	size_t rows;
};

struct columns *columns_begin(const char *const *headings, size_t count)
{
	struct columns *columns = calloc(1, sizeof(*columns));

	if (columns == NULL)
		return NULL;
	columns->headings = headings;
	columns->count = count;
	columns->gap = GAP;
	return columns;
}

void columns_end(struct columns *columns)
{
	if (columns == NULL)
		return;
	for (size_t i = 0; i < columns->rows * columns->count; i++)
		free(columns->cells[i]);
	free(columns->cells);
	free(columns);
}

bool columns_add(struct columns *columns, const char *const *cells)
{
	char **grown, **row;
	bool good = true;

	if (columns == NULL)
		return false;
	grown = realloc(columns->cells, (columns->rows + 1) * columns->count * sizeof(char *));
	if (grown == NULL)
		return false;
	columns->cells = grown;
	row = &grown[columns->rows * columns->count];
	for (size_t i = 0; i < columns->count; i++) {
		row[i] = strdup(cells[i]);
		good = good && row[i] != NULL;
	}
	if (good)
		columns->rows++;
	else
		for (size_t i = 0; i < columns->count; i++)
			free(row[i]);
	return good;
}

static size_t longest_word(const char *text)
{
	size_t longest = 0;

	while (*text) {
		size_t length = strcspn(text, " ");

		longest = length > longest ? length : longest;
		text += length + (text[length] == ' ');
	}
	return longest;
}

static size_t larger(size_t left, size_t right)
{
	return left > right ? left : right;
}

/* As wide as the data, then the widest column one narrower until the line is short enough, or every
 * column is down to its longest word: a path is never cut.  Then the columns are moved together. */
static void fit_widths(struct columns *columns, size_t *widths, size_t *narrowest)
{
	size_t total = (columns->count - 1) * GAP;

	for (size_t i = 0; i < columns->count; i++) {
		widths[i] = strlen(columns->headings[i]);
		narrowest[i] = longest_word(columns->headings[i]);
		for (size_t row = 0; row < columns->rows; row++) {
			const char *cell = columns->cells[row * columns->count + i];

			widths[i] = larger(widths[i], strlen(cell));
			narrowest[i] = larger(narrowest[i], longest_word(cell));
		}
		total += widths[i];
	}
	for (; total > LINE_WIDTH; total--) {
		size_t *widest = NULL;

		for (size_t i = 0; i < columns->count; i++)
			if (widths[i] > narrowest[i] && (widest == NULL || widths[i] > *widest))
				widest = &widths[i];
		if (widest == NULL) {
			columns->gap = GAP - 1;
			return;
		}
		--*widest;
	}
}

/* Take as many words off `text` as fit into `width`; their length. */
static size_t take_line(const char **text, size_t width)
{
	size_t length = strlen(*text);

	if (length > width) {
		for (length = width; length > 0 && (*text)[length] != ' '; length--)
			;
		if (length == 0)
			length = strcspn(*text, " ");
	}
	*text += length + ((*text)[length] == ' ');
	return length;
}

/* One row over as many lines as its longest cell needs.  `rest` is used up. */
static void print_row(const struct columns *columns, const char **rest, const size_t *widths,
		      FILE *file)
{
	const size_t count = columns->count;
	size_t last;

	do {
		size_t blanks = 0;

		last = count;
		for (size_t i = 0; i < count; i++) {
			const char *cell = rest[i];
			size_t length = take_line(&rest[i], widths[i]);

			if (length > 0)
				fprintf(file, "%*s%.*s", (int)blanks, "", (int)length, cell);
			blanks = (length > 0 ? 0 : blanks) + widths[i] - length + columns->gap;
			if (*rest[i])
				last = i;
		}
		fputc('\n', file);
	} while (last < count);
}

bool wants_color(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	const int at = fileno(file);

	return (no_color == NULL || *no_color == '\0') && isatty(at >= 0 ? at : STDOUT_FILENO) &&
	       terminal && strcmp(terminal, "dumb") != 0;
}

void columns_print(struct columns *columns, FILE *file)
{
	size_t *widths = columns ? calloc(2 * columns->count, sizeof(size_t)) : NULL;
	const char **rest = columns ? calloc(columns->count, sizeof(char *)) : NULL;
	bool color = wants_color(file);

	if (widths != NULL && rest != NULL) {
		size_t size = columns->count * sizeof(char *);

		fit_widths(columns, widths, widths + columns->count);
		memcpy(rest, columns->headings, size);
		fputs(color ? "\033[1m" : "", file);
		print_row(columns, rest, widths, file);
		fputs(color ? "\033[0m" : "", file);
		for (size_t row = 0; row < columns->rows; row++) {
			memcpy(rest, &columns->cells[row * columns->count], size);
			print_row(columns, rest, widths, file);
		}
	}
	free(widths);
	free(rest);
}

/* To the first blank that is not in brackets, where these are not a line by themselves. */
static size_t word_length(const char *text)
{
	size_t length = 0;
	int within = 0;

	for (; text[length] != '\0' && (text[length] != ' ' || within > 0); length++)
		within += (text[length] == '[') - (text[length] == ']');
	return length <= LINE_WIDTH / 2 ? length : strcspn(text, " ");
}

void print_folded(FILE *file, size_t column, size_t indent, const char *text)
{
	for (bool is_first = true; *text != '\0' || is_first; is_first = false) {
		const size_t length = word_length(text += !is_first);

		if (!is_first && column + 1 + length > LINE_WIDTH) {
			fprintf(file, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!is_first) {
			fputc(' ', file);
			column++;
		}
		fprintf(file, "%.*s", (int)length, text);
		column += length;
		text += length;
	}
}

void print_foldable(FILE *file, size_t column, size_t indent, const char *text)
{
	if (isatty(fileno(file)))
		print_folded(file, column, indent, text);
	else
		fputs(text, file);
	fputc('\n', file);
}
