/* trust.h - whom one rule trusts: its CAs as OpenSSL objects, their names, and the judgement over a
 * client's chain.
 *
 * Made once for a rule and an OpenSSL instance, immutable afterwards: threads and forked children
 * share it without a lock (X509_STORE locks itself).  Nothing here looks at the host's settings:
 * own store, own parameters, own check of dates and purpose, because an own X509_STORE_CTX still
 * starts from the process-wide tables of parameters and purposes (X509_VERIFY_PARAM_add0_table,
 * X509_PURPOSE_add).
 */
#ifndef CFSHIM_TRUST_H
#define CFSHIM_TRUST_H

#include "libcrypto.h"
#include "policy.h"

#define TRUST_DIGEST_BYTES 32

/* The bytes of one `ca` value, as read at load. */
struct ca_text {
	char *bytes; /* NUL-terminated */
	size_t length;
};

/* The largest file of certificates that is read. */
#define CA_FILE_MAX_BYTES (4u << 20)

struct trust;

/* Load the CAs and CRLs of `rule`, which must outlive the result: `texts` has rule->ca_count
 * elements, in the order of rule->ca (where the rule's is Cloudflare's own, the element is
 * ignored), and behind them rule->crl_count, in the order of rule->crl. Errors (no
 * CA certificate, none that is valid, a key that this OpenSSL does not know) and warnings (expiring
 * within 180 days, expired beside a valid one, no CA certificate) go to `complaints`, at the
 * position of the value, with `policy`'s text of the line.  NULL where there was an error or no
 * memory; trust_free() ends it. OpenSSL's error queue is left as found. */
struct trust *trust_load(const struct libcrypto *libcrypto, const struct policy *policy,
			 const struct rule *rule, const struct ca_text *texts,
			 struct complaints *complaints);
void trust_free(const struct libcrypto *libcrypto, struct trust *trust);

/* REASON_NONE: the chain of `leaf` (with the client's own `intermediates`, or NULL) ends at a CA of
 * this rule, every date holds now, it may serve TLS clients, and is one that `client-cert` names.
 * Else why not.  RFC 5280 section 6, RFC 8446 section 4.4.2.4. OpenSSL's error queue is left as
 * found. */
enum reason trust_judge(const struct libcrypto *libcrypto, const struct trust *trust, X509 *leaf,
			STACK_OF(X509) * intermediates);

/* A digest of the rule, of whom it admits, of every CA certificate and CRL, and of whether sessions
 * may resume: equal where two processes loaded the same rule and the same files. The session-id
 * context of the rule, so that no session of another rule, or of other CAs, resumes under this one.
 */
const unsigned char *trust_digest(const struct trust *trust);

/* Is `leaf` of one of these CAs directly, by its names and key identifiers?  Says nothing of the
 * signature. */
bool trust_signed(const struct libcrypto *libcrypto, const struct trust *trust, X509 *leaf);

/* The CAs, for tables: count, and for each the subject (RFC 2253, cut to `size`) and the days until
 * it expires. */
size_t trust_ca_count(const struct trust *trust);
X509 *trust_ca(const struct trust *trust, size_t index);

/* `name` as RFC 2253 text into `buffer`, always terminated, cut where it does not fit; "" on
 * failure, and where it is longer than any honest one. */
void name_print(const struct libcrypto *libcrypto, const X509_NAME *name, char *buffer,
		size_t size);

/* What can be said of a certificate in a line: each text is terminated, cut where it does not fit,
 * and "" where it is not there. */
struct certificate_text {
	char subject[160], issuer[160]; /* RFC 2253 */
	char serial[2 * 32 + 1];        /* hex */
	char not_after[32];             /* 2027-01-31T00:00:00Z */
	char usage[128]; /* extended key usage: "clientAuth,1.2.3.4"; "" where it has none */
	char sha256[2 * 32 + 1];
};

void certificate_describe(const struct libcrypto *libcrypto, X509 *certificate,
			  struct certificate_text *text);

/* SHA-256 of its DER.  False: OpenSSL failed. */
bool certificate_digest(const struct libcrypto *libcrypto, const X509 *certificate,
			unsigned char digest[TRUST_DIGEST_BYTES]);

/* Whole days from now until `certificate` expires; negative: since then. */
int days_left(const struct libcrypto *libcrypto, const X509 *certificate);

/* When the first of the CAs expires that have not yet: seconds since 1970; 0: there is none. */
int64_t trust_expires(const struct libcrypto *libcrypto, const struct trust *trust);

/* Seconds from now until `certificate` expires, at most a month of them; 0: it has. */
long seconds_left(const struct libcrypto *libcrypto, const X509 *certificate);

#endif
