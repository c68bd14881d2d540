/* Hosts that go on with an SSL whose handshake has failed, or was refused at its end, and hosts
 * that use one SSL again and again. */
#include "attack.h"
#include "preshared.h"
#include "raw_client.h"
#include "test.h"

#include <openssl/bio.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ANSWER "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER
#define LABEL  "EXPORTER-login"

static void read_and_answer(SSL *ssl)
{
	if (host_read(ssl))
		host_answer(ssl);
}

/* ---- what comes of a handshake that failed ---- */

static bool export_keys(SSL *ssl)
{
	unsigned char keys[32];

	return SSL_export_keying_material(ssl, keys, sizeof(keys), LABEL, strlen(LABEL), NULL, 0,
					  0) == 1;
}

/* EAP-TLS: whoever has the same keys is in. */
static void take_keys_for_login(SSL *ssl)
{
	bool accepted = host_accept(ssl);

	if (export_keys(ssl))
		host_is_in("keys");
	if (accepted)
		read_and_answer(ssl);
}

/* Where TLS fails, the socket is still there. */
static void go_on_without_tls(SSL *ssl)
{
	char request[256];

	if (host_accept(ssl))
		read_and_answer(ssl);
	else if (read(SSL_get_fd(ssl), request, sizeof(request)) > 0)
		host_is_in("request");
}

/* As after STARTTLS backwards: when TLS has ended in order, the socket is used as it is. */
static void go_on_behind_tls(SSL *ssl)
{
	char request[256];

	if (host_accept(ssl))
		read_and_answer(ssl);
	SSL_shutdown(ssl);
	while (SSL_read(ssl, request, sizeof(request)) > 0)
		;
	if (read(SSL_get_fd(ssl), request, sizeof(request)) > 0)
		host_is_in("request");
}

/* A hello, and then none of TLS. */
static void come_without_tls(struct victim *victim, const struct client *client,
			     struct outcome *outcome)
{
	static const char behind[] = "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
	unsigned char bytes[8192];
	size_t length = raw_hello(client->version, bytes, sizeof(bytes) - sizeof(behind));

	memcpy(bytes + length, behind, sizeof(behind));
	victim_watch(victim);
	memset(outcome, 0, sizeof(*outcome));
	outcome->connected = true;
	raw_exchange(raw_connect(NULL, victim->server->ports[ENFORCED]), bytes,
		     length + sizeof(behind), &outcome->ending);
}

static void take_keys_in_time(SSL *ssl)
{
	struct pollfd waiting = {.fd = SSL_get_fd(ssl), .events = POLLIN};
	int result;

	while ((result = SSL_accept(ssl)) != 1 &&
	       SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ) {
		if (export_keys(ssl))
			host_is_in("keys");
		if (poll(&waiting, 1, 5000) != 1)
			return;
	}
	if (result == 1 && poll(&waiting, 1, 5000) == 1)
		read_and_answer(ssl);
}

static void set_non_blocking(SSL *ssl)
{
	BIO_socket_nbio(SSL_get_fd(ssl), 1);
}

/* The secret is put back behind the shim's back, so that libssl takes the handshake for good. */
static int take_secret(SSL *ssl, int *alert, void *argument)
{
	(void)alert, (void)argument;
	if (SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != NULL)
		preshared_take_secret(ssl);
	return SSL_TLSEXT_ERR_OK;
}

static void secret_by_name(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_tlsext_servername_callback(context, take_secret);
}

static void secret_by_name_and_read_ahead(SSL_CTX *context)
{
	secret_by_name(context);
	SSL_CTX_set_read_ahead(context, 1);
}

static void write_whatever_was_said(SSL *ssl)
{
	host_accept(ssl);
	SSL_set_shutdown(ssl, 0);
	SSL_write(ssl, ANSWER, (int)strlen(ANSWER));
	host_read(ssl);
}

static void read_whatever_was_said(SSL *ssl)
{
	host_accept(ssl);
	SSL_set_shutdown(ssl, 0);
	read_and_answer(ssl);
}

static void clear_and_read(SSL *ssl)
{
	if (!host_accept(ssl))
		SSL_clear(ssl);
	read_and_answer(ssl);
}

