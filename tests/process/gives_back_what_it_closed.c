/* A server that uses one SSL for connection after connection, of an enforced port and of an open
 * one, finds on the open one what it had set itself. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

enum { ENFORCED, OPEN, PORTS };

static void prepare_again_server(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/again_server");
	server_command(server, "%s %s %s %u %u", command, certificate_file("server"),
		       certificate_key("server"), server->ports[ENFORCED], server->ports[OPEN]);
}

static const struct server_kind again_server = {
	.name = "again_server",
	.prepare = prepare_again_server,
};

static struct server *start_server(bool shim)
{
	struct server *server = server_new(&again_server, PORTS);

	if (shim)
		server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n",
			      server->ports[ENFORCED], certificate_file("ca"), server->ports[OPEN]);
	server_start(server);
	return server;
}

static void visit(const struct server *server, int port, const char *certificate,
		  struct outcome *outcome)
{
	client_run(
		&(struct client){
			.port = server->ports[port],
			.version = TLS1_2_VERSION,
			.certificate = certificate,
			.request = "GET / HTTP/1.0\r\n\r\n",
		},
		outcome);
}

/* What the server says of its SSL, on the open port. */
static void ask(const struct server *server, char *text, size_t size)
{
	struct outcome outcome;

	visit(server, OPEN, NULL, &outcome);
	text_format(text, size, "%s", outcome_body(&outcome));
	outcome_clear(&outcome);
}

static void finds_its_own(void **state)
{
	struct server *bare = start_server(false), *shimmed = start_server(true);
	char set[512], found[512];

	(void)state;
	ask(bare, set, sizeof(set));
	expect(strstr(set, "tickets=7 list=70000 verify=0") != NULL, "bare: \"%s\"", set);
	for (int i = 0; i < 3; i++) {
		struct outcome outcome;

		visit(shimmed, ENFORCED, "edge", &outcome);
		expect(strstr(outcome_body(&outcome), "options=") != NULL,
		       "the edge is not served: alert %d", outcome.alert);
		outcome_clear(&outcome);
		ask(shimmed, found, sizeof(found));
		expect(strcmp(set, found) == 0, "without the shim \"%s\", with it \"%s\"", set,
		       found);
	}
	expectations_met();
	server_stop(bare);
	server_stop(shimmed);
}

static void opens_nothing(void **state)
{
	struct server *bare = start_server(false), *shimmed = start_server(true);
	struct outcome outcome;

	(void)state;
	visit(bare, ENFORCED, NULL, &outcome);
	expect(strstr(outcome_body(&outcome), "options=") != NULL, "bare: not answered");
	outcome_clear(&outcome);
	for (int i = 0; i < 3; i++) {
		visit(shimmed, OPEN, NULL, &outcome);
		expect(strstr(outcome_body(&outcome), "options=") != NULL,
		       "the open port does not answer: alert %d", outcome.alert);
		outcome_clear(&outcome);
		visit(shimmed, ENFORCED, NULL, &outcome);
		expect(outcome.alert == 40 && outcome.application_bytes == 0,
		       "a stranger behind the open port: alert %d, %zu bytes", outcome.alert,
		       outcome.application_bytes);
		outcome_clear(&outcome);
		expect(log_count(shimmed->log, "reason=no-certificate") == (size_t)i + 1,
		       "no line, or more than one");
	}
	expectations_met();
	server_stop(bare);
	server_stop(shimmed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an SSL that comes from an enforced port to an open one is as it was set",
		     finds_its_own),
		TEST("and one that comes from the open port lets no stranger in", opens_nothing),
	};

	return RUN_TESTS("gives-back-what-it-closed", tests);
}
