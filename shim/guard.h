/* guard.h - what may pass on an accepted connection before a verdict has admitted it.
 *
 * On an enforced endpoint nothing leaves but the handshake that a hooked OpenSSL conducts, and
 * nothing comes in but a PROXY header that is expected and one ClientHello, until such a one has
 * claimed the connection: a blocked answer does not undo a request that was executed.  Where plain
 * text passes, a connection ends with the first ServerHello that no hooked OpenSSL wrote. A worker
 * of the doors (sockets, bytes) and of connection.c.  Threads: any.  No lock.
 */
#ifndef CFSHIM_GUARD_H
#define CFSHIM_GUARD_H

#include "descriptor.h"
#include "endpoint.h"

#include <sys/socket.h>

/* ---- for the doors ---- */

/* On the way in: has the policy changed?  See policy_in_force_look(). */
void guard_look(void);

/* accept() gave it. */
void guard_accepted(int descriptor);

/* It was there at the start, or came from another process. */
void guard_received(int descriptor);

/* bind() was called on it, or it came from elsewhere: is it a datagram socket of a named enforced
 * port? */
void guard_bound(int descriptor);

/* recvmsg() and sendmsg() on what descriptor_hold() gave, which is released.  False: it is none of
 * the shim's business any more, and nothing was done.  Withheld: -1, EAGAIN.  Refused: 0 bytes
 * come, and -1, ECONNRESET.  `caller`: who called the door; NULL: not known. */
bool guard_receive(struct stream *stream, int descriptor, struct msghdr *message, int flags,
		   const void *caller, ssize_t *count);
bool guard_send(struct stream *stream, int descriptor, const struct msghdr *message, int flags,
		ssize_t *count);

/* Bytes that nobody can look at (splice, stdio, aio): may they come and go?  Where not, the
 * connection is refused.  Releases `stream`. */
bool guard_passes(struct stream *stream, int descriptor);

/* The host closes it. */
void guard_closing(int descriptor);

/* Another file has that number now: where it is the number of stdin, stdout or stderr, and the file
 * a connection that must speak TLS, that stream is guarded too. */
void guard_standard(int descriptor);

/* ---- for connection.c ---- */

enum claim {
	CLAIM_NONE,    /* no accepted connection is known to be this one's */
	CLAIM_MADE,    /* it is `claimed`, which is held, and `route` is completed from that */
	CLAIM_MATCHED, /* the same, by the random alone: it may be another's, who has sent the same
			  hello there as a decoy; see guard_has_replied() */
	CLAIM_FOREIGN, /* the descriptor is another connection's */
	CLAIM_COPIED /* another connection's hello has the same random: both are closed, and told of
		      */
};

/* A hooked OpenSSL has the hello with `random`, from the descriptor of `route` or from nowhere
 * known. */
enum claim guard_claim(struct route *route, const unsigned char *random, struct stream **claimed);

/* What `route` does not know, and the stream does. */
void guard_complete(struct route *route, struct stream *stream);

/* Is it the stream of this hello, the second of its handshake (HelloRetryRequest)? */
bool guard_is_of(const struct stream *stream, const unsigned char *random);

/* Has the ServerHello with this random left by `stream` before anything came behind its hello? Then
 * it is the connection of that server, and nobody else's.  `stream` may be NULL. */
bool guard_has_replied(const struct stream *stream,
		       const unsigned char random[SERVER_RANDOM_BYTES]);

/* The server whose stream it is has read the second hello. */
void guard_asked_again(struct stream *stream);

/* The verdict.  `stream` may be NULL. */
void guard_admit(struct stream *stream);
void guard_refuse(struct stream *stream, enum answer answer);

/* It is refused, and an answer over HTTP is under way.  `stream` may be NULL. */
void guard_answer(struct stream *stream);

/* No verdict: its handshake failed, or its SSL ended before.  Nothing passes but between OpenSSL
 * and the client, as in a host that begins on it anew.  `stream` may be NULL. */
void guard_abandon(struct stream *stream);

/* Where it is only observed: is there a line already of what it would have been refused for?
 * `stream` may be NULL. */
bool guard_has_told(const struct stream *stream);

/* The SSL has ended. */
void guard_let_go(struct stream *stream);

#endif
