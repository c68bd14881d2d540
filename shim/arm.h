/* arm.h - what an SSL must have so that no handshake on it ends without a client certificate.
 * Workers of connection.c.
 */
#ifndef CFSHIM_ARM_H
#define CFSHIM_ARM_H

#include "host.h"
#include "openssl.h"
#include "rules.h"

/* What the arming of one handshake is to leave, and what it found. */
struct arming {
	bool only_asks; /* a certificate is asked for, and no way in is closed but sessions of
			   other rules */
	bool has_asked; /* so `asked_mode` is what the SSL's verify mode was set to */
	int asked_mode;
	bool ends_well;    /* for whom is refused too: it is answered afterwards */
	bool resumable;    /* sessions of the very same rules may be made and resumed */
	bool suites_taken; /* found: a suite without certificates, on the host's list and the
			      client's; it is off the host's now */
};

/* Everything, from the ClientHello callback: every server handshake reaches it before sessions are
 * looked up and before any other callback of the host.  REASON_NONE, or why this SSL cannot be
 * armed. */
enum reason arm(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
		struct host_connection *host, struct arming *arming);

/* What a callback of the host has put back in after the hello: libssl has chosen a suite without
 * certificates, or takes early data.  REASON_NONE: nothing. */
enum reason arm_was_undone(const struct openssl *openssl, const SSL *ssl);

/* What a host's server-name, certificate or ALPN callback may have undone since.  No verify store
 * is among it: the verdict is the shim's certificate-verify callback's, which does not look at the
 * SSL's store, and where the host asks for certificates itself, that store is the host's to verify
 * with. */
void arm_again(const struct openssl *openssl, SSL *ssl, struct host_connection *host,
	       struct arming *arming);

/* After either: this handshake may end without a certificate, and asks for none. */
void arm_waive(const struct openssl *openssl, SSL *ssl);

/* Of an open connection too: none is taken, whatever the host's own callback says. */
void arm_refuse_early_data(const struct openssl *openssl, SSL *ssl);

/* The names of the CAs that the client is told, once the host's callbacks have set theirs: those of
 * `rules`, and the host's where it asks as well.  Not in the hello: a host that looks in its
 * callbacks is to find its own, and libssl asks by the very function that hosts do.  Without memory
 * it is told none, and may send its certificate all the same. */
void arm_names(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
	       struct host_connection *host);

/* What was only for the handshake is the host's again: CA names, and the limit for lists of
 * certificates. */
void arm_give_back(const struct openssl *openssl, SSL *ssl, struct host_connection *host);

/* The SSL serves an open port now: so are options and tickets. */
void arm_give_back_all(const struct openssl *openssl, SSL *ssl, struct host_connection *host);

/* The SSL ends. */
void arm_forget(const struct openssl *openssl, struct host_connection *host);

/* Is that verify callback the one that arming sets?  Then the SSL is a copy of one that was armed.
 */
bool arm_is_callback(SSL_verify_cb callback);

#endif
