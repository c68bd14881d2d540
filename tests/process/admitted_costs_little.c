/* What the shim costs a connection that it has admitted: reading and writing 16 KiB takes no more
 * than 1.002 times the instructions of a host that demands certificates itself, and no further
 * system call; and it keeps at most 256 bytes for it. */
#include "attack.h"
#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECORD_BYTES   16384
#define ROUNDS         4 /* the first ones warm up */
#define SHARE          1.002
#define KEPT_BYTES     256
#define WARM_UPS       384 /* the table of connections has grown by then */
#define CONNECTIONS    1024
#define COUNT_LIMIT_MS 30000

/* ---- the hosts ---- */

static char record[RECORD_BYTES];

/* By these names callgrind knows what to count, as long as they do not end in a jump. */
static int measured_read(SSL *ssl)
{
	volatile int count = SSL_read(ssl, record, sizeof(record));

	return count;
}

static int measured_write(SSL *ssl)
{
	volatile int count = SSL_write(ssl, record, sizeof(record));

	return count;
}

/* Called by these, so that no compiler makes others of them. */
static int (*volatile read_one)(SSL *) = measured_read;
static int (*volatile write_one)(SSL *) = measured_write;

/* A call that nothing else makes stands around each round in the list of calls. */
static void say_when(void)
{
	(void)syscall(SYS_getpgid, 0);
}

static void read_and_write(SSL *ssl)
{
	if (SSL_accept(ssl) != 1)
		return;
	for (unsigned i = 0; i < ROUNDS; i++) {
		say_when();
		if (read_one(ssl) != RECORD_BYTES || write_one(ssl) != RECORD_BYTES)
			return;
	}
	say_when();
}

/* Sessions are none of the shim's. */
static void keep_no_sessions(SSL_CTX *context)
{
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
}

static void demand_certificates(SSL_CTX *context)
{
	keep_no_sessions(context);
	SSL_CTX_load_verify_locations(context, host_file("ca"), NULL);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static size_t bytes_in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
	return mallinfo2().uordblks;
#else
	return (unsigned)mallinfo().uordblks;
#endif
}

/* Keeps every connection, and says what is in use with each. */
static int hold(char **words, void (*prepare)(SSL_CTX *))
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int listener = host_socket(SOCK_STREAM, words[2]);

	prepare(context);
	for (;;) {
		SSL *ssl = SSL_new(context);
		char asked[64];
		char line[64];
		int length;

		SSL_set_fd(ssl, accept(listener, NULL, NULL));
		if (SSL_accept(ssl) != 1 || SSL_read(ssl, asked, sizeof(asked)) <= 0) {
			close(SSL_get_fd(ssl));
			SSL_free(ssl);
			continue;
		}
		host_answer(ssl);
		SSL_shutdown(ssl);
		shutdown(SSL_get_fd(ssl), SHUT_WR);
		length = snprintf(line, sizeof(line), "in use: %zu\n", bytes_in_use());
		if (write(STDOUT_FILENO, line, (size_t)length) != length)
			return 1;
	}
}

static int hold_covered(char **words)
{
	return hold(words, keep_no_sessions);
}

static int hold_bare(char **words)
{
	return hold(words, demand_certificates);
}

static const struct attack hosts[] = {
	{.name = "covered", .serve = read_and_write, .prepare = keep_no_sessions},
	{.name = "bare", .serve = read_and_write, .prepare = demand_certificates},
	{.name = "covered-held", .host = hold_covered},
	{.name = "bare-held", .host = hold_bare},
};

/* ---- running them ---- */

/* What runs it, up to the file that it leaves in the server's folder; NULL: nothing. */
static const char *tool, *file;

static void prepare_host(struct server *server)
{
	char command[PATH_MAX], under[PATH_MAX + 256] = "";

	built_path(command, sizeof(command), "tests/process/admitted_costs_little");
	if (tool != NULL)
		text_format(under, sizeof(under), "%s%s/%s", tool, server->directory, file);
	server_command(server, "%s %s %s%s %s %s %u", under, command,
		       server->shim ? "covered" : "bare", tool ? "" : "-held",
		       certificate_file("server"), certificate_key("server"), server->ports[0]);
}

static const struct server_kind kind = {.name = "measured", .prepare = prepare_host};

static struct server *start_host(bool shim)
{
	struct server *server = server_new(&kind, 1);

	if (shim)
		server_policy(server, "[port %u]\nca = %s\n", server->ports[0],
			      certificate_file("ca"));
	server_start(server);
	return server;
}

static char request[RECORD_BYTES + 1];

static bool send_first_rounds(SSL *ssl)
{
	for (unsigned i = 0; i + 1 < ROUNDS; i++)
		if (SSL_write(ssl, request, RECORD_BYTES) != RECORD_BYTES)
			return false;
	return true;
}

static void visit(const struct server *server, bool at_length)
{
	const struct client client = {
		.port = server->ports[0],
		.version = TLS1_3_VERSION,
		.certificate = "edge",
		.trick = at_length ? send_first_rounds : NULL,
		.request = at_length ? request : "GET / HTTP/1.0\r\n\r\n",
		.timeout_ms = COUNT_LIMIT_MS,
	};
	struct outcome outcome;

	client_run(&client, &outcome);
	expect(outcome.application_bytes >= (at_length ? ROUNDS * RECORD_BYTES : 1),
	       "the edge got %zu bytes, alert %d", outcome.application_bytes, outcome.alert);
	outcome_clear(&outcome);
}

