/* A graceful reload replaces the workers under the feet of the connections: strangers stay out
 * throughout, the edge is served. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <signal.h>

#define MAX_PROCESSES   64
#define RELOAD_LIMIT_MS 10000

struct reload {
	const char *server;
	int signal;
};

/* Is none of `old` but the first process, the master, among the living? */
static bool are_replaced(const struct server *server, const pid_t *old, size_t old_count)
{
	pid_t now[MAX_PROCESSES];
	size_t count = program_processes(server->pid, now, MAX_PROCESSES);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < old_count; j++) {
			if (now[i] == old[j] && now[i] != server->pid)
				return false;
		}
	}
	return count > 1;
}

static void run_reload(void **state)
{
	const struct reload *reload = *state;
	struct server *server = server_new(server_kind_named(reload->server), 1);
	pid_t old[MAX_PROCESSES];
	size_t old_count;
	long long deadline;

	server_policy(server, "[port %u]\nca = %s\nrefuse = close\n", server->ports[0],
		      certificate_file("ca"));
	server_start(server);
	expect_guarded(server, NULL, server->ports[0], "close", NULL);
	old_count = program_processes(server->pid, old, MAX_PROCESSES);
	assert_true(old_count >= 2 && old_count <= MAX_PROCESSES);
	kill(server->pid, reload->signal);
	deadline = clock_ms() + RELOAD_LIMIT_MS;
	do {
		expect_guarded(server, NULL, server->ports[0], "close", NULL);
		if (clock_ms() > deadline)
			fail_msg("the workers were not replaced");
	} while (!are_replaced(server, old, old_count));
	expect_guarded(server, NULL, server->ports[0], "close", NULL);
	expectations_met();
	server_stop(server);
}

#define RELOAD(sentence, ...) TEST_ROW(sentence, run_reload, struct reload, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELOAD("nginx stays enforced while SIGHUP replaces its workers", "nginx", SIGHUP),
		RELOAD("Apache prefork stays enforced while SIGUSR1 replaces its children",
		       "Apache prefork", SIGUSR1),
		RELOAD("Apache event stays enforced while SIGUSR1 replaces its children",
		       "Apache event", SIGUSR1),
	};

	return RUN_TESTS("survives-reload", tests);
}
