/* enter_root.h - another root, for the rest of the command: an image is looked at and changed as it
 * will be seen from inside, and no link in it leads out. */
#ifndef CFSHIM_ENTER_ROOT_H
#define CFSHIM_ENTER_ROOT_H

#include <stdbool.h>

/* As root, or in a user namespace where the system has these.  False, with errno. */
bool enter_root(const char *root);

#endif
