/* QUIC, by OpenSSL's own listeners (3.5): a second path to the same application.  The stack hands a
 * connection to the host before its handshake is done. */
#include "attack.h"
#include "quic_client.h"
#include "test.h"

#ifdef HAVE_QUIC

#include <netinet/in.h>
#include <openssl/quic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS   200
#define TURN_US 1000

/* ---- the host ---- */

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *length,
			   const unsigned char *offered, unsigned offered_length, void *argument)
{
	(void)ssl, (void)argument;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, length,
				     (const unsigned char *)QUIC_ALPN, sizeof(QUIC_ALPN) - 1,
				     offered, offered_length) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void end_stream(SSL *connection, SSL *stream)
{
	SSL_stream_conclude(stream, 0);
	SSL_free(stream);
	/* The client closes when it has read all. */
	stream = SSL_accept_stream(connection, 0);
	SSL_free(stream);
}

static void answer_requests(SSL *connection)
{
	SSL *stream = SSL_accept_stream(connection, 0);

	if (stream == NULL)
		return;
	if (host_read(stream))
		host_answer(stream);
	end_stream(connection, stream);
}

/* Speaks first, on a stream of its own, before anything has come. */
static void greet(SSL *connection)
{
	SSL *stream = SSL_new_stream(connection, 0);

	if (stream == NULL)
		return;
	host_answer(stream);
	end_stream(connection, stream);
}

/* The same, without waiting: as soon as libssl takes it. */
static void greet_at_once(SSL *connection)
{
	static const char greeting[] = SERVER_ANSWER;
	SSL *stream = NULL;
	bool written = false;

	SSL_set_blocking_mode(connection, 0);
	for (int i = 0; i < TURNS; i++) {
		if (stream == NULL)
			stream = SSL_new_stream(connection, 0);
		if (stream != NULL && !written &&
		    SSL_write(stream, greeting, sizeof(greeting) - 1) > 0) {
			written = true;
			SSL_stream_conclude(stream, 0);
		}
		SSL_handle_events(connection);
		usleep(TURN_US);
	}
	SSL_free(stream);
}

static void take_keys(SSL *connection)
{
	unsigned char keys[32];

	for (int i = 0; i < TURNS; i++) {
		SSL_handle_events(connection);
		if (SSL_export_keying_material(connection, keys, sizeof(keys), "EXPORTER-x", 10,
					       NULL, 0, 0) == 1) {
			host_is_in("keys");
			return;
		}
		usleep(TURN_US);
	}
}

static void (*conversation)(SSL *connection) = answer_requests;
static void (*settings)(SSL_CTX *context);

static void serve_port(SSL_CTX *context, int descriptor)
{
	SSL *listener = SSL_new_listener(context, 0);

	SSL_set_fd(listener, descriptor);
	SSL_listen(listener);
	for (;;) {
		SSL *connection = SSL_accept_connection(listener, 0);

		if (connection == NULL)
			continue;
		SSL_set_default_stream_mode(connection, SSL_DEFAULT_STREAM_MODE_NONE);
		conversation(connection);
		SSL_free(connection);
	}
}

/* A process for each port. */
static int host_quic(char **words)
{
	SSL_CTX *context = host_context(OSSL_QUIC_server_method(), words);
	int descriptors[SERVER_MAX_PORTS] = {-1, -1};
	size_t count = 0;

	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
	if (settings != NULL)
		settings(context);
	for (; words[2 + count] != NULL; count++)
		descriptors[count] = host_socket(SOCK_DGRAM | SOCK_NONBLOCK, words[2 + count]);
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	if (count > 1 && fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		serve_port(context, descriptors[SECOND]);
	}
	serve_port(context, descriptors[ENFORCED]);
	return 0;
}

static int host_that_greets(char **words)
{
	conversation = greet;
	return host_quic(words);
}

static int host_that_greets_at_once(char **words)
{
	conversation = greet_at_once;
	return host_quic(words);
}

static int host_of_keys(char **words)
{
	conversation = take_keys;
	return host_quic(words);
}

/* In the place of the shim's, which would refuse before the end. */
static int take_any(X509_STORE_CTX *store_context, void *argument)
{
	(void)store_context, (void)argument;
	return 1;
}

static void take_any_certificate(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	HOST_ORIGINAL(SSL_CTX_set_cert_verify_callback)(context, take_any, NULL);
}

/* Nor does libssl clear one of QUIC. */
static void clear_and_answer(SSL *connection)
{
	for (int i = 0; i < TURNS && !SSL_is_init_finished(connection); i++) {
		SSL_handle_events(connection);
		usleep(TURN_US);
	}
	SSL_clear(connection);
	answer_requests(connection);
}

static int host_that_clears(char **words)
{
	settings = take_any_certificate;
	conversation = clear_and_answer;
	return host_quic(words);
}

static int host_that_takes_any(char **words)
{
	settings = take_any_certificate;
	return host_quic(words);
}

/* ---- the client ---- */

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

static void resume_across_ports(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	struct client giver = *client, taker = *client;

	giver.port = victim->server->ports[SECOND];
	giver.trick = NULL;
	taker.session = attack_session(victim, &giver);
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(taker.session);
}

/* ---- the table ---- */

#define QUIC .datagrams = true, .versions = ONLY_1_3, .visit = quic_client_run, .answer = "reject"

static const struct attack attacks[] = {
	{
		QUIC,
		.name = "a stranger over QUIC",
		.source = "RFC 9001 4.4",
		.host = host_quic,
		.reason = "no-certificate",
	},
	{
		QUIC,
		.name = "a foreign certificate over QUIC",
		.source = "RFC 9001 4.4",
		.host = host_quic,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		QUIC,
		.name = "a foreign certificate over QUIC, refused at the end",
		.source = "OpenSSL ssl/quic/quic_impl.c, ossl_quic_set_shutdown()",
		.host = host_that_takes_any,
		.client = {.certificate = "other"},
		.at_the_end = true,
		.alert = NO_ALERT,
		.reason = "untrusted-issuer",
	},
	{
		QUIC,
		.name = "a foreign certificate over QUIC, refused at the end, and cleared",
		.source = "OpenSSL ssl/quic/quic_impl.c, ossl_quic_reset()",
		.host = host_that_clears,
		.client = {.certificate = "other"},
		.at_the_end = true,
		.alert = NO_ALERT,
		.reason = "untrusted-issuer",
	},
	{
		QUIC,
		.name = "a session of the open port over QUIC",
		.source = "RFC 9001 4.5",
		.host = host_quic,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		QUIC,
		.name = "a stranger who waits to be greeted",
		.source = "RFC 9001 5.7; OpenSSL ssl/quic/quic_impl.c, SSL_accept_connection()",
		.host = host_that_greets,
		.reason = "no-certificate",
	},
	{
		QUIC,
		.name = "a stranger greeted before the handshake is done",
		.source = "RFC 9001 5.7; OpenSSL ssl/quic/quic_impl.c, SSL_accept_connection()",
		.host = host_that_greets_at_once,
		.reason = "no-certificate",
	},
	{
		QUIC,
		.name = "keys out of a handshake that goes on",
		.source = "RFC 8446 7.5",
		.host = host_of_keys,
		.without_answer = true,
		.edge_is_refused = true,
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "quic", attacks, sizeof(attacks) / sizeof(attacks[0]));
}

#else

int main(int count, char **words)
{
	return attacks_main(count, words, "quic", NULL, 0);
}

#endif
