/* unit_folders.h - where systemd looks for units, and for their drop-ins. */
#ifndef CFSHIM_UNIT_FOLDERS_H
#define CFSHIM_UNIT_FOLDERS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define FOLDERS_MOST 12

/* The first that has a file of some name wins (systemd.unit(5)). */
struct unit_folders {
	char list[FOLDERS_MOST][PATH_MAX];
	size_t count;
};

void unit_folders_find(struct unit_folders *folders, bool of_user);

#endif
