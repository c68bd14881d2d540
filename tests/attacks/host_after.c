/* What a host does with a connection when its handshake is over, refused or not: it goes on, tries
 * again, asks again, or takes the same SSL for the next client. */
#include "attack.h"
#include "test.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MANY_TIMES  100
#define A_FEW_TIMES 3

static void converse(SSL *ssl)
{
	if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* ---- going on ---- */

static int believe(X509_STORE_CTX *store, void *argument)
{
	(void)store;
	(void)argument;
	return 1;
}

/* libssl has finished when the shim refuses, and there are keys to go on with. */
static void believe_unseen(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	HOST_ORIGINAL(SSL_CTX_set_cert_verify_callback)(context, believe, NULL);
	/* The answer is the first that comes. */
	SSL_CTX_set_num_tickets(context, 0);
}

static void go_on(SSL *ssl)
{
	host_read(ssl);
	host_answer(ssl);
}

static void at_step(const SSL *ssl, int where, int value)
{
	(void)where;
	(void)value;
	SSL_set_shutdown((SSL *)(uintptr_t)ssl, 0);
}

static void at_step_unseen(const SSL *ssl, int where, int value)
{
	(void)where;
	(void)value;
	HOST_ORIGINAL(SSL_set_shutdown)((SSL *)(uintptr_t)ssl, 0);
}

/* What came with the client's last flight is in libssl by then. */
static void unmute_and_read_ahead(SSL_CTX *context)
{
	believe_unseen(context);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_info_callback(context, at_step);
}

static void unmute_unseen_and_read_ahead(SSL_CTX *context)
{
	unmute_and_read_ahead(context);
	SSL_CTX_set_info_callback(context, at_step_unseen);
}

static void forgive(SSL *ssl)
{
	host_accept(ssl);
	SSL_set_shutdown(ssl, 0);
	go_on(ssl);
}

static void forgive_with_the_descriptor(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);

	host_accept(ssl);
	SSL_set_fd(ssl, descriptor);
	SSL_set_shutdown(ssl, 0);
	go_on(ssl);
}

static void forgive_unseen(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);

	host_accept(ssl);
	SSL_set_fd(ssl, descriptor);
	HOST_ORIGINAL(SSL_set_shutdown)(ssl, 0);
	go_on(ssl);
}

static void answer_unseen(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);

	host_accept(ssl);
	SSL_set_fd(ssl, descriptor);
	HOST_ORIGINAL(SSL_set_shutdown)(ssl, 0);
	host_answer(ssl);
}

/* A handshake that has ended well is the login, as for EAP-TLS. */
static void take_for_login(SSL *ssl)
{
	if (!host_accept(ssl))
		return;
	host_is_in("login");
	if (host_read(ssl))
		host_answer(ssl);
}

static void accept_many_times(SSL *ssl)
{
	for (int i = 0; i < MANY_TIMES; i++)
		if (host_accept(ssl))
			break;
	go_on(ssl);
}

static void accept_and_clear_many_times(SSL *ssl)
{
	const struct timeval moment = {.tv_usec = 100000};

	setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
	for (int i = 0; i < A_FEW_TIMES && !host_accept(ssl); i++)
		SSL_clear(ssl);
	go_on(ssl);
}

/* EAP: keys are the login, and nothing is read or written. */
static void take_keys(SSL *ssl)
{
	unsigned char keys[64];

	host_accept(ssl);
	if (SSL_is_init_finished(ssl) &&
	    SSL_export_keying_material(ssl, keys, sizeof(keys), "client EAP encryption", 21, NULL,
				       0, 0) == 1) {
		host_is_in("keys");
		host_answer(ssl);
	}
}

/* ---- asking later ---- */

/* Within the connection, in TLS 1.3 (Apache, for a folder). */
static void ask_later(SSL *ssl)
{
	if (!host_accept(ssl))
		return;
	SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE, NULL);
	if (SSL_verify_client_post_handshake(ssl) == 1)
		SSL_do_handshake(ssl);
	go_on(ssl);
}

/* A certificate of a CA that is not the edge's: the edge, whom it does not ask, passes. */
static void ask_others_later(SSL_CTX *context)
{
	SSL_CTX_set_verify(context,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT |
				   SSL_VERIFY_POST_HANDSHAKE,
			   NULL);
	if (SSL_CTX_load_verify_locations(context, host_file("other-ca"), NULL) != 1)
		abort();
}

static bool forget_certificate_and_renegotiate(SSL *ssl)
{
	SSL_certs_clear(ssl);
	return SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1;
}

