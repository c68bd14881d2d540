/* verify = observe where the handshake is not the usual one: over datagrams, by a key that both
 * sides share, once more on the same connection, beside a port of the same process that requires.
 * Everybody is served, and one line says for what require would refuse whom.
 *
 * Both sides are in this program: started as `PROGRAM host KIND ...` it is the host. */
#include "attack.h"
#include "credentials.h"
#include "datagram_client.h"
#include "enforcement.h"
#include "preshared.h"
#include "scratch.h"
#include "tally.h"
#include "test.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.0\r\n\r\n"

/* ---- the hosts ---- */

static int serve_datagrams(char **words)
{
	SSL_CTX *context = host_context(DTLS_server_method(), words);
	int descriptor = host_socket(SOCK_DGRAM, words[2]);
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};

	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	for (;;) {
		SSL *ssl = SSL_new(context);
		BIO *bio = BIO_new_dgram(descriptor, BIO_NOCLOSE);

		poll(&waiting, 1, -1);
		SSL_set_bio(ssl, bio, bio);
		if (host_accept(ssl) && host_read(ssl))
			host_answer(ssl);
		SSL_shutdown(ssl);
		SSL_free(ssl);
	}
}

static void share_key(SSL_CTX *context)
{
	SSL_CTX_set_psk_server_callback(context, preshared_server);
}

static void find_key(SSL_CTX *context)
{
	SSL_CTX_set_psk_find_session_callback(context, preshared_find);
}

static void allow_renegotiation(SSL_CTX *context)
{
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
	SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#else
	(void)context;
#endif
}

/* By the host, after the request. */
static void renegotiate_and_answer(SSL *ssl)
{
	char nothing;

	SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	if (!host_accept(ssl) || !host_read(ssl))
		return;
	if (SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1)
		SSL_peek(ssl, &nothing, 1);
	host_answer(ssl);
}

static const struct host {
	const char *name;
	struct attack side;
} hosts[] = {
	{"datagrams", {.host = serve_datagrams, .datagrams = true}},
	{"key-1.2", {.prepare = share_key}},
	{"key-1.3", {.prepare = find_key}},
	{"client-renegotiates", {.prepare = allow_renegotiation}},
	{"host-renegotiates", {.prepare = allow_renegotiation, .serve = renegotiate_and_answer}},
	{"usual", {.prepare = NULL}},
};
enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]) };

static const struct host *host_named(const char *name)
{
	for (size_t i = 0; i < HOSTS; i++)
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	abort();
}

static void prepare_host(struct server *server)
{
	char command[PATH_MAX];
	size_t used;

	built_path(command, sizeof(command), "tests/process/observes_other_handshakes");
	server_command(server, "%s host %s %s %s", command, server->kind->name,
		       certificate_file("server"), certificate_key("server"));
	for (size_t i = 0; i < server->port_count; i++) {
		used = strlen(server->command);
		text_format(server->command + used, sizeof(server->command) - used, " %u",
			    server->ports[i]);
	}
	server->datagrams = host_named(server->kind->name)->side.datagrams;
}

/* ---- the client ---- */

static int handshakes;

static void count_handshakes(const SSL *ssl, int where, int value)
{
	(void)ssl, (void)value;
	handshakes += where == SSL_CB_HANDSHAKE_DONE;
}

static void count_them(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	handshakes = 0;
	SSL_set_info_callback(ssl, count_handshakes);
}

static bool renegotiate(SSL *ssl)
{
	return SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1;
}

static void offer_key(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	preshared_offer(ssl, "PSK-AES128-GCM-SHA256");
}

/* ---- what is seen ---- */

struct way {
	struct server_kind host;
	int version;
	void (*visit)(const struct client *client, struct outcome *outcome);
	void (*prepare)(SSL_CTX *context, SSL *ssl);
	bool (*trick)(SSL *ssl);
	bool was_twice;          /* there were two handshakes */
	const char *certificate; /* NULL: none */
	bool is_asked;
	const char *reason; /* that the line tells, and the counters; NULL: admitted */
};

static void wait_until_ready(const struct server *server)
{
	char path[PATH_MAX + 16];
	long long deadline = clock_ms() + 5000;

	text_format(path, sizeof(path), "%s/server.log", server->directory);
	while (server->datagrams && log_count(path, "ready") == 0 && clock_ms() < deadline)
		clock_nap();
}

static void expect_way(const struct server *server, const struct way *way, bool is_bare)
{
	const struct client client = {.port = server->ports[0],
				      .version = way->version,
				      .certificate = way->certificate,
				      .request = REQUEST,
				      .prepare = way->prepare,
				      .trick = way->trick};
	struct outcome outcome = {.connected = false};

	handshakes = 0;
	(way->visit ? way->visit : client_run)(&client, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0 && outcome.alert == 0,
	       "\"%s\", alert %d", outcome_body(&outcome), outcome.alert);
	expect(outcome.asked == (way->is_asked && !is_bare), "asked: %d", outcome.asked);
	expect(way->trick == NULL || outcome.tricked, "it was another kind of handshake");
	expect(!way->was_twice || handshakes == 2, "%d handshakes", handshakes);
	outcome_clear(&outcome);
}

