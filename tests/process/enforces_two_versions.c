/* A program and a module of it that bring an OpenSSL each, of different versions: both are
 * enforced, and neither is taken for the other. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "tests/process/servers"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Made only where there is an OpenSSL 1.1.1 to link it to; lies beside the program. */
static void module_path(char *path, size_t size)
{
	char program[PATH_MAX];

	built_path(program, sizeof(program), FOLDER "/two_versions");
	text_format(path, size, "%.*s/old_service.so", (int)(strrchr(program, '/') - program),
		    program);
}

static void prepare_two_versions(struct server *server)
{
	char program[PATH_MAX];
	char module[PATH_MAX];

	built_path(program, sizeof(program), FOLDER "/two_versions");
	module_path(module, sizeof(module));
	server_command(server, "%s %s %s %s %s %u %u", program, certificate_file("server"),
		       certificate_key("server"), module, server->options, server->ports[0],
		       server->ports[1]);
}

static const struct server_kind two_versions = {
	.name = "two_versions",
	.prepare = prepare_two_versions,
};

static struct server *new_server(const char *options)
{
	struct server *server = server_new(&two_versions, 2);

	server->options = options;
	return server;
}

/* Without the module there is nothing to test. */
static void need_module(void)
{
	char path[PATH_MAX];

	if (OPENSSL_VERSION_NUMBER < 0x30000000L) {
		fprintf(stderr, "# the OpenSSL here is the older one itself\n");
		skip();
	}
	module_path(path, sizeof(path));
	if (access(path, R_OK) == 0)
		return;
	if (getenv("CI") != NULL)
		fail_msg("%s was not built: there is no OpenSSL 1.1.1", path);
	fprintf(stderr, "# no OpenSSL 1.1.1 here: make check-matrix makes a root that has it\n");
	skip();
}

/* What the one who serves the port says of its version. */
static void expect_version(const struct server *server, size_t port, const char *version)
{
	for (size_t i = 0; i < 2; i++) {
		const struct client client = {
			.port = server->ports[port],
			.version = versions[i],
			.certificate = "edge",
			.request = "GET /version HTTP/1.0\r\n\r\n",
		};
		struct outcome outcome;

		client_run(&client, &outcome);
		expect(strncmp(outcome_body(&outcome), version, strlen(version)) == 0,
		       "port %zu is served by \"%s\" instead of %s", port, outcome_body(&outcome),
		       version);
		outcome_clear(&outcome);
	}
}

static void expect_versions(const struct server *server)
{
	expect_version(server, 0, OpenSSL_version(OPENSSL_VERSION));
	expect_version(server, 1, "OpenSSL 1.1.1");
}

static void run_open(void **state)
{
	struct server *server;

	need_module();
	server = new_server(*state);
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	expect_open(server, NULL, server->ports[1]);
	expect_versions(server);
	server_stop(server);
	expectations_met();
}

/* Another answer on each port: what the one port owes is not seen on the other. */
static void run_enforced(void **state)
{
	static const char *const answers[][2] = {
		{"reject", "close"}, {"close", "reject"}, {"close reset", "close reset"}};

	need_module();
	if (strcmp(*state, "deep") == 0)
		skip_under_sanitizer("its library refuses RTLD_DEEPBIND");
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct server *server = new_server(*state);
		struct log log = {.path = server->log};

		server_policy(server,
			      "[port %u]\nca = %s\nrefuse = %s\n[port %u]\nca = %s\nrefuse = %s\n",
			      server->ports[0], certificate_file("ca"), answers[i][0],
			      server->ports[1], certificate_file("ca"), answers[i][1]);
		server_start(server);
		expect_guarded(server, NULL, server->ports[0], answers[i][0], &log);
		expect_guarded(server, NULL, server->ports[1], answers[i][1], &log);
		/* Once more: the first connection of the one came before the second version was
		 * at work. */
		expect_guarded(server, NULL, server->ports[0], answers[i][0], &log);
		expect_versions(server);
		server_stop(server);
	}
	expectations_met();
}

/* "edge" is of the CA `ca`, "other" of the CA `other-ca`: what admits here is refused there. */
static void run_own_cas(void **state)
{
	static const struct visitor visits[2][3] = {
		{{"edge", NULL, 0, 0},
		 {"other", "untrusted-issuer", 48, 48},
		 {NULL, "no-certificate", 116, 40}},
		{{"edge", "untrusted-issuer", 48, 48},
		 {"other", NULL, 0, 0},
		 {NULL, "no-certificate", 116, 40}},
	};
	struct server *server;
	struct log log;

	need_module();
	server = new_server(*state);
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\n", server->ports[0],
		      certificate_file("ca"), server->ports[1], certificate_file("other-ca"));
	server_start(server);
	log = (struct log){.path = server->log};
	for (size_t i = 0; i < 12; i++) {
		const size_t port = i % 2;
		const struct client client = {
			.port = server->ports[port],
			.version = versions[i / 6],
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		expect_verdict(server, &client, &visits[port][i / 2 % 3], "reject", &log);
	}
	server_stop(server);
	expectations_met();
}

/* One port enforced, the other one off, both ways. */
static void run_one_open(void **state)
{
	need_module();
	for (size_t enforced = 0; enforced < 2; enforced++) {
		struct server *server = new_server(*state);
		struct log log = {.path = server->log};

		server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n",
			      server->ports[enforced], certificate_file("ca"),
			      server->ports[1 - enforced]);
		server_start(server);
		expect_guarded(server, NULL, server->ports[enforced], "reject", &log);
		expect_open(server, NULL, server->ports[1 - enforced]);
		expect_versions(server);
		server_stop(server);
	}
	expectations_met();
}

#define TWO(sentence, function, options)                                                \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(options)                           \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO("without the shim both versions answer everybody", run_open, "local"),
		TWO("a program's OpenSSL and the 1.1.1 of its module are both enforced",
		    run_enforced, "local"),
		TWO("and so they are with a module that was loaded with RTLD_DEEPBIND",
		    run_enforced, "deep"),
		TWO("and so they are where the module's is at work first", run_enforced, "first"),
		TWO("each version admits by the CA of its own port alone", run_own_cas, "local"),
		TWO("and so it does where the module's is at work first", run_own_cas, "first"),
		TWO("one version's port can be open while the other's is enforced", run_one_open,
		    "local"),
	};

	return RUN_TESTS("enforces-two-versions", tests);
}
