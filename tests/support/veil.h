/* veil.h - a BIO of the host's own, between libssl and the socket.
 */
#ifndef VEIL_H
#define VEIL_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* In the host, in place of the SSL's BIOs: the bytes are those of its descriptor, by calls that
 * libc has behind the shim's doors where it is unseen; asked for one, it says `shown` (-1: it does
 * not know). */
void veil_set(SSL *ssl, int shown, bool is_unseen);

/* The same, of which nothing is seen: the `connect` of an attack. */
void veil_hide_bytes(SSL *ssl);

#endif
