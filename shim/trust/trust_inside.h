/* trust_inside.h - what the files of trust/ share: nobody else includes it. */
#ifndef CFSHIM_TRUST_INSIDE_H
#define CFSHIM_TRUST_INSIDE_H

#include "trust.h"

struct trust {
	const struct rule *rule; /* of the policy, which lasts longer */
	X509_STORE *store;
	X509 **ca;
	size_t ca_count;
	unsigned char digest[TRUST_DIGEST_BYTES];
};

/* pins.c: is `leaf` one of those that `client-cert` of the rule names?  Where it names none, it is.
 */
bool pins_match(const struct libcrypto *libcrypto, const struct rule *rule, X509 *leaf);

/* crl.c: the lists that the rule names into trust->store; `texts` has rule->crl_count elements.
 * False: a complaint. */
bool crls_load(const struct libcrypto *libcrypto, const struct policy *policy, struct trust *trust,
	       const struct ca_text *texts, struct complaints *complaints);

/* digest.c: into trust->digest.  `texts` as trust_load() has it.  False: no memory, or OpenSSL
 * failed. */
bool trust_take_digest(const struct libcrypto *libcrypto, const struct ca_text *texts,
		       struct trust *trust);

#endif
