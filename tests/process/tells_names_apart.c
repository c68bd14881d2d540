/* Sections for server names: each name has its CA, its answer and its clients, on one port and one
 * SSL_CTX; a session of one is none of another. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

static const struct visitor other_edge = {"other", NULL, 0, 0};
static const struct visitor lost_edge = {"edge", "untrusted-issuer", 48, 48};
static const struct visitor unnamed_edge = {"edge", "client-mismatch", 46, 46};
static const struct visitor anybody = {NULL, NULL, 0, 0};

static const struct {
	const char *name;
	const struct visitor *visitor;
	const char *answer;
} visits[] = {
	{NULL, &edge, "reject"},
	{NULL, &stranger, "reject"},
	{NULL, &foreigner, "reject"},
	{"shop.example", &edge, "reject"},
	{"shop.example", &foreigner, "reject"},
	{"other.example", &other_edge, "close"},
	{"other.example", &lost_edge, "close"},
	{"OTHER.Example.", &other_edge, "close"},
	{"OTHER.Example.", &stranger, "close"},
	{"not.other.example", &foreigner, "reject"},
	{"a.open.example", &anybody, NULL},
	{"a.open.example", &edge, NULL},
	{"a.b.open.example", &stranger, "reject"},
	{"open.example", &stranger, "reject"},
	{"shut.open.example", &stranger, "reject"},
	{"shut.open.example", &edge, "reject"},
	{"pinned.example", &unnamed_edge, "reject"},
	{"pinned.example", &stranger, "reject"},
};

static const char *const sections = "[port %u]\nca = %s\nhosts = names-only\n"
				    "[port %u server other.example]\nca = %s\nrefuse = close\n"
				    "[port %u server *.open.example]\nverify = off\n"
				    "[port %u server shut.open.example]\nverify = require\n"
				    "[port %u server pinned.example]\nclient-cert = dns:nobody\n";

static struct client client_of(const struct server *server, int version, const char *name)
{
	return (struct client){
		.port = server->ports[0],
		.version = version,
		.request = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
		.server_name = name,
	};
}

/* Of one reason there are ten lines a second. */
static void pause_between_lines(void)
{
	const long long begin = clock_ms();

	while (clock_ms() < begin + 60)
		clock_nap();
}

static void run_kind(void **state)
{
	const char *kind = *state;
	struct server *server =
		server_new(kind != NULL ? server_kind_named(kind) : &small_server, 1);
	struct log log = {.path = server->log};
	const unsigned port = server->ports[0];

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
	server_policy(server, sections, port, certificate_file("ca"), port,
		      certificate_file("other-ca"), port, port, port);
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		for (size_t i = 0; i < sizeof(visits) / sizeof(*visits); i++) {
			const struct client client = client_of(server, version, visits[i].name);

			expect_verdict(server, &client, visits[i].visitor, visits[i].answer, &log);
			pause_between_lines();
		}
	}
	expectations_met();
	server_stop(server);
}

/* The port is open but for one name. */
static void encloses_one_name(void **state)
{
	struct server *server = server_new(&small_server, 1);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server,
		      "[port %u]\nverify = off\nhosts = names-only\n"
		      "[port %u server shop.example]\nverify = require\nca = %s\n",
		      server->ports[0], server->ports[0], certificate_file("ca"));
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version, "shop.example");

		expect_verdict(server, &client, &edge, "reject", &log);
		expect_verdict(server, &client, &stranger, "reject", &log);
		expect_verdict(server, &client, &foreigner, "reject", &log);
		client.server_name = "blog.example";
		expect_verdict(server, &client, &anybody, NULL, &log);
		client.server_name = NULL;
		expect_verdict(server, &client, &anybody, NULL, &log);
	}
	expectations_met();
	server_stop(server);
}

/* A name with a section is one of only-names. */
static void allows_names_with_sections(void **state)
{
	const struct visitor misled = {"edge", "server-name", 112, 112};
	struct server *server = server_new(&small_server, 1);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server,
		      "[port %u]\nca = %s\nonly-names = shop.example\n"
		      "[port %u server *.own.example]\nrefuse = close\n",
		      server->ports[0], certificate_file("ca"), server->ports[0]);
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version, "shop.example");

		expect_verdict(server, &client, &edge, "reject", &log);
		client.server_name = "a.own.example";
		expect_verdict(server, &client, &edge, "close", &log);
		expect_verdict(server, &client, &stranger, "close", &log);
		client.server_name = "own.example";
		expect_verdict(server, &client, &misled, "reject", &log);
	}
	expectations_met();
	server_stop(server);
}

/* The session of one name, offered for another: a handshake of its own, or a refusal. */
static void expect_not_resumed(const struct server *server, int version, const char *from,
			       const char *from_certificate, const char *to,
			       const char *to_certificate, bool served)
{
	struct client client = client_of(server, version, from);
	struct outcome outcome;
	SSL_SESSION *session;

	client.certificate = from_certificate;
	client_run(&client, &outcome);
	session = outcome.session;
	outcome.session = NULL;
	expect(session != NULL && outcome.http_status == 200, "%s: no session to offer", from);
	outcome_clear(&outcome);
	client.session = session;
	client.server_name = to;
	client.certificate = to_certificate;
	client_run(&client, &outcome);
	expect(!outcome.reused, "a session of %s is resumed for %s", from, to);
	expect((outcome.application_bytes > 0) == served, "%s after %s: %zu bytes, alert %d", to,
	       from, outcome.application_bytes, outcome.alert);
	outcome_clear(&outcome);
	client.server_name = from;
	client.certificate = from_certificate;
	client_run(&client, &outcome);
	expect(outcome.reused && outcome.http_status == 200,
	       "a session of %s is not resumed for itself", from);
	outcome_clear(&outcome);
	SSL_SESSION_free(session);
}

static void keeps_sessions_apart(void **state)
{
	struct server *server = server_new(&small_server, 1);
	const unsigned port = server->ports[0];

	(void)state;
	server_policy(server,
		      "[port %u]\nca = %s\nhosts = names-only\nresumption = on\n"
		      "[port %u server other.example]\nca = %s\n"
		      "[port %u server pinned.example]\nclient-cert = dns:nobody\n"
		      "[port %u server open.example]\nverify = off\n",
		      port, certificate_file("ca"), port, certificate_file("other-ca"), port, port);
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		expect_not_resumed(server, version, "shop.example", "edge", "other.example",
				   "other", true);
		expect_not_resumed(server, version, "shop.example", "edge", "other.example", "edge",
				   false);
		expect_not_resumed(server, version, "other.example", "other", "shop.example",
				   "other", false);
		expect_not_resumed(server, version, "shop.example", "edge", "pinned.example",
				   "edge", false);
		expect_not_resumed(server, version, "open.example", NULL, "shop.example", NULL,
				   false);
		expect_not_resumed(server, version, "shop.example", "edge", "open.example", NULL,
				   true);
	}
	expectations_met();
	server_stop(server);
}

#define KIND(sentence, kind)                                                          \
	{                                                                             \
		.name = (sentence), .test_func = run_kind, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIND("a small server has a rule for each name", NULL),
		KIND("nginx has a rule for each name", "nginx"),
		KIND("Apache, whose libssl sees no socket, has a rule for each name",
		     "Apache event"),
		TEST("a name of an open port may be enforced", encloses_one_name),
		TEST("a name with a section is one of only-names", allows_names_with_sections),
		TEST("a session of one name is none of another", keeps_sessions_apart),
	};

	return RUN_TESTS("tells-names-apart", tests);
}
