/* Unmodified servers, under each answer: strangers are refused, the edge gets what the bare server
 * gives to everybody. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/* One test: a server, and what a policy makes it answer to strangers; NULL: it runs without the
 * shim. */
struct trial {
	char name[128];
	const struct server_kind *kind;
	const char *answer;
};

static void run_trial(void **state)
{
	const struct trial *trial = *state;
	struct server *server = server_new(trial->kind, 1);

	if (trial->answer != NULL)
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), trial->answer);
	server_start(server);
	if (trial->answer != NULL)
		expect_enforced(server, trial->answer);
	else
		expect_open(server, NULL, server->ports[0]);
	expectations_met();
	server_stop(server);
}

int main(void)
{
	static const struct {
		const char *answer;
		const char *sentence;
	} answers[] = {
		{NULL, " without the shim answers everybody"},
		{"reject", " tells strangers by an alert why it refuses them, and serves the edge"},
		{"reject 403", " answers strangers with a status and a page, and serves the edge"},
		{"close", " ends without a byte to strangers, and serves the edge"},
		{"close reset", " resets the connections of strangers, and serves the edge"},
	};
	enum { STATUS = 2, ANSWERS = sizeof(answers) / sizeof(answers[0]) };
	static struct trial trials[SERVER_KINDS * ANSWERS];
	static struct CMUnitTest tests[SERVER_KINDS * ANSWERS];

	for (size_t i = 0; i < SERVER_KINDS * ANSWERS; i++) {
		const char *sentence = answers[i % ANSWERS].sentence;

		trials[i].kind = &server_kinds[i / ANSWERS];
		trials[i].answer = answers[i % ANSWERS].answer;
		if (trials[i].kind->reads_unseen && i % ANSWERS == STATUS)
			sentence = " has no read that could be answered, ends without a byte to "
				   "strangers, and serves the edge";
		snprintf(trials[i].name, sizeof(trials[i].name), "%s%s", trials[i].kind->name,
			 sentence);
		tests[i] = (struct CMUnitTest)TEST(trials[i].name, run_trial);
		tests[i].initial_state = &trials[i];
	}
	return RUN_TESTS("enforces-on-servers", tests);
}
