/* No policy at all: every port that speaks TLS is enforced, with Cloudflare's own CA. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_POLICY          "/etc/cfshim/policy.conf"
#define CLOUDFLARE              "CN=origin-pull.cloudflare.net"
#define CLOUDFLARE_ORGANISATION "O=CloudFlare\\, Inc."

/* The edge of another's CA is a stranger to Cloudflare's. */
static const struct visitor strangers[] = {
	{NULL, "no-certificate", 116, 40},
	{"edge", "untrusted-issuer", 48, 48},
	{"self-signed", "untrusted-issuer", 48, 48},
};

static void expect_closed(const struct server *server, unsigned port, struct log *log)
{
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = {
			.port = port,
			.version = version,
			.request = "GET / HTTP/1.0\r\n\r\n",
		};
		struct refusal_line line;
		struct outcome outcome;

		for (size_t i = 0; i < 3; i++)
			expect_verdict(server, &client, &strangers[i], "reject", log);
		client.certificate = "other";
		client_run(&client, &outcome);
		if (log != NULL)
			log_next_refusal(log, &line, false);
		expect(outcome.asked, "TLS %s: no certificate was asked for",
		       version_word(version));
		expect(strstr(outcome.ca_names, CLOUDFLARE) != NULL &&
			       strstr(outcome.ca_names, CLOUDFLARE_ORGANISATION) != NULL,
		       "TLS %s: the CAs named are \"%s\"", version_word(version), outcome.ca_names);
		expect(strchr(outcome.ca_names, '\n') == strrchr(outcome.ca_names, '\n'),
		       "TLS %s: more than one CA is named: \"%s\"", version_word(version),
		       outcome.ca_names);
		outcome_clear(&outcome);
	}
}

static void run_kind(void **state)
{
	const struct server_kind *kind = server_kind_named(*state);
	struct server *server = server_new(kind, strcmp(kind->name, "nginx") == 0 ? 2 : 1);
	struct log log = {.path = server->log};

	if (access(DEFAULT_POLICY, F_OK) == 0)
		fail_msg("%s is there: the built-in policy cannot be tested", DEFAULT_POLICY);
	server_built_in_policy(server);
	server_start(server);
	for (size_t i = 0; i < server->port_count; i++)
		expect_closed(server, server->ports[i], server->port_count == 1 ? &log : NULL);
	expectations_met();
	server_stop(server);
}

/* The names in the demand are those of the rule, not of the built-in policy. */
static void run_own_ca(void **state)
{
	struct server *server = server_new(&small_server, 1);
	struct outcome outcome;

	(void)state;
	server_policy(server, "[port %u]\nca = %s, %s\n", server->ports[0], certificate_file("ca"),
		      certificate_file("other-ca"));
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		client_run(
			&(struct client){
				.port = server->ports[0],
				.version = version,
				.certificate = "other",
				.request = "GET / HTTP/1.0\r\n\r\n",
			},
			&outcome);
		expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0,
		       "the client of the second CA: alert %d", outcome.alert);
		expect(outcome.asked && strstr(outcome.ca_names, CLOUDFLARE) == NULL &&
			       outcome.ca_names[0] != '\0',
		       "the CAs named are \"%s\"", outcome.ca_names);
		outcome_clear(&outcome);
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
		KIND("nginx without a policy file admits Cloudflare alone, on every port", "nginx"),
		KIND("Apache without a policy file admits Cloudflare alone", "Apache event"),
		KIND("Python without a policy file admits Cloudflare alone", "Python's ssl"),
		KIND("s_server without a policy file admits Cloudflare alone", "openssl s_server"),
		TEST("the demand for a certificate names the CAs of the rule, each of which admits",
		     run_own_ca),
	};

	return RUN_TESTS("enforces-without-policy-file", tests);
}
