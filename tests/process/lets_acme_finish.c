/* acme = allow: a hello that comes for tls-alpn-01 finishes its handshake without a certificate,
 * and nothing passes on the connection; no other hello gains by it. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

#define ACME   \
	"\x0a" \
	"acme-tls/1"

static void come_for_acme(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_alpn_protos(ssl, (const unsigned char *)ACME, sizeof(ACME) - 1);
}

static void come_for_both(SSL_CTX *context, SSL *ssl)
{
	static const char both[] = ACME "\x08"
					"http/1.1";

	(void)context;
	SSL_set_alpn_protos(ssl, (const unsigned char *)both, sizeof(both) - 1);
}

static void come_for_acme_twice(SSL_CTX *context, SSL *ssl)
{
	static const char twice[] = ACME ACME;

	(void)context;
	SSL_set_alpn_protos(ssl, (const unsigned char *)twice, sizeof(twice) - 1);
}

static void come_for_http(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_alpn_protos(ssl, (const unsigned char *)"\x08http/1.1", 9);
}

/* A server that takes the protocol. */
static void prepare_responder(struct server *server)
{
	server_file(server, "index.html", "%s", SERVER_ANSWER);
	server_command(server,
		       "openssl s_server -accept 127.0.0.1:%u -cert %s -key %s -quiet -WWW "
		       "-alpn acme-tls/1,http/1.1",
		       server->ports[0], certificate_file("server"), certificate_key("server"));
}

static const struct server_kind responder = {.name = "s_server for ACME",
					     .prepare = prepare_responder};

/* One whose libssl sees no socket, and which writes first. */
static void prepare_asyncio(struct server *server)
{
	server_file(server, "server.py",
		    "import asyncio, ssl\n"
		    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
		    "context.load_cert_chain('%s', '%s')\n"
		    "context.set_alpn_protocols(['acme-tls/1', 'http/1.1'])\n"
		    "async def serve(reader, writer):\n"
		    "    writer.write(b'HTTP/1.0 200 OK\\r\\n\\r\\n' + b'''" SERVER_ANSWER "''')\n"
		    "    await reader.read(100)\n"
		    "    writer.close()\n"
		    "async def main():\n"
		    "    server = await asyncio.start_server(serve, '127.0.0.1', %u, ssl=context)\n"
		    "    await server.serve_forever()\n"
		    "asyncio.run(main())\n",
		    certificate_file("server"), certificate_key("server"), server->ports[0]);
	server_command(server, "/usr/bin/python3 server.py");
}

static const struct server_kind asyncio = {.name = "asyncio for ACME", .prepare = prepare_asyncio};

struct trial {
	const struct server_kind *kind;
	const char *options; /* of small_server */
	const char *answer;
};

static struct client client_of(const struct server *server, int version)
{
	return (struct client){
		.port = server->ports[0],
		.version = version,
		.request = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
		.server_name = "shop.example",
	};
}

/* The handshake, whole, and not a byte behind it. */
static void expect_finished(const struct server *server, const struct client *client)
{
	const char *version = version_word(client->version);
	struct outcome outcome;

	client_run(client, &outcome);
	expect(outcome.handshake, "TLS %s: no handshake, alert %d", version, outcome.alert);
	expect(!outcome.asked, "TLS %s: asked for a certificate", version);
	expect(outcome.application_bytes == 0, "TLS %s: %zu bytes of the application", version,
	       outcome.application_bytes);
	expect(outcome.alert == 0, "TLS %s: alert %d", version, outcome.alert);
	expect(outcome.session == NULL, "TLS %s: a session", version);
	expect(outcome.ending == END_EOF || outcome.ending == END_RESET ||
		       outcome.ending == END_CLOSE_NOTIFY,
	       "TLS %s: ended with %s", version, ending_word(outcome.ending));
	expect(server->kind != &small_server || client->version == TLS1_2_VERSION ||
		       outcome.bytes_after_flight == 0,
	       "TLS %s: %zu bytes after the flight", version, outcome.bytes_after_flight);
	outcome_clear(&outcome);
}

