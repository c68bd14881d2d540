/* describe.c - what a line of the log says of a certificate. */
#include "trust.h"

#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void print_hex(char *text, size_t size, const unsigned char *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	for (size_t i = 0; i < count && used + 2 < size; i++) {
		text[used++] = digits[bytes[i] >> 4];
		text[used++] = digits[bytes[i] & 15];
	}
	text[used] = '\0';
}

bool certificate_digest(const struct libcrypto *libcrypto, const X509 *certificate,
			unsigned char digest[TRUST_DIGEST_BYTES])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (libcrypto->X509_digest(certificate, libcrypto->EVP_sha256(), bytes, &length) != 1 ||
	    length != TRUST_DIGEST_BYTES)
		return false;
	memcpy(digest, bytes, TRUST_DIGEST_BYTES);
	return true;
}

static void print_time(const struct libcrypto *libcrypto, const ASN1_TIME *time, char *text,
		       size_t size)
{
	struct tm utc = {0};

	text[0] = '\0';
	if (libcrypto->ASN1_TIME_to_tm(time, &utc) == 1 &&
	    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text[0] = '\0';
}

/* The short names of what is known, the numbers of what is not. */
static void print_usage(const struct libcrypto *libcrypto, const X509 *certificate, char *text,
			size_t size)
{
	OPENSSL_STACK *usages =
		libcrypto->X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	int count = usages ? libcrypto_stack_count(libcrypto, usages) : 0;
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < count && used < size; i++) {
		const ASN1_OBJECT *usage = libcrypto_stack_at(libcrypto, usages, i);
		int number = libcrypto->OBJ_obj2nid(usage);
		char digits[64] = "";

		if (number == NID_undef)
			libcrypto->OBJ_obj2txt(digits, sizeof(digits), usage, 1);
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "," : "",
					 number == NID_undef ? digits
							     : libcrypto->OBJ_nid2sn(number));
	}
	if (usages != NULL)
		libcrypto->OPENSSL_sk_pop_free(usages,
					       (OPENSSL_sk_freefunc)libcrypto->ASN1_OBJECT_free);
}

void certificate_describe(const struct libcrypto *libcrypto, X509 *certificate,
			  struct certificate_text *text)
{
	const ASN1_INTEGER *serial = libcrypto->X509_get0_serialNumber(certificate);
	unsigned char digest[TRUST_DIGEST_BYTES];
	bool has_digest = certificate_digest(libcrypto, certificate, digest);
	int length = libcrypto->ASN1_STRING_length(serial);

	libcrypto->ERR_set_mark();
	name_print(libcrypto, libcrypto->X509_get_subject_name(certificate), text->subject,
		   sizeof(text->subject));
	name_print(libcrypto, libcrypto->X509_get_issuer_name(certificate), text->issuer,
		   sizeof(text->issuer));
	print_hex(text->serial, sizeof(text->serial), libcrypto->ASN1_STRING_get0_data(serial),
		  length > 0 ? (size_t)length : 0);
	print_time(libcrypto, libcrypto->X509_get0_notAfter(certificate), text->not_after,
		   sizeof(text->not_after));
	print_usage(libcrypto, certificate, text->usage, sizeof(text->usage));
	print_hex(text->sha256, sizeof(text->sha256), digest, has_digest ? sizeof(digest) : 0);
	libcrypto->ERR_pop_to_mark();
}
