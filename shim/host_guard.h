/* host_guard.h - the requests of one connection, held against the rules: what of the stream that
 * has come may go to the host.
 *
 * A head is kept back until the whole of it is there and its host belongs to a rule that would have
 * admitted this connection; the body goes with it.  From what cannot be read in one way only, or is
 * no request, nothing passes any more.  A worker of requests.c: it knows no SSL.  Owner: the
 * connection; one thread at a time.
 */
#ifndef CFSHIM_HOST_GUARD_H
#define CFSHIM_HOST_GUARD_H

#include "client_socket.h"
#include "rules.h"
#include "wire/http_request.h"
#include "wire/http_response.h"

#include <stdatomic.h>

struct host_guard {
	struct policy_version *version;          /* held: that of the handshake, and of ... */
	struct rules rules;                      /* ... the endpoint, for every name */
	const struct rule_in_force *admitted_by; /* the connection's own */
	enum { GUARD_HEAD, GUARD_BODY, GUARD_UPGRADE, GUARD_OPAQUE, GUARD_WRONG } state;
	size_t looked; /* at so many bytes of the head at hand */
	struct http_body body;
	struct http_response response;
	char *held;                            /* what came and was not taken; NULL: nothing */
	size_t held_at;                        /* from here on ... */
	size_t held_clear;                     /* ... so many bytes may go to the host ... */
	size_t held_bytes;                     /* ... and so many are there in all */
	size_t held_capacity;                  /* from the beginning of `held` */
	const struct rule_in_force *denied_by; /* GUARD_WRONG: whose answer counts */
	bool denied_head;                      /* the method was HEAD */
	char denied_host[254]; /* the host that was asked for; "": none, or not known */
	/* For requests.c: libssl is told that the client has said its last word, but within a door.
	 */
	bool has_begun;     /* the handshake is over ... */
	bool has_read;      /* ... and the host has come to read, by a door */
	struct route route; /* where it arrived, and by what, for a host that never comes; ... */
	char *asked;        /* ... the server name, or NULL; ... */
	const char *tls_version; /* ... and "1.3": libssl does not tell when it frees its SSL */
	struct client_socket socket;
	bool is_shut;
	_Atomic unsigned within; /* calls of the host's, by doors: a thread may write while another
				    reads */
	bool has_ended;          /* it really has */
	bool is_over;            /* it has been refused, and an answer of the host's is under way */
};

/* `count` bytes have come, and nothing is held: so many of them, from the first on, may go to the
 * host; the rest is held, and the caller takes it away from him. */
size_t host_guard_look(struct host_guard *guard, char *bytes, size_t count);

/* They have come while something is held, or are not to go to the host at once. */
void host_guard_hold(struct host_guard *guard, const char *bytes, size_t count);

/* At most `size` bytes of what is held and may go to the host; 0: there are none.  `stay`: they
 * stay. */
size_t host_guard_take(struct host_guard *guard, char *bytes, size_t size, bool stay);

/* Nothing that follows may go to the host. */
static inline bool host_guard_denies(const struct host_guard *guard)
{
	return guard->state == GUARD_WRONG;
}

/* The host has written these bytes; or `count` that nobody has seen. */
void host_guard_answered(struct host_guard *guard, const char *bytes, size_t count);
void host_guard_answered_unseen(struct host_guard *guard, size_t count);

/* The host is at no answer: another's may be sent. */
static inline bool host_guard_is_idle(const struct host_guard *guard)
{
	return guard->response.state == HTTP_RESPONSE_NONE;
}

void host_guard_free(struct host_guard *guard);

#endif
