/* An OpenSSL that comes when the server is running already, by functions that nobody stands in
 * front of, is enforced as one that the server is linked to. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <string.h>

static void prepare_late_server(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/late_server");
	server_command(server, "%s %s %s %s %u", command, certificate_file("server"),
		       certificate_key("server"), server->options, server->ports[0]);
}

static const struct server_kind late_server = {
	.name = "late_server",
	.prepare = prepare_late_server,
};

static void run_late(void **state)
{
	static const char *const answers[] = {"reject", "close", "close reset"};
	struct server *server;

	if (strcmp(*state, "deep") == 0)
		skip_under_sanitizer("its library refuses RTLD_DEEPBIND");
	server = server_new(&late_server, 1);
	server->options = *state;
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	server_stop(server);
	for (size_t i = 0; i < 3; i++) {
		server = server_new(&late_server, 1);
		server->options = *state;
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), answers[i]);
		server_start(server);
		expect_enforced(server, answers[i]);
		server_stop(server);
	}
	expectations_met();
}

#define LATE(sentence, options)                                                       \
	{                                                                             \
		.name = (sentence), .test_func = run_late, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(options)                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LATE("a libssl that was loaded by dlopen() is enforced", "local"),
		LATE("and so is one that was loaded with RTLD_DEEPBIND", "deep"),
	};

	return RUN_TESTS("enforces-in-late-libraries", tests);
}
