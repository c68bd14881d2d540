/* What a host turns on again in the midst of a handshake, from the callbacks that libssl calls when
 * the hello has been seen: shared keys, secrets, and suites without certificates. */
#include "attack.h"
#include "preshared.h"
#include "test.h"

#include <openssl/obj_mac.h>
#include <string.h>

/* SRP, since 3.0. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define EVERY_SUITE "ALL:aNULL:@SECLEVEL=0"

/* ---- the host ---- */

static void share_key(SSL *ssl)
{
	SSL_set_psk_server_callback(ssl, preshared_server);
	SSL_set_psk_find_session_callback(ssl, preshared_find);
	SSL_set_cipher_list(ssl, EVERY_SUITE);
}

static int share_key_by_name(SSL *ssl, int *alert, void *argument)
{
	(void)alert, (void)argument;
	share_key(ssl);
	return SSL_TLSEXT_ERR_OK;
}

static void on_name(SSL_CTX *context)
{
	SSL_CTX_set_tlsext_servername_callback(context, share_key_by_name);
}

static int share_key_with_certificate(SSL *ssl, void *argument)
{
	(void)argument;
	share_key(ssl);
	return 1;
}

static void on_certificate(SSL_CTX *context)
{
	SSL_CTX_set_cert_cb(context, share_key_with_certificate, NULL);
}

static int share_key_by_protocol(SSL *ssl, const unsigned char **out, unsigned char *length,
				 const unsigned char *offered, unsigned offered_length,
				 void *argument)
{
	(void)argument, (void)offered_length;
	share_key(ssl);
	*out = offered + 1;
	*length = offered[0];
	return SSL_TLSEXT_ERR_OK;
}

/* The client's first guess of a group is not taken, so that there is a second hello. */
static void on_protocol(SSL_CTX *context)
{
	char groups[] = "P-384";

	SSL_CTX_set1_groups_list(context, groups);
	SSL_CTX_set_alpn_select_cb(context, share_key_by_protocol, NULL);
}

static SSL_TICKET_RETURN share_key_by_ticket(SSL *ssl, SSL_SESSION *session,
					     const unsigned char *name, size_t length,
					     SSL_TICKET_STATUS status, void *argument)
{
	(void)session, (void)name, (void)length, (void)argument;
	share_key(ssl);
	return status == SSL_TICKET_FATAL_ERR_MALLOC ? SSL_TICKET_RETURN_ABORT
						     : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void on_ticket(SSL_CTX *context)
{
	SSL_CTX_set_session_ticket_cb(context, NULL, share_key_by_ticket, NULL);
}

/* Called for each choice that libssl makes, the first of them before it looks for shared keys. */
static int share_key_by_level(const SSL *ssl, const SSL_CTX *context, int operation, int bits,
			      int nid, void *other, void *argument)
{
	(void)context, (void)operation, (void)bits, (void)nid, (void)other, (void)argument;
	if (ssl != NULL)
		SSL_set_psk_find_session_callback((SSL *)(uintptr_t)ssl, preshared_find);
	return 1;
}

static void on_level(SSL_CTX *context)
{
	SSL_CTX_set_security_callback(context, share_key_by_level);
}

static int admit_anonymous(SSL *ssl, void *argument)
{
	(void)argument;
	SSL_set_cipher_list(ssl, EVERY_SUITE);
	return 1;
}

static void anonymous_on_certificate(SSL_CTX *context)
{
	SSL_CTX_set_cert_cb(context, admit_anonymous, NULL);
}

static int change_context(SSL *ssl, int *alert, void *argument)
{
	(void)alert;
	SSL_set_SSL_CTX(ssl, argument);
	return SSL_TLSEXT_ERR_OK;
}

/* The first context has strong suites alone, the one of the name all of them. */
static void anonymous_by_name(SSL_CTX *context)
{
	SSL_CTX *other = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:!aNULL:!PSK");
	SSL_CTX_set_cipher_list(other, EVERY_SUITE);
	SSL_CTX_use_certificate(other, SSL_CTX_get0_certificate(context));
	SSL_CTX_use_PrivateKey(other, SSL_CTX_get0_privatekey(context));
	SSL_CTX_set_tlsext_servername_callback(context, change_context);
	SSL_CTX_set_tlsext_servername_arg(context, other);
}

static int take_secret(SSL *ssl, int *alert, void *argument)
{
	(void)alert, (void)argument;
	if (SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != NULL)
		preshared_take_secret(ssl);
	return SSL_TLSEXT_ERR_OK;
}

static void secret_by_name(SSL_CTX *context)
{
	/* A ticket of libssl's own would come where the client waits for the end. */
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_tlsext_servername_callback(context, take_secret);
}

#ifndef OPENSSL_NO_SRP
static int find_password(SSL *ssl, int *alert, void *argument)
{
	char user[] = "stranger", password[] = "password", group[] = "2048";

	(void)alert, (void)argument;
	return SSL_set_srp_server_param_pw(ssl, user, password, group) > 0 ? SSL_ERROR_NONE
									   : SSL3_AL_FATAL;
}

static void password_on_certificate(SSL_CTX *context)
{
	SSL_CTX_set_srp_username_callback(context, find_password);
	SSL_CTX_set_cert_cb(context, admit_anonymous, NULL);
}
#endif

/* ---- the attacker ---- */

static void offer_key(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer(ssl, "PSK-AES128-GCM-SHA256");
}

static void offer_key_and_protocol(SSL_CTX *context, SSL *ssl)
{
	static const unsigned char protocols[] = "\x08http/1.1";
	char groups[] = "X25519:P-384";

	offer_key(context, ssl);
	SSL_set1_groups_list(ssl, groups);
	SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1);
}

