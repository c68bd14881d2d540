/* root.h - "/" as it was when the library was loaded.
 * A host that has changed its root directory since must not be led to other files by the same
 * paths.  Threads: any, after the load.
 */
#ifndef CFSHIM_ROOT_H
#define CFSHIM_ROOT_H

#include <stdbool.h>

/* At load; the first call counts. */
void root_remember(void);

bool root_is_as_at_start(void);

#endif
