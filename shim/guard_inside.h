/* guard_inside.h - what the parts of the guard share: begin and end, in, out, claim. */
#ifndef CFSHIM_GUARD_INSIDE_H
#define CFSHIM_GUARD_INSIDE_H

#include "guard.h"

/* A host's array of buffers is copied to be cut short; the call moves fewer bytes still where it
 * has more. */
#define PIECES_MAX 16

/* `message` for no more than `most` bytes. */
struct msghdr guard_cut_short(const struct msghdr *message, struct iovec pieces[PIECES_MAX],
			      size_t most);

/* Nothing passes from now on: told of, and answered.  errno is left as found. */
void guard_close(struct stream *stream, int descriptor, enum reason reason);

/* Why, of a connection that speaks out of turn. */
enum reason guard_reason_unclaimed(const struct stream *stream);

/* Is it none of ours: done with, or closed and opened again, unseen?  Asked of the kernel only
 * before something is withheld. */
bool guard_is_past(const struct stream *stream, int descriptor);

#endif
