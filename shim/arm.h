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

/* What a host's server-name, certificate or ALPN callback may have undone since.  No verify store
 * is among it: the verdict is the shim's certificate-verify callback's, which does not look at the
 * SSL's store, and where the host asks for certificates itself, that store is the host's to verify
 * with. */
void arm_again(const struct openssl *openssl, SSL *ssl);

#endif
