/* veil.h - a BIO of the host's own, between libssl and the socket.
 */
#ifndef VEIL_H
#define VEIL_H

#include <openssl/ssl.h>

/* Which calls of it are not the ones that the shim has doors for, but those that libc has behind
 * them, or are seen as any. */
enum veil_unseen { VEIL_SEEN, VEIL_UNSEEN_WRITES, VEIL_UNSEEN };

/* In the host, in place of the SSL's BIOs: the bytes are those of its descriptor; asked for one, it
 * says `shown` (-1: it does not know). */
void veil_set(SSL *ssl, int shown, enum veil_unseen unseen);

/* The same, of which nothing is seen: the `connect` of an attack. */
void veil_hide_bytes(SSL *ssl);

#endif
