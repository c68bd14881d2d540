#include "explicit_curve.h"

#include "credentials.h"
#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define FIELD_BYTES 32
#define POINT_BYTES (1 + 2 * FIELD_BYTES)

/* P-256: SEC 2, 2.4.2. */
static const unsigned char p256_modulus[FIELD_BYTES] = {
	0xff, 0xff, 0xff, 0xff, 0,    0,    0,    1,    0,    0,    0,
	0,    0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
static const unsigned char p256_a[FIELD_BYTES] = {
	0xff, 0xff, 0xff, 0xff, 0,    0,    0,    1,    0,    0,    0,
	0,    0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc,
};
static const unsigned char p256_b[FIELD_BYTES] = {
	0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd,
	0x55, 0x76, 0x98, 0x86, 0xbc, 0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53,
	0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
};
static const unsigned char p256_order[FIELD_BYTES] = {
	0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
	0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

static const unsigned char version_1[] = {0x02, 0x01, 0x01};
static const unsigned char version_0[] = {0x02, 0x01, 0x00};
static const unsigned char prime_field[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01};
static const unsigned char ec_public_key[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};

enum tag {
	TAG_INTEGER = 0x02,
	TAG_BIT_STRING = 0x03,
	TAG_OCTET_STRING = 0x04,
	TAG_SEQUENCE = 0x30,
	TAG_1 = 0xa1,
};

/* Bytes that grow. */
struct der {
	unsigned char bytes[1024];
	size_t length;
};

static void put(struct der *der, const void *bytes, size_t length)
{
	assert_true(length <= sizeof(der->bytes) - der->length);
	memcpy(der->bytes + der->length, bytes, length);
	der->length += length;
}

/* With one byte of zero before the value, which integers and bit strings have. */
static void put_tagged(struct der *der, enum tag tag, const void *bytes, size_t length)
{
	bool zero = tag == TAG_INTEGER || tag == TAG_BIT_STRING;
	size_t all = length + zero;
	unsigned char head[5] = {(unsigned char)tag};
	size_t count = 1;

	if (all > 0x7f) {
		head[count++] = 0x82;
		head[count++] = (unsigned char)(all >> 8);
	}
	head[count++] = (unsigned char)all;
	put(der, head, count + zero);
	put(der, bytes, length);
}

static void put_der(struct der *der, enum tag tag, const struct der *inner)
{
	put_tagged(der, tag, inner->bytes, inner->length);
}

size_t explicit_curve(unsigned char *der, const unsigned char *generator, size_t generator_length,
		      const unsigned char *modulus)
{
	struct der field = {.length = 0}, curve = {.length = 0}, all = {.length = 0};
	struct der whole = {.length = 0};

	put(&field, prime_field, sizeof(prime_field));
	put_tagged(&field, TAG_INTEGER, modulus ? modulus : p256_modulus, FIELD_BYTES);
	put_tagged(&curve, TAG_OCTET_STRING, p256_a, FIELD_BYTES);
	put_tagged(&curve, TAG_OCTET_STRING, p256_b, FIELD_BYTES);
	put(&all, version_1, sizeof(version_1));
	put_der(&all, TAG_SEQUENCE, &field);
	put_der(&all, TAG_SEQUENCE, &curve);
	put_tagged(&all, TAG_OCTET_STRING, generator, generator_length);
	put_tagged(&all, TAG_INTEGER, p256_order, FIELD_BYTES);
	put(&all, version_1, sizeof(version_1)); /* the cofactor */
	put_der(&whole, TAG_SEQUENCE, &all);
	memcpy(der, whole.bytes, whole.length);
	return whole.length;
}

static void read_public_point(const char *name, unsigned char *point)
{
	FILE *file = fopen(certificate_file(name), "re");
	X509 *x509 = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	const ASN1_BIT_STRING *key = x509 ? X509_get0_pubkey_bitstr(x509) : NULL;

	assert_true(key != NULL && ASN1_STRING_length(key) == POINT_BYTES);
	memcpy(point, ASN1_STRING_get0_data(key), POINT_BYTES);
	X509_free(x509);
	fclose(file);
}

EVP_PKEY *own_generator_key(void)
{
	unsigned char point[POINT_BYTES], curve[512];
	const unsigned char one[FIELD_BYTES] = {[FIELD_BYTES - 1] = 1};
	struct der algorithm = {.length = 0}, half = {.length = 0}, private = {.length = 0};
	struct der wrapped = {.length = 0}, all = {.length = 0}, whole = {.length = 0};
	const unsigned char *bytes = whole.bytes;
	size_t curve_length;

	read_public_point("ca", point);
	curve_length = explicit_curve(curve, point, sizeof(point), NULL);
	put(&algorithm, ec_public_key, sizeof(ec_public_key));
	put(&algorithm, curve, curve_length);
	put_tagged(&half, TAG_BIT_STRING, point, sizeof(point));
	put(&private, version_1, sizeof(version_1));
	put_tagged(&private, TAG_OCTET_STRING, one, sizeof(one));
	put_der(&private, TAG_1, &half);
	put_der(&wrapped, TAG_SEQUENCE, &private);
	put(&all, version_0, sizeof(version_0));
	put_der(&all, TAG_SEQUENCE, &algorithm);
	put_der(&all, TAG_OCTET_STRING, &wrapped);
	put_der(&whole, TAG_SEQUENCE, &all);
	return d2i_AutoPrivateKey(NULL, &bytes, (long)whole.length);
}
