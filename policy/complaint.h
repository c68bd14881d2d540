/* complaint.h - what is wrong with a policy, said so that its author can mend it.
 * A complaint knows where (file, line, column), what, and what is allowed; the list keeps them in
 * the order found. Plain C, no output: whoever has a place to write asks complaint_print() for the
 * text. Owner: the caller of policy_parse().  Threads: as any plain object.
 */
#ifndef CFSHIM_COMPLAINT_H
#define CFSHIM_COMPLAINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* Where in the text: both count from 1; line 0 means the file as a whole.  A column counts bytes.
 */
struct position {
	unsigned line;
	unsigned column;
};

struct complaint {
	enum severity severity;
	struct position at;
	char *sentence; /* what is wrong, what is allowed; owned */
	char *excerpt;  /* the line around the column, and a caret under it; NULL: no line; owned */
};

/* At most COMPLAINTS_MAX are kept, and half as many warnings, so that an error always finds room;
 * `errors` and `warnings` go on counting. */
#define COMPLAINTS_MAX 50

struct complaints {
	char *file; /* the name that stands before each; owned */
	struct complaint *list;
	size_t count;
	size_t errors;
	size_t warnings;
	bool out_of_memory; /* a complaint could not be kept: counts as an error */
};

/* Begin an empty list about `file`; complaints_clear() gives its memory back. */
void complaints_begin(struct complaints *complaints, const char *file);
void complaints_clear(struct complaints *complaints);

/* Add one.  `line` is the text of the line without its newline (not kept; may hold any bytes but
 * NUL), or NULL. */
void complain(struct complaints *complaints, enum severity severity, struct position at,
	      const char *line, const char *format, ...) __attribute__((format(printf, 5, 6)));
void complain_list(struct complaints *complaints, enum severity severity, struct position at,
		   const char *line, const char *format, va_list values)
	__attribute__((format(printf, 5, 0)));

/* The first error; NULL where there is none.  Borrowed. */
const struct complaint *complaints_first_error(const struct complaints *complaints);

/* "file:line:column: sentence" into `buffer` (terminated, cut where it does not fit); the length
 * wanted, as snprintf.  The sentence of a warning begins with "warning: ".  Bytes that are not
 * printable ASCII come out as \xHH. */
size_t complaint_headline(const struct complaints *complaints, const struct complaint *complaint,
			  char *buffer, size_t size);

/* The headline, the line (a long one only around the column) and a caret under the column, each
 * ended by a newline.  Allocated (free()); NULL: no memory. */
char *complaint_print(const struct complaints *complaints, const struct complaint *complaint);

#endif
