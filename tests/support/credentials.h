/* credentials.h - the CA and the certificates, good and bad, that `cfshim test-ca` makes: once for
 * each test program. */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stddef.h>

/* Paths of NAME.pem and NAME.key; the names are those of cfshim(1), test-ca.  Valid until the
 * program's end. */
const char *certificate_file(const char *name);
const char *certificate_key(const char *name);

/* The subject of its leaf, RFC 2253. */
void certificate_subject(const char *name, char *subject, size_t size);

#endif
