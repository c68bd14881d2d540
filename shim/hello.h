/* hello.h - what a ClientHello says, as far as that decides about it.
 * A worker of connection.c, for OpenSSL's ClientHello callback alone: the hello is gone after it.
 */
#ifndef CFSHIM_HELLO_H
#define CFSHIM_HELLO_H

#include "openssl.h"
#include "policy.h"

/* The server name and the protocols that the first hello of a handshake asked for.  All zero:
 * there was none yet. */
struct hello {
	unsigned char *asked;
	uint32_t length;
	bool differs;   /* the second did, and it was only observed */
	bool is_second; /* another one has come since, after a HelloRetryRequest */
};

/* REASON_NONE, or why this hello is refused, whoever it is from.  The first of a handshake is kept
 * in `first`; a second one (RFC 8446, 4.1.2) must ask for the same. */
enum reason hello_examine(const struct openssl *openssl, SSL *ssl, struct hello *first);

void hello_forget(struct hello *first);

/* The server name that it asks for, as libssl is about to report it to the host; not terminated.
 * NULL: none, or one that libssl does not take. */
const char *hello_server_name(const struct hello *first, size_t *length);

/* The name in the extension server_name (RFC 6066, 3) of `whole` bytes, as libssl takes it: one, of
 * the only type there is, and nothing behind it; else NULL. */
const char *hello_name_of(const unsigned char *bytes, size_t whole, size_t *length);

/* Does it come to validate a name for ACME (RFC 8737): its only protocol is acme-tls/1, and it asks
 * for a server by name? */
bool hello_is_acme(const struct hello *first);

/* Does a handshake with this suite ask for no certificate of the client: an anonymous one, PSK,
 * SRP? */
bool suite_lacks_certificate(const struct openssl *openssl, const SSL_CIPHER *suite);

/* Does it offer this suite? */
bool hello_offers(const struct openssl *openssl, SSL *ssl, const SSL_CIPHER *cipher);

#endif
