#include "preshared.h"

#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>

#define IDENTITY  "stranger"
#define KEY_BYTES 32

static void fill_key(unsigned char *key)
{
	for (unsigned i = 0; i < KEY_BYTES; i++)
		key[i] = (unsigned char)(i * 11 + 1);
}

unsigned preshared_server(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
	(void)ssl;
	if (size < KEY_BYTES || strcmp(identity, IDENTITY) != 0)
		return 0;
	fill_key(key);
	return KEY_BYTES;
}

int preshared_find(SSL *ssl, const unsigned char *identity, size_t length, SSL_SESSION **session)
{
	static const unsigned char sha256_suite[] = {0x13, 0x01};
	unsigned char key[KEY_BYTES];

	*session = NULL;
	if (length != strlen(IDENTITY) || memcmp(identity, IDENTITY, length) != 0)
		return 1; /* not ours: libssl goes on with the next, or takes it for a ticket */
	fill_key(key);
	*session = SSL_SESSION_new();
	return *session != NULL && SSL_SESSION_set1_master_key(*session, key, KEY_BYTES) == 1 &&
	       SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, sha256_suite)) == 1 &&
	       SSL_SESSION_set_max_early_data(*session, 1024) == 1 &&
	       SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION) == 1;
}

static unsigned client_key(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
			   unsigned char *key, unsigned size)
{
	(void)ssl, (void)hint;
	if (size < KEY_BYTES)
		return 0;
	snprintf(identity, identity_size, "%s", IDENTITY);
	fill_key(key);
	return KEY_BYTES;
}

void preshared_offer(SSL *ssl, const char *suites)
{
	SSL_set_psk_client_callback(ssl, client_key);
	SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256");
	if (suites != NULL)
		SSL_set_cipher_list(ssl, suites);
}

static int client_session(SSL *ssl, const EVP_MD *digest, const unsigned char **identity,
			  size_t *length, SSL_SESSION **session)
{
	(void)digest;
	*identity = (const unsigned char *)IDENTITY;
	*length = strlen(IDENTITY);
	return preshared_find(ssl, *identity, *length, session);
}

void preshared_offer_early(SSL *ssl)
{
	SSL_set_psk_use_session_callback(ssl, client_session);
	SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256");
}

bool preshared_was_used(SSL *ssl)
{
	const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);

	if (SSL_version(ssl) == TLS1_3_VERSION)
		return SSL_session_reused(ssl) == 1;
	switch (SSL_CIPHER_get_kx_nid(suite)) {
	case NID_kx_psk:
	case NID_kx_dhe_psk:
	case NID_kx_ecdhe_psk:
	case NID_kx_rsa_psk:
		return true;
	default:
		return false;
	}
}

static int known_secret(SSL *ssl, void *secret, int *length, STACK_OF(SSL_CIPHER) * suites,
			const SSL_CIPHER **suite, void *argument)
{
	(void)ssl, (void)suites, (void)suite, (void)argument;
	*length = SSL_MAX_MASTER_KEY_LENGTH;
	memset(secret, 0x5a, SSL_MAX_MASTER_KEY_LENGTH);
	return 1;
}

/* libssl would choose a suite before it knows of signatures that an ECDSA certificate can be used
 * with. */
static int known_secret_and_suite(SSL *ssl, void *secret, int *length,
				  STACK_OF(SSL_CIPHER) * suites, const SSL_CIPHER **suite,
				  void *argument)
{
	static const unsigned char ecdhe_ecdsa_aes128_gcm[] = {0xc0, 0x2b};

	*suite = SSL_CIPHER_find(ssl, ecdhe_ecdsa_aes128_gcm);
	return known_secret(ssl, secret, length, suites, suite, argument);
}

void preshared_take_secret(SSL *ssl)
{
	SSL_set_session_secret_cb(ssl, known_secret_and_suite, NULL);
}

void preshared_offer_secret(SSL *ssl)
{
	char opaque[] = "the secret that both know";

	SSL_set_session_secret_cb(ssl, known_secret, NULL);
	SSL_set_session_ticket_ext(ssl, opaque, sizeof(opaque));
}
