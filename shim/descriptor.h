/* descriptor.h - the accepted connections of this process, by descriptor, from accept() until a
 * verdict has admitted them.
 *
 * A stream is one connection, however many descriptors it has.  Only what the doors see counts:
 * accept(), dup(), close() and their kin, sockets inherited at exec or received over a UNIX socket.
 * A descriptor that was closed and opened again unseen is recognised by the inode of its socket
 * before anything is withheld from it. Threads: any, without a lock.  Fork: the child's table is a
 * copy.  A child of vfork() shares memory but no descriptors: what it closes stays.
 */
#ifndef CFSHIM_DESCRIPTOR_H
#define CFSHIM_DESCRIPTOR_H

#include "policy.h"
#include "wire/client_hello.h"
#include "wire/hello_scan.h"
#include "wire/proxy_header.h"
#include "wire/server_flight.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* In order of time. */
enum stream_state {
	STREAM_NEW,       /* enforced, and must speak TLS: no whole ClientHello yet */
	STREAM_PLAIN,     /* enforced, and plain text passes: a ClientHello may come at any place */
	STREAM_OPEN,      /* not enforced: the ClientHello tells which SSL is this one's */
	STREAM_HELLO,     /* after NEW: the host has the whole hello, and nobody has claimed it */
	STREAM_CLAIMED,   /* a hooked OpenSSL conducts it */
	STREAM_MATCHED,   /* open, and claimed by the hello's random alone: passes, and is looked at
			     until there is a verdict */
	STREAM_DATAGRAMS, /* not a stream: a datagram socket of a named enforced port */
	STREAM_REFUSED,   /* nothing passes */
	STREAM_DONE       /* admitted, or open and claimed: none of the shim's business any more */
};

/* What has left since the hello came in.  A server's random nobody knows before it has left: what
 * holds it, and leaves before more has come, is of that server. */
enum reply {
	REPLY_NONE,  /* no hello has come */
	REPLY_DUE,   /* it has, and nothing since */
	REPLY_HELLO, /* a ServerHello has left, with nothing come in between */
	REPLY_LOST   /* more has come before */
};

/* What has come in so far. */
struct intake {
	bool expects_proxy; /* its header is not whole yet */
	bool is_plain;      /* a hello may come at any place */
	bool has_begun;     /* a byte has come */
	bool must_be_tls;   /* is_plain, since it is only observed: and so far it is `first` */
	bool names_peer;    /* the PROXY header did: `peer` */
	struct endpoint peer;
	struct client_hello first;
	union {
		struct proxy_header proxy;
		struct client_hello hello;
		struct hello_scan scan; /* is_plain */
	};
};

struct stream {
	_Atomic unsigned
		holders; /* descriptors, the connection, and who looks at it now; 0: free */
	_Atomic unsigned descriptors;
	_Atomic enum stream_state state;
	_Atomic int descriptor; /* one of those it has */
	size_t place;           /* in the table of streams */
	ino_t inode;
	struct endpoint endpoint, peer; /* of the socket */
	bool peer_known;
	bool allows_plaintext;
	bool awaits_tls; /* it must speak TLS, or is of a process that does */
	bool is_exempt;
	bool by_address;  /* for the counters */
	bool is_observed; /* nobody is refused, and told of is who would be: once */
	_Atomic bool told;
	enum answer answer;
	_Atomic bool finishes;      /* refused by TLS: what that says may still leave */
	_Atomic bool answered;      /* refused by TLS, which goes on for the answer over HTTP */
	_Atomic bool abandoned;     /* without a verdict: OpenSSL may read on, and begin anew */
	_Atomic bool counted;       /* it has had a verdict */
	_Atomic bool asked;         /* this process has read from it, or tried to */
	_Atomic bool has_spoken;    /* the host has */
	_Atomic bool accepted_here; /* by this process, not one that it was forked from */
	_Atomic unsigned long generation; /* of the policy that it was judged by so far */
	struct intake in;
	union {
		struct server_flight flight; /* STREAM_PLAIN */
		struct tls_records records;  /* STREAM_CLAIMED */
	};
	_Atomic enum reply reply;
	_Atomic unsigned heard;           /* how often something has come */
	struct server_hello server_hello; /* as far as it has left: who writes has it */
	_Atomic long long withheld_since; /* STREAM_HELLO: ms; 0: nothing was withheld yet */
	_Atomic bool has_random;
	unsigned char random[HELLO_RANDOM_BYTES]; /* once it has */
};

/* The table, for the one question that stands on the way of every read and write of the host: is
 * there anything to hold?  Mostly not.  Slots are allocated by the thousand, up to the four
 * millionth descriptor. */
#define DESCRIPTOR_CHUNK  1024u
#define DESCRIPTOR_CHUNKS 4096u
typedef _Atomic(struct stream *) descriptor_slot;
extern _Atomic(descriptor_slot *) descriptor_chunks[DESCRIPTOR_CHUNKS];

static inline bool descriptor_is_watched(int descriptor)
{
	const unsigned index = (unsigned)descriptor; /* a negative one is beyond all */
	descriptor_slot *chunk;

	if (index >= DESCRIPTOR_CHUNKS * DESCRIPTOR_CHUNK)
		return false;
	chunk = atomic_load_explicit(&descriptor_chunks[index / DESCRIPTOR_CHUNK],
				     memory_order_acquire);
	return chunk != NULL &&
	       atomic_load_explicit(&chunk[index % DESCRIPTOR_CHUNK], memory_order_relaxed) != NULL;
}

/* NULL: nothing.  What is returned is held. */
struct stream *descriptor_hold(int descriptor);
void descriptor_release(struct stream *stream);

/* `descriptor` is a new connection, to be seen as `stream`, which is held once more by it. */
struct stream *descriptor_track(int descriptor);

/* It is one no longer: closed, or none of the shim's business. */
void descriptor_forget(int descriptor);
void descriptor_forget_range(unsigned first, unsigned last);

/* `copy` is another descriptor of the same socket as `descriptor`. */
void descriptor_copied(int descriptor, int copy);

/* `copy` is another descriptor of `stream`, however it came. */
void descriptor_join(struct stream *stream, int copy);

/* False in a child of vfork(). */
bool descriptor_is_own_table(void);

/* One more that got this verdict, without an SSL that would know more.  `peer` NULL: not known. */
void descriptor_count(const struct stream *stream, enum verdict verdict, enum reason reason,
		      const struct endpoint *peer);

/* Is it still the socket that `stream` was? */
bool descriptor_is(int descriptor, const struct stream *stream);

/* The living streams one by one, held; NULL after the last.  `*place` begins as 0. */
struct stream *descriptor_next(size_t *place);

#endif
