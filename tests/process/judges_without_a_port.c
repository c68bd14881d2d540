/* Apache moves the bytes itself, so the port of a connection cannot be found out: every rule that
 * could apply must admit, and nobody is let in by a rule of another port. */
#include "credentials.h"
#include "enforcement.h"
#include "test.h"

static struct server *apache_with(size_t ports)
{
	return server_new(server_kind_named("Apache event"), ports);
}

static void visit(const struct server *server, struct log *log, unsigned port,
		  const struct visitor *visitor, const char *answer)
{
	const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < 2; i++) {
		const struct client client = {
			.port = port,
			.version = versions[i],
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		expect_verdict(server, &client, visitor, answer, log);
	}
}

static void one_port_has_one_rule(void **state)
{
	struct server *server = apache_with(1);

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n", server->ports[0],
		      certificate_file("ca"), server->ports[0] == 1024 ? 1025u : 1024u);
	server_start(server);
	expect_enforced(server, "reject");
	expectations_met();
	server_stop(server);
}

static void open_port_does_not_open_its_neighbour(void **state)
{
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n", server->ports[0],
		      certificate_file("ca"), server->ports[1]);
	server_start(server);
	for (size_t i = 0; i < 2; i++) {
		visit(server, &log, server->ports[i], &stranger, "close");
		visit(server, &log, server->ports[i], &edge, "close");
	}
	expectations_met();
	server_stop(server);
}

static void two_cas_admit_nobody(void **state)
{
	const struct visitor ambiguous = {.certificate = "edge", .reason = "unknown-endpoint"};
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\n", server->ports[0],
		      certificate_file("ca"), server->ports[1], certificate_file("other-ca"));
	server_start(server);
	for (size_t i = 0; i < 2; i++)
		visit(server, &log, server->ports[i], &ambiguous, "close");
	expectations_met();
	server_stop(server);
}

static void sections_alike_are_one_rule(void **state)
{
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\n", server->ports[0],
		      certificate_file("ca"), server->ports[1], certificate_file("ca"));
	server_start(server);
	visit(server, &log, server->ports[1], &stranger, "reject");
	visit(server, &log, server->ports[1], &edge, "reject");
	expectations_met();
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("Apache on one port is judged by the rule of that port",
		     one_port_has_one_rule),
		TEST("an open port of Apache does not open the enforced one beside it",
		     open_port_does_not_open_its_neighbour),
		TEST("where Apache's ports trust different CAs, no certificate is enough",
		     two_cas_admit_nobody),
		TEST("two ports of Apache with sections alike are judged by what both say",
		     sections_alike_are_one_rule),
	};

	return RUN_TESTS("judges-without-a-port", tests);
}
