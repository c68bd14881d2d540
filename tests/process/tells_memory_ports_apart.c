/* Apache moves the bytes itself, and libssl sees no socket: the ClientHello tells by which port a
 * connection came. */
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

static void open_port_does_not_open_its_neighbour(void **state)
{
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n", server->ports[0],
		      certificate_file("ca"), server->ports[1]);
	server_start(server);
	visit(server, &log, server->ports[0], &stranger, "reject");
	visit(server, &log, server->ports[0], &edge, "reject");
	expect_open(server, NULL, server->ports[1]);
	expectations_met();
	server_stop(server);
}

static void each_port_has_its_ca(void **state)
{
	const struct visitor other_edge = {.certificate = "other"};
	struct visitor lost_edge = {.certificate = "edge"};
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	lost_edge.reason = foreigner.reason;
	lost_edge.alert_1_2 = foreigner.alert_1_2;
	lost_edge.alert_1_3 = foreigner.alert_1_3;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\nrefuse = close reset\n",
		      server->ports[0], certificate_file("ca"), server->ports[1],
		      certificate_file("other-ca"));
	server_start(server);
	visit(server, &log, server->ports[0], &edge, "reject");
	visit(server, &log, server->ports[0], &foreigner, "reject");
	visit(server, &log, server->ports[1], &other_edge, "close reset");
	visit(server, &log, server->ports[1], &lost_edge, "close reset");
	expectations_met();
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an open port of Apache does not open the enforced one beside it, nor the "
		     "other way round",
		     open_port_does_not_open_its_neighbour),
		TEST("two ports of Apache trust each its own CA, and answer each in its own way",
		     each_port_has_its_ca),
	};

	return RUN_TESTS("tells-memory-ports-apart", tests);
}