/* As a host does that hands the socket over to something else after the handshake. */
static void change_bio_and_answer(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);

	host_accept(ssl);
	SSL_set_fd(ssl, descriptor);
	SSL_set_shutdown(ssl, 0);
	if (SSL_write(ssl, ANSWER, (int)strlen(ANSWER)) > 0)
		host_read(ssl);
}

static void take_master_key(SSL *ssl)
{
	unsigned char key[SSL_MAX_MASTER_KEY_LENGTH];
	bool accepted = host_accept(ssl);

	if (SSL_get_session(ssl) != NULL &&
	    SSL_SESSION_get_master_key(SSL_get_session(ssl), key, sizeof(key)) > 0)
		host_is_in("master key");
	if (accepted)
		read_and_answer(ssl);
}

static void take_master_key_by_reference(SSL *ssl)
{
	unsigned char key[SSL_MAX_MASTER_KEY_LENGTH];
	bool accepted = host_accept(ssl);
	SSL_SESSION *session = SSL_get1_session(ssl);

	if (session != NULL && SSL_SESSION_get_master_key(session, key, sizeof(key)) > 0)
		host_is_in("master key");
	SSL_SESSION_free(session);
	if (accepted)
		read_and_answer(ssl);
}

/* From the info callback, where the handshake has ended: the socket, and no flags, these unseen. */
static void undo_refusal(const SSL *ssl, int where, int value)
{
	SSL *changed = (SSL *)(uintptr_t)ssl;

	(void)value;
	if (where != SSL_CB_HANDSHAKE_DONE)
		return;
	SSL_set_fd(changed, SSL_get_fd(ssl));
	HOST_ORIGINAL(SSL_set_shutdown)(changed, 0);
}

static void call_to_undo_refusal(SSL *ssl)
{
	SSL_set_info_callback(ssl, undo_refusal);
}

/* Handshake, request and answer, with no call that is an SSL's. */
static void converse_by_bio(SSL *ssl)
{
	BIO *bio = BIO_new(BIO_f_ssl());
	char request[4096];

	BIO_set_ssl(bio, ssl, BIO_NOCLOSE);
	if (BIO_read(bio, request, sizeof(request)) > 0) {
		host_is_in("request");
		BIO_write(bio, ANSWER, (int)strlen(ANSWER));
	}
	BIO_free(bio);
}

/* ---- one SSL for connections one after the other ---- */

static SSL *used_again(SSL *ssl)
{
	static SSL *again;

	if (again == NULL)
		again = SSL_new(SSL_get_SSL_CTX(ssl));
	return again;
}

static void serve_again(SSL *again, const SSL *ssl)
{
	SSL_set_fd(again, SSL_get_fd(ssl));
	if (host_accept(again))
		read_and_answer(again);
	SSL_shutdown(again);
}

static void serve_cleared(SSL *ssl)
{
	SSL *again = used_again(ssl);

	SSL_clear(again);
	SSL_set_accept_state(again);
	serve_again(again, ssl);
}

static void serve_uncleared(SSL *ssl)
{
	SSL *again = used_again(ssl);

	SSL_set_accept_state(again);
	serve_again(again, ssl);
}

/* ---- the attacker ---- */

static void offer_secret(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer_secret(ssl);
}

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

static bool ask_again_behind_tls(SSL *ssl)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	const int length = (int)strlen(request);

	return SSL_write(ssl, request, length) == length && SSL_shutdown(ssl) >= 0 &&
	       BIO_write(SSL_get_wbio(ssl), request, length) == length;
}

static void come_behind_the_edge(struct victim *victim, const struct client *client,
				 struct outcome *outcome)
{
	struct client edge = *client;

	edge.certificate = "edge";
	SSL_SESSION_free(attack_session(victim, &edge));
	attack_run(victim, client, outcome);
}

#define BY_SECRET                                                                            \
	{                                                                                    \
		.prepare = offer_secret, .trick = was_resumed, .server_name = "shop.example" \
	}

