/* journal_inside.h - what the parts of the journal share: what is said, how a line is written, and
 * where it goes. */
#ifndef CFSHIM_JOURNAL_INSIDE_H
#define CFSHIM_JOURNAL_INSIDE_H

#include "journal.h"

#define LINE_BYTES 4096 /* what a pipe takes at once */

/* A line that is being written. */
struct line {
	char text[LINE_BYTES];
	size_t length;
};

/* Set at load. */
extern struct journal {
	enum log_target target;
	char path[4096];
	bool usable;
} journal;

/* In the form of the target; a value that is NULL or "" stands as "-". */
void line_begin(struct line *line, const char *event);
void put_field(struct line *line, const char *key, const char *value);
void put_number(struct line *line, const char *key, unsigned long number);
void line_finish(struct line *line);

/* Finishes it, and writes it.  False: it did not go out whole.  errno is left as found. */
bool line_end(struct line *line);

#endif
