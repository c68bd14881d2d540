/* environment.h - what of the environment keeps the shim in the programs that the host executes:
 * LD_PRELOAD with this library, CFSHIM_POLICY and CFSHIM_LOG.  Taken down at load; immutable
 * afterwards.
 *
 * A variable is put back where it is lost: not among those that the child is to get.  One that is
 * there with another value is the host's own choice.  LD_PRELOAD is lost where it names no library
 * of this file name; then ours is put before what it does name.
 *
 * environment_is_whole(), _begin() and _end() may stand between vfork() and exec, and in signal
 * handlers: no lock, no malloc(), nothing static is written.
 */
#ifndef CFSHIM_ENVIRONMENT_H
#define CFSHIM_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* At load, once: the values of these variables, NULL where they are not set. */
void environment_keep(const char *preload, const char *policy, const char *log);

/* Is nothing lost in `given`, which may be NULL? */
bool environment_is_whole(char *const *given);

/* Can a program that is executed now load the library?  Not under another root, or where it may not
 * be read. */
bool environment_reaches_library(void);

/* Enough for most without a system call.  A mapping takes the place where it is not; of a child of
 * vfork() it stays with the parent, as there is nobody to unmap it after the exec. */
#define ENVIRONMENT_ENTRIES 256
#define ENVIRONMENT_BYTES   1024

struct environment {
	char **list; /* for execve() */
	void *mapping;
	size_t mapped;
	char *entries[ENVIRONMENT_ENTRIES];
	char text[ENVIRONMENT_BYTES];
};

/* `given` with what is lost put back, the rest and its order as they are.  False, with errno:
 * no memory; the program must not be executed without.  environment_end() keeps errno. */
bool environment_begin(struct environment *environment, char *const *given);
void environment_end(struct environment *environment);

/* A command for /bin/sh that puts back what is lost in `given`, and becomes the very shell that
 * would have run `command`.  Allocated by malloc(); NULL, with errno: no memory. */
char *environment_command(char *const *given, const char *command);

#endif
