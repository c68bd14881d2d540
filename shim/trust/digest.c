/* digest.c - what makes two rules the same to a session. */
#include "trust_inside.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
	unsigned char *all; /* NULL: no memory */
	size_t size;
};

static void add(struct bytes *bytes, const void *more, size_t count)
{
	unsigned char *grown = bytes->all ? realloc(bytes->all, bytes->size + count + 1) : NULL;

	if (grown == NULL) {
		free(bytes->all);
		bytes->all = NULL;
		return;
	}
	memcpy(grown + bytes->size, more, count);
	bytes->all = grown;
	bytes->size += count;
}

static void add_text(struct bytes *bytes, const char *text)
{
	add(bytes, text, strlen(text) + 1);
}

static bool add_digest(const struct libcrypto *libcrypto, struct bytes *bytes, const X509 *ca)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (libcrypto->X509_digest(ca, libcrypto->EVP_sha256(), digest, &length) != 1)
		return false;
	add(bytes, digest, length);
	return true;
}

static void add_pins(struct bytes *bytes, const struct rule *rule)
{
	for (size_t i = 0; i < rule->client_cert_count; i++) {
		const struct pin *pin = &rule->client_cert[i];
		const unsigned char kind = (unsigned char)pin->kind;

		add(bytes, &kind, 1);
		if (pin->name != NULL)
			add_text(bytes, pin->name);
		else
			add(bytes, pin->digest, sizeof(pin->digest));
	}
}

bool trust_take_digest(const struct libcrypto *libcrypto, const struct ca_text *texts,
		       struct trust *trust)
{
	const struct rule *rule = trust->rule;
	unsigned char digest[EVP_MAX_MD_SIZE];
	/* Once no session may resume, none is to be offered in vain. */
	const unsigned char resumption = (unsigned char)rule->resumption;
	struct bytes bytes = {malloc(1), 0};
	unsigned int length = 0;
	bool good = true;

	add_text(&bytes, rule->section);
	add(&bytes, &resumption, 1);
	for (size_t i = 0; good && i < trust->ca_count; i++)
		good = add_digest(libcrypto, &bytes, trust->ca[i]);
	for (size_t i = 0; i < rule->crl_count; i++)
		add(&bytes, texts[rule->ca_count + i].bytes, texts[rule->ca_count + i].length);
	add_pins(&bytes, rule);
	good = good && bytes.all != NULL &&
	       libcrypto->EVP_Digest(bytes.all, bytes.size, digest, &length,
				     libcrypto->EVP_sha256(), NULL) == 1 &&
	       length == TRUST_DIGEST_BYTES;
	if (good)
		memcpy(trust->digest, digest, TRUST_DIGEST_BYTES);
	free(bytes.all);
	return good;
}
