/* An OpenSSL that lacks a function which the shim needs serves nobody: no context is made with it,
 * and where the shim cannot prevent that, every client is refused at its hello. */
#include "credentials.h"
#include "enforcement.h"
#include "library_copy.h"
#include "log.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

/* Of use neither to the late server nor to libssl itself. */
#define LACKING "SSL_client_hello_isv2"

static char libcrypto[PATH_MAX], libssl[PATH_MAX];

static void prepare_late_server(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/late_server");
	server_command(server, "%s %s %s %s %u %s %s", command, certificate_file("server"),
		       certificate_key("server"), server->options, server->ports[0], libcrypto,
		       libssl);
}

static const struct server_kind late_server = {
	.name = "late_server",
	.prepare = prepare_late_server,
};

static struct server *new_server(const char *options, bool shim)
{
	struct server *server = server_new(&late_server, 1);

	server->options = options;
	if (shim)
		server_policy(server, "[port %u]\nca = %s\n", server->ports[0],
			      certificate_file("ca"));
	return server;
}

static void make_copies(void)
{
	if (libssl[0] != '\0')
		return;
	text_format(libcrypto, sizeof(libcrypto), "%s/%s", scratch_dir(),
		    library_name((void *)(uintptr_t)OPENSSL_cleanup));
	library_copy(libcrypto, (void *)(uintptr_t)OPENSSL_cleanup);
	text_format(libssl, sizeof(libssl), "%s/%s", scratch_dir(),
		    library_name((void *)(uintptr_t)TLS_server_method));
	library_copy(libssl, (void *)(uintptr_t)TLS_server_method);
	library_rename_symbol(libssl, LACKING);
}

static void serves_without_the_shim(void **state)
{
	struct server *server;

	if (strcmp(*state, "deep") == 0)
		skip_under_sanitizer("its library refuses RTLD_DEEPBIND");
	make_copies();
	server = new_server(*state, false);
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	server_stop(server);
	expectations_met();
}

static void makes_no_context(void **state)
{
	struct server *server = new_server("local", true);
	struct program program = {.shim = true, .policy = server->policy, .log = server->log};
	struct result result;
	char *rest = server->command, *word;
	size_t count = 0;

	(void)state;
	make_copies();
	prepare_late_server(server);
	while ((word = strsep(&rest, " ")) != NULL && count < PROGRAM_MAX_WORDS)
		program.words[count++] = word;
	program_run(&result, &program);
	expect(result.status == 1, "the server did not end with 1, but with %d", result.status);
	expect(log_count(server->log, "uncovered library=libssl") == 1 &&
		       log_count(server->log, LACKING) == 1,
	       "no line, or more than one, that names what is missing");
	result_clear(&result);
	server_stop(server);
	expectations_met();
}

static void refuses_every_hello(void **state)
{
	struct server *server;

	(void)state;
	skip_under_sanitizer("its library refuses RTLD_DEEPBIND");
	make_copies();
	server = new_server("deep", true);
	server_start(server);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = {
			.port = server->ports[0],
			.version = version,
			.certificate = version == TLS1_3_VERSION ? "edge" : NULL,
			.request = "GET / HTTP/1.0\r\n\r\n",
		};
		struct outcome outcome;

		client_run(&client, &outcome);
		expect(!outcome.handshake && outcome.application_bytes == 0 && outcome.alert == 80,
		       "TLS %s: alert %d, %zu bytes", version_word(version), outcome.alert,
		       outcome.application_bytes);
		outcome_clear(&outcome);
	}
	expect(log_count(server->log, "uncovered library=libssl") >= 1 &&
		       log_count(server->log, LACKING) >= 1,
	       "no line that names what is missing");
	server_stop(server);
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"without the shim it serves everybody", serves_without_the_shim, NULL, test_end,
		 (void *)(uintptr_t) "local"},
		{"and where it is loaded with RTLD_DEEPBIND", serves_without_the_shim, NULL,
		 test_end, (void *)(uintptr_t) "deep"},
		TEST("no context is made, and a line says what is missing", makes_no_context),
		TEST("where it is loaded unseen, every hello is refused", refuses_every_hello),
	};

	return RUN_TESTS("refuses-without-functions", tests);
}
