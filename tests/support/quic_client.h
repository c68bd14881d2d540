/* quic_client.h - the client of client.h over QUIC, with what OpenSSL has from 3.5 on.  Bytes of
 * all streams count as the application's, the crypto error of CONNECTION_CLOSE as the alert;
 * silence for some time counts as the end. */
#ifndef QUIC_CLIENT_H
#define QUIC_CLIENT_H

#include "client.h"

#if OPENSSL_VERSION_NUMBER >= 0x30500000L && !defined(OPENSSL_NO_QUIC)
#define HAVE_QUIC

#define QUIC_ALPN "\6attack" /* as on the wire */

void quic_client_run(const struct client *client, struct outcome *outcome);
#endif

#endif
