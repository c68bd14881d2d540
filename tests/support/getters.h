/* getters.h - what a host can ask OpenSSL about a connection: a table of getters, for a test that
 * compares what they say with the shim and without. */
#ifndef GETTERS_H
#define GETTERS_H

#include <openssl/ssl.h>
#include <stddef.h>

/* A buffer that getters write one value into. */
struct text {
	char *bytes;
	size_t size;
};

/* When a host looks. */
enum moment { AT_NAME, AT_CERTIFICATE, AT_DONE, AFTER_ACCEPT, AFTER_READ, MOMENTS };

/* `known`: why it cannot be as without the shim where a port is enforced, as the manual says. */
struct getter {
	const char *name;
	void (*say)(SSL *ssl, struct text text);
	const char *known;
	enum moment known_until;
};

#define GETTERS 34
extern const struct getter getters[GETTERS];

/* What is the host's own, and recognized as such. */
struct own_settings {
	SSL_CTX *context;
	SSL_verify_cb verify;
	void (*info)(const SSL *ssl, int where, int value);
};
extern struct own_settings own;

#endif
