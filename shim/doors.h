/* doors.h - OpenSSL's callbacks as the shim has them: the doors through which a connection comes
 * in, besides the replaced functions.
 */
#ifndef CFSHIM_DOORS_H
#define CFSHIM_DOORS_H

#include "host.h"
#include "openssl.h"

/* Every context of `openssl` is to be the shim's from its making on.  False where OpenSSL will not
 * have it. */
bool door_register(struct openssl *openssl);

/* The shim's own info callback; and what counts as the host's: SSL_dup() inside of libssl copies
 * ours. */
void door_info(const SSL *ssl, int where, int value);
info_callback door_info_of_host(info_callback callback);

/* SSL_do_handshake(), and the verdict. */
int door_handshake(struct openssl *openssl, SSL *ssl);

/* A client's, and never a server's that was armed: a host may change its part after a refusal, and
 * with it go libssl's flags. */
bool door_is_clients(const struct openssl *openssl, const SSL *ssl);

/* The flags of a refusal at the end are back, whatever the host has done with them. */
void door_stay_refused(const struct openssl *openssl, SSL *ssl);

/* Has the connection been refused whose TLS this thread has just driven to its end, inside QUIC? */
bool door_refused_inside_quic(void);

#endif
