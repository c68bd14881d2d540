/* ring.h - io_uring moves bytes past every door: where there is a ring, that is told of, and a
 * connection that no door saw may have come from anywhere.  Threads: any; no lock.
 */
#ifndef CFSHIM_RING_H
#define CFSHIM_RING_H

/* By syscall(). */
void ring_was_made(void);

/* A connection has come in that is enforced: is there a ring?  At most once a second it is looked
 * for, as hosts make it by system calls of their own; told of once. */
void ring_look(void);

#endif
