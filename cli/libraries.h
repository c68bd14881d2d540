/* libraries.h - the shared libraries that the loader would give a program, and theirs, found as it
 * finds them: RPATH, LD_LIBRARY_PATH, RUNPATH, the folders of ld.so.conf, the usual ones.  (Its
 * cache is not read: it is made of the same folders.)
 */
#ifndef CFSHIM_LIBRARIES_H
#define CFSHIM_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

struct library {
	char *path; /* of a library that was not found, its name */
	bool found;
	bool direct;    /* the program itself names it */
	unsigned kinds; /* enum tls */
};

/* The program stands first. */
struct libraries {
	struct library *list;
	size_t count;
	char *folders; /* of the loader, separated by colons */
	bool is_musl;  /* its loader is that of musl */
	bool out_of_memory;
};

/* libraries_end() in each case. */
void libraries_begin(struct libraries *libraries, const char *program);
void libraries_end(struct libraries *libraries);

#endif
