#include "hello.h"

#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

/* RFC 9001, 8.2, and its number before that was an RFC: only QUIC puts them into a hello. */
#define QUIC_TRANSPORT_PARAMETERS       57
#define QUIC_TRANSPORT_PARAMETERS_DRAFT 0xffa5

/* What is kept of a hello, in this order. */
enum { ASKED_SERVER_NAME, ASKED_PROTOCOLS, ASKED_COUNT };
static const unsigned asked_types[ASKED_COUNT] = {
	[ASKED_SERVER_NAME] = TLSEXT_TYPE_server_name,
	[ASKED_PROTOCOLS] = TLSEXT_TYPE_application_layer_protocol_negotiation,
};

static bool has_extension(const struct openssl *openssl, SSL *ssl, unsigned type)
{
	const unsigned char *bytes;
	size_t length;

	return openssl->SSL_client_hello_get0_ext(ssl, type, &bytes, &length) == 1;
}

/* Third-party QUIC (SSL_set_quic_tls_cbs, 3.5) hands its host the key to write with before the
 * client's certificate has come.  OpenSSL's own does not. */
static bool is_third_party_quic(const struct openssl *openssl, SSL *ssl)
{
	if (openssl_is_quic(openssl, ssl))
		return false;
	return has_extension(openssl, ssl, QUIC_TRANSPORT_PARAMETERS) ||
	       has_extension(openssl, ssl, QUIC_TRANSPORT_PARAMETERS_DRAFT);
}

/* One extension behind the other, each with its length before it; an absent one is none of the
 * empty ones. */
static bool copy_asked(const struct openssl *openssl, SSL *ssl, struct hello *hello)
{
	const unsigned char *bytes[ASKED_COUNT];
	size_t lengths[ASKED_COUNT];
	unsigned char *end;

	hello->length = ASKED_COUNT * sizeof(size_t);
	for (size_t i = 0; i < ASKED_COUNT; i++) {
		if (openssl->SSL_client_hello_get0_ext(ssl, asked_types[i], &bytes[i],
						       &lengths[i]) != 1)
			lengths[i] = SIZE_MAX;
		else
			hello->length += (uint32_t)lengths[i]; /* of 16 bits each */
	}
	end = hello->asked = malloc(hello->length);
	for (size_t i = 0; end != NULL && i < ASKED_COUNT; i++) {
		memcpy(end, &lengths[i], sizeof(size_t));
		end += sizeof(size_t);
		if (lengths[i] != SIZE_MAX) {
			memcpy(end, bytes[i], lengths[i]);
			end += lengths[i];
		}
	}
	return end != NULL;
}

/* libssl takes the second hello's word for what the first one was judged by. */
static enum reason compare_with_first(const struct openssl *openssl, SSL *ssl, struct hello *first)
{
	struct hello second = {0};
	bool same;

	if (!copy_asked(openssl, ssl, &second))
		return REASON_INTERNAL;
	if (first->asked == NULL) {
		*first = second;
		return REASON_NONE;
	}
	first->is_second = true;
	same = first->length == second.length &&
	       memcmp(first->asked, second.asked, second.length) == 0;
	first->differs |= !same;
	hello_forget(&second);
	return same ? REASON_NONE : REASON_SERVER_NAME;
}

enum reason hello_examine(const struct openssl *openssl, SSL *ssl, struct hello *first)
{
	enum reason reason = REASON_NONE;

	/* At security level 0, libssl up to 3.x still takes hellos in the form of SSLv2, which have
	 * no extensions. */
	/* enforces sslv2-hello */
	if (openssl->SSL_client_hello_isv2(ssl))
		return REASON_PLAINTEXT;
	/* enforces third-party-quic */
	if (is_third_party_quic(openssl, ssl))
		return REASON_UNCOVERED_TLS;
	/* enforces second-hello */
	reason = compare_with_first(openssl, ssl, first);
	return reason;
}

void hello_forget(struct hello *first)
{
	free(first->asked);
	*first = (struct hello){0};
}

/* An extension among those that were kept; NULL: it was not there. */
static const unsigned char *asked_at(const struct hello *first, size_t index, size_t *length)
{
	const unsigned char *at = first->asked;

	for (size_t i = 0; at != NULL; i++) {
		memcpy(length, at, sizeof(*length));
		at += sizeof(*length);
		if (i == index)
			return *length != SIZE_MAX ? at : NULL;
		at += *length != SIZE_MAX ? *length : 0;
	}
	return NULL;
}

const char *hello_name_of(const unsigned char *bytes, size_t whole, size_t *length)
{
	enum { HEAD = 5 }; /* of the list: 2; type: 1; of the name: 2 */

	if (whole < HEAD || whole > HEAD + TLSEXT_MAXLEN_host_name ||
	    (size_t)(bytes[0] << 8 | bytes[1]) != whole - 2 ||
	    bytes[2] != TLSEXT_NAMETYPE_host_name ||
	    (size_t)(bytes[3] << 8 | bytes[4]) != whole - HEAD ||
	    memchr(bytes + HEAD, '\0', whole - HEAD) != NULL)
		return NULL;
	*length = whole - HEAD;
	return (const char *)bytes + HEAD;
}

const char *hello_server_name(const struct hello *first, size_t *length)
{
	size_t whole;
	const unsigned char *bytes = asked_at(first, ASKED_SERVER_NAME, &whole);

	return bytes != NULL ? hello_name_of(bytes, whole, length) : NULL;
}

bool hello_is_acme(const struct hello *first)
{
	static const unsigned char only[] = "\0\x0b\x0a"
					    "acme-tls/1"; /* RFC 7301, 3.1 */
	size_t length, name_length;
	const unsigned char *bytes = asked_at(first, ASKED_PROTOCOLS, &length);

	return bytes != NULL && length == sizeof(only) - 1 && memcmp(bytes, only, length) == 0 &&
	       hello_server_name(first, &name_length) != NULL;
}

bool suite_lacks_certificate(const struct openssl *openssl, const SSL_CIPHER *suite)
{
	int authentication = openssl->SSL_CIPHER_get_auth_nid(suite);

	/* RSA-PSK: the server has a certificate, and the client the key that was shared. */
	return authentication == NID_auth_null || authentication == NID_auth_psk ||
	       authentication == NID_auth_srp ||
	       openssl->SSL_CIPHER_get_kx_nid(suite) == NID_kx_rsa_psk;
}

bool hello_offers(const struct openssl *openssl, SSL *ssl, const SSL_CIPHER *cipher)
{
	const unsigned char *offered;
	size_t length = openssl->SSL_client_hello_get0_ciphers(ssl, &offered);
	unsigned id = openssl->SSL_CIPHER_get_protocol_id(cipher);

	for (size_t i = 0; i + 1 < length; i += 2)
		if ((unsigned)(offered[i] << 8 | offered[i + 1]) == id)
			return true;
	return false;
}
