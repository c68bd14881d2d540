/* executable.h - will the loader put a library into this program?  Looked at before it is started,
 * since the loader itself says nothing: where it cannot preload, the server runs, and is open.
 */
#ifndef CFSHIM_EXECUTABLE_H
#define CFSHIM_EXECUTABLE_H

#include "findings.h"
#include "verbs.h"

#include <limits.h>
#include <stddef.h>

/* The parts of one line: what is wrong, what to do instead, and the script whose interpreter this
 * is about (or NULL). */
struct obstacle {
	char what[3 * PATH_MAX];
	const char *instead;
	const char *script;
	enum paragraph paragraph; /* of the manual */
};

/* As execvp() looks for `name`: its path into `path`.  STATUS_GOOD, STATUS_NOT_FOUND, or
 * STATUS_REFUSED: found, but nothing that can be executed. */
enum status executable_find(const char *name, char *path, size_t size, struct obstacle *obstacle);

/* STATUS_GOOD: a program at `path`, or the interpreter of a script there, preloads `library`.  Else
 * STATUS_REFUSED, or STATUS_NOT_FOUND where an interpreter is missing.  `program`, PATH_MAX bytes,
 * gets the path of what was looked into last: of the program, whatever became of it. */
enum status executable_check(const char *path, const char *library, char *program,
			     struct obstacle *obstacle);

/* What in the file of a program raises privileges for some callers, if not for this one: "setuid",
 * "setgid", "file capabilities"; NULL: nothing. */
const char *executable_raises(const char *path);

/* The library that `run` preloads, and a drop-in names: beside this command, so that a build runs
 * where it was made; else where `make install` puts it. */
void library_find(char *path, size_t size);

/* STATUS_GOOD: a library that can be read, and that LD_PRELOAD can name. */
enum status library_check(const char *library, struct obstacle *obstacle);

#endif
