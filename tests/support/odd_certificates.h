/* odd_certificates.h - certificates that `cfshim test-ca` does not make: wrong in one respect each,
 * or hostile.  They lie among those of credentials.h and are called by name as they are.
 */
#ifndef ODD_CERTIFICATES_H
#define ODD_CERTIFICATES_H

#include <openssl/x509.h>
#include <stddef.h>

struct odd_certificate {
	const char *name;
	const char *subject; /* its common name; NULL: as `name` */
	/* A certificate that is there already; NULL: signed by itself. */
	const char *issuer;
	/* NULL: a new one of EC P-256; "rsa 1024", "ec prime192v1", "ed25519": a new one; else the
	 * certificate whose key it has. */
	const char *key;
	const char *signed_by; /* the certificate whose key signs; NULL: the issuer's */
	const char *digest;    /* NULL: SHA256 */
	/* The names of what stands behind it in its file, each followed by what stands behind that,
	 * with blanks between. */
	const char *chain;
	/* Lines "NAME=VALUE" in the words of x509v3_config(5). */
	const char *extensions;
	long from_days, until_days;  /* from now; both 0: from yesterday, for a month */
	void (*touch)(X509 *x509);   /* the last change before the signature */
	void (*spoil)(X509 *x509);   /* a change after it */
	EVP_PKEY *(*make_key)(void); /* in place of `key` */
};

/* Made by the first call of certificate_file() or certificate_key(); the table stays where it is.
 */
void odd_certificates_use(const struct odd_certificate *table, size_t count);

/* Make them in the folder. */
void odd_certificates_make(const struct odd_certificate *odds, size_t count, const char *folder);

/* For `touch`: an extension by its bytes. */
void odd_extension(X509 *x509, const char *oid, int critical, const void *bytes, size_t length);

#endif
