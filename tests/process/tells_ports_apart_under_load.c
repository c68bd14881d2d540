/* Two ports of one process with different CAs, 64 clients at once, good ones and bad ones of both,
 * and some that repeat one hello over and over: no verdict is wrong.
 *
 * CONNECTIONS, where it is set, is how many there are in all, for each server.
 */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "scratch.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE     64
#define CONNECTIONS 640
#define MOST_WRONG  100

/* The certificate that each port admits, and who comes. */
static const char *const good[] = {"edge", "other"};
static const char *const comers[] = {"edge", "other", NULL, "self-signed"};

static bool is_right(const struct server *server, unsigned number)
{
	size_t port = number % 2, comer = number / 2 % 4;
	struct client client = {
		.port = server->ports[port],
		.version = number / 8 % 2 ? TLS1_3_VERSION : TLS1_2_VERSION,
		.certificate = comers[comer],
		.request = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
		.timeout_ms = 30000,
	};
	struct outcome outcome;
	bool admits = comers[comer] != NULL && strcmp(comers[comer], good[port]) == 0, right;

	client_run(&client, &outcome);
	right = admits ? strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0
		       : outcome.connected && outcome.application_bytes == 0 &&
				 outcome.ending != END_TIMEOUT;
	if (!right)
		fprintf(stderr, "# port %zu, %s, TLS %s: %zu bytes, alert %d, %s\n", port,
			comers[comer] ? comers[comer] : "no certificate",
			version_word(client.version), outcome.application_bytes, outcome.alert,
			ending_word(outcome.ending));
	outcome_clear(&outcome);
	return right;
}

/* The same hello, of both ports in turn, each time left alone after a moment. */
static void repeat_hello(const struct server *server, const unsigned char *hello, size_t size,
			 unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		int first = raw_connect(NULL, server->ports[i % 2]);
		int second = raw_connect(NULL, server->ports[(i + 1) % 2]);

		if (write(first, hello, size) < 0 || write(second, hello, size) < 0)
			break;
		usleep(1000);
		close(first);
		close(second);
	}
}

static void visit_all(struct server *server)
{
	const char *wanted = getenv("CONNECTIONS");
	unsigned each = (wanted ? (unsigned)strtoul(wanted, NULL, 10) : CONNECTIONS) / AT_ONCE;
	unsigned char hello[4096];
	size_t size = raw_hello(TLS1_3_VERSION, hello, sizeof(hello));
	pid_t children[AT_ONCE];
	unsigned wrong = 0;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		if (i % 16 == 15)
			repeat_hello(server, hello, size, each);
		else
			for (unsigned j = 0; j < each && wrong < MOST_WRONG; j++)
				wrong += !is_right(server, i + j * 7);
		_exit((int)wrong);
	}
	for (unsigned i = 0; i < AT_ONCE; i++) {
		int status = 0;

		if (waitpid(children[i], &status, 0) != children[i] || !WIFEXITED(status))
			wrong++;
		else
			wrong += (unsigned)WEXITSTATUS(status);
	}
	expect(wrong == 0, "%u wrong verdicts", wrong);
}

static void prepare_bio_server(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/bio_server");
	server_command(server, "%s %s %s %s %u %u", command, certificate_file("server"),
		       certificate_key("server"), server->kind->name, server->ports[0],
		       server->ports[1]);
}

static const struct server_kind bio_servers[] = {
	{.name = "pair", .prepare = prepare_bio_server},
	{.name = "custom", .prepare = prepare_bio_server},
	{.name = "late", .prepare = prepare_bio_server},
};

static void run_server(void **state)
{
	struct server *server = server_new(*state, 2);

	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\n", server->ports[0],
		      certificate_file("ca"), server->ports[1], certificate_file("other-ca"));
	(void)certificate_file("self-signed");
	server_start(server);
	visit_all(server);
	expectations_met();
	server_stop(server);
}

/* Three clients of a host that hears them all before it serves any: one that repeats the hello of
 * another, by the other port, and one that has nothing to do with them. */
static void copied_hellos_are_closed(void **state)
{
	struct server *server = server_new(&bio_servers[2], 2);
	struct client bystander = {.port = server->ports[1],
				   .version = TLS1_3_VERSION,
				   .certificate = "other",
				   .request = "GET / HTTP/1.0\r\n\r\n",
				   .timeout_ms = 20000};
	struct log log = {.path = server->log};
	struct outcome outcome;
	unsigned char hello[4096];
	size_t size = raw_hello(TLS1_3_VERSION, hello, sizeof(hello));
	enum ending ends[2];
	int copies[2];

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\n", server->ports[0],
		      certificate_file("ca"), server->ports[1], certificate_file("other-ca"));
	server_start(server);
	for (size_t i = 0; i < 2; i++) {
		copies[i] = raw_connect(NULL, server->ports[i]);
		assert_int_equal(write(copies[i], hello, size), size);
	}
	client_run(&bystander, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0, "who stands by: %zu bytes, %s",
	       outcome.application_bytes, ending_word(outcome.ending));
	outcome_clear(&outcome);
	for (size_t i = 0; i < 2; i++) {
		struct refusal_line line;
		size_t count = raw_exchange(copies[i], NULL, 0, &ends[i]);

		expect(count == 0 && ends[i] != END_TIMEOUT, "copy %zu: %zu bytes, %s", i, count,
		       ending_word(ends[i]));
		expect(log_next_refusal(&log, &line, false), "copy %zu: no line", i);
		expect(strcmp(line.reason, "unknown-endpoint") == 0, "copy %zu: %s", i,
		       line.reason);
	}
	expectations_met();
	server_stop(server);
}

#define SERVER(sentence, kind)                                                          \
	{                                                                               \
		.name = (sentence), .test_func = run_server, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER("two ports of nginx, whose OpenSSL has the sockets, are told apart",
		       server_kind_named("nginx")),
		SERVER("two ports of Apache, whose OpenSSL has memory, are told apart",
		       server_kind_named("Apache event")),
		SERVER("two ports of a host whose OpenSSL has half of a BIO pair are told apart",
		       &bio_servers[0]),
		SERVER("two ports of a host whose OpenSSL has a BIO of its own are told apart",
		       &bio_servers[1]),
		TEST("who repeats the hello of another harms that one, itself, and nobody else",
		     copied_hellos_are_closed),
	};

	return RUN_TESTS("tells-ports-apart-under-load", tests);
}
