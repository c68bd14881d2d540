/* preshared.h - one key that a host and its clients share, and libssl's callbacks for it.
 *
 * Attackers are given the key: whoever holds it gets in at the bare host, and shows no certificate.
 */
#ifndef PRESHARED_H
#define PRESHARED_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* The host's: TLS 1.2 and 1.3; TLS 1.3 alone. */
unsigned preshared_server(SSL *ssl, const char *identity, unsigned char *key, unsigned size);
int preshared_find(SSL *ssl, const unsigned char *identity, size_t length, SSL_SESSION **session);

/* In a client: the key, with suites of TLS 1.2 (NULL: as they are), and for TLS 1.3 the one whose
 * hash a key without a session behind it goes with. */
void preshared_offer(SSL *ssl, const char *suites);

/* In a client: the key, as a session that takes early data. */
void preshared_offer_early(SSL *ssl);

/* In a client: the handshake was one by a shared key. */
bool preshared_was_used(SSL *ssl);

/* The secret of a session that never was (EAP-FAST, TLS 1.2), in the host and in a client: there,
 * what goes in a ticket's place is the client's word for it (RFC 4851, PAC-Opaque). */
void preshared_take_secret(SSL *ssl);
void preshared_offer_secret(SSL *ssl);

#endif
