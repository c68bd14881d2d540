/* enforcement.h - what an enforced port owes to strangers and to the edge, seen by a client and in
 * the log. */
#ifndef ENFORCEMENT_H
#define ENFORCEMENT_H

#include "client.h"
#include "log.h"
#include "server.h"

/* One who comes to the port. */
struct visitor {
	const char *certificate; /* name in credentials.h; NULL: none */
	const char *reason;      /* why it is refused; NULL: it is admitted */
	int alert_1_3;           /* what `reject` says to it */
	int alert_1_2;
};

extern const struct visitor visitors[];
extern const size_t visitor_count;

/* Those that most tests are about. */
extern const struct visitor stranger;  /* without a certificate */
extern const struct visitor foreigner; /* with another CA's */
extern const struct visitor edge;      /* with Cloudflare's, so to speak */
extern const struct visitor
	unready[]; /* two rows: a stranger and the edge, where the policy cannot be used */

/* What `visitor` sees on the client's port, and the line about it, must be what `answer`
 * ("reject", ...; NULL where the rule demands nothing) promises. `client` (where it is IN_A_HURRY,
 * a stranger too) says the rest: address, version, request.  `log` NULL: what was logged does not
 * matter. */
void expect_verdict(const struct server *server, const struct client *client,
		    const struct visitor *visitor, const char *answer, struct log *log);

/* The same where the rule only observes: a certificate is asked for, `visitor` is served, and the
 * line says why it would not have been. */
void expect_observed(const struct client *client, const struct visitor *visitor, struct log *log);

/* Everybody, over TLS 1.2 and 1.3, on the first port: the strangers refused with `answer`, the good
 * ones served. */
void expect_enforced(const struct server *server, const char *answer);

/* Everybody, over TLS 1.2 and 1.3, on `port` at `address` (NULL: 127.0.0.1): served. */
void expect_open(const struct server *server, const char *address, unsigned port);

/* A stranger, a foreigner and the edge, over TLS 1.2 and 1.3, on `port` at `address`; `log` as
 * above. */
void expect_guarded(const struct server *server, const char *address, unsigned port,
		    const char *answer, struct log *log);

#endif
