/* TLS that nobody can hook: GnuTLS, and an OpenSSL inside the program that exports nothing.  On an
 * enforced port nobody gets a byte of it; on an open one it is as without the shim. */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "scratch.h"
#include "test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* It listens on every address: it cannot be told otherwise. */
static void prepare_gnutls(struct server *server)
{
	server_command(server,
		       "gnutls-serv --quiet --http -a -p %u --x509certfile %s --x509keyfile %s",
		       server->ports[0], certificate_file("server"), certificate_key("server"));
}

static void prepare_static(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/static_server");
	server_command(server, "%s %s %s %s 127.0.0.1 %u", command, certificate_file("server"),
		       certificate_key("server"), server->options ? server->options : "",
		       server->ports[0]);
}

static const struct server_kind gnutls = {.name = "gnutls-serv", .prepare = prepare_gnutls};
static const struct server_kind static_openssl = {.name = "static OpenSSL",
						  .prepare = prepare_static};

static struct server *server_of(const struct server_kind *kind)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/static_server");
	if (kind == &static_openssl && access(command, X_OK) != 0) {
		print_message("# no static OpenSSL could be linked\n");
		skip();
	}
	return server_new(kind, 1);
}

/* ---- clients ---- */

/* "STARTTLS", and the answer to it. */
static bool ask_to_begin(int descriptor)
{
	char answer[64] = "";
	const struct timeval patience = {.tv_sec = 5};

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return send(descriptor, "STARTTLS\r\n", 10, MSG_NOSIGNAL) == 10 &&
	       recv(descriptor, answer, sizeof(answer) - 1, 0) > 4 &&
	       strncmp(answer, "220 ", 4) == 0;
}

/* Whoever comes: a hello, and then nothing but the end. */
static void expect_nothing(const struct server *server, bool starttls, const char *answer,
			   struct log *log)
{
	unsigned char hello[4096];
	struct refusal_line line = {.text = ""};
	char number[16];

	text_format(number, sizeof(number), "%u", server->ports[0]);
	for (size_t i = 0; i < 2; i++) {
		size_t size = raw_hello(versions[i], hello, sizeof(hello)), count;
		int descriptor = raw_connect(NULL, server->ports[0]);
		enum ending ending;

		if (starttls)
			expect(ask_to_begin(descriptor), "no answer to STARTTLS");
		count = raw_exchange(descriptor, hello, size, &ending);
		expect(count == 0, "TLS %s: %zu bytes", version_word(versions[i]), count);
		expect(ending == (strcmp(answer, "close reset") == 0 ? END_RESET : END_EOF),
		       "TLS %s: %s", version_word(versions[i]), ending_word(ending));
		expect(log_next_refusal(log, &line, false), "no line");
		expect(strcmp(line.reason, "uncovered-tls") == 0 &&
			       strcmp(line.port, number) == 0 && strcmp(line.answer, answer) == 0,
		       "TLS %s: %s", version_word(versions[i]), line.text);
		expect(!log_next_refusal(log, &line, true), "a second line: %s", line.text);
	}
}

/* As a real client sees it, with and without a certificate. */
static void expect_service(const struct server *server, bool served, bool starttls)
{
	static const char *const certificates[] = {NULL, "edge"};

	for (size_t i = 0; i < 4; i++) {
		struct client client = {
			.port = server->ports[0],
			.version = versions[i % 2],
			.certificate = certificates[i / 2],
			.request = "GET / HTTP/1.0\r\n\r\n",
		};
		struct outcome outcome;

		if (starttls) {
			client.descriptor = raw_connect(NULL, server->ports[0]);
			expect(ask_to_begin(client.descriptor), "no answer to STARTTLS");
		}
		client_run(&client, &outcome);
		if (served)
			expect(outcome.handshake && outcome.http_status == 200,
			       "TLS %s, %s: not served: alert %d, %s", version_word(client.version),
			       client.certificate ? client.certificate : "no certificate",
			       outcome.alert, ending_word(outcome.ending));
		else
			expect(!outcome.handshake && outcome.alert == 0 &&
				       outcome.application_bytes == 0,
			       "TLS %s: a handshake, or an alert %d", version_word(client.version),
			       outcome.alert);
		outcome_clear(&outcome);
	}
}

/* ---- tests ---- */

