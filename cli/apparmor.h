/* apparmor.h - what a profile in the language of AppArmor says of two files.  Of apparmor.d(5) it
 * knows includes, variables, the globs, and rules for files; nothing else bears on a file.
 */
#ifndef CFSHIM_APPARMOR_H
#define CFSHIM_APPARMOR_H

#include <stdbool.h>
#include <stddef.h>

#define APPARMOR_FOLDER "/etc/apparmor.d"

/* A question: may what the profile confines do these things with this file? */
struct apparmor_access {
	const char *path;           /* without symbolic links; NULL: is not asked */
	const char *permissions;    /* "r", "mr": all of them */
	char allowed[8], denied[8]; /* those that a rule gives, and takes */
};

struct apparmor_profile {
	const char *name;    /* of the profile that is looked for; NULL: by its program */
	const char *program; /* what it is attached to */
	struct apparmor_access *accesses;
	size_t access_count;
	bool found, complains; /* it is only told of what it would deny */
	bool unsure;           /* a rule could not be read */
	char title[256];       /* as its header has it */
};

/* Look for the profile in all files of APPARMOR_FOLDER. */
void apparmor_look(struct apparmor_profile *profile);

/* Are all permissions of the question given, and none taken? */
bool apparmor_allows(const struct apparmor_access *access);

#endif
