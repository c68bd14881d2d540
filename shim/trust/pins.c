/* pins.c - is this certificate one of those that `client-cert` names? */
#include "trust_inside.h"

#include <string.h>

/* A name is as long as it says, whatever stands in it: one with a NUL is no other's beginning. */
static bool is_name(const unsigned char *bytes, int length, const char *name)
{
	return bytes != NULL && length >= 0 && (size_t)length == strlen(name) &&
	       memcmp(bytes, name, (size_t)length) == 0;
}

static unsigned char in_lower_case(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

/* The pin's is in lower case. */
static bool is_dns_name(const unsigned char *bytes, int length, const char *name)
{
	if (bytes == NULL || length < 0 || (size_t)length != strlen(name))
		return false;
	for (int i = 0; i < length; i++)
		if (in_lower_case(bytes[i]) != (unsigned char)name[i])
			return false;
	return true;
}

/* Any common name of the subject, whatever alphabet it is written in. */
static bool has_common_name(const struct libcrypto *libcrypto, X509 *leaf, const char *name)
{
	/* Not const in 1.1.1. */
	X509_NAME *subject = (X509_NAME *)(uintptr_t)libcrypto->X509_get_subject_name(leaf);
	bool found = false;
	int at = -1;

	while (!found &&
	       (at = libcrypto->X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
		unsigned char *bytes = NULL;
		int length = libcrypto->ASN1_STRING_to_UTF8(
			&bytes, libcrypto->X509_NAME_ENTRY_get_data(
					libcrypto->X509_NAME_get_entry(subject, at)));

		found = is_name(bytes, length, name);
		libcrypto->CRYPTO_free(bytes, __FILE__, __LINE__);
	}
	return found;
}

/* Any subject alternative name of that type. */
static bool has_alternative_name(const struct libcrypto *libcrypto, const X509 *leaf, int type,
				 const char *name)
{
	GENERAL_NAMES *names = libcrypto->X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	int count = names ? libcrypto_stack_count(libcrypto, names) : 0;
	bool found = false;

	for (int i = 0; !found && i < count; i++) {
		int its_type;
		const ASN1_STRING *value = libcrypto->GENERAL_NAME_get0_value(
			libcrypto_stack_at(libcrypto, names, i), &its_type);
		const unsigned char *bytes;
		int length;

		if (its_type != type)
			continue;
		bytes = libcrypto->ASN1_STRING_get0_data(value);
		length = libcrypto->ASN1_STRING_length(value);
		found = type == GEN_DNS ? is_dns_name(bytes, length, name)
					: is_name(bytes, length, name);
	}
	libcrypto->GENERAL_NAMES_free(names);
	return found;
}

/* In the same time wherever they differ. */
static bool is_digest(const unsigned char *digest, unsigned length, const uint8_t *pinned)
{
	volatile unsigned char difference = 0;

	if (length != PIN_DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < PIN_DIGEST_BYTES; i++)
		difference |= digest[i] ^ pinned[i];
	return difference == 0;
}

static bool has_digest(const struct libcrypto *libcrypto, const X509 *leaf, const uint8_t *pinned)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	return libcrypto->X509_digest(leaf, libcrypto->EVP_sha256(), digest, &length) == 1 &&
	       is_digest(digest, length, pinned);
}

static bool has_key_digest(const struct libcrypto *libcrypto, const X509 *leaf,
			   const uint8_t *pinned)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned length = 0;
	int der_length = libcrypto->i2d_X509_PUBKEY(libcrypto->X509_get_X509_PUBKEY(leaf), &der);
	bool good = der_length > 0 &&
		    libcrypto->EVP_Digest(der, (size_t)der_length, digest, &length,
					  libcrypto->EVP_sha256(), NULL) == 1 &&
		    is_digest(digest, length, pinned);

	libcrypto->CRYPTO_free(der, __FILE__, __LINE__);
	return good;
}

static bool matches(const struct libcrypto *libcrypto, const struct pin *pin, X509 *leaf)
{
	switch (pin->kind) {
	case PIN_CN:
		return has_common_name(libcrypto, leaf, pin->name);
	case PIN_DNS:
		return has_alternative_name(libcrypto, leaf, GEN_DNS, pin->name);
	case PIN_URI:
		return has_alternative_name(libcrypto, leaf, GEN_URI, pin->name);
	case PIN_CERT_SHA256:
		return has_digest(libcrypto, leaf, pin->digest);
	case PIN_SPKI_SHA256:
		return has_key_digest(libcrypto, leaf, pin->digest);
	}
	return false;
}

bool pins_match(const struct libcrypto *libcrypto, const struct rule *rule, X509 *leaf)
{
	for (size_t i = 0; i < rule->client_cert_count; i++)
		if (matches(libcrypto, &rule->client_cert[i], leaf))
			return true;
	return rule->client_cert_count == 0;
}