struct test_case {
	const struct server_kind *kind;
	const char *section; /* NULL: no policy file; the port stands before it */
	const char *answer;  /* NULL: served */
	bool bare, starttls;
};

static void run_case(void **state)
{
	const struct test_case *test = *state;
	struct server *server = server_of(test->kind);
	struct log log = {.path = server->log};
	struct refusal_line line;

	if (test->section != NULL)
		server_policy(server, "[port %u]\n%s\n", server->ports[0], test->section);
	else if (!test->bare)
		server_built_in_policy(server);
	if (test->starttls)
		server->options = "starttls";
	server_start(server);
	/* The server has its say to whoever looked whether it is there. */
	while (test->answer != NULL && log_next_refusal(&log, &line, false))
		expect(strcmp(line.reason, "uncovered-tls") == 0, "%s", line.text);
	if (test->answer != NULL)
		expect_nothing(server, test->starttls, test->answer, &log);
	expect_service(server, test->answer == NULL, test->starttls);
	expect(test->answer != NULL || test->bare || log_count(server->log, "refused") == 0,
	       "somebody was refused");
	expectations_met();
	server_stop(server);
}

/* Beside it: where the OpenSSL can be hooked, plain text first does no harm to the edge, and no
 * good to anybody else. */
static void run_hooked_starttls(void **state)
{
	static const struct visitor *const comers[] = {&stranger, &foreigner, &edge};
	struct server *server = server_new(&small_server, 1);
	struct log log = {.path = server->log};

	(void)state;
	server->options = "starttls";
	server_policy(server, "[port %u]\nca = %s\nplaintext = allow\n", server->ports[0],
		      certificate_file("ca"));
	server_start(server);
	for (size_t i = 0; i < 6; i++) {
		struct client client = {
			.port = server->ports[0],
			.version = versions[i % 2],
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		client.descriptor = raw_connect(NULL, server->ports[0]);
		expect(ask_to_begin(client.descriptor), "no answer to STARTTLS");
		expect_verdict(server, &client, comers[i / 2], "reject", &log);
	}
	expectations_met();
	server_stop(server);
}

#define SERVED NULL

#define CASE(sentence, ...) TEST_ROW(sentence, run_case, struct test_case, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a bare GnuTLS serves everybody", &gnutls, NULL, SERVED, true, false),
		CASE("GnuTLS on a named port says nothing to anybody", &gnutls, "refuse = close",
		     "close", false, false),
		CASE("GnuTLS on a named port resets where it is told to", &gnutls,
		     "refuse = close reset", "close reset", false, false),
		CASE("GnuTLS ends at its ServerHello where plain text is allowed", &gnutls,
		     "plaintext = allow", "reject", false, false),
		CASE("GnuTLS ends at its ServerHello where no port is named", &gnutls, NULL,
		     "reject", false, false),
		CASE("GnuTLS ends at its ServerHello where a port is observed", &gnutls,
		     "verify = observe", "reject", false, false),
		CASE("GnuTLS on an open port serves everybody", &gnutls, "verify = off", SERVED,
		     false, false),
		CASE("a bare OpenSSL inside its program serves everybody", &static_openssl, NULL,
		     SERVED, true, false),
		CASE("an OpenSSL that nobody can hook says nothing on a named port",
		     &static_openssl, "refuse = reject", "reject", false, false),
		CASE("an OpenSSL that nobody can hook ends at its ServerHello where no port is "
		     "named",
		     &static_openssl, NULL, "reject", false, false),
		CASE("an OpenSSL that nobody can hook ends at its ServerHello where a port is "
		     "observed",
		     &static_openssl, "verify = observe", "reject", false, false),
		CASE("an OpenSSL that nobody can hook serves everybody on an open port",
		     &static_openssl, "verify = off", SERVED, false, false),
		CASE("bare, one that begins with plain text serves everybody", &static_openssl,
		     NULL, SERVED, true, true),
		CASE("one that begins with plain text ends at its ServerHello", &static_openssl,
		     "plaintext = allow", "reject", false, true),
		CASE("one that begins with plain text serves everybody on an open port",
		     &static_openssl, "verify = off", SERVED, false, true),
		TEST("where OpenSSL can be hooked plain text comes first, and the edge alone is "
		     "served",
		     run_hooked_starttls),
	};

	return RUN_TESTS("refuses-uncovered-tls", tests);
}
