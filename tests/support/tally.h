/* tally.h - what the counters of a server say, as `cfshim status` has it. */
#ifndef TALLY_H
#define TALLY_H

#include "counted.h"

/* The counters of the processes that live in the session of `program` (see program.h). */
void tally_read(struct counted_all *all, pid_t program);

/* How many of them got the verdict, for the reason of that word (NULL: whatever it was). */
uint64_t tally(pid_t program, enum verdict verdict, const char *reason);

#endif
