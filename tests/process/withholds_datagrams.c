/* A host that reads datagrams by itself: on a port that is named and enforced it gets none; on any
 * other it is as without the shim. */
#include "log.h"
#include "scratch.h"
#include "server.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAID      "what is said"
#define SECOND_MS 1050

static const char *const ways[] = {"recvfrom",  "recvmsg",      "recvmmsg", "recv",
				   "patiently", "SYS_recvfrom", "copy",     "peek"};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void prepare(struct server *server)
{
	char command[PATH_MAX];
	size_t used;

	built_path(command, sizeof(command), "tests/process/servers/datagram_host");
	server_command(server, "%s", command);
	for (size_t i = 0; i < server->port_count; i++) {
		used = strlen(server->command);
		text_format(server->command + used, sizeof(server->command) - used, " %u",
			    server->ports[i]);
	}
	server->datagrams = true;
	server_file(server, "way", "recvfrom\n");
}

static const struct server_kind datagram_host = {.name = "datagram_host", .prepare = prepare};

struct exchange {
	long result;
	int error_number, knows, sees_peer;
	char answer[64];
};

static struct exchange bare[WAYS];

static bool report(const struct server *server, size_t lines, struct exchange *exchange)
{
	char path[PATH_MAX + 16], *text, *line;
	bool found;

	text_format(path, sizeof(path), "%s/report", server->directory);
	text = line = scratch_read(path);
	while (lines-- > 0 && line != NULL && (line = strchr(line, '\n')) != NULL)
		line++;
	found = line != NULL && strchr(line, '\n') != NULL &&
		sscanf(line, "%*s %ld %d %d %d", &exchange->result, &exchange->error_number,
		       &exchange->knows, &exchange->sees_peer) == 4;
	free(text);
	return found;
}

/* Sent again until the host is there and has reported: at the first way it may not be. */
static struct exchange try_way(const struct server *server, unsigned port, size_t way,
			       size_t *lines)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
	struct exchange exchange = {0};
	long long deadline = clock_ms() + 5000, again = 0;

	server_file(server, "way", "%s\n", ways[way]);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail_msg("connect: %s", strerror(errno));
	while (!report(server, *lines, &exchange)) {
		if (clock_ms() > deadline)
			fail_msg("%s: the host says nothing", ways[way]);
		if (again == 0 || (*lines == 0 && clock_ms() > again)) {
			send(descriptor, SAID, strlen(SAID), 0);
			again = clock_ms() + 1000;
		}
		clock_nap();
	}
	++*lines;
	if (poll(&waiting, 1, 50) == 1)
		recv(descriptor, exchange.answer, sizeof(exchange.answer) - 1, 0);
	close(descriptor);
	return exchange;
}

static void run_bare(void **state)
{
	struct server *server = server_new(&datagram_host, 1);
	size_t lines = 0;

	(void)state;
	server_start(server);
	for (size_t i = 0; i < WAYS; i++) {
		bare[i] = try_way(server, server->ports[0], i, &lines);
		expect(bare[i].knows == 1, "%s: the host does not know: %ld", ways[i],
		       bare[i].result);
		expect(!bare[i].sees_peer || strcmp(bare[i].answer, SAID) == 0,
		       "%s: the answer is %s", ways[i], bare[i].answer);
	}
	expectations_met();
	server_stop(server);
}

static void run_enforced(void **state)
{
	struct server *server = server_new(&datagram_host, 1);
	struct log log = {.path = server->log};
	size_t lines = 0;

	(void)state;
	server_policy(server, "[port %u]\n", server->ports[0]);
	server_start(server);
	for (size_t i = 0; i < WAYS; i++) {
		struct refusal_line line = {.reason = ""};
		struct exchange seen = try_way(server, server->ports[0], i, &lines);
		bool peeks = strcmp(ways[i], "peek") == 0;

		expect(seen.knows == 0, "%s: the host knows", ways[i]);
		expect(seen.answer[0] == '\0', "%s: the client gets %s", ways[i], seen.answer);
		if (peeks)
			expect(seen.result == (long)strlen(SAID) && seen.sees_peer, "peek: %ld, %s",
			       seen.result, strerror(seen.error_number));
		else
			expect(seen.result == -1 && seen.error_number == EAGAIN, "%s: %ld, %s",
			       ways[i], seen.result, strerror(seen.error_number));
		expect(log_next_refusal(&log, &line, false) &&
			       strcmp(line.reason, "uncovered-tls") == 0 &&
			       strncmp(line.peer, "127.0.0.1:", 10) == 0,
		       "%s: %s", ways[i], line.text);
		/* One line a second. */
		for (long long next = clock_ms() + SECOND_MS; clock_ms() < next;)
			clock_nap();
	}
	expectations_met();
	server_stop(server);
}

static void run_open(void **state)
{
	const char *section = *state;
	struct server *server = server_new(&datagram_host, 1);
	size_t lines = 0;

	if (section[0] == '\0')
		server_built_in_policy(server);
	else
		server_policy(server, "[port %u]\n%s\n", server->ports[0], section);
	server_start(server);
	for (size_t i = 0; i < WAYS; i++) {
		struct exchange seen = try_way(server, server->ports[0], i, &lines);

		expect(seen.result == bare[i].result && seen.knows == bare[i].knows &&
			       seen.error_number == bare[i].error_number &&
			       strcmp(seen.answer, bare[i].answer) == 0,
		       "%s: %ld, errno %d, \"%s\"", ways[i], seen.result, seen.error_number,
		       seen.answer);
	}
	expect(log_count(server->log, "refused") == 0, "something was refused");
	expectations_met();
	server_stop(server);
}

#define OPEN(sentence, section)                                                       \
	{                                                                             \
		.name = (sentence), .test_func = run_open, .teardown_func = test_end, \
		.initial_state = (section)                                            \
	}

int main(void)
{
	static char unnamed[] = "", off[] = "verify = off", exempt[] = "exempt = 127.0.0.1";
	const struct CMUnitTest tests[] = {
		TEST("a bare host gets datagrams in every way", run_bare),
		TEST("on a named port a host that reads by itself gets none", run_enforced),
		OPEN("where no port is named datagrams are as without the shim", unnamed),
		OPEN("on a port that is off datagrams are as without the shim", off),
		OPEN("those of exempt peers come", exempt),
	};

	return RUN_TESTS("withholds-datagrams", tests);
}
