/* Whatever the socket is, and whoever accepts from it: an enforced port is enforced, and the port
 * beside it is not. */
#include "credentials.h"
#include "enforcement.h"
#include "test.h"

struct listener {
	const char *address; /* of the server */
	const char *options;
	const char *reached_at[2]; /* by clients */
};

static void run_listener(void **state)
{
	const struct listener *listener = *state;
	struct server *server = server_new(&small_server, 2);
	struct log log = {.offset = 0};

	server->address = listener->address;
	server->options = listener->options;
	server_policy(server, "[port %u]\nca = %s\nrefuse = close\n[port %u]\nverify = off\n",
		      server->ports[0], certificate_file("ca"), server->ports[1]);
	server_start(server);
	log.path = server->log;
	for (size_t i = 0; i < 2 && listener->reached_at[i] != NULL; i++) {
		/* Twice: the next connection may go to another worker. */
		for (unsigned round = 0; round < 2; round++)
			expect_guarded(server, listener->reached_at[i], server->ports[0], "close",
				       &log);
	}
	expect_open(server, listener->reached_at[0], server->ports[1]);
	expectations_met();
	server_stop(server);
}

static void run_mapped_section(void **state)
{
	struct server *server = server_new(&small_server, 2);

	(void)state;
	server->address = "::";
	server_policy(server,
		      "[port 127.0.0.1:%u]\nca = %s\nrefuse = close\n[port *]\nverify = off\n",
		      server->ports[0], certificate_file("ca"));
	server_start(server);
	expect_guarded(server, "127.0.0.1", server->ports[0], "close", NULL);
	expect_open(server, "::1", server->ports[0]);
	expectations_met();
	server_stop(server);
}

#define LISTENER(sentence, ...) TEST_ROW(sentence, run_listener, struct listener, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LISTENER("an IPv4 port is enforced", NULL, NULL, {"127.0.0.1"}),
		LISTENER("an IPv6 port is enforced", "::1", NULL, {"::1"}),
		LISTENER("a port of both families is enforced in both", "::", NULL,
			 {"127.0.0.1", "::1"}),
		LISTENER("workers with sockets of their own on one port enforce it", NULL,
			 "reuseport", {"127.0.0.1"}),
		LISTENER("children that accept from their parent's socket enforce its port", NULL,
			 "prefork", {"127.0.0.1"}),
		LISTENER("a socket that does not block is enforced", NULL, "non-blocking accept",
			 {"127.0.0.1"}),
		TEST("a section for an IPv4 address holds on a socket of both families, for it "
		     "alone",
		     run_mapped_section),
	};

	return RUN_TESTS("guards-every-listener", tests);
}