/* ---- instructions ---- */

static unsigned long long count_in(const struct server *server, unsigned number)
{
	long long deadline = clock_ms() + COUNT_LIMIT_MS;
	char path[PATH_MAX + 64];
	unsigned long long count = 0;

	text_format(path, sizeof(path), "%s/counts.%u", server->directory, number);
	while (count == 0) {
		char *text = scratch_read(path);
		const char *total = strstr(text, "\ntotals: ");

		if (total != NULL)
			count = strtoull(total + strlen("\ntotals: "), NULL, 10);
		free(text);
		if (clock_ms() > deadline)
			fail_msg("callgrind leaves no count in %s", path);
		clock_nap();
	}
	return count;
}

/* Of the last round. */
static unsigned long long count_instructions(bool shim)
{
	struct server *server = start_host(shim);
	unsigned long long count;

	visit(server, true);
	count = count_in(server, ROUNDS);
	server_stop(server);
	return count;
}

static void run_instructions(void **state)
{
	static const char *const tools[] = {
		"valgrind -q --tool=callgrind --toggle-collect=measured_read "
		"--dump-after=measured_read --callgrind-out-file=",
		"valgrind -q --tool=callgrind --toggle-collect=measured_write "
		"--dump-after=measured_write --callgrind-out-file="};
	static const char *const calls[] = {"SSL_read", "SSL_write"};

	(void)state;
	skip_under_sanitizer("valgrind runs no sanitized program");
	file = "counts";
	for (unsigned i = 0; i < 2; i++) {
		unsigned long long covered, bare;

		tool = tools[i];
		covered = count_instructions(true);
		bare = count_instructions(false);
		print_message("# %s of 16 KiB: %llu instructions, %llu without the shim: %.4f\n",
			      calls[i], covered, bare, (double)covered / (double)bare);
		expect((double)covered <= SHARE * (double)bare, "%s: too many", calls[i]);
	}
	expectations_met();
}

/* ---- system calls ---- */

/* Between the last two marks; 0: they are not there yet. */
static size_t calls_of_last_round(const char *text)
{
	const char *mark = "sys_getpgid", *at = text, *from = NULL, *to = NULL;
	size_t marks = 0, calls = 0;

	for (; (at = strstr(at, mark)) != NULL; at++, marks++) {
		from = to;
		to = at;
	}
	if (marks <= ROUNDS)
		return 0;
	for (at = from; (at = strstr(at, "SYSCALL[")) != NULL && at < to; at++)
		calls++;
	return calls;
}

static size_t count_calls(bool shim)
{
	struct server *server = start_host(shim);
	long long deadline = clock_ms() + COUNT_LIMIT_MS;
	char path[PATH_MAX + 64];
	size_t calls = 0;

	visit(server, true);
	text_format(path, sizeof(path), "%s/calls", server->directory);
	while (calls == 0 && clock_ms() < deadline) {
		char *text = scratch_read(path);

		calls = calls_of_last_round(text);
		free(text);
		clock_nap();
	}
	server_stop(server);
	return calls;
}

static void run_calls(void **state)
{
	size_t covered, bare;

	(void)state;
	skip_under_sanitizer("valgrind runs no sanitized program");
	tool = "valgrind -q --tool=none --trace-syscalls=yes --log-file=";
	file = "calls";
	covered = count_calls(true);
	bare = count_calls(false);
	print_message("# %zu system calls, %zu without the shim\n", covered, bare);
	expect(bare > 2 && covered == bare, "%zu and %zu", covered, bare);
	expectations_met();
}

/* ---- memory ---- */

static size_t in_use_after(const struct server *server, size_t connections)
{
	char path[PATH_MAX + 64], *text, *at;
	size_t seen = 0;

	text_format(path, sizeof(path), "%s/server.log", server->directory);
	text = scratch_read(path);
	for (at = text; seen < connections && (at = strstr(at, "in use: ")) != NULL; seen++)
		at += strlen("in use: ");
	seen = seen == connections ? strtoull(at, NULL, 10) : 0;
	free(text);
	return seen;
}

/* The host keeps them all. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static size_t kept_by(bool shim)
{
	struct server *server = start_host(shim);
	size_t first, last;

	for (unsigned i = 0; i < WARM_UPS + CONNECTIONS; i++)
		visit(server, false);
	first = in_use_after(server, WARM_UPS);
	last = in_use_after(server, WARM_UPS + CONNECTIONS);
	expect(first > 0 && last > first, "in use: %zu, then %zu", first, last);
	server_stop(server);
	return (last - first) / CONNECTIONS;
}

static void run_memory(void **state)
{
	size_t covered, bare;

	(void)state;
	skip_under_sanitizer("its memory is not the host's");
	tool = NULL;
	allow_descriptors();
	covered = kept_by(true);
	bare = kept_by(false);
	print_message("# a connection keeps %zu bytes, %zu without the shim\n", covered, bare);
	expect(covered <= bare + KEPT_BYTES, "%zu and %zu", covered, bare);
	expectations_met();
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		TEST("16 KiB are read and written in 1.002 times the instructions",
		     run_instructions),
		TEST("and with no further system call", run_calls),
		TEST("an admitted connection keeps 256 bytes", run_memory),
	};

	for (size_t i = 0; count > 3 && i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strcmp(words[1], hosts[i].name) == 0)
			return host_main(&hosts[i], words + 2);
	memset(request, 'x', RECORD_BYTES);
	return RUN_TESTS("admitted-costs-little", tests);
}
