/* What refused clients can do to a host under `reject 403`: be slow, never read, send without end,
 * come by the thousand, go away in between. Neither a thread nor the other clients wait for them,
 * and nothing of them stays. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"
#include "web_hosts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of whom nobody holds, on a machine that has other work too; much less than the ten seconds that a
 * refused client is given. */
#define PROMPT_MS 4000
#define REQUEST   "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct server *start(const struct server_kind *kind, const char *options)
{
	struct server *server = server_new(kind, 1);

	server->options = options;
	server_policy(server, "[port *]\nca = %s\nrefuse = reject 403\n", certificate_file("ca"));
	server_start(server);
	return server;
}

/* ---- one connection of a stranger, call by call ---- */

struct stranger_at {
	int descriptor;
	SSL *ssl;
};

static SSL_CTX *strangers_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_non_null(context);
	return context;
}

static struct stranger_at connect_to(SSL_CTX *context, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const struct timeval patience = {.tv_sec = 15};
	const int on = 1;
	struct stranger_at at = {.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
				 .ssl = SSL_new(context)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(at.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(at.descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	/* As curl and browsers have it: no request waits for an ACK of the handshake's last. */
	setsockopt(at.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(at.descriptor, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    SSL_set_fd(at.ssl, at.descriptor) != 1 || SSL_connect(at.ssl) != 1)
		fail_msg("no handshake with port %u: %s", port, strerror(errno));
	return at;
}

static void disconnect(struct stranger_at *at)
{
	SSL_free(at->ssl);
	close(at->descriptor);
	ERR_clear_error();
}

/* The status of the answer; 0: none. */
static int status_for(struct stranger_at *at)
{
	char answer[1024] = "";
	int used = 0, count;

	while (used < (int)sizeof(answer) - 1 &&
	       (count = SSL_read(at->ssl, answer + used, (int)sizeof(answer) - 1 - used)) > 0)
		used += count;
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

/* How long the edge waits for its answer. */
static long long time_for_edge(const struct server *server)
{
	const struct client client = {.port = server->ports[0],
				      .version = TLS1_3_VERSION,
				      .certificate = "edge",
				      .request = "GET / HTTP/1.0\r\n\r\n",
				      .timeout_ms = 15000};
	const long long begun = clock_ms();
	struct outcome outcome;

	client_run(&client, &outcome);
	expect(outcome.http_status == 200, "the edge is not served: %s",
	       ending_word(outcome.ending));
	outcome_clear(&outcome);
	return clock_ms() - begun;
}

/* ---- what stays ---- */

struct usage {
	size_t descriptors, pages;
};

static size_t count_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		closedir(directory);
	return count;
}

/* Of all processes of the host. */
static struct usage usage_of(const struct server *server)
{
	struct usage usage = {0};
	pid_t processes[8];
	size_t count = program_processes(server->pid, processes, 8);

	for (size_t i = 0; i < count; i++) {
		char path[64], *statm;
		unsigned long pages = 0;

		text_format(path, sizeof(path), "/proc/%d/fd", (int)processes[i]);
		usage.descriptors += count_entries(path);
		text_format(path, sizeof(path), "/proc/%d/statm", (int)processes[i]);
		statm = scratch_read(path);
		sscanf(statm, "%*u %lu", &pages);
		free(statm);
		usage.pages += pages;
	}
	return usage;
}

static void refuse_many(const struct server *server, unsigned times)
{
	SSL_CTX *context = strangers_context();

	for (unsigned i = 0; i < times; i++) {
		struct stranger_at at = connect_to(context, server->ports[0]);
		int status;

		SSL_write(at.ssl, REQUEST, sizeof(REQUEST) - 1);
		status = status_for(&at);
		expect(status == 403, "refusal %u: status %d", i, status);
		disconnect(&at);
	}
	SSL_CTX_free(context);
}

/* Waits until the host has closed what it closes. */
static struct usage settled_usage(const struct server *server, size_t descriptors)
{
	const long long end = clock_ms() + 3000;
	struct usage usage = usage_of(server);

	while (usage.descriptors > descriptors && clock_ms() < end) {
		clock_nap();
		usage = usage_of(server);
	}
	return usage;
}

static struct usage usage_at_rest(const struct server *server)
{
	const long long end = clock_ms() + 300;

	while (clock_ms() < end)
		clock_nap();
	return usage_of(server);
}

static void leaves_nothing_behind(void **state)
{
	const struct server_kind *kind = *state;
	struct usage before, after;
	struct server *server;

	skip_under_sanitizer("what is freed stays there for a while");
	server = start(kind, NULL);
	refuse_many(server, 100);
	before = usage_at_rest(server);
	refuse_many(server, 200);
	after = settled_usage(server, before.descriptors);
	expect(after.descriptors <= before.descriptors, "%zu descriptors instead of %zu",
	       after.descriptors, before.descriptors);
	expect(after.pages <= before.pages + 64, "%zu pages of memory instead of %zu", after.pages,
	       before.pages);
	expect(time_for_edge(server) < PROMPT_MS, "the edge waited");
	expectations_met();
	server_stop(server);
}

/* ---- the slow ---- */

/* One who sends a byte a second. */
struct slow {
	struct server *server;
	struct stranger_at at;
	long long begun, took; /* until its answer; 0: there is none yet */
};

static void take_a_second(struct slow *slow)
{
	struct pollfd waiting = {.fd = slow->at.descriptor, .events = POLLIN};

	if (slow->took != 0)
		return;
	if (poll(&waiting, 1, 1000) == 0) {
		SSL_write(slow->at.ssl, "G", 1);
		return;
	}
	expect(status_for(&slow->at) == 403, "%s: no status", slow->server->kind->name);
	slow->took = clock_ms() - slow->begun;
}

/* To a host that blocks, and to one that does not: at ten seconds each has lost patience. */
static void waits_ten_seconds_for_a_head(void **state)
{
	SSL_CTX *context = strangers_context();
	struct slow slow[] = {{.server = start(&small_server, NULL)},
			      {.server = start(&nginx_http2, NULL)}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		slow[i].at = connect_to(context, slow[i].server->ports[0]);
		slow[i].begun = clock_ms();
	}
	for (unsigned second = 0; second < 16 && (!slow[0].took || !slow[1].took); second++) {
		take_a_second(&slow[0]);
		take_a_second(&slow[1]);
		expect(time_for_edge(slow[1].server) < PROMPT_MS, "the edge waited");
	}
	for (size_t i = 0; i < 2; i++) {
		expect(slow[i].took >= 9500 && slow[i].took < 13000 + PROMPT_MS, "%s took %lld ms",
		       slow[i].server->kind->name, slow[i].took);
		disconnect(&slow[i].at);
		expect(time_for_edge(slow[i].server) < PROMPT_MS, "the edge waited");
	}
	SSL_CTX_free(context);
	expectations_met();
	server_stop(slow[0].server);
	server_stop(slow[1].server);
}

/* It holds a host of one thread that blocks, ten seconds and no longer; another not at all. */
static void is_held_ten_seconds_by_who_never_reads(void **state)
{
	struct server *servers[] = {start(&small_server, NULL), start(&nginx_http2, NULL)};
	SSL_CTX *context = strangers_context();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stranger_at at = connect_to(context, servers[i]->ports[0]);
		long long waited;

		SSL_write(at.ssl, REQUEST, sizeof(REQUEST) - 1);
		waited = time_for_edge(servers[i]);
		expect(waited < (i == 0 ? 10000 + PROMPT_MS : PROMPT_MS),
		       "%s: the edge waited %lld ms", servers[i]->kind->name, waited);
		disconnect(&at);
	}
	SSL_CTX_free(context);
	expectations_met();
	server_stop(servers[0]);
	server_stop(servers[1]);
}

/* ---- the many ---- */

static void is_not_held_by_who_sends_without_end(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nContent-Length: 104857600\r\n\r\n";
	static const char piece[16384];
	struct server *server = start(&nginx_http2, NULL);
	SSL_CTX *context = strangers_context();
	struct stranger_at at = connect_to(context, server->ports[0]);
	size_t sent = 0, edges = 0;
	int count = 1;

	(void)state;
	SSL_write(at.ssl, head, sizeof(head) - 1);
	while (sent < 100u << 20 && (count = SSL_write(at.ssl, piece, sizeof(piece))) > 0) {
		sent += (size_t)count;
		if (sent % (10u << 20) == 0) {
			expect(time_for_edge(server) < PROMPT_MS, "the edge waited");
			edges++;
		}
	}
	expect(sent > 10u << 20, "only %zu bytes were taken", sent);
	expect(count <= 0, "all of it was taken");
	disconnect(&at);
	SSL_CTX_free(context);
	expect(web_host_requests(server) == edges, "%zu requests, of which the edge's %zu",
	       web_host_requests(server), edges);
	expectations_met();
	server_stop(server);
}

#define MANY 1000

static void serves_the_edge_beside_a_thousand(void **state)
{
	static struct stranger_at at[MANY];
	const struct server_kind *kind = *state;
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
	struct server *server;
	SSL_CTX *context;
	struct usage before, after;
	size_t requests, answered = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 4096 && limit.rlim_max >= 4096) {
		limit.rlim_cur = 4096;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	server = start(kind, NULL);
	context = strangers_context();
	refuse_many(server, 20);
	before = usage_at_rest(server);
	for (size_t i = 0; i < MANY; i++) {
		at[i] = connect_to(context, server->ports[0]);
		if (i % 100 == 99)
			expect(time_for_edge(server) < PROMPT_MS, "the edge waited beside %zu", i);
	}
	requests = web_host_requests(server);
	for (size_t i = 0; i < MANY; i++)
		SSL_write(at[i].ssl, REQUEST, sizeof(REQUEST) - 1);
	expect(time_for_edge(server) < PROMPT_MS, "the edge waited");
	for (size_t i = 0; i < MANY; i++) {
		answered += status_for(&at[i]) == 403;
		disconnect(&at[i]);
	}
	SSL_CTX_free(context);
	expect(answered == MANY, "%zu of %d were answered", answered, MANY);
	expect(web_host_requests(server) <= requests + 1, "%zu requests have come to the host",
	       web_host_requests(server) - requests - 1);
	after = settled_usage(server, before.descriptors);
	expect(after.descriptors <= before.descriptors, "%zu descriptors instead of %zu",
	       after.descriptors, before.descriptors);
	expectations_met();
	server_stop(server);
}

/* ---- who goes away ---- */

/* The answer meets a connection that is no more: a host that does not ignore SIGPIPE lives on. */
static void survives_who_goes_away(void **state)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct server *server = start(&small_server, "mortal");
	SSL_CTX *context = strangers_context();

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct stranger_at at = connect_to(context, server->ports[0]);

		if (i % 2 == 0)
			SSL_write(at.ssl, REQUEST, sizeof(REQUEST) - 1);
		if (i % 3 != 0)
			setsockopt(at.descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		disconnect(&at);
	}
	SSL_CTX_free(context);
	expect(time_for_edge(server) < PROMPT_MS, "the edge waited");
	expectations_met();
	server_stop(server);
}

/* The host goes first, with the request unread: an end in order, and no RST. */
static void ends_in_order_where_the_host_goes_first(void **state)
{
	static const char *const ways[] = {"hang-up", "hang-up hastily", "hang-up hastily socket"};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server = start(&small_server, ways[i]);

		for (unsigned j = 0; j < 20; j++) {
			const struct client client = {.port = server->ports[0],
						      .version = TLS1_3_VERSION,
						      .patience_ms = IN_A_HURRY,
						      .to_the_end = true,
						      .request = REQUEST};
			struct outcome outcome;

			client_run(&client, &outcome);
			expect(outcome.ending == END_EOF ||
				       (i == 0 && outcome.ending == END_CLOSE_NOTIFY &&
					outcome.stream_end == END_EOF),
			       "%s: %s, then %s", ways[i], ending_word(outcome.ending),
			       ending_word(outcome.stream_end));
			outcome_clear(&outcome);
		}
		server_stop(server);
	}
	expectations_met();
}

#define WITH(sentence, function, kind)                                                  \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH("200 refusals leave nothing in a host that blocks", leaves_nothing_behind,
		     &small_server),
		WITH("200 refusals leave nothing in nginx", leaves_nothing_behind, &nginx_http2),
		WITH("200 refusals leave nothing in asyncio", leaves_nothing_behind,
		     &python_asyncio),
		WITH("nginx serves the edge beside a thousand strangers",
		     serves_the_edge_beside_a_thousand, &nginx_http2),
		WITH("asyncio serves the edge beside a thousand strangers",
		     serves_the_edge_beside_a_thousand, &python_asyncio),
		TEST("who sends without end does not hold the host",
		     is_not_held_by_who_sends_without_end),
		TEST("a head that does not come is waited for ten seconds",
		     waits_ten_seconds_for_a_head),
		TEST("who never reads holds a host that blocks ten seconds, and no other",
		     is_held_ten_seconds_by_who_never_reads),
		TEST("who goes away before the answer does not end the host",
		     survives_who_goes_away),
		TEST("where the host goes first, the client sees an end in order",
		     ends_in_order_where_the_host_goes_first),
	};

	signal(SIGPIPE, SIG_IGN);
	return RUN_TESTS("answers-the-slow-and-the-many", tests);
}
