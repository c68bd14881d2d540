/* program.h - run a program as its own session, with the shim or without, and end all of it.
 * Only the program gets LD_PRELOAD; PRELOAD_FIRST, where it is set, stands before the shim (a
 * sanitizer wants to be first).
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_MAX_WORDS 32

struct program {
	const char *words[PROGRAM_MAX_WORDS]; /* looked for in PATH and the sbin folders */
	const char *directory;                /* NULL: that of the test */
	bool shim;
	const char *policy; /* CFSHIM_POLICY; NULL: not set */
	const char *log;    /* CFSHIM_LOG; NULL: not set */
	const char *output; /* files; NULL: /dev/null */
	const char *errors;
};

/* What a program that ended left behind. */
struct result {
	int status; /* as a shell has it: 128 and the number of the signal */
	long long milliseconds;
	char *output;
	char *errors;
};

pid_t program_start(const struct program *program);

/* Run it to its end, at most ten seconds, else the test fails; what it left behind in its session
 * is ended.  result_clear() frees what was captured. */
void program_run(struct result *result, const struct program *program);
void result_clear(struct result *result);

/* True where the program ended; its status is then in *status, and it is no longer to be waited
 * for. */
bool program_has_ended(pid_t pid, int *status);

/* The processes of the program's session that live: how many there are, and at most `size` of them.
 */
size_t program_processes(pid_t pid, pid_t *processes, size_t size);

/* End it and all of its session, first politely, and wait until nothing is left. */
void program_end(pid_t pid);

#endif
