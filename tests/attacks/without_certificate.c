/* Key exchanges that get along without a client's certificate, and clients that show something
 * else in its place. */
#include "attack.h"
#include "preshared.h"
#include "test.h"

#include <openssl/obj_mac.h>

/* SRP, since 3.0. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* ---- keys that are shared ---- */

/* Its own list of suites is libssl's default one, which has those with shared keys in it. */
static void share_key(SSL_CTX *context)
{
	SSL_CTX_set_psk_server_callback(context, preshared_server);
	SSL_CTX_set_dh_auto(context, 1);
}

static void find_key(SSL_CTX *context)
{
	SSL_CTX_set_psk_find_session_callback(context, preshared_find);
}

static void offer_key(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer(ssl, "PSK-AES128-GCM-SHA256");
}

static void offer_key_dhe(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer(ssl, "DHE-PSK-AES128-GCM-SHA256");
}

static void offer_key_ecdhe(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer(ssl, "ECDHE-PSK-AES128-CBC-SHA256");
}

static void offer_key_rsa(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer(ssl, "RSA-PSK-AES128-GCM-SHA256");
}

static void share_key_and_rsa(SSL_CTX *context)
{
	share_key(context);
	host_add_rsa_certificate(context);
}

/* ---- nobody is authenticated ---- */

static void admit_anonymous(SSL_CTX *context)
{
	SSL_CTX_set_cipher_list(context, "ALL:aNULL:@SECLEVEL=0");
	SSL_CTX_set_dh_auto(context, 1);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
}

static int take_any(int good, X509_STORE_CTX *store_context)
{
	(void)good, (void)store_context;
	return 1;
}

/* A host that asks for a certificate and does not insist: libssl then asks in no anonymous
 * handshake. */
static void admit_anonymous_and_ask(SSL_CTX *context)
{
	admit_anonymous(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
}

static void offer_anonymous_dh(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_cipher_list(ssl, "ADH-AES128-SHA");
}

static void offer_anonymous_ecdh(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_cipher_list(ssl, "AECDH-AES128-SHA");
}

static void offer_tls_1_0(SSL_CTX *context, SSL *ssl)
{
	offer_anonymous_ecdh(context, ssl);
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, TLS1_VERSION);
}

static bool is_anonymous(SSL *ssl)
{
	return SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(ssl)) == NID_auth_null;
}

static bool is_anonymous_tls_1_0(SSL *ssl)
{
	return SSL_version(ssl) == TLS1_VERSION && is_anonymous(ssl);
}

/* ---- a password ---- */

#ifndef OPENSSL_NO_SRP
static int find_password(SSL *ssl, int *alert, void *argument)
{
	char user[] = "stranger", password[] = "password", group[] = "2048";

	(void)alert, (void)argument;
	return SSL_set_srp_server_param_pw(ssl, user, password, group) > 0 ? SSL_ERROR_NONE
									   : SSL3_AL_FATAL;
}

static void take_passwords(SSL_CTX *context)
{
	SSL_CTX_set_srp_username_callback(context, find_password);
	host_add_rsa_certificate(context);
}

static void know_password(SSL_CTX *context)
{
	char user[] = "stranger", password[] = "password";

	SSL_CTX_set_srp_username(context, user);
	SSL_CTX_set_srp_password(context, password);
}

static void offer_srp(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_cipher_list(ssl, "SRP-AES-128-CBC-SHA");
}

static void offer_srp_rsa(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_cipher_list(ssl, "SRP-RSA-AES-128-CBC-SHA");
}

static bool was_srp(SSL *ssl)
{
	return SSL_CIPHER_get_kx_nid(SSL_get_current_cipher(ssl)) == NID_kx_srp;
}
#endif

/* ---- a session secret (EAP-FAST) ---- */

static void offer_secret(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer_secret(ssl);
}

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

/* ---- another thing than a certificate ---- */

static bool was_asked;

static int note_demand(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
	(void)ssl, (void)certificate, (void)key;
	was_asked = true;
	return 0;
}

static void ask(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
}

static void answer_with_nothing(SSL_CTX *context, SSL *ssl)
{
	(void)ssl;
	was_asked = false;
	SSL_CTX_set_client_cert_cb(context, note_demand);
}

static bool answered_with_nothing(SSL *ssl)
{
	(void)ssl;
	return was_asked;
}

