/* object.h - what a loaded object defines itself.
 * dlsym() answers for an object *and* its dependencies; which library a function lives in only its
 * own symbol table tells. System V ABI (gABI) chapter 5; the GNU hash section as binutils and glibc
 * have it.
 */
#ifndef CFSHIM_OBJECT_H
#define CFSHIM_OBJECT_H

#include <link.h>
#include <stdbool.h>

/* Does the object define and export `symbol`?  Reads its tables in place; allocates nothing. */
bool object_defines(const struct dl_phdr_info *object, const char *symbol);

/* Does the object that holds `address` bring search paths of its own (DT_RUNPATH, DT_RPATH)? */
bool object_has_search_path(const void *address);

/* The byte after the last of the object that holds `address`. */
const void *object_end(const void *address);

#endif
