/* A host that puts a verification of its own in the place of the shim's, unseen, gains nothing: the
 * end of the handshake is judged again, and a refusal there takes both ways away. */
#include "credentials.h"
#include "enforcement.h"
#include "test.h"

#include <string.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const char *const ways[] = {"credulous banner", "credulous"};

static struct server *start_server(const char *options, const char *answer)
{
	struct server *server = server_new(&small_server, 1);

	server->options = options;
	server->talks_first = strstr(options, "banner") != NULL;
	if (answer != NULL)
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), answer);
	server_start(server);
	return server;
}

/* libssl has finished by then, so there is no alert to tell the reason: the log does. */
static void expect_nothing_for(const struct server *server, int version,
			       const struct visitor *visitor, struct log *log)
{
	const struct client client = {
		.port = server->ports[0],
		.version = version,
		.certificate = visitor->certificate,
		.request = server->talks_first ? NULL : "GET / HTTP/1.0\r\n\r\n",
	};
	struct refusal_line line = {.text = ""};
	struct outcome outcome;

	client_run(&client, &outcome);
	expect(outcome.application_bytes == 0, "%s, TLS %s: %zu bytes of the application",
	       visitor->certificate, version_word(version), outcome.application_bytes);
	expect(outcome.ending == END_EOF || outcome.ending == END_RESET, "%s, TLS %s: %s",
	       visitor->certificate, version_word(version), ending_word(outcome.ending));
	expect(log_next_refusal(log, &line, false) && strcmp(line.reason, visitor->reason) == 0,
	       "%s, TLS %s: reason \"%s\" instead of %s", visitor->certificate,
	       version_word(version), line.reason, visitor->reason);
	outcome_clear(&outcome);
}

static void refuses_what_the_host_believes(void **state)
{
	const char *answer = *state;

	for (size_t way = 0; way < 2; way++) {
		struct server *server = start_server(ways[way], answer);
		struct log log = {.path = server->log};

		for (size_t i = 0; i < 2; i++) {
			const struct client client = {
				.port = server->ports[0],
				.version = versions[i],
				.request = server->talks_first ? NULL : "GET / HTTP/1.0\r\n\r\n",
			};

			for (size_t j = 0; j < visitor_count; j++)
				if (visitors[j].certificate != NULL && visitors[j].reason != NULL)
					expect_nothing_for(server, versions[i], &visitors[j], &log);
			expect_verdict(server, &client, &edge, answer, &log);
		}
		server_stop(server);
	}
	expectations_met();
}

static void answers_everybody_without_the_shim(void **state)
{
	(void)state;
	for (size_t way = 0; way < 2; way++) {
		struct server *server = start_server(ways[way], NULL);

		expect_open(server, NULL, server->ports[0]);
		server_stop(server);
	}
	expectations_met();
}

#define JUDGED(sentence, answer)                                                        \
	{                                                                               \
		.name = (sentence), .test_func = refuses_what_the_host_believes,        \
		.teardown_func = test_end, .initial_state = (void *)(uintptr_t)(answer) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a server that believes every certificate answers everybody",
		     answers_everybody_without_the_shim),
		JUDGED("under reject the shim believes only its own verdict", "reject"),
		JUDGED("under close the shim believes only its own verdict", "close"),
	};

	return RUN_TESTS("judges-at-the-end", tests);
}
