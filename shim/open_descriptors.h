/* open_descriptors.h - which numbers are open in this process.
 * Async-signal-safe, and no memory is allocated: also for a child of vfork().  Threads: any; what
 * they open or close meanwhile may be among them or not.  errno may change.
 */
#ifndef CFSHIM_OPEN_DESCRIPTORS_H
#define CFSHIM_OPEN_DESCRIPTORS_H

#include <stdbool.h>

/* `found` for each, until it returns false.  Where there is no /proc, those below 1024 are tried,
 * open or not. */
void open_descriptors_each(bool (*found)(int descriptor, void *argument), void *argument);

#endif
