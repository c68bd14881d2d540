/* arm.h - what an SSL must have so that no handshake on it ends without a client certificate.
 * Workers of connection.c.
 */
#ifndef CFSHIM_ARM_H
#define CFSHIM_ARM_H

#include "host.h"
#include "openssl.h"
#include "rules.h"

/* Everything, from the ClientHello callback: every server handshake reaches it before sessions are
 * looked up and before any other callback of the host.  REASON_NONE, or why this SSL cannot be
 * armed. */
enum reason arm(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
		const struct host_connection *host);

/* Verify mode and callback, which a host's server-name, certificate or ALPN callback may have set
 * back. */
void arm_verify(const struct openssl *openssl, SSL *ssl);

/* The verify store, which SSL_set_SSL_CTX() drops. */
bool arm_store(const struct openssl *openssl, SSL *ssl, const struct rules *rules);

#endif
