/* A server that talks first - a mail server's greeting - and one that reads first: a stranger gets
 * not a byte of the answer, whichever call drives the handshake; the edge gets all of it. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

struct trial {
	char name[128];
	const char *options;
	const char *answer;
};

/* The request is there before the server has judged: no answer, and what is said of the refusal is
 * not lost to the RST that unread bytes cause. */
static void expect_hurry_is_in_vain(const struct server *server, const char *answer)
{
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = {
			.port = server->ports[0],
			.version = version,
			.request = "GET / HTTP/1.0\r\n\r\n",
			.patience_ms = IN_A_HURRY,
		};

		expect_verdict(server, &client, &stranger, answer, NULL);
		expect_verdict(server, &client, &foreigner, answer, NULL);
	}
}

static void run_trial(void **state)
{
	const struct trial *trial = *state;
	struct server *server = server_new(&small_server, 1);

	server->options = trial->options;
	server->talks_first = strstr(trial->options, "banner") != NULL;
	if (trial->answer != NULL)
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), trial->answer);
	server_start(server);
	if (trial->answer != NULL) {
		expect_enforced(server, trial->answer);
		expect_hurry_is_in_vain(server, trial->answer);
	} else {
		expect_open(server, NULL, server->ports[0]);
	}
	expectations_met();
	server_stop(server);
}

int main(void)
{
	static const char *const options[] = {
		"banner",
		"banner non-blocking",
		"banner accept",
		"accept",
		"",
		"non-blocking",
		"banner early",
		"banner early non-blocking",
		"banner early plain",
		"banner library",
		"banner tenant",
	};
	static const char *const answers[] = {NULL, "reject", "close", "close reset"};
	enum { OPTIONS = 11, ANSWERS = 4 };
	static struct trial trials[OPTIONS * ANSWERS];
	static struct CMUnitTest tests[OPTIONS * ANSWERS];

	for (size_t i = 0; i < OPTIONS * ANSWERS; i++) {
		struct trial *trial = &trials[i];

		trial->options = options[i / ANSWERS];
		trial->answer = answers[i % ANSWERS];
		snprintf(trial->name, sizeof(trial->name), "a server (%s) under %s %s",
			 trial->options[0] ? trial->options : "read",
			 trial->answer ? trial->answer : "no shim",
			 trial->answer ? "withholds its answer from strangers alone"
				       : "gives its answer to everybody");
		tests[i] = (struct CMUnitTest)TEST(trial->name, run_trial);
		tests[i].initial_state = trial;
	}
	return RUN_TESTS("withholds-the-answer", tests);
}
