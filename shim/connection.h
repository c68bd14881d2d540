/* connection.h - the life of one connection, in order of time: hello, arm, keep armed, verify,
 * judge, settle, end.
 *
 * Doors and OpenSSL's callbacks call one stage each; the stages call the workers (endpoint, host,
 * refuse, trust). Owner: the SSL; one thread at a time, as OpenSSL demands.  Fork: the child owns
 * its copy. Each stage leaves errno and OpenSSL's error queue as found.
 */
#ifndef CFSHIM_CONNECTION_H
#define CFSHIM_CONNECTION_H

#include "arm.h"
#include "endpoint.h"
#include "guard.h"
#include "hello.h"
#include "host.h"
#include "openssl.h"
#include "peer.h"
#include "policy_in_force.h"
#include "rules.h"

enum stage {
	STAGE_NEW,      /* no hello seen yet */
	STAGE_OPEN,     /* the rule is off, or observes: the shim stands in nobody's way */
	STAGE_ARMED,    /* a certificate is demanded */
	STAGE_ADMITTED, /* verified, at the end of the handshake */
	STAGE_REFUSED,  /* for `reason`; never left but by a new handshake on a cleared SSL */
	STAGE_ABANDONED /* the handshake failed before there was anything to judge */
};

struct answer_status;
struct host_guard;
struct spelling;

/* In this order it has no holes: there is one for as long as there is a connection. */
struct connection {
	struct openssl *openssl;
	SSL *ssl;
	enum stage stage;
	enum reason reason; /* of the refusal; of what is observed, the first there was */
	enum answer answer;
	uint16_t status;    /* of `reject`; 0: the rule has none */
	bool info_ours : 1; /* the SSL's own info callback is the shim's, the host's is in `host` */
	bool verify_ours : 1;   /* so are verify mode and callback */
	bool asks_later : 1;    /* they are the host's again: it asks after the handshake */
	bool host_verified : 1; /* the host asked for one itself, and its own verification has
			       passed, or none came */
	bool came_without : 1;  /* observed: the client had none to show */
	bool at_hello : 1;      /* refused there, or being freed: version and server name are not
			       settled yet, or gone, and libssl is not asked for them */
	bool hello_seen : 1;    /* in the handshake that goes on */
	bool renegotiates : 1;  /* there was a handshake before it */
	bool within : 1;        /* libssl is in the midst of it: what writes now is a callback */
	bool settled : 1;       /* the refusal, or what was observed, is logged and answered */
	bool counted : 1;       /* it has had a verdict */
	bool observes : 1;   /* STAGE_OPEN: a certificate is asked for, and the verdict told of */
	bool told : 1;       /* of what is observed there is a line */
	bool is_acme : 1;    /* the handshake needs no certificate, and nothing may follow it */
	bool muted : 1;      /* libssl has nothing to say, and the host cannot change that */
	bool conversing : 1; /* the shim uses the SSL itself, to answer over HTTP */
	bool taken_away : 1; /* refused where libssl would go on: both BIOs are gone (not QUIC's) */
	bool early_done : 1; /* libssl has said "done" once, before the client's second flight: the
			    host could write, and must not */
	bool by_random : 1;  /* `stream` was found by that alone, and the endpoint by it */
	bool unproven : 1;   /* so, and it matters whether it is the right one */
	bool endpoint_known : 1; /* at the hello ... */
	struct arming arming;
	struct endpoint endpoint; /* ... this one */
	struct hello hello;       /* the first of the handshake that goes on */
	struct spelling
		*spelling; /* the server name, as the host finds it; NULL: as libssl has it */
	struct stream
		*stream; /* the accepted connection, until admitted or ended; NULL: not known */
	struct policy_version *version; /* held while a handshake goes on; else NULL, as are ... */
	struct rules rules;             /* ... the rules of it, from the hello on */
	struct peer peer;               /* until admitted or ended */
	struct host_connection host;
	struct host_guard *host_guard; /* its requests are held against the rules; NULL: they need
					  not be */
	struct answer_status *conversation; /* refused, and being answered over HTTP */
	BIO *kept_read, *kept_write; /* what a refused SSL read from and wrote to: the host may hold
					pointers */
};

/* What is known about `ssl`; NULL: nothing yet. */
struct connection *connection_of(const SSL *ssl);

/* The same, begun where there is nothing.  NULL: no memory. */
struct connection *connection_begin(struct openssl *openssl, SSL *ssl);

/* Nothing of an earlier handshake counts in the next. */
void connection_begin_anew(struct connection *connection);

/* The ClientHello has come, and the host's own callback has let it pass: find the rule and arm, or
 * refuse.  Runs again for the second hello after a HelloRetryRequest, and replaces all that the
 * first armed.  `info` is the shim's own info callback, which goes onto the SSL.
 * SSL_CLIENT_HELLO_SUCCESS or _ERROR with `alert`. */
int connection_hello(struct openssl *openssl, SSL *ssl, int *alert, info_callback info);

/* Which accepted connection is it, by the hello with `random`, and which rules apply to it;
 * REASON_NONE and STAGE_OPEN where none of them demands anything. */
enum reason connection_find_rules(struct connection *connection, const unsigned char *random);

/* What is known of its socket now. */
struct route connection_route(const struct connection *connection);

/* Is what becomes of it still to be told of, and no more than that? */
static inline bool connection_is_observed(const struct connection *connection)
{
	return connection->observes && !connection->settled;
}

/* Libssl takes a step of the handshake, and calls the host on the way. */
void connection_step(struct connection *connection);