static void expect_others_refused(const struct server *server, int version, const char *answer,
				  struct log *log)
{
	void (*const others[])(SSL_CTX *, SSL *) = {come_for_both, come_for_acme_twice,
						    come_for_http};
	struct client client = client_of(server, version);

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		client.prepare = others[i];
		expect_verdict(server, &client, &stranger, answer, log);
	}
	client.prepare = NULL;
	expect_verdict(server, &client, &stranger, answer, log);
	expect_verdict(server, &client, &edge, answer, log);
	/* RFC 8737, 3: it asks for the name that is to be validated. */
	client.prepare = come_for_acme;
	client.server_name = NULL;
	expect_verdict(server, &client, &stranger, answer, log);
}

static void run_trial(void **state)
{
	const struct trial *trial = *state;
	struct server *server = server_new(trial->kind, 1);
	struct log log = {.path = server->log};
	struct refusal_line line;
	/* As without the shim. */
	const bool drops_its_alerts = trial->kind == &asyncio;

	server->options = trial->options;
	server->talks_first = trial->options && strstr(trial->options, "banner") != NULL;
	server_policy(server, "[port %u]\nca = %s\nrefuse = %s\nacme = allow\n", server->ports[0],
		      certificate_file("ca"), trial->answer);
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version);

		client.prepare = come_for_acme;
		for (int round = 0; round < 2; round++)
			expect_finished(server, &client);
		client.certificate = "edge"; /* not even with one */
		expect_finished(server, &client);
		expect(!log_next_refusal(&log, &line, true), "logged: %s", line.text);
		if (!server->talks_first && !drops_its_alerts)
			expect_others_refused(server, version, trial->answer, &log);
	}
	expectations_met();
	server_stop(server);
}

/* Where nothing is said, and where another key says no before. */
static void refuses_by_default(void **state)
{
	const struct visitor misled = {NULL, "server-name", 112, 112};
	struct server *server = server_new(&responder, 1);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version);

		client.prepare = come_for_acme;
		expect_verdict(server, &client, &stranger, "reject", &log);
	}
	server_stop(server);
	server = server_new(&responder, 1);
	log = (struct log){.path = server->log};
	server_policy(server, "[port %u]\nca = %s\nacme = allow\nonly-names = own.example\n",
		      server->ports[0], certificate_file("ca"));
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version);

		client.prepare = come_for_acme;
		expect_verdict(server, &client, &misled, "reject", &log);
	}
	expectations_met();
	server_stop(server);
}

/* The bare server answers a request behind acme-tls/1 as any other. */
static void bare_server_answers(void **state)
{
	struct server *server = server_new(&responder, 1);

	(void)state;
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		const struct visitor anybody = {.certificate = NULL};
		struct client client = client_of(server, version);

		client.prepare = come_for_acme;
		expect_verdict(server, &client, &anybody, "reject", NULL);
	}
	expectations_met();
	server_stop(server);
}

#define TRIAL(sentence, ...) TEST_ROW(sentence, run_trial, struct trial, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a bare server answers who comes for acme-tls/1", bare_server_answers),
		TRIAL("s_server, which reads by a BIO, lets ACME finish and gives it nothing",
		      &responder, NULL, "reject"),
		TRIAL("a small server that reads lets ACME finish and gives it nothing",
		      &small_server, NULL, "reject"),
		TRIAL("a small server under close lets ACME finish and gives it nothing",
		      &small_server, "accept", "close"),
		TRIAL("a small server that writes first gives ACME nothing", &small_server,
		      "banner", "reject"),
		TRIAL("a small server that writes first, after accept, gives ACME nothing",
		      &small_server, "banner accept", "reject"),
		TRIAL("a small server that does not block gives ACME nothing", &small_server,
		      "non-blocking accept", "close reset"),
		TRIAL("a server that writes early data gives ACME nothing", &small_server,
		      "banner early", "reject"),
		TRIAL("asyncio, whose libssl sees no socket, lets ACME finish and gives it nothing",
		      &asyncio, NULL, "reject"),
		TEST("acme-tls/1 opens nothing where it is not allowed, or the name is not",
		     refuses_by_default),
	};

	return RUN_TESTS("lets-acme-finish", tests);
}
