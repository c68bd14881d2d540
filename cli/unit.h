/* unit.h - what systemd would make of a service: its file and the drop-ins, in the order of
 * systemd.unit(5).  Only what bears on the library is kept.
 */
#ifndef CFSHIM_UNIT_H
#define CFSHIM_UNIT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct unit {
	const char *name; /* nginx.service */
	bool of_user;     /* of a user's manager, not of the system's */
	const char *own;  /* the file name of our drop-in, which is passed over */
	char file[PATH_MAX];
	bool found, masked;
	char *preload; /* its LD_PRELOAD; NULL: none */
	char *type;    /* NULL: said nowhere */
	bool guesses;  /* which process is the main one, where no file tells */
	char *pid_file;
	char *program;          /* the first word of the first ExecStart, without its prefixes */
	char *environment_file; /* one that sets LD_PRELOAD or CFSHIM_POLICY, or cannot be read */
	bool unsets;            /* UnsetEnvironment takes LD_PRELOAD or CFSHIM_POLICY away */
	char *root;             /* RootDirectory= or RootImage= */
	bool out_of_memory;
};

/* `unit` has its first three members set.  unit_end() in each case. */
void unit_read(struct unit *unit);
void unit_end(struct unit *unit);

/* The folder that the administrator, or the user, has for units; false: none is known. */
bool unit_folder(char *path, size_t size, bool of_user);

#endif
