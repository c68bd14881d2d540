/* withhold.h - a program that the loader runs without the shim does not inherit sockets of enforced
 * ports: nothing would demand a certificate there.
 *
 * Such programs are those linked statically, or for another kind of machine, those that get
 * privileges which the caller has not (setuid, setgid, file capabilities), and all of them where
 * the library cannot be reached (another root).  Named ports alone count: behind `[port *]` there
 * is also what never speaks TLS.
 *
 * May stand between fork() or vfork() and exec, and in a signal handler.
 */
#ifndef CFSHIM_WITHHOLD_H
#define CFSHIM_WITHHOLD_H

#include <stdbool.h>
#include <stddef.h>

/* How the program is named: as for openat(), an empty path meaning `folder` itself; or, where
 * `search_path` is set and `path` has no slash, by these folders. */
struct program_name {
	int folder;
	const char *path;
	const char *search_path;
};

/* The descriptors that are to close on exec, and did not before. */
#define WITHHELD_MOST 256
struct withheld {
	size_t count;
	int descriptors[WITHHELD_MOST];
};

/* Before the exec; after one that failed, withhold_end() puts it back as it was, and keeps errno.
 */
void withhold_begin(struct withheld *withheld, const struct program_name *program);
void withhold_end(const struct withheld *withheld);

#endif
