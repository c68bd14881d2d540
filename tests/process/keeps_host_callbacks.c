/* A server that has callbacks of its own finds them called as often as without the shim, and gets
 * them back from OpenSSL. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

enum { ENFORCED, OPEN, PORTS };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct server *start_server(const char *options, bool shim)
{
	struct server *server = server_new(&small_server, PORTS);

	server->options = options;
	if (shim)
		server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n",
			      server->ports[ENFORCED], certificate_file("ca"), server->ports[OPEN]);
	server_start(server);
	return server;
}

/* What the server says of its callbacks to the edge. */
static void ask_report(const struct server *server, int port, int version, struct outcome *outcome)
{
	client_run(
		&(struct client){
			.port = server->ports[port],
			.version = version,
			.certificate = "edge",
			.request = "GET / HTTP/1.0\r\n\r\n",
		},
		outcome);
	outcome_clear(outcome);
}

/* `seen`: what the bare server's report must hold, so that the comparison means something. */
static void expect_same_reports(const char *options, const char *seen)
{
	struct server *bare = start_server(options, false);
	struct server *shimmed = start_server(options, true);

	for (int i = 0; i < 2; i++) {
		for (int port = 0; port < PORTS; port++) {
			struct outcome expected;
			struct outcome found;

			ask_report(bare, port, versions[i], &expected);
			ask_report(shimmed, port, versions[i], &found);
			expect(strstr(outcome_body(&expected), seen) != NULL, "bare: %s",
			       outcome_body(&expected));
			expect(strcmp(outcome_body(&expected), outcome_body(&found)) == 0,
			       "TLS %s, %s port: without the shim \"%s\", with it \"%s\"",
			       version_word(versions[i]), port == OPEN ? "open" : "enforced",
			       outcome_body(&expected), outcome_body(&found));
		}
	}
	expectations_met();
	server_stop(bare);
	server_stop(shimmed);
}

static void run_without_demand(void **state)
{
	(void)state;
	expect_same_reports("report", "hello=1 start=1 done=1 verify=0 cert-verify=0 mode=0 "
				      "own-info=1 own-verify=1 certificate=0");
}

static void run_with_demand(void **state)
{
	char options[PATH_MAX + 32];

	(void)state;
	text_format(options, sizeof(options), "report demand=%s", certificate_file("ca"));
	expect_same_reports(options, "hello=1 start=1 done=1 verify=2 cert-verify=1 mode=3 "
				     "own-info=1 own-verify=1 certificate=1");
}

/* The server trusts another CA than the policy: it goes on refusing the edge, and the shim goes on
 * refusing its clients. */
static void run_both_must_pass(void **state)
{
	char options[PATH_MAX + 32];
	struct server *server;
	struct outcome outcome;

	(void)state;
	text_format(options, sizeof(options), "demand=%s", certificate_file("other-ca"));
	server = start_server(options, true);
	for (int i = 0; i < 2; i++) {
		struct client client = {
			.port = server->ports[ENFORCED],
			.version = versions[i],
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		expect_verdict(server, &client, &foreigner, "reject", NULL);
		client.certificate = "edge";
		client_run(&client, &outcome);
		expect(outcome.alert == 48 && outcome.application_bytes == 0,
		       "the edge, whom the server itself does not trust: alert %d, \"%s\"",
		       outcome.alert, outcome.application);
		client.port = server->ports[OPEN];
		client.certificate = "other";
		client_run(&client, &outcome);
		expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0,
		       "the server's own client, on the port that is off: alert %d", outcome.alert);
		outcome_clear(&outcome);
	}
	expectations_met();
	server_stop(server);
}

/* A server that changes its mind in its callbacks decides for itself alone. */
static void run_meddling(void **state)
{
	static const char *const answers[] = {"reject", "close", "close reset"};

	for (size_t i = 0; i < 3; i++) {
		struct server *server = server_new(&small_server, 1);
		char options[64];

		text_format(options, sizeof(options), "%s%s", (const char *)*state,
			    i == 0 ? "" : " banner");
		server->options = options;
		server->talks_first = i != 0;
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), answers[i]);
		server_start(server);
		expect_enforced(server, answers[i]);
		server_stop(server);
	}
	expectations_met();
}

/* And is as open as it was without the shim. */
static void run_meddling_bare(void **state)
{
	struct server *server = server_new(&small_server, 1);

	(void)state;
	server->options = "meddle";
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	expectations_met();
	server_stop(server);
}

#define MEDDLING(sentence, options)                                                       \
	{                                                                                 \
		.name = (sentence), .test_func = run_meddling, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(options)                             \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("callbacks of a server that asks for no certificate are called as before",
		     run_without_demand),
		TEST("callbacks of a server that demands certificates are called as before",
		     run_with_demand),
		TEST("a server that trusts another CA and the policy must both be satisfied",
		     run_both_must_pass),
		TEST("a server whose callbacks waive the certificate gives its answer to everybody",
		     run_meddling_bare),
		MEDDLING("callbacks that waive the certificate waive nothing where it is enforced",
			 "meddle"),
		MEDDLING("nor do they by functions that they look for in libssl itself", "bypass"),
	};

	return RUN_TESTS("keeps-host-callbacks", tests);
}