/* Around the host's info callback: what it writes by a BIO does not come by any door.  True where
 * that has to be undone. */
bool connection_hush(struct connection *connection);
void connection_unhush(struct connection *connection);

/* Before each step of the handshake: whatever the host's callbacks undid is done again. */
void connection_keep_armed(struct connection *connection);

/* The client's certificate has come, not empty: ours decides, then the host's own verification
 * where it asked for one.  As a certificate-verify callback returns. */
int connection_verify(struct connection *connection, const struct host_context *context,
		      X509_STORE_CTX *store_context);

/* The host's own verification, and whether it passed: only then does the host find the certificate.
 */
int connection_verify_for_host(struct connection *connection, const struct host_context *context,
			       X509_STORE_CTX *store_context);

/* The host asks for a certificate by itself, after the handshake: its own settings hold again. */
void connection_give_back_verify(struct connection *connection);

/* The handshake is done: admitted only with a certificate that was verified here and now.  `anew`:
 * OpenSSL has just said so, which it does for every handshake on an SSL, and after one that was
 * declined; else a call says so that may have nothing to do with the last. */
void connection_judge(struct openssl *openssl, SSL *ssl, bool anew);

/* A call that drives the handshake is about to return `result`: log and answer a refusal, once.
 * `alert`: what the TLS inside a QUIC connection has sent; else 0. */
void connection_settle(struct connection *connection, int result, int alert);

/* The host has cleared the SSL, or libssl begins a handshake: what was judged is no longer. */
void connection_clear(const SSL *ssl);

/* For doors, of a refused client that is answered over HTTP: go on with that; true: the host is to
 * wait, as for a client that says nothing yet.  And the host waits no longer. */
bool connection_answer(SSL *ssl);
void connection_hang_up(SSL *ssl);

/* requests.c: where requests are held against the rules, what the host does with the connection
 * comes by these.  As SSL_read() and SSL_peek(); for a moment the connection may have been refused.
 */
int connection_read(struct connection *connection, void *bytes, int size, bool peeks);

/* What the host has written; of SSL_sendfile() the `bytes` are NULL. */
void connection_wrote(const struct connection *connection, const void *bytes, size_t count);

/* How many bytes are kept that it can have at once. */
size_t connection_kept(const SSL *ssl);

/* Around every call of the host that drives a handshake, reads, or waits for the client's last
 * word: libssl lets it read only in between.  `connection`: what connection_of() says now, which
 * may be more when the door shuts. */
void connection_door_opens(const SSL *ssl, const struct connection *connection);
void connection_door_shuts(const SSL *ssl, const struct connection *connection);

/* Is this thread between the two, as within a BIO by which libssl reads? */
bool connection_is_in_door(const SSL *ssl);

/* The shutdown flags as the host is to find them, and as it sets them. */
int connection_flags_for_host(const SSL *ssl, int flags);
int connection_flags_of_host(const SSL *ssl, int flags);

/* The protocols that a client offers, of `length` bytes in `offered`, without those that cannot be
 * guarded: into `left`; its length. */
size_t connection_protocols(unsigned char *left, const unsigned char *offered, size_t length);

/* spelling.c: the server name as the host is to find it, where libssl says `name` (NULL: none): it
 * stays until the next hello, or the connection's end.  And in the host's own ClientHello callback,
 * where the extension is `*bytes`, of `*length`; false: there is none to be found. */
const char *connection_server_name(const SSL *ssl, const char *name);
const char *connection_session_name(const char *name); /* of a session; until this thread's next */
bool connection_server_name_extension(struct openssl *openssl, SSL *ssl,
				      const unsigned char **bytes, size_t *length);

/* The shutdown flags that the host cannot take off. */
int connection_shutdown(const SSL *ssl);

/* For doors: may the host read and write; has it been refused, or not been admitted yet; is this a
 * callback; has the host not verified the certificate itself?
 */
static inline bool connection_may_talk(const struct connection *connection)
{
	/* enforces half-rtt-unproven */
	return connection->stage == STAGE_ADMITTED ||
	       (connection->stage == STAGE_OPEN && !connection->unproven);
}

static inline bool connection_is_refused(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL && connection->stage == STAGE_REFUSED;
}

static inline bool connection_is_unjudged(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	/* enforces unproven-within */
	if (connection != NULL && connection->stage == STAGE_OPEN && connection->unproven)
		return true;
	return connection != NULL && connection->stage != STAGE_NEW &&
	       connection->stage != STAGE_OPEN && connection->stage != STAGE_ADMITTED;
}

/* Within a callback a call would not go on with the handshake first, but read and write at once:
 * under the keys of the server's flight, with whoever is there. */
static inline bool connection_is_within(const SSL *ssl)
{
	return connection_is_unjudged(ssl) && connection_of(ssl)->within;
}

/* Its handshake has ended well, as far as the host can tell; and, the shim is at it just now. */
static inline bool connection_is_answered(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL && connection->conversation != NULL;
}

static inline bool connection_is_conversing(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL && connection->conversing;
}

/* Are its requests held against the rules? */
static inline bool connection_is_guarded(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL && connection->host_guard != NULL;
}

static inline bool connection_hides_certificate(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL && (connection->verify_ours || connection->asks_later) &&
	       !connection->host_verified;
}

/* The same for a session, of which nobody knows the connection: the certificate in it is one that
 * the shim alone has verified. */
bool connection_hides_session(const struct openssl *openssl, const SSL_SESSION *session);

/* The SSL is freed. */
void connection_end(const SSL *ssl);

#endif