static void allow_renegotiation(SSL *ssl)
{
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
	SSL_set_options(ssl, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#endif
	HOST_ORIGINAL(SSL_clear_options)(ssl, SSL_OP_NO_RENEGOTIATION);
}

static void renegotiate_later(SSL *ssl)
{
	if (!host_accept(ssl))
		return;
	allow_renegotiation(ssl);
	go_on(ssl);
}

static int succeed_at_hello(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)alert;
	(void)argument;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void replace_hello_unseen(SSL *ssl)
{
	HOST_ORIGINAL(SSL_CTX_set_client_hello_cb)(SSL_get_SSL_CTX(ssl), succeed_at_hello, NULL);
	HOST_ORIGINAL(SSL_set_verify)(ssl, SSL_VERIFY_NONE, NULL);
}

/* A context for each connection, so that what is changed unseen is changed for one alone. */
static SSL *with_own_context(const SSL *ssl)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *own = SSL_new(context);

	if (SSL_use_certificate(own, SSL_get_certificate(ssl)) != 1 ||
	    SSL_use_PrivateKey(own, SSL_get_privatekey(ssl)) != 1)
		abort();
	SSL_CTX_free(context);
	SSL_set_fd(own, SSL_get_fd(ssl));
	SSL_set_accept_state(own);
	return own;
}

static void end(SSL *ssl)
{
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static void converse_with_own_context(SSL *ssl)
{
	SSL *own = with_own_context(ssl);

	converse(own);
	end(own);
}

static void renegotiate_unseen(SSL *ssl)
{
	SSL *own = with_own_context(ssl);

	if (host_accept(own)) {
		allow_renegotiation(own);
		replace_hello_unseen(own);
		go_on(own);
	}
	end(own);
}

static const struct attack attacks[] = {
	{
		.name = "a foreign certificate with which the handshake is the login",
		.source = "RFC 5216 (EAP-TLS); stunnel CVE-2021-20230",
		.prepare = believe_unseen,
		.serve = take_for_login,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a stranger whose refusal the host takes back",
		.source = "OpenSSL SSL_set_shutdown(3)",
		.serve = forgive,
		.reason = "no-certificate",
	},
	{
		.name = "a foreign certificate whose refusal the host takes back",
		.source = "OpenSSL SSL_set_shutdown(3)",
		.prepare = believe_unseen,
		.serve = forgive_with_the_descriptor,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "the same, unseen",
		.source = "OpenSSL SSL_set_shutdown(3)",
		.prepare = believe_unseen,
		.serve = forgive_unseen,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a foreign certificate that the host answers, unseen",
		.source = "OpenSSL SSL_set_shutdown(3)",
		.prepare = believe_unseen,
		.serve = answer_unseen,
		.client = {.certificate = "other", .patience_ms = 1000},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a foreign certificate whose request the host has read ahead",
		.source = "OpenSSL SSL_CTX_set_read_ahead(3)",
		.prepare = unmute_and_read_ahead,
		.serve = go_on,
		.client = {.certificate = "other", .patience_ms = IN_A_HURRY},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a foreign certificate whose request the host has read ahead, unseen",
		.source = "OpenSSL SSL_CTX_set_read_ahead(3)",
		.prepare = unmute_unseen_and_read_ahead,
		.serve = go_on,
		.client = {.certificate = "other", .patience_ms = IN_A_HURRY},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a stranger whom the host accepts again and again",
		.source = "OpenSSL SSL_accept(3)",
		.serve = accept_many_times,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger for whom the host clears all, and accepts again",
		.source = "OpenSSL SSL_clear(3)",
		.serve = accept_and_clear_many_times,
		.reason = "no-certificate",
	},
	{
		.name = "a foreign certificate whose keys are the login",
		.source = "RFC 5216, 2.3; stunnel CVE-2021-20230",
		.prepare = believe_unseen,
		.serve = take_keys,
		.client = {.certificate = "other", .patience_ms = 1000},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a stranger who is to be asked later",
		.source = "OpenSSL SSL_verify_client_post_handshake(3)",
		.serve = ask_later,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that asks later, and not for the edge's certificate",
		.source = "OpenSSL SSL_CTX_set_verify(3), SSL_VERIFY_POST_HANDSHAKE",
		.prepare = ask_others_later,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a client that is nobody in its second handshake",
		.source = "OpenSSL SSL_renegotiate(3), SSL_OP_NO_RENEGOTIATION",
		.serve = renegotiate_later,
		.alert = SSL_AD_HANDSHAKE_FAILURE,
		.at_the_end = true,
		.client = {.certificate = "edge", .trick = forget_certificate_and_renegotiate},
		.versions = ONLY_1_2,
		.reason = "no-certificate",
	},
	{
		.name = "the same, unseen",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_process_client_hello()",
		.serve = renegotiate_unseen,
		.client = {.certificate = "edge", .trick = forget_certificate_and_renegotiate},
		.versions = ONLY_1_2,
		.reason = "no-certificate",
		.at_the_end = true,
	},
	{
		.name = "a stranger at a context that is freed before",
		.source = "OpenSSL SSL_CTX_free(3)",
		.serve = converse_with_own_context,
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_after", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
