/* A server that demands certificates of its own CA sees of each client what it would see without
 * the shim, and comes to its own verdict; one that demands none finds none. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

#define REQUEST "GET / HTTP/1.0\r\n\r\n"

enum { ENFORCED, OPEN, PORTS };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const char *const certificates[] = {"edge",  "edge-chain", "edge-no-eku",
					   "other", "expired",    NULL};
#define CERTIFICATES (sizeof(certificates) / sizeof(certificates[0]))
/* The first of them are the policy's. */
#define ADMITTED 3

static void prepare(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/demanding_server");
	server_command(server, "%s %s %s %s %u %u", command, certificate_file("server"),
		       certificate_key("server"), server->options, server->ports[ENFORCED],
		       server->ports[OPEN]);
}

static const struct server_kind demanding_server = {
	.name = "demanding_server",
	.prepare = prepare,
};

/* `verify` NULL: without the shim. */
static struct server *start_server(const char *authority, const char *way, const char *verify)
{
	struct server *server = server_new(&demanding_server, PORTS);
	static char options[PATH_MAX + 64];

	text_format(options, sizeof(options), "%s %s", certificate_file(authority), way);
	server->options = options;
	if (verify != NULL)
		server_policy(server, "[port %u]\nca = %s\nverify = %s\n[port %u]\nverify = off\n",
			      server->ports[ENFORCED], certificate_file("ca"), verify,
			      server->ports[OPEN]);
	server_start(server);
	return server;
}

static void answer_demands_after_the_handshake(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_post_handshake_auth(ssl, 1);
}

static void visit(const struct server *server, int port, int version, const char *certificate,
		  struct outcome *outcome)
{
	client_run(
		&(struct client){
			.port = server->ports[port],
			.version = version,
			.certificate = certificate,
			.server_name = "shop.example",
			.request = REQUEST,
			.prepare = answer_demands_after_the_handshake,
		},
		outcome);
	outcome_clear(outcome);
}

static void expect_same(const struct server *bare, const struct server *shimmed, int version,
			const char *certificate, int port)
{
	const char *who = certificate ? certificate : "nobody";
	struct outcome expected, found;

	visit(bare, port, version, certificate, &expected);
	visit(shimmed, port, version, certificate, &found);
	expect(strcmp(outcome_body(&expected), outcome_body(&found)) == 0,
	       "%s, TLS %s, %s port: without the shim \"%s\", with it \"%s\"", who,
	       version_word(version), port == OPEN ? "open" : "enforced", outcome_body(&expected),
	       outcome_body(&found));
	expect(expected.alert == found.alert, "%s, TLS %s, %s port: alert %d, with the shim %d",
	       who, version_word(version), port == OPEN ? "open" : "enforced", expected.alert,
	       found.alert);
}

static void expect_edge(const struct server *bare, int version, const char *verdict)
{
	struct outcome outcome;

	visit(bare, ENFORCED, version, "edge", &outcome);
	expect(strncmp(outcome_body(&outcome), verdict, strlen(verdict)) == 0 &&
		       (outcome.application_bytes == 0) == (verdict[0] == '\0'),
	       "TLS %s, bare, the edge: \"%s\", alert %d", version_word(version),
	       outcome_body(&outcome), outcome.alert);
}

static void expect_nothing(const struct server *shimmed, int version, const char *certificate)
{
	struct outcome outcome;

	visit(shimmed, ENFORCED, version, certificate, &outcome);
	expect(outcome.application_bytes == 0, "%s, TLS %s: \"%s\"",
	       certificate ? certificate : "nobody", version_word(version), outcome.application);
}

/* A way of demanding, and what becomes of the edge where the server's CA is the edge's, and where
 * it is another ("": it is refused within the handshake). */
struct demand {
	const char *name; /* of the test */
	const char *way, *own, *foreign;
	bool only_1_3;
};

static void run(void **state)
{
	static const char *const authorities[] = {"ca", "other-ca"};
	const struct demand *demand = *state;

	for (size_t i = 0; i < 2; i++) {
		struct server *bare = start_server(authorities[i], demand->way, NULL);
		struct server *shimmed = start_server(authorities[i], demand->way, "require");
		struct server *observed = start_server(authorities[i], demand->way, "observe");

		for (size_t j = demand->only_1_3 ? 1 : 0; j < 2; j++) {
			expect_edge(bare, versions[j], i == 0 ? demand->own : demand->foreign);
			for (size_t k = 0; k < CERTIFICATES; k++) {
				expect_same(bare, shimmed, versions[j], certificates[k], OPEN);
				expect_same(bare, observed, versions[j], certificates[k], ENFORCED);
				if (k < ADMITTED)
					expect_same(bare, shimmed, versions[j], certificates[k],
						    ENFORCED);
				else
					expect_nothing(shimmed, versions[j], certificates[k]);
			}
		}
		server_stop(bare);
		server_stop(shimmed);
		server_stop(observed);
	}
	expectations_met();
}

static const struct demand demands[] = {
	{.name = "a server that demands certificates refuses and takes the same ones",
	 .way = "handshake",
	 .own = "in ",
	 .foreign = ""},
	{.name = "so does one that asks for them, and does not insist",
	 .way = "asked",
	 .own = "in ",
	 .foreign = ""},
	{.name = "one that decides in its verify callback sees the same steps",
	 .way = "callback",
	 .own = "in ",
	 .foreign = ""},
	{.name = "one that takes all and looks at the verify result finds its own",
	 .way = "result",
	 .own = "in ",
	 .foreign = "out "},
	{.name = "one that verifies with a store of its own comes to the same",
	 .way = "store",
	 .own = "in ",
	 .foreign = ""},
	{.name = "one that verifies the certificate afterwards finds the same chain",
	 .way = "certificate",
	 .own = "in ",
	 .foreign = "out "},
	{.name = "one that demands them in its server-name callback sees the same",
	 .way = "name",
	 .own = "in ",
	 .foreign = ""},
	{.name = "one that changes to a context that demands them sees the same",
	 .way = "context",
	 .own = "in ",
	 .foreign = ""},
	{.name = "one that asks after the handshake sees the same",
	 .way = "afterwards",
	 .own = "in ",
	 .foreign = "out ",
	 .only_1_3 = true},
	{.name = "one that asks for none finds none, and takes nobody for logged in",
	 .way = "nothing",
	 .own = "out ",
	 .foreign = "out "},
	{.name = "nor by a verify result that is good by default",
	 .way = "default",
	 .own = "out ",
	 .foreign = "out "},
};
#define DEMANDS (sizeof(demands) / sizeof(demands[0]))

int main(int count, char **words)
{
	struct CMUnitTest tests[DEMANDS];

	if (count > 1)
		cmocka_set_test_filter(words[1]);
	for (size_t i = 0; i < DEMANDS; i++) {
		tests[i] = (struct CMUnitTest)TEST(demands[i].name, run);
		tests[i].initial_state = (void *)(uintptr_t)&demands[i];
	}
	return _cmocka_run_group_tests("keeps-host-demand", tests, DEMANDS, test_group_begin,
				       test_group_end);
}