static const struct attack attacks[] = {
	{
		.name = "keys as a login, of a handshake that failed",
		.source = "RFC 5216, 2.3; stunnel CVE-2021-20230",
		.serve = take_keys_for_login,
		.reason = "no-certificate",
		.without_answer = true,
	},
	{
		.name = "keys as a login, before the client's second flight",
		.source = "RFC 8446, 7.5; OpenSSL ssl/statem/statem.c, "
			  "ossl_statem_export_allowed()",
		.connect = set_non_blocking,
		.serve = take_keys_in_time,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.without_answer = true,
	},
	{
		.name = "keys as a login, of a handshake refused at its end",
		.source = "RFC 5705, 4",
		.prepare = secret_by_name,
		.serve = take_keys_for_login,
		.client = BY_SECRET,
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
		.without_answer = true,
	},
	{
		.name = "the master key of a handshake refused at its end",
		.source = "SSL_SESSION_get_master_key(3)",
		.prepare = secret_by_name,
		.serve = take_master_key,
		.client = BY_SECRET,
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
		.without_answer = true,
	},
	{
		.name = "the master key of a handshake refused at its end, by a reference",
		.source = "SSL_get1_session(3)",
		.prepare = secret_by_name,
		.serve = take_master_key_by_reference,
		.client = BY_SECRET,
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
		.without_answer = true,
	},
	{
		.name = "a client of a host that undoes the end in its info callback",
		.source = "OpenSSL ssl/statem/statem_lib.c, tls_finish_handshake(); BIO_f_ssl(3)",
		.prepare = secret_by_name,
		.connect = call_to_undo_refusal,
		.serve = converse_by_bio,
		.client = BY_SECRET,
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
		.undoes_end = true,
	},
	{
		.name = "a client of a host that writes whatever SSL_accept() said",
		.source = "SSL_set_shutdown(3)",
		.prepare = secret_by_name,
		.serve = write_whatever_was_said,
		.client = BY_SECRET,
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
	},
	{
		.name = "a request in one segment with Finished, read ahead",
		.source = "SSL_CTX_set_read_ahead(3)",
		.prepare = secret_by_name_and_read_ahead,
		.serve = read_whatever_was_said,
		.client = {.prepare = offer_secret,
			   .trick = was_resumed,
			   .server_name = "shop.example",
			   .patience_ms = IN_A_HURRY},
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
	},
	{
		.name = "a request read ahead by a host that clears the SSL",
		.source = "SSL_clear(3)",
		.prepare = secret_by_name_and_read_ahead,
		.serve = clear_and_read,
		.client = {.prepare = offer_secret,
			   .trick = was_resumed,
			   .server_name = "shop.example",
			   .patience_ms = IN_A_HURRY},
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
	},
	{
		.name = "a client of a host that sets the socket again",
		.source = "SSL_set_fd(3)",
		.prepare = secret_by_name,
		.serve = change_bio_and_answer,
		.client = BY_SECRET,
		.versions = ONLY_1_2,
		.reason = "resumed-unverified",
	},
	{
		.name = "a stranger who gives up TLS, at a host that gives it up too",
		.source = "RFC 8446, 6; nginx, \"plain HTTP request was sent to HTTPS port\"",
		.serve = go_on_without_tls,
		.attack = come_without_tls,
		.goes_away = true,
		.without_answer = true,
	},
	{
		.name = "a stranger who ends TLS in order and asks again, at a host that goes on",
		.source = "RFC 5246, 7.2.1; RFC 4217, 6 (\"CCC\")",
		.serve = go_on_behind_tls,
		.client = {.trick = ask_again_behind_tls, .half_close = true},
		.reason = "no-certificate",
	},
	{
		.name = "a client behind the edge, on a cleared SSL",
		.source = "SSL_clear(3)",
		.serve = serve_cleared,
		.attack = come_behind_the_edge,
#if OPENSSL_VERSION_NUMBER < 0x30000000L
		/* 1.1.1 does TLS 1.3 only once on each SSL. */
		.versions = ONLY_1_2,
#endif
		.reason = "no-certificate",
	},
	{
		.name = "a client behind the edge, on an SSL that was not cleared",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_accept_state()",
		.serve = serve_uncleared,
		.attack = come_behind_the_edge,
		.versions = ONLY_1_2,
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "after_refusal", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