static void expect_told(const struct server *server, const struct way *way, struct log *log)
{
	struct refusal_line line = {.text = ""};
	const enum verdict verdict = way->reason ? VERDICT_OBSERVED : VERDICT_ADMITTED;

	if (way->reason != NULL)
		expect(log_next_refusal(log, &line, false) &&
			       strcmp(line.verdict, "observed") == 0 &&
			       strcmp(line.reason, way->reason) == 0,
		       "\"%s\"", line.text);
	expect(!log_next_refusal(log, &line, true), "one more line: %s", line.text);
	expect(tally(server->pid, verdict, way->reason) == 1 &&
		       tally(server->pid, VERDICT_REFUSED, NULL) == 0 &&
		       tally(server->pid, VERDICT_OBSERVED, NULL) == (way->reason != NULL),
	       "%s %s: %llu, refused: %llu, observed: %llu", verdict_word(verdict),
	       way->reason ? way->reason : "",
	       (unsigned long long)tally(server->pid, verdict, way->reason),
	       (unsigned long long)tally(server->pid, VERDICT_REFUSED, NULL),
	       (unsigned long long)tally(server->pid, VERDICT_OBSERVED, NULL));
}

static void run_way(void **state)
{
	const struct way *way = *state;

	if (way->visit == datagram_client_run)
		skip_under_sanitizer(DATAGRAMS_UNSANITIZED);
	for (int shim = 0; shim < 2; shim++) {
		struct server *server = server_new(&way->host, 1);
		struct log log = {.path = server->log};

		if (shim)
			server_policy(server, "[port %u]\nca = %s\nverify = observe\n",
				      server->ports[0], certificate_file("ca"));
		server_start(server);
		wait_until_ready(server);
		expect_way(server, way, !shim);
		if (shim)
			expect_told(server, way, &log);
		server_stop(server);
	}
	expectations_met();
}

/* One process, and one context: each port by its own rule, in turn. */
static void run_two_ports(void **state)
{
	static const struct server_kind kind = {.name = "usual", .prepare = prepare_host};
	static const struct visitor *const all[] = {&stranger, &foreigner, &edge};
	struct server *server = server_new(&kind, 2);
	struct log log = {.path = server->log};
	uint64_t before;

	(void)state;
	server_policy(server, "[port %u]\nca = %s\nverify = observe\n[port %u]\nca = %s\n",
		      server->ports[0], certificate_file("ca"), server->ports[1],
		      certificate_file("ca"));
	server_start(server);
	for (size_t i = 0; i < 6; i++) {
		struct client client = {.port = server->ports[0],
					.version = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION,
					.request = REQUEST};
		const enum verdict verdict =
			all[i / 2]->reason ? VERDICT_OBSERVED : VERDICT_ADMITTED;

		before = tally(server->pid, verdict, all[i / 2]->reason);
		expect_observed(&client, all[i / 2], &log);
		expect(tally(server->pid, verdict, all[i / 2]->reason) == before + 1,
		       "not counted once");
		client.port = server->ports[1];
		expect_verdict(server, &client, all[i / 2], "reject", &log);
	}
	expectations_met();
	server_stop(server);
}

#define WAY(sentence, kind, ...)                                                                   \
	TEST_ROW(sentence, run_way, struct way, .host = {.name = (kind), .prepare = prepare_host}, \
		 __VA_ARGS__)
#define DTLS .visit = datagram_client_run, .version = TLS1_2_VERSION, .is_asked = true

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		WAY("DTLS 1.2: the edge is admitted", "datagrams", DTLS, .certificate = "edge"),
		WAY("DTLS 1.2: a stranger is told of", "datagrams", DTLS,
		    .reason = "no-certificate"),
		WAY("DTLS 1.2: another CA's is told of", "datagrams", DTLS, .certificate = "other",
		    .reason = "untrusted-issuer"),
		WAY("a shared key of TLS 1.2, which goes without certificates, is told of",
		    "key-1.2", .version = TLS1_2_VERSION, .prepare = offer_key,
		    .trick = preshared_was_used, .reason = "no-certificate-cipher"),
		WAY("a shared key of TLS 1.3, which is taken for a session, is told of", "key-1.3",
		    .version = TLS1_3_VERSION, .prepare = offer_key, .trick = preshared_was_used,
		    .reason = "resumed-unverified"),
		WAY("a stranger who renegotiates is told of once", "client-renegotiates",
		    .version = TLS1_2_VERSION, .prepare = count_them, .trick = renegotiate,
		    .was_twice = true, .is_asked = true, .reason = "no-certificate"),
		WAY("the edge renegotiates, and is admitted once", "client-renegotiates",
		    .version = TLS1_2_VERSION, .prepare = count_them, .trick = renegotiate,
		    .was_twice = true, .is_asked = true, .certificate = "edge"),
		WAY("a host renegotiates with a stranger", "host-renegotiates",
		    .version = TLS1_2_VERSION, .prepare = count_them, .was_twice = true,
		    .is_asked = true, .reason = "no-certificate"),
		WAY("a host renegotiates with the edge", "host-renegotiates",
		    .version = TLS1_2_VERSION, .prepare = count_them, .was_twice = true,
		    .is_asked = true, .certificate = "edge"),
		TEST("a port that observes and one that requires, of one process", run_two_ports),
	};

	if (count > 5 && strcmp(words[1], "host") == 0)
		return host_main(&host_named(words[2])->side, words + 3);
	return RUN_TESTS("observes-other-handshakes", tests);
}
