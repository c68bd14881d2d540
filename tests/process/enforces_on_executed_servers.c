/* A server that a covered program executes, after it has done away with the environment, is
 * enforced by the same policy. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define WHY "executed programs get back the shim, and not the sanitizer's library before it"

/* openssl s_server, executed by a host that was started with these words. */
static const char *starter;

static void prepare_executed(struct server *server)
{
	char script[sizeof(server->command)], host[PATH_MAX];

	server_kind_named("openssl s_server")->prepare(server);
	text_format(script, sizeof(script), "%s", server->command);
	server_file(server, "start.sh", "#!/bin/sh\n%s env -i %s\n", "exec", script);
	built_path(host, sizeof(host), "tests/process/servers/executing_host");
	if (starter != NULL)
		server_command(server, "%s %s %s", host, starter, script);
	else
		server_command(server, "sh start.sh");
}

static const struct server_kind executed = {.name = "executed", .prepare = prepare_executed};

static void run_executed(void **state)
{
	struct server *server;

	starter = *state;
	skip_under_sanitizer(WHY);
	server = server_new(&executed, 1);
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	server_stop(server);
	server = server_new(&executed, 1);
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	expect_enforced(server, "reject");
	server_stop(server);
	expectations_met();
}

/* nginx takes a signal for a new binary only where its parent is gone. */
static void prepare_orphan(struct server *server)
{
	char command[sizeof(server->command)];

	server_kind_named("nginx")->prepare(server);
	text_format(command, sizeof(command), "%s", strchr(server->command, ' '));
	server_file(server, "start.sh",
		    "($(command -v nginx) %s &\nuntil [ -s nginx.pid ]; do sleep 0.1; done)\nexec "
		    "sleep 1000\n",
		    command);
	server_command(server, "sh start.sh");
}

static const struct server_kind orphan = {.name = "nginx of no parent", .prepare = prepare_orphan};

/* The number in the server's file `name`; 0: it is not there. */
static pid_t number_in(const struct server *server, const char *name)
{
	char path[PATH_MAX + 64], *text;
	pid_t pid;

	text_format(path, sizeof(path), "%s/%s", server->directory, name);
	text = scratch_read(path);
	pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	return pid;
}

static void upgrade_nginx(const struct server *server)
{
	long long deadline = clock_ms() + 5000;
	pid_t old;

	while ((old = number_in(server, "nginx.pid")) == 0) {
		if (clock_ms() > deadline)
			fail_msg("nginx has no number");
		clock_nap();
	}
	for (long long next = 0;
	     number_in(server, "nginx.pid") == 0 || number_in(server, "nginx.pid") == old;) {
		if (clock_ms() > deadline)
			fail_msg("nginx executes no other");
		if (clock_ms() > next) {
			kill(old, SIGUSR2); /* the first may have come before the parent's end */
			next = clock_ms() + 500;
		}
		clock_nap();
	}
	kill(old, SIGQUIT);
	while (number_in(server, "nginx.pid.oldbin") != 0) {
		if (clock_ms() > deadline)
			fail_msg("the old nginx does not end");
		clock_nap();
	}
}

static void run_nginx_upgrade(void **state)
{
	struct server *server;

	(void)state;
	skip_under_sanitizer(WHY);
	server = server_new(&orphan, 1);
	server_start(server);
	upgrade_nginx(server);
	expect_open(server, NULL, server->ports[0]);
	server_stop(server);
	server = server_new(&orphan, 1);
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	upgrade_nginx(server);
	expect_enforced(server, "reject");
	server_stop(server);
	expectations_met();
}

#define EXECUTED(sentence, words)                                                         \
	{                                                                                 \
		.name = (sentence), .test_func = run_executed, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(words)                               \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXECUTED("a server is enforced that was executed after clearenv()",
			 "cleared execve /usr/bin/env"),
		EXECUTED("and by a host without environ", "null execvp env"),
		EXECUTED("and by posix_spawn() with an environment of its own",
			 "own posix_spawn /usr/bin/env"),
		EXECUTED("and by system()", "cleared system exec"),
		EXECUTED("and by popen()", "cleared popen exec"),
		EXECUTED("and by a script with env -i", NULL),
		TEST("the new binary of an nginx that was upgraded is enforced", run_nginx_upgrade),
	};

	return RUN_TESTS("enforces-on-executed-servers", tests);
}
