/* A host that speaks no TLS: on a port that is named nothing leaves it and nothing reaches it, by
 * whatever call it writes or reads; where plain text passes it is as without the shim. */
#include "log.h"
#include "raw_client.h"
#include "scratch.h"
#include "server.h"
#include "servers/plain_host.h"
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than ten lines in a second are counted, not written. */
#define BETWEEN_LINES_MS 150

struct way {
	const char *name;
	bool reads;
};

static const struct way ways[] = {
#define WRITING(way) {.name = #way},
#include "servers/plain_ways.def"
#define READING(way) {.name = #way, .reads = true},
#include "servers/plain_ways.def"
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* What one connection came to. */
struct exchange {
	long result; /* in the host */
	int error_number;
	int has_request;
	size_t bytes; /* to the client */
	enum ending ending;
};

static struct exchange bare[WAYS];

static void prepare_plain_host(struct server *server)
{
	char command[PATH_MAX];
	size_t used;

	built_path(command, sizeof(command), "tests/process/servers/plain_host");
	server_command(server, "%s", command);
	for (size_t i = 0; i < server->port_count; i++) {
		used = strlen(server->command);
		text_format(server->command + used, sizeof(server->command) - used, " %u",
			    server->ports[i]);
	}
	/* For the connections by which it is found out whether it listens. */
	server_file(server, "way", "SYS_write\n");
}

static const struct server_kind plain_host = {.name = "plain_host", .prepare = prepare_plain_host};

/* What the client sends at once is thrown away with the connection, where that is refused as it
 * comes. */
static int thinks_ms;

/* The client's side: it speaks where the host reads, and else only listens. */
static void visit(unsigned port, bool speaks, struct exchange *exchange)
{
	int descriptor = raw_connect(NULL, port);

	poll(NULL, 0, thinks_ms);
	exchange->bytes = raw_exchange(descriptor, PLAIN_REQUEST,
				       speaks ? sizeof(PLAIN_REQUEST) - 1 : 0, &exchange->ending);
}

/* The host's side: its last line, when that is of this way. */
static bool last_report(const struct server *server, size_t lines, struct exchange *exchange)
{
	char path[PATH_MAX + 16], *text, *line;

	text_format(path, sizeof(path), "%s/report", server->directory);
	text = scratch_read(path);
	line = text;
	while (lines-- > 0 && line != NULL && (line = strchr(line, '\n')) != NULL)
		line++;
	if (line == NULL || strchr(line, '\n') == NULL ||
	    sscanf(line, "%*s %ld %d %d", &exchange->result, &exchange->error_number,
		   &exchange->has_request) != 3) {
		free(text);
		return false;
	}
	free(text);
	return true;
}

static size_t reports(const struct server *server)
{
	char path[PATH_MAX + 16], *text;
	size_t count = 0;

	text_format(path, sizeof(path), "%s/report", server->directory);
	text = scratch_read(path);
	for (const char *c = text; *c; c++)
		count += *c == '\n';
	free(text);
	return count;
}

static struct exchange try_way(const struct server *server, unsigned port, const struct way *way)
{
	struct exchange exchange = {0};
	size_t before = reports(server);
	long long deadline = clock_ms() + 5000;

	server_file(server, "way", "%s\n", way->name);
	visit(port, way->reads, &exchange);
	while (!last_report(server, before, &exchange)) {
		if (clock_ms() > deadline)
			fail_msg("%s: the host says nothing", way->name);
		clock_nap();
	}
	return exchange;
}

/* The ports have been tried out when the host listens; what that came to does not count. */
static void begin(struct server *server)
{
	long long deadline = clock_ms() + 5000;

	server_start(server);
	while (reports(server) < server->port_count && clock_ms() < deadline)
		clock_nap();
	expect(reports(server) == server->port_count, "the host has seen %zu connections",
	       reports(server));
}

static void run_bare(void **state)
{
	struct server *server = server_new(&plain_host, 1);

	(void)state;
	begin(server);
	for (size_t i = 0; i < WAYS; i++) {
		bare[i] = try_way(server, server->ports[0], &ways[i]);
		if (ways[i].reads)
			/* Those that are told of and thrown away do not get anywhere. */
			expect(bare[i].has_request == (strcmp(ways[i].name, "truncated") != 0),
			       "%s: the request does not come: %ld", ways[i].name, bare[i].result);
		else
			expect(bare[i].bytes == sizeof(PLAIN_ANSWER) - 1,
			       "%s: the client gets %zu bytes", ways[i].name, bare[i].bytes);
	}
	expectations_met();
	server_stop(server);
}

/* ---- a port that must speak TLS ---- */

static void expect_line(struct log *log, const struct way *way, unsigned port, const char *answer)
{
	struct refusal_line line = {.reason = ""};
	char number[16];

	text_format(number, sizeof(number), "%u", port);
	if (!log_next_refusal(log, &line, false)) {
		expect(false, "%s: no line", way->name);
		return;
	}
	expect(strcmp(line.reason, "plaintext") == 0 && strcmp(line.answer, answer) == 0 &&
		       strcmp(line.port, number) == 0 && strcmp(line.tls, "-") == 0,
	       "%s: %s", way->name, line.text);
	expect(!log_next_refusal(log, &line, true), "%s: a second line: %s", way->name, line.text);
}

static void expect_guarded_way(const struct server *server, unsigned port, const struct way *way,
			       const char *answer, struct log *log)
{
	bool resets = strcmp(answer, "close reset") == 0;
	/* It is told that nobody may do that here, before anything is looked at. */
	bool declined = strcmp(way->name, "truncated") == 0;
	struct exchange seen = try_way(server, port, way);

	expect(seen.bytes == 0, "%s: the client gets %zu bytes", way->name, seen.bytes);
	expect(!seen.has_request, "%s: the host gets the request", way->name);
	expect(declined || strcmp(way->name, "old_stdout") == 0 ||
		       seen.ending == (resets ? END_RESET : END_EOF),
	       "%s: the end is %s", way->name, ending_word(seen.ending));
	if (strcmp(way->name, "child_in") == 0)
		expect(seen.result == 0, "%s: the child ends with %ld", way->name, seen.result);
	else if (strncmp(way->name, "child", 5) == 0)
		expect(seen.result > 0, "%s: the child is content", way->name);
	else if (strcmp(way->name, "old_stdout") == 0)
		expect(seen.result == -1 && seen.error_number == EBADF, "%s: %ld, %s", way->name,
		       seen.result, strerror(seen.error_number));
	else if (declined)
		expect(seen.result == -1 && seen.error_number == EINVAL, "%s: %ld, %s", way->name,
		       seen.result, strerror(seen.error_number));
	else if (seen.result != 0 || !way->reads)
		expect(seen.result == -1 && seen.error_number == ECONNRESET, "%s: %ld, %s",
		       way->name, seen.result, strerror(seen.error_number));
	/* It has no descriptor, and closes the connection as if nothing had been. */
	if (!declined && strcmp(way->name, "old_stdout") != 0)
		expect_line(log, way, port, answer);
}

static void run_guarded(void **state)
{
	static const char *const answers[] = {"reject", "close reset"};
	struct server *server = server_new(&plain_host, 2);
	struct log log = {.path = server->log};
	struct refusal_line line;

	(void)state;
	server_policy(server, "[port %u]\n[port %u]\nrefuse = close reset\n", server->ports[0],
		      server->ports[1]);
	begin(server);
	while (log_next_refusal(&log, &line, true))
		;
	for (size_t i = 0; i < WAYS; i++) {
		for (size_t port = 0; port < 2; port++) {
			long long next = clock_ms() + BETWEEN_LINES_MS;

			expect_guarded_way(server, server->ports[port], &ways[i], answers[port],
					   &log);
			while (clock_ms() < next)
				clock_nap();
		}
	}
	expectations_met();
	server_stop(server);
}

/* ---- no memory to watch a connection ---- */

static void run_without_memory(void **state)
{
	struct server *server = server_new(&plain_host, 2);
	struct log log = {.path = server->log};
	struct refusal_line line = {.reason = ""};
	const struct way way = {.name = "write"};
	struct exchange refused, open;

	(void)state;
	server_policy(server, "[port %u]\n[port %u]\nverify = off\n", server->ports[0],
		      server->ports[1]);
	server_file(server, "no-memory", "\n");
	begin(server);
	while (log_next_refusal(&log, &line, true))
		;
	poll(NULL, 0, BETWEEN_LINES_MS);
	refused = try_way(server, server->ports[0], &way);
	expect(refused.bytes == 0 && refused.ending == END_EOF, "%zu bytes, %s", refused.bytes,
	       ending_word(refused.ending));
	expect(log_next_refusal(&log, &line, false) && strcmp(line.reason, "internal") == 0 &&
		       strcmp(line.answer, "reject") == 0,
	       "the line: %s", line.text);
	open = try_way(server, server->ports[1], &way);
	expect(open.bytes == sizeof(PLAIN_ANSWER) - 1, "on the open port %zu bytes", open.bytes);
	expectations_met();
	server_stop(server);
}

/* ---- a hello that nobody conducts ---- */

static void run_unclaimed(void **state)
{
	struct server *server = server_new(&plain_host, 1);
	struct log log = {.path = server->log};
	struct refusal_line line = {.reason = ""};
	unsigned char bytes[8192];
	size_t length = raw_hello(TLS1_3_VERSION, bytes, sizeof(bytes) - 1);
	long long begun, took;
	enum ending ending;
	size_t count;

	(void)state;
	bytes[length] = 0;
	server_policy(server, "[port %u]\n", server->ports[0]);
	begin(server);
	while (log_next_refusal(&log, &line, true))
		;
	server_file(server, "way", "polled_read\n");
	begun = clock_ms();
	count = raw_exchange(raw_connect(NULL, server->ports[0]), bytes, length + 1, &ending);
	took = clock_ms() - begun;
	expect(count == 0 && ending == END_EOF, "%zu bytes, %s", count, ending_word(ending));
	expect(took >= 4000 && took < 8000, "after %lld ms", took);
	expect(log_next_refusal(&log, &line, false) && strcmp(line.reason, "uncovered-tls") == 0,
	       "%s", line.text);
	expectations_met();
	server_stop(server);
}

/* ---- who may not connect, where plain text passes ---- */

static void run_refused(void **state)
{
	struct server *server = server_new(&plain_host, 1);

	(void)state;
	server_policy(server, "[port %u]\nplaintext = allow\nfrom = 192.0.2.0/24\n",
		      server->ports[0]);
	begin(server);
	thinks_ms = 20;
	for (size_t i = 0; i < WAYS; i++) {
		struct exchange seen = try_way(server, server->ports[0], &ways[i]);

		expect(seen.bytes == 0, "%s: the client gets %zu bytes", ways[i].name, seen.bytes);
		expect(!seen.has_request, "%s: the host gets the request", ways[i].name);
	}
	thinks_ms = 0;
	expect(log_count(server->log, "reason=peer-address") > 0, "no line");
	expectations_met();
	server_stop(server);
}

/* ---- who has reset the connection before a child looks at it: the kernel tells no peer ---- */

static void run_reset(void **state)
{
	const struct linger at_once = {.l_onoff = 1};
	struct exchange seen = {0};

	(void)state;
	for (int shim = 0; shim < 2; shim++) {
		struct server *server = server_new(&plain_host, 1);
		long long deadline;
		int descriptor;
		size_t before;

		if (shim)
			server_policy(server, "[port %u]\n", server->ports[0]);
		begin(server);
		before = reports(server);
		server_file(server, "way", "child_fgets\n");
		descriptor = raw_connect(NULL, server->ports[0]);
		assert_true(send(descriptor, PLAIN_REQUEST, sizeof(PLAIN_REQUEST) - 1, 0) > 0);
		setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(descriptor);
		deadline = clock_ms() + 5000;
		while (!last_report(server, before, &seen) && clock_ms() < deadline)
			clock_nap();
		expect(seen.has_request == !shim, "%s the shim the child %s the request",
		       shim ? "with" : "without", seen.has_request ? "gets" : "does not get");
		if (shim)
			expect(log_count(server->log, "reason=plaintext") > 0, "no line");
		server_stop(server);
	}
	expectations_met();
}

/* ---- ports where plain text passes ---- */

struct open_port {
	bool is_named;
	const char *key;
};

static bool is_same(const struct exchange *one, const struct exchange *other)
{
	return one->result == other->result && one->error_number == other->error_number &&
	       one->has_request == other->has_request && one->bytes == other->bytes &&
	       one->ending == other->ending;
}

static void run_open(void **state)
{
	const struct open_port *open_port = *state;
	struct server *server = server_new(&plain_host, 1);

	if (open_port->is_named)
		server_policy(server, "[port %u]\n%s\n", server->ports[0], open_port->key);
	else
		server_built_in_policy(server);
	begin(server);
	for (size_t i = 0; i < WAYS; i++) {
		struct exchange seen = try_way(server, server->ports[0], &ways[i]);

		expect(is_same(&seen, &bare[i]),
		       "%s: %ld, errno %d, request %d, %zu bytes, %s; bare %ld, errno %d, request "
		       "%d, %zu bytes, %s",
		       ways[i].name, seen.result, seen.error_number, seen.has_request, seen.bytes,
		       ending_word(seen.ending), bare[i].result, bare[i].error_number,
		       bare[i].has_request, bare[i].bytes, ending_word(bare[i].ending));
	}
	expect(log_count(server->log, "refused") == 0, "somebody was refused");
	expectations_met();
	server_stop(server);
}

#define OPEN(sentence, ...) TEST_ROW(sentence, run_open, struct open_port, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a bare host answers, and reads, in every way", run_bare),
		TEST("on a named port plain text comes and goes in no way, and the host finds its "
		     "connection reset",
		     run_guarded),
		TEST("a hello that nobody conducts, and a byte behind it, hold a host that does "
		     "not block five seconds",
		     run_unclaimed),
		TEST("where there is no memory to watch a connection, it is refused",
		     run_without_memory),
		TEST("where plain text passes, nothing does for who may not connect", run_refused),
		TEST("a child gets nothing of a connection that was reset before it looked",
		     run_reset),
		OPEN("where no port is named every way is as without the shim", false, NULL),
		OPEN("where plain text is allowed every way is as without the shim", true,
		     "plaintext = allow"),
		OPEN("on a port that is off every way is as without the shim", true,
		     "verify = off"),
	};

	return RUN_TESTS("guards-sockets", tests);
}
