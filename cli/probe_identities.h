/* probe_identities.h - the certificates that a stranger can make, in memory, and the one that
 * should get in.  One thread.
 */
#ifndef CFSHIM_PROBE_IDENTITIES_H
#define CFSHIM_PROBE_IDENTITIES_H

#include "stranger.h"

/* What a stranger comes with, of `made` in order. */
#define IDENTITY_COUNT 5

struct identity {
	const char *who;
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};

/* `imitated` is the name of the CA that the server asks for; NULL: Cloudflare's.  False: OpenSSL
 * failed, and nothing was made. */
bool identities_make(struct identity identities[IDENTITY_COUNT], X509_NAME *imitated);

/* A certificate, what stands behind it in its file, and its key, from PEM files.  False: what is
 * wrong was said on stderr. */
bool identity_read(struct identity *identity, const char *certificate, const char *key);

void identities_clear(struct identity *identities, size_t count);

#endif
