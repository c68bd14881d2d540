/* verify = observe: a certificate is asked for, everybody is served, and the log says who would not
 * have been, and why; on nginx, whose OpenSSL has the socket, and on asyncio, whose has memory. */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "scratch.h"
#include "test.h"
#include "web_hosts.h"

#include <string.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
#define OTHER   "127.0.0.3"
#define EXEMPT  "127.0.0.4"
#define PROXY   "127.0.0.6"
#define HEADER  "PROXY TCP4 203.0.113.9 127.0.0.1 51514 443\r\n"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void prepare_plain(struct server *server)
{
	server_file(server, "index.html", "%s", SERVER_ANSWER);
	server_command(server, "/usr/bin/python3 -u -m http.server --bind 127.0.0.1 %u",
		       server->ports[0]);
}

static void prepare_greeter(struct server *server)
{
	server_file(server, "greeter.py",
		    "import socketserver\n"
		    "class Greeter(socketserver.StreamRequestHandler):\n"
		    "    def handle(self):\n"
		    "        self.wfile.write(b'220 welcome\\r\\n')\n"
		    "        self.rfile.readline()\n"
		    "socketserver.ThreadingTCPServer.allow_reuse_address = True\n"
		    "socketserver.ThreadingTCPServer(('127.0.0.1', %u), Greeter).serve_forever()\n",
		    server->ports[0]);
	server_command(server, "/usr/bin/python3 greeter.py");
}

static const struct server_kind plain_http = {.name = "http.server", .prepare = prepare_plain};
static const struct server_kind greeter = {.name = "greeter", .prepare = prepare_greeter};

/* `keys` NULL: bare. */
static struct server *start_server(const struct server_kind *kind, const char *keys)
{
	struct server *server = server_new(kind, 1);

	if (keys != NULL)
		server_policy(server, "[port %u]\nca = %s\n%s\n", server->ports[0],
			      certificate_file("ca"), keys);
	server->talks_first = kind == &greeter;
	server_start(server);
	return server;
}

/* Whoever looked whether the server listens came from 127.0.0.1. */
static struct log log_of(const struct server *server)
{
	struct log log = {.path = server->log};
	struct refusal_line line;

	while (log_next_refusal(&log, &line, !server->talks_first))
		expect(strcmp(line.verdict, "observed") == 0, "%s", line.text);
	return log;
}

/* ---- certificates ---- */

static void run_certificates(void **state)
{
	struct server *bare = start_server(*state, NULL);
	struct server *server = start_server(*state, "verify = observe");
	struct log log = log_of(server);

	expect_open(bare, NULL, bare->ports[0]);
	for (size_t i = 0; i < 2 * visitor_count; i++) {
		const struct client client = {
			.port = server->ports[0],
			.version = versions[i % 2],
			.request = REQUEST,
			.server_name = "shop.example",
		};

		expect_observed(&client, &visitors[i / 2], &log);
	}
	expectations_met();
	server_stop(bare);
	server_stop(server);
}

/* ---- what comes before the certificate ---- */

/* One who comes. */
struct comer {
	const char *from, *server_name, *certificate;
	const char *reason; /* NULL: none is told of */
	bool is_asked;      /* for a certificate */
};

static const struct comer comers[] = {
	{"127.0.0.1", "shop.example", "edge", NULL, true},
	{"127.0.0.1", "shop.example", NULL, "no-certificate", true},
	{"127.0.0.1", "shop.example", "expired", "expired", true},
	{"127.0.0.1", "other.example", "edge", "server-name", true},
	{"127.0.0.1", NULL, "other", "server-name", true},
	{OTHER, "shop.example", "edge", "peer-address", true},
	{OTHER, "other.example", NULL, "peer-address", true},
	{EXEMPT, "other.example", NULL, NULL, false},
};

static void expect_comer(const struct server *server, const struct comer *comer, int version,
			 struct log *log)
{
	struct refusal_line line = {.text = ""};
	struct client client = {
		.port = server->ports[0],
		.descriptor = raw_connect(comer->from, server->ports[0]),
		.version = version,
		.certificate = comer->certificate,
		.request = REQUEST,
		.server_name = comer->server_name,
	};
	struct outcome outcome;

	client_run(&client, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0 && outcome.alert == 0 &&
		       outcome.asked == comer->is_asked,
	       "%s: \"%s\", alert %d, asked: %d", comer->from, outcome_body(&outcome),
	       outcome.alert, outcome.asked);
	outcome_clear(&outcome);
	if (comer->reason != NULL)
		expect(log_next_refusal(log, &line, false) &&
			       strcmp(line.verdict, "observed") == 0 &&
			       strcmp(line.reason, comer->reason) == 0 &&
			       strncmp(line.peer, comer->from, strlen(comer->from)) == 0,
		       "%s, %s: \"%s\"", comer->from, comer->reason, line.text);
	expect(!log_next_refusal(log, &line, true), "%s: one more line: %s", comer->from,
	       line.text);
}

