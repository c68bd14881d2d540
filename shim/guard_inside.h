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

/* A line about it.  `peer` NULL: not known. */
void guard_tell(const struct stream *stream, enum reason reason, const struct endpoint *peer);

/* Of one that is only observed: a line about what it would have been refused for, the first time.
 */
void guard_observe(struct stream *stream, enum reason reason);

/* Has a hello been seen, where plain text passes? */
static inline enum scan_state guard_scanned(const struct stream *stream)
{
	return stream->in.expects_proxy ? SCAN_NOTHING : (enum scan_state)stream->in.scan.state;
}

/* guard_reply.c: bytes have come; the hello whose random the stream has now ended with them, or
 * not.  And the host is about to write, of which then no more than `count` bytes have left (-1:
 * none). */
struct said {
	struct server_hello before;
	enum reply reply;
	unsigned heard;
};
void guard_hear(struct stream *stream, bool brought_hello);
struct said guard_say(struct stream *stream, const struct msghdr *message);
void guard_take_back(struct stream *stream, const struct msghdr *message, const struct said *said,
		     ssize_t count);

/* Where no byte has come yet, and the policy has changed since that was judged: by the one in
 * force, whole.  `descriptor` is one of those it has.  errno is left as found. */
void guard_follow_policy(struct stream *stream, int descriptor);

/* What was looked at and may not come: bytes `from` to `end` of a host's buffers become zeros. */
void guard_blot_out(const struct msghdr *message, size_t from, size_t end);

/* Do datagrams to `endpoint` go to a hooked OpenSSL alone, by the policy in force?  And after that
 * has changed: watch those sockets that it names. */
bool guard_withholds_datagrams(const struct endpoint *endpoint);
void guard_datagrams_again(void);

/* STREAM_DATAGRAMS: is `caller` an OpenSSL that judges them itself?  And what anybody else gets. */
bool guard_reads_for_openssl(const void *caller);
ssize_t guard_receive_datagram(struct stream *stream, int descriptor, struct msghdr *message,
			       int flags);

/* Why, of a connection that speaks out of turn. */
enum reason guard_reason_unclaimed(const struct stream *stream);

/* Is it none of ours: done with, or closed and opened again, unseen?  Asked of the kernel only
 * before something is withheld. */
bool guard_is_past(const struct stream *stream, int descriptor);

#endif
