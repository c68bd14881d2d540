/* resumption = on: a session that was verified under the very same section is resumed, by any
 * process of the server; one that could not be verified again without its intermediates gives way
 * to a full handshake; and who has neither session nor certificate stays out. */
#include "credentials.h"
#include "enforcement.h"
#include "test.h"

#include <string.h>

/* Ways to resume. */
static const struct way {
	int version;
	bool no_ticket;
} ways[] = {{TLS1_2_VERSION, true}, {TLS1_2_VERSION, false}, {TLS1_3_VERSION, false}};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static struct server *start_server(const char *options, const char *answer)
{
	struct server *server = server_new(&small_server, 1);

	server->options = options;
	server->talks_first = strcmp(options, "banner") == 0;
	server_policy(server, "[port %u]\nca = %s\nresumption = on\nrefuse = %s\n",
		      server->ports[0], certificate_file("ca"), answer);
	server_start(server);
	return server;
}

static struct client client_by(const struct server *server, const struct way *way,
			       const char *certificate)
{
	return (struct client){
		.port = server->ports[0],
		.version = way->version,
		.no_ticket = way->no_ticket,
		.certificate = certificate,
		.request = server->talks_first ? NULL : "GET / HTTP/1.0\r\n\r\n",
	};
}

static void expect_answer(const struct client *client, struct outcome *outcome, bool reused)
{
	client_run(client, outcome);
	expect(strcmp(outcome_body(outcome), SERVER_ANSWER) == 0,
	       "TLS %s, %s: no answer, alert %d, %s", version_word(client->version),
	       client->no_ticket ? "id" : "ticket", outcome->alert, ending_word(outcome->ending));
	expect(outcome->reused == reused, "TLS %s, %s: %sresumed", version_word(client->version),
	       client->no_ticket ? "id" : "ticket", reused ? "not " : "");
}

/* The session of a client with `certificate` is offered again, with the certificate or without. */
static void expect_second_visit(const struct server *server, const struct way *way,
				const char *certificate, const char *again, bool reused)
{
	struct client client = client_by(server, way, certificate);
	struct outcome first, second;

	expect_answer(&client, &first, false);
	expect(first.session != NULL, "TLS %s: no session is given", version_word(way->version));
	client.session = first.session;
	client.certificate = again;
	expect_answer(&client, &second, reused);
	outcome_clear(&second);
	outcome_clear(&first);
}

static void verified_session_resumes(void **state)
{
	static const char *const options[] = {"", "banner", "prefork", "early"};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct server *server = start_server(options[i], i % 2 ? "close" : "reject");

		for (size_t way = 0; way < WAYS; way++) {
			/* The session ids of prefork workers are their own. */
			if (ways[way].no_ticket && strcmp(options[i], "prefork") == 0)
				continue;
			expect_second_visit(server, &ways[way], "edge", NULL, true);
			expect_second_visit(server, &ways[way], "edge-no-eku", "edge-no-eku", true);
		}
		server_stop(server);
	}
	expectations_met();
}

static void chained_certificate_is_shown_again(void **state)
{
	struct server *server = start_server("", "reject");
	struct log log = {.path = server->log};

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		struct client client = client_by(server, &ways[way], "edge-chain");
		struct outcome first;

		expect_second_visit(server, &ways[way], "edge-chain", "edge-chain", false);
		client_run(&client, &first);
		client.session = first.session;
		expect_verdict(server, &client, &stranger, "reject", &log);
		outcome_clear(&first);
	}
	expectations_met();
	server_stop(server);
}

static void strangers_stay_out(void **state)
{
	struct server *server = start_server("", *state);

	expect_enforced(server, *state);
	expectations_met();
	server_stop(server);
}

/* A server that verifies certificates itself has to see each. */
static void server_that_asks_resumes_nothing(void **state)
{
	char options[PATH_MAX + 32];
	struct server *server;

	(void)state;
	snprintf(options, sizeof(options), "demand=%s", certificate_file("ca"));
	server = start_server(options, "reject");
	for (size_t way = 0; way < WAYS; way++) {
		struct client client = client_by(server, &ways[way], "edge");
		struct outcome first, second;

		expect_answer(&client, &first, false);
		client.session = first.session;
		expect_answer(&client, &second, false);
		outcome_clear(&second);
		outcome_clear(&first);
	}
	expectations_met();
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a verified session resumes, at every worker", verified_session_resumes),
		TEST("a certificate of an intermediate CA is shown in every handshake",
		     chained_certificate_is_shown_again),
		{"under reject strangers stay out", strangers_stay_out, NULL, test_end,
		 (void *)(uintptr_t) "reject"},
		{"under close strangers stay out", strangers_stay_out, NULL, test_end,
		 (void *)(uintptr_t) "close"},
		TEST("where the server itself demands certificates, no session resumes",
		     server_that_asks_resumes_nothing),
	};

	return RUN_TESTS("resumes-where-told", tests);
}