static void offer_anonymous(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_cipher_list(ssl, "AECDH-AES128-SHA");
}

static bool was_anonymous(SSL *ssl)
{
	return SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(ssl)) == NID_auth_null;
}

static void offer_secret(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer_secret(ssl);
}

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

#ifndef OPENSSL_NO_SRP
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

static bool was_srp(SSL *ssl)
{
	return SSL_CIPHER_get_kx_nid(SSL_get_current_cipher(ssl)) == NID_kx_srp;
}
#endif

/* A ticket of the second port, and behind it the key. */
static void offer_ticket_and_key(struct victim *victim, const struct client *client,
				 struct outcome *outcome)
{
	struct client giver = *client, taker = *client;

	giver.port = victim->server->ports[SECOND];
	giver.trick = NULL;
	taker.session = attack_session(victim, &giver);
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(taker.session);
}

static const struct attack attacks[] = {
	{
		.name = "a shared key put back by the server-name callback",
		.source = "OpenSSL ssl/statem/extensions.c, final_server_name()",
		.prepare = on_name,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
		.alert = NO_ALERT,
	},
	{
		.name = "a shared key put back by the certificate callback",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_post_process_client_hello()",
		.prepare = on_certificate,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
		.alert = NO_ALERT,
	},
	{
		.name = "a shared key put back by the ALPN callback, for the second hello",
		.source = "RFC 8446, 4.1.2; OpenSSL ssl/statem/extensions_srvr.c, "
			  "tls_parse_ctos_psk()",
		.prepare = on_protocol,
		.client = {.prepare = offer_key_and_protocol, .trick = preshared_was_used},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a shared key put back by the ticket callback",
		.source = "OpenSSL ssl/statem/extensions_srvr.c, tls_parse_ctos_psk()",
		.prepare = on_ticket,
		.attack = offer_ticket_and_key,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "resumed-unverified",
	},
	{
		.name = "a shared key put back by the security callback",
		.source = "OpenSSL ssl/statem/statem_lib.c, ssl_choose_server_version()",
		.prepare = on_level,
		.client = {.prepare = offer_key, .trick = preshared_was_used},
		.versions = ONLY_1_3,
		.reason = "resumed-unverified",
	},
	{
		.name = "an anonymous suite put back by the certificate callback",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_post_process_client_hello()",
		.prepare = anonymous_on_certificate,
		.client = {.prepare = offer_anonymous, .trick = was_anonymous},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
		.alert = NO_ALERT,
	},
	{
		.name = "an anonymous suite of the context that the server name selects",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_get_ciphers(), SSL_set_SSL_CTX()",
		.prepare = anonymous_by_name,
		.client = {.prepare = offer_anonymous,
			   .trick = was_anonymous,
			   .server_name = "shop.example"},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
		.alert = NO_ALERT,
	},
	{
		.name = "a session secret put back by the server-name callback",
		.source = "OpenSSL ssl/statem/statem_srvr.c, "
			  "tls_early_post_process_client_hello()",
		.prepare = secret_by_name,
		.client = {.prepare = offer_secret,
			   .trick = was_resumed,
			   .server_name = "shop.example"},
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
	},
#ifndef OPENSSL_NO_SRP
	{
		.name = "a password put back by the certificate callback",
		.source = "OpenSSL ssl/statem/statem_srvr.c, ssl_check_srp_ext_ClientHello()",
		.prepare = password_on_certificate,
		.client = {.prepare_context = know_password,
			   .prepare = offer_srp,
			   .trick = was_srp},
		.versions = ONLY_1_2,
		.reason = "no-certificate-cipher",
		.alert = NO_ALERT,
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "put_back", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
