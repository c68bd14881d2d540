/* explicit_curve.h - keys of curves that are spelt out in full, as no honest certificate has them.
 */
#ifndef EXPLICIT_CURVE_H
#define EXPLICIT_CURVE_H

#include <openssl/evp.h>
#include <stddef.h>

/* The parameters of P-256 (SEC 1, C.2) with this generator, or with this modulus in place of its
 * own where that is not NULL (32 bytes), DER.  How many bytes they are. */
size_t explicit_curve(unsigned char *der, const unsigned char *generator, size_t generator_length,
		      const unsigned char *modulus);

/* A key whose public half is that of the CA "ca", and whose private half is 1: the generator of its
 * curve is the CA's public point. */
EVP_PKEY *own_generator_key(void);

#endif
