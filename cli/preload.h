/* preload.h - a list for LD_PRELOAD with the library in it. */
#ifndef CFSHIM_PRELOAD_H
#define CFSHIM_PRELOAD_H

#include <stdbool.h>

#define LIBRARY_NAME "libcfshim.so"

/* `library` before what is in the list `before` (NULL: nothing is): the first in a list hides the
 * later ones' functions of the same name.  Only the runtime of a sanitizer stays in front: it ends
 * the program unless it comes first.  Allocated; NULL: no memory. */
char *preload_list(const char *before, const char *library);

/* Does the list name a file that is called as the library is? */
bool preload_names_library(const char *list);

#endif