#if OPENSSL_VERSION_NUMBER >= 0x30200000L
static const unsigned char raw_keys[] = {TLSEXT_cert_type_rpk, TLSEXT_cert_type_x509};

static void take_raw_keys(SSL_CTX *context)
{
	SSL_CTX_set1_client_cert_type(context, raw_keys, sizeof(raw_keys));
	ask(context);
}

static void offer_raw_key(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set1_client_cert_type(ssl, raw_keys, sizeof(raw_keys));
}

static bool was_raw_key(SSL *ssl)
{
	return SSL_get_negotiated_client_cert_type(ssl) == TLSEXT_cert_type_rpk;
}
#endif

static const struct attack attacks[] = {
	{
		.name = "a shared key",
		.source = "RFC 4279, 2",
		.prepare = share_key,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "a shared key with an ephemeral DH key",
		.source = "RFC 4279, 3",
		.prepare = share_key,
		.client = {.prepare = offer_key_dhe, .trick = preshared_was_used},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "a shared key with an ephemeral ECDH key",
		.source = "RFC 5489",
		.prepare = share_key,
		.client = {.prepare = offer_key_ecdhe, .trick = preshared_was_used},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "a shared key below the server's RSA key",
		.source = "RFC 4279, 4",
		.prepare = share_key_and_rsa,
		.client = {.prepare = offer_key_rsa, .trick = preshared_was_used},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "a shared key in TLS 1.3",
		.source = "RFC 8446, 4.2.11; OpenSSL ssl/statem/extensions_srvr.c, "
			  "tls_parse_ctos_psk()",
		.prepare = share_key,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a session that the host makes of a shared key",
		.source = "SSL_CTX_set_psk_find_session_callback(3)",
		.prepare = find_key,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an anonymous suite (DH)",
		.source = "RFC 5246, F.1.1.1",
		.prepare = admit_anonymous,
		.client = {.prepare = offer_anonymous_dh, .trick = is_anonymous},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "an anonymous suite (ECDH)",
		.source = "RFC 8422, 2.5",
		.prepare = admit_anonymous,
		.client = {.prepare = offer_anonymous_ecdh, .trick = is_anonymous},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "an anonymous suite of TLS 1.0",
		.source = "RFC 2246, F.1.1.1",
		.prepare = admit_anonymous,
		.client = {.prepare = offer_tls_1_0, .trick = is_anonymous_tls_1_0},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "an anonymous suite of a host that asks for certificates",
		.source = "OpenSSL ssl/statem/statem_srvr.c, send_certificate_request()",
		.prepare = admit_anonymous_and_ask,
		.client = {.prepare = offer_anonymous_ecdh, .trick = is_anonymous},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
#ifndef OPENSSL_NO_SRP
	{
		.name = "a password",
		.source = "RFC 5054",
		.prepare = take_passwords,
		.client = {.prepare_context = know_password,
			   .prepare = offer_srp,
			   .trick = was_srp},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
	},
	{
		.name = "a password, and a certificate of the server",
		.source = "RFC 5054, 2.3",
		.prepare = take_passwords,
		.client = {.prepare_context = know_password,
			   .prepare = offer_srp_rsa,
			   .trick = was_srp},
		.versions = ONLY_1_2,
		.reason = "no-certificate",
	},
#endif
	{
		.name = "a session secret",
		.source = "RFC 4851, 3.2.2; OpenSSL ssl/statem/statem_srvr.c, "
			  "tls_early_post_process_client_hello()",
		.connect = preshared_take_secret,
		.client = {.prepare = offer_secret, .trick = was_resumed},
		.versions = ONLY_1_2,
		.reason = "no-certificate",
	},
	{
		.name = "a Certificate message with nothing in it",
		.source = "RFC 8446, 4.4.2.4; RFC 5246, 7.4.6",
		.prepare = ask,
		.client = {.prepare = answer_with_nothing, .trick = answered_with_nothing},
		.reason = "no-certificate",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
	{
		.name = "a raw public key",
		.source = "RFC 7250; CVE-2024-12797",
		.prepare = take_raw_keys,
		.client = {.certificate = "other", .prepare = offer_raw_key, .trick = was_raw_key},
		.reason = "untrusted-issuer",
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "without_certificate", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
