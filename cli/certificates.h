/* certificates.h - certificates made to a plan, for trying things out: good ones, and ones that are
 * wrong in one respect. ECDSA P-256, random serial numbers.  One thread.
 */
#ifndef CFSHIM_CERTIFICATES_H
#define CFSHIM_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* A NID and its value in the words of x509v3_config(5). */
struct extension {
	int nid;
	const char *value;
};

#define EXTENSIONS_MAX 5

/* Of a CA; and of a TLS client, with nothing that tells its issuer's key from that of another CA of
 * the same name. */
extern const struct extension extensions_of_ca[EXTENSIONS_MAX];
extern const struct extension extensions_of_client[EXTENSIONS_MAX];

struct certificate_plan {
	const char *name;
	const char *common_name;
	const char *issuer; /* the name of an earlier plan; NULL: signed with its own key */
	const char *key_of; /* the name of an earlier plan whose key it has; NULL: a new one */
	long from_seconds;  /* from now; negative: ago */
	long until_seconds;
	const struct extension *extensions; /* EXTENSIONS_MAX, or fewer and one without a NID */
	const char *chain;   /* the plan whose certificate stands behind it in its file */
	const char *meaning; /* what it is for; NULL: it only signs others */
};

struct certificate {
	X509 *x509;
	EVP_PKEY *key;
};

/* Make all of `plans`; `made` has `count` elements and becomes the caller's (certificates_free()).
 * False: OpenSSL failed, its error queue says why, and nothing was made. */
bool certificates_make(const struct certificate_plan *plans, size_t count,
		       struct certificate *made);
void certificates_free(struct certificate *made, size_t count);

/* The element of `made` whose plan is called `name`; NULL where there is none. */
struct certificate *certificate_named(const struct certificate_plan *plans, size_t count,
				      struct certificate *made, const char *name);

#endif
