/* executable.h - will the loader put a library into this program?  Looked at before it is started,
 * since the loader itself says nothing: where it cannot preload, the server runs, and is open.
 */
#ifndef CFSHIM_EXECUTABLE_H
#define CFSHIM_EXECUTABLE_H

#include "verbs.h"

#include <limits.h>
#include <stddef.h>

/* The parts of one line: what is wrong, what to do instead, and the script whose interpreter this
 * is about (or NULL). */
struct obstacle {
	char what[3 * PATH_MAX];
	const char *instead;
	const char *script;
};

/* As execvp() looks for `name`: its path into `path`.  STATUS_GOOD, STATUS_NOT_FOUND, or
 * STATUS_REFUSED: found, but nothing that can be executed. */
enum status executable_find(const char *name, char *path, size_t size, struct obstacle *obstacle);

/* STATUS_GOOD: a program at `path`, or the interpreter of a script there, preloads `library`.  Else
 * STATUS_REFUSED, or STATUS_NOT_FOUND where an interpreter is missing. */
enum status executable_check(const char *path, const char *library, struct obstacle *obstacle);

/* STATUS_GOOD: a library that can be read, and that LD_PRELOAD can name. */
enum status library_check(const char *library, struct obstacle *obstacle);

#endif