static void run_comers(void **state)
{
	struct server *server =
		start_server(*state, "verify = observe\nfrom = 127.0.0.1\nexempt = " EXEMPT "\n"
				     "only-names = shop.example\n");
	struct log log = log_of(server);

	for (size_t i = 0; i < 2 * sizeof(comers) / sizeof(comers[0]); i++)
		expect_comer(server, &comers[i / 2], versions[i % 2], &log);
	expectations_met();
	server_stop(server);
}

/* ---- plain text ---- */

/* Returns what came; the ending is the same with and without the shim. */
static size_t say(const struct server *server, const char *from, const char *text,
		  enum ending *ending)
{
	return raw_exchange(raw_connect(from, server->ports[0]), text, strlen(text), ending);
}

/* A host without TLS; TLS and a request that is none; one that speaks first. */
static void run_plaintext(void **state)
{
	struct server *bare = start_server(*state, NULL);
	struct server *server = start_server(*state, "verify = observe");
	struct log log = log_of(server);
	struct refusal_line line = {.text = ""};
	enum ending expected, seen;
	size_t count = say(bare, NULL, REQUEST, &expected);

	expect(say(server, NULL, REQUEST, &seen) == count && seen == expected,
	       "not the %zu bytes that come without the shim, and %s", count,
	       ending_word(expected));
	expect(log_next_refusal(&log, &line, false) && strcmp(line.verdict, "observed") == 0 &&
		       strcmp(line.reason, "plaintext") == 0,
	       "%s", line.text);
	expect(!log_next_refusal(&log, &line, true), "one more line: %s", line.text);
	expectations_met();
	server_stop(bare);
	server_stop(server);
}

/* A PROXY header is expected, and the TLS hello comes at once; or the header, and then it. */
static void run_header(void **state)
{
	struct server *server = start_server(server_kind_named("Apache event"),
					     "verify = observe\nproxy-protocol = " PROXY);
	struct log log = log_of(server);
	struct client client = {
		.port = server->ports[0], .version = TLS1_3_VERSION, .request = REQUEST};
	const struct comer early = {PROXY, NULL, "edge", "plaintext", true};
	struct refusal_line line = {.text = ""};
	struct outcome outcome;

	(void)state;
	expect_comer(server, &early, TLS1_2_VERSION, &log);
	expect_comer(server, &early, TLS1_3_VERSION, &log);
	server_stop(server);
	server = server_new(server_kind_named("nginx"), 1);
	server->options = "proxy_protocol";
	server_policy(server, "[port %u]\nca = %s\nverify = observe\nproxy-protocol = " PROXY "\n",
		      server->ports[0], certificate_file("ca"));
	server_start(server);
	log = log_of(server);
	client.port = server->ports[0];
	client.descriptor = raw_connect(PROXY, server->ports[0]);
	expect(write(client.descriptor, HEADER, strlen(HEADER)) == (ssize_t)strlen(HEADER),
	       "no header is sent");
	clock_nap();
	client_run(&client, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0, "not served");
	outcome_clear(&outcome);
	expect(log_next_refusal(&log, &line, false) && strcmp(line.reason, "no-certificate") == 0 &&
		       strcmp(line.peer, "203.0.113.9:51514") == 0,
	       "%s", line.text);
	expectations_met();
	server_stop(server);
}

/* ---- until a day ---- */

static void run_until(void **state)
{
	const bool is_past = strstr(*state, "2020") != NULL;
	struct server *server = start_server(&small_server, *state);
	struct log log = log_of(server);

	for (size_t i = 0; i < 2; i++) {
		const struct client client = {
			.port = server->ports[0], .version = versions[i], .request = REQUEST};

		if (is_past) {
			expect_verdict(server, &client, &stranger, "reject", &log);
			expect_verdict(server, &client, &edge, "reject", &log);
		} else {
			expect_observed(&client, &stranger, &log);
			expect_observed(&client, &edge, &log);
		}
	}
	expectations_met();
	server_stop(server);
}

#define ON(kind, sentence, function)                                                    \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(&nginx_http2, "nginx serves whoever comes, and the log says who should not",
		   run_certificates),
		ON(&python_asyncio, "so does asyncio", run_certificates),
		ON(&nginx_http2, "nginx serves other addresses and names", run_comers),
		ON(&python_asyncio, "so does asyncio, from any address and by any name",
		   run_comers),
		ON(&nginx_http2, "nginx has its say to plain text", run_plaintext),
		ON(&python_asyncio, "asyncio hangs up on plain text by itself", run_plaintext),
		ON(&plain_http, "a server without TLS serves", run_plaintext),
		ON(&greeter, "one that speaks first greets", run_plaintext),
		ON(NULL, "a PROXY header that does not come is told of; one that comes is read",
		   run_header),
		ON("verify = observe until 2020-01-01", "from its day on it is require", run_until),
		ON("verify = observe until 2400-01-01", "before its day it observes", run_until),
	};

	return RUN_TESTS("observes", tests);
}
