/* drop_in.h - the few lines that have systemd start a unit under the shim, and fail where that does
 * not work. */
#ifndef CFSHIM_DROP_IN_H
#define CFSHIM_DROP_IN_H

#include "unit.h"

#define DROP_IN_NAME "cfshim.conf"

struct drop_in_paths {
	char library[PATH_MAX], command[PATH_MAX];
	const char *policy; /* absolute; NULL: the built-in one, and none is named */
};

/* Allocated; NULL: no memory. */
char *drop_in_text(const struct unit *unit, const struct drop_in_paths *paths);

/* Does the text begin as those that drop_in_text() makes? */
bool drop_in_is_ours(const char *text);

/* Make `folder`, with those above it, where it is not there, and `file` in it.  False, with errno.
 */
bool drop_in_write(char *folder, const char *file, const char *text);

#endif
