/* counted.h - the counters of the covered processes of this machine, as far as the caller may read
 * them.  One thread.
 *
 * A process is believed in nothing: its counters are copied as bytes, out of memory that is of the
 * kernel's own files for shared memory; every text is ended and every index checked here, and what
 * is printed of them goes through plain_text().
 */
#ifndef CFSHIM_COUNTED_H
#define CFSHIM_COUNTED_H

#include "counters_layout.h"

#include "policy.h"

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

/* Processes that share counters. */
struct counted_group {
	unsigned long long inode; /* of their memory; 0: they have none */
	pid_t *processes;
	size_t process_count;
	char name[32];          /* of the first process */
	struct counters *block; /* a copy; NULL: see `why` */
	const char *why;
};

struct counted_all {
	struct counted_group *groups; /* by program */
	size_t count;
	size_t unseen; /* processes that the caller may not look into */
};

/* One process more, of `all` that began as all zero.  False: no memory. */
bool counted_add(struct counted_all *all, pid_t process);

/* All covered processes, or those that share counters with `only` (0: all).  False: no memory, or
 * /proc cannot be read; nothing is to be cleared. */
bool counted_read(struct counted_all *all, pid_t only);
void counted_clear(struct counted_all *all);

/* The file of the policy that is in force in `process`; "": the built-in one.  False: it says
 * nothing of it, or may not be asked. */
bool counted_policy(pid_t process, char path[PATH_MAX]);

/* One number: texts of a group's block, where they stay. */
struct counted_number {
	const char *program, *port, *server; /* "-": none */
	enum verdict verdict;
	const char *reason;
	uint64_t count;
};

struct counted_numbers {
	struct counted_number *list;
	size_t count;
};

/* The numbers of `groups`, in order; equal labels are one.  False: no memory. */
bool counted_numbers(const struct counted_group *groups, size_t count,
		     struct counted_numbers *numbers);

/* 443 before 8443; what is no number, behind them.  As strcmp(). */
int compare_ports(const char *left, const char *right);

/* How many of `groups` got the verdict, for the reason of that word; NULL: whatever it was. */
uint64_t counted_sum(const struct counted_all *all, enum verdict verdict, const char *reason);

/* Refusals a second, of the last ten seconds. */
double counted_refusals(const struct counters *block);

/* `text` with everything but printable ASCII as \xHH, and no backslash or quote left as it was.
 * Returns `buffer`. */
#define PLAIN_TEXT_BYTES 4100
const char *plain_text(char buffer[PLAIN_TEXT_BYTES], const char *text);

/* The program's name in that group, and its OpenSSLs as "3.0.19, 1.1.1w". */
const char *counted_program(const struct counted_group *group);
void counted_openssls(const struct counters *block, char *text, size_t size);

#endif
