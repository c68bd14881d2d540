/* crl.h - lists of revoked certificates, good and bad. */
#ifndef CRL_H
#define CRL_H

#include <openssl/x509.h>

struct crl {
	const char *issuer;            /* name in credentials.h, with a key */
	const char *revoked;           /* names of certificates, with blanks between; NULL: none */
	const char *signed_by;         /* NULL: the issuer */
	long from_days, until_days;    /* from now; both 0: from yesterday, for a month */
	void (*touch)(X509_CRL *list); /* the last change before the signature; NULL: none */
};

/* A file of `count` of them, one behind another. */
void crl_write(const char *path, const struct crl *lists, size_t count);

#endif
