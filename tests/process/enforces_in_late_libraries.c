/* An OpenSSL that comes when the server is running already, by functions that nobody stands in
 * front of, is enforced as one that the server is linked to. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Libssl and libcrypto in one library, whose calls of itself nobody sees (-Bsymbolic). */
static const char *bound_library(void)
{
	static char path[PATH_MAX];

	built_path(path, sizeof(path), "tests/process/servers/bound_openssl.so");
	return path;
}

/* Options: how it is loaded, and then, perhaps, that it is that library. */
static bool is_bound(const char *options)
{
	return strstr(options, "bound") != NULL;
}

static void prepare_late_server(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/late_server");
	server_command(server, "%s %s %s %.*s %u %s", command, certificate_file("server"),
		       certificate_key("server"), (int)strcspn(server->options, " "),
		       server->options, server->ports[0],
		       is_bound(server->options) ? bound_library() : "");
}

static const struct server_kind late_server = {
	.name = "late_server",
	.prepare = prepare_late_server,
};

static void run_late(void **state)
{
	static const char *const answers[] = {"reject", "close", "close reset"};
	struct server *server;

	if (is_bound(*state) && access(bound_library(), R_OK) != 0) {
		print_message("no static libssl and libcrypto to make one of\n");
		skip();
	}
	if (strncmp(*state, "deep", 4) == 0)
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
		LATE("one that is linked with -Bsymbolic, libcrypto within it, is enforced",
		     "local bound"),
		LATE("and so it is when it was loaded with RTLD_DEEPBIND", "deep bound"),
	};

	return RUN_TESTS("enforces-in-late-libraries", tests);
}
