/* A host with an io_uring: its bytes pass unseen, and that is told of, once, by its next
 * connection. */
#include "client.h"
#include "log.h"
#include "program.h"
#include "scratch.h"
#include "server.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static void prepare(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/ring_host");
	server_command(server, "%s %s %u", command, server->options, server->ports[0]);
}

static const struct server_kind ring_host = {.name = "ring_host", .prepare = prepare};

static bool kernel_has_rings(void)
{
	char command[PATH_MAX];
	struct result result;
	bool there;

	/* Without a port it ends at once. */
	built_path(command, sizeof(command), "tests/process/servers/ring_host");
	program_run(&result, &(struct program){.words = {command, "inline"}});
	there = result.status == 0;
	result_clear(&result);
	return there;
}

struct test_case {
	const char *way, *section;
	size_t lines;
};

static void run_case(void **state)
{
	const struct test_case *test = *state;
	struct server *server;

	if (!kernel_has_rings()) {
		print_message("# this kernel lets nobody have an io_uring\n");
		skip();
	}
	server = server_new(&ring_host, 1);
	server->options = test->way;
	server_policy(server, "[port %u]\n%s\n[port *]\nplaintext = refuse\n", server->ports[0],
		      test->section);
	server_start(server);
	for (size_t i = 0; i < 3; i++) {
		long long next = clock_ms() + 1100;

		client_can_connect("127.0.0.1", server->ports[0]);
		while (clock_ms() < next)
			clock_nap();
	}
	expect(log_count(server->log, "uncovered library=io_uring") == test->lines,
	       "%zu lines instead of %zu", log_count(server->log, "uncovered library=io_uring"),
	       test->lines);
	expectations_met();
	server_stop(server);
}

#define CASE(sentence, ...) TEST_ROW(sentence, run_case, struct test_case, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a ring made by syscall() is told of once", "syscall", "verify = require", 1),
		CASE("a ring made by a system call of the host's own is told of once", "inline",
		     "verify = require", 1),
		CASE("a host without a ring is not told of", "none", "verify = require", 0),
		CASE("a ring of a host whose port is off is its own", "inline", "verify = off", 0),
	};

	return RUN_TESTS("tells-of-rings", tests);
}
