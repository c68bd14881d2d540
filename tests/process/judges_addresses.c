/* Who may connect at all, who needs no certificate, and whose connections begin with a PROXY
 * header: on nginx, whose OpenSSL has the socket, and on Apache, whose has not. */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "scratch.h"
#include "test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WELCOME  "127.0.0.3"
#define EXEMPT   "127.0.0.4"
#define UNWANTED "127.0.0.5"
#define PROXY    "127.0.0.6"

/* More than ten lines in a second are counted, not written. */
#define BETWEEN_LINES_NS 120000000

/* Source 203.0.113.9:51514 or [2001:db8::9]:51514. */
#define V1        "PROXY TCP4 203.0.113.9 127.0.0.1 51514 443\r\n"
#define V1_IPV6   "PROXY TCP6 2001:db8::9 ::1 51514 443\r\n"
#define V1_EDGE   "PROXY TCP4 104.16.0.1 127.0.0.1 51514 443\r\n"
#define V1_AS(a)  "PROXY TCP4 " a " 127.0.0.1 51514 443\r\n"
#define V1_NONE   "PROXY UNKNOWN\r\n"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2        SIGNATURE "\x21\x11\0\x0c\xcb\0\x71\x09\x7f\0\0\1\xc9\x3a\1\xbb"
#define V2_LOCAL  SIGNATURE "\x20\0\0\0"

#define HEADER(text) .header = (text), .header_size = sizeof(text) - 1

/* One who comes. */
struct comer {
	const char *from;
	const char *header; /* NULL: none */
	size_t header_size;
	const char *certificate;
	const char *reason; /* NULL: served */
	const char *peer;   /* of the line; NULL: the socket's */
	const char *network;
	bool nginx_only; /* Apache does not take such a header */
};

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

enum delivery { WITH_THE_HELLO, ALONE, BYTE_BY_BYTE };

static void deliver(int descriptor, const struct comer *comer, enum delivery delivery)
{
	const struct timespec moment = {.tv_nsec = 2000000};
	int on = 1;

	setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (size_t i = 0; delivery == BYTE_BY_BYTE && i < comer->header_size; i++) {
		send(descriptor, comer->header + i, 1, MSG_NOSIGNAL);
		nanosleep(&moment, NULL);
	}
	if (delivery != BYTE_BY_BYTE)
		send(descriptor, comer->header, comer->header_size,
		     MSG_NOSIGNAL | (delivery == WITH_THE_HELLO ? MSG_MORE : 0));
	if (delivery == ALONE)
		nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
}

static bool is_before_tls(const struct comer *comer)
{
	return comer->reason != NULL && (strcmp(comer->reason, "peer-address") == 0 ||
					 strcmp(comer->reason, "plaintext") == 0);
}

/* Before TLS there is not a byte. */
static void expect_silence(const struct server *server, const struct comer *comer, int version)
{
	unsigned char bytes[4096 + 256] = {0};
	size_t count;
	enum ending ending;

	if (comer->header != NULL)
		memcpy(bytes, comer->header, comer->header_size);
	count = comer->header_size +
		raw_hello(version, bytes + comer->header_size, sizeof(bytes) - comer->header_size);
	count = raw_exchange(raw_connect(comer->from, server->ports[0]), bytes, count, &ending);
	expect(count == 0, "%s, %s: %zu bytes", comer->from, comer->reason, count);
	expect(ending == END_EOF, "%s, %s: %s", comer->from, comer->reason, ending_word(ending));
}

static void expect_line(const struct server *server, const struct comer *comer, struct log *log)
{
	struct refusal_line line = {.text = ""};
	char port[16];
	const char *peer = comer->peer ? comer->peer : comer->from;

	text_format(port, sizeof(port), "%u", server->ports[0]);
	if (comer->reason == NULL) {
		expect(server->log[0] == '\0' || !log_next_refusal(log, &line, true), "%s: %s",
		       comer->from, line.text);
		return;
	}
	expect(log_next_refusal(log, &line, false), "%s: no line", comer->from);
	nanosleep(&(struct timespec){.tv_nsec = BETWEEN_LINES_NS}, NULL);
	expect(strcmp(line.reason, comer->reason) == 0 && strcmp(line.port, port) == 0 &&
		       strcmp(line.answer, "reject") == 0,
	       "%s: %s", comer->from, line.text);
	expect(strncmp(line.peer, peer, strlen(peer)) == 0 &&
		       (comer->peer == NULL || line.peer[strlen(peer)] == '\0'),
	       "%s: peer %s instead of %s", comer->from, line.peer, peer);
	expect(strcmp(line.network, comer->network ? comer->network : "other") == 0,
	       "%s: network %s", comer->from, line.network);
}

static void expect_comer(const struct server *server, const struct comer *comer, int version,
			 enum delivery delivery, struct log *log)
{
	struct client client = {
		.port = server->ports[0],
		.version = version,
		.certificate = comer->certificate,
		.request = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
		.patience_ms = comer->reason ? 1000 : 0,
	};
	struct outcome outcome;

	if (is_before_tls(comer)) {
		expect_silence(server, comer, version);
		expect_line(server, comer, log);
		return;
	}
	client.descriptor = raw_connect(comer->from, server->ports[0]);
	if (comer->header != NULL)
		deliver(client.descriptor, comer, delivery);
	client_run(&client, &outcome);
	if (comer->reason == NULL)
		expect(outcome.http_status == 200 &&
			       strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0,
		       "%s, TLS %s, %s: not served: status %d, alert %d, %s", comer->from,
		       version_word(version),
		       comer->certificate ? comer->certificate : "no certificate",
		       outcome.http_status, outcome.alert, ending_word(outcome.ending));
	else
		expect(outcome.application_bytes == 0 && outcome.alert != 0,
		       "%s, TLS %s: %zu bytes, alert %d", comer->from, version_word(version),
		       outcome.application_bytes, outcome.alert);
	outcome_clear(&outcome);
	expect_line(server, comer, log);
}

/* ---- with and without the shim ---- */

struct host {
	const char *kind;
	const char *options;
	bool wants_it_whole; /* a PROXY header in pieces is none */
};

static const struct host nginx = {.kind = "nginx"};
static const struct host apache = {.kind = "Apache event"};
static const struct host nginx_behind = {"nginx", "proxy_protocol", true};
static const struct host apache_behind = {
	"Apache event",
	"LoadModule remoteip_module ${modules}/mod_remoteip.so\nRemoteIPProxyProtocol On", false};

struct test_case {
	const struct host *host;
	const char *keys; /* NULL: bare */
	const struct comer *comers;
	size_t count;
};

static void run_case(void **state)
{
	const struct test_case *test = *state;
	struct server *server = server_new(server_kind_named(test->host->kind), 1);
	struct log log = {.path = server->log};
	struct refusal_line line;

	server->options = test->host->options;
	if (test->keys != NULL)
		server_policy(server, "[port %u]\nca = %s\n%s\n", server->ports[0],
			      certificate_file("ca"), test->keys);
	server_start(server);
	/* Whoever looked whether it listens came from 127.0.0.1. */
	while (test->keys != NULL && log_next_refusal(&log, &line, false))
		expect(strcmp(line.reason, "peer-address") == 0, "%s", line.text);
	for (size_t i = 0; i < test->count; i++) {
		bool is_for_it =
			!test->comers[i].nginx_only || strcmp(test->host->kind, nginx.kind) == 0;
		enum delivery last = test->comers[i].header == NULL ? WITH_THE_HELLO
				     : test->host->wants_it_whole   ? ALONE
								    : BYTE_BY_BYTE;

		for (enum delivery delivery = 0; is_for_it && delivery <= last; delivery++)
			expect_comer(server, &test->comers[i], versions[(i + delivery) % 2],
				     delivery, &log);
		if (last == WITH_THE_HELLO)
			expect_comer(server, &test->comers[i], versions[(i + 1) % 2],
				     WITH_THE_HELLO, &log);
	}
	expectations_met();
	server_stop(server);
}

static const struct comer all_served[] = {
	{.from = WELCOME},
	{.from = EXEMPT},
	{.from = UNWANTED},
};

static const struct comer by_address[] = {
	{.from = WELCOME, .certificate = "edge"},
	{.from = WELCOME, .reason = "no-certificate"},
	{.from = WELCOME, .certificate = "other", .reason = "untrusted-issuer"},
	{.from = EXEMPT},
	{.from = EXEMPT, .certificate = "other"},
	{.from = UNWANTED, .certificate = "edge", .reason = "peer-address"},
	{.from = UNWANTED, .reason = "peer-address"},
};

#define ADDRESS_KEYS "from = 127.0.0.3\nexempt = 127.0.0.4"

static const struct comer all_with_header[] = {
	{.from = WELCOME, HEADER(V1)},
	{.from = PROXY, HEADER(V1)},
	{.from = PROXY, HEADER(V2)},
};

static const struct comer by_header[] = {
	{.from = PROXY, HEADER(V1), .certificate = "edge"},
	{.from = PROXY, HEADER(V2), .certificate = "edge"},
	{.from = PROXY, HEADER(V1_IPV6), .certificate = "edge"},
	{.from = PROXY, HEADER(V1), .reason = "no-certificate", .peer = "203.0.113.9:51514"},
	{.from = PROXY, HEADER(V2), .reason = "no-certificate", .peer = "203.0.113.9:51514"},
	{.from = PROXY, HEADER(V1_IPV6), .reason = "no-certificate", .peer = "[2001:db8::9]:51514"},
	{.from = PROXY,
	 HEADER(V1_EDGE),
	 .reason = "no-certificate",
	 .peer = "104.16.0.1:51514",
	 .network = "cloudflare"},
	{.from = PROXY, HEADER(V1_NONE), .reason = "no-certificate", .nginx_only = true},
	{.from = PROXY, HEADER(V2_LOCAL), .reason = "no-certificate"},
	/* A certificate is owed whatever the header says, and the header lets nobody in or out. */
	{.from = PROXY, HEADER(V1_AS(EXEMPT)), .reason = "no-certificate", .peer = EXEMPT ":51514"},
	{.from = PROXY, HEADER(V1_AS(UNWANTED)), .certificate = "edge"},
	{.from = UNWANTED, HEADER(V1_AS(PROXY)), .reason = "peer-address"},
	/* No header where it is due, and one where it is not. */
	{.from = PROXY, .certificate = "edge", .reason = "plaintext"},
	{.from = WELCOME, HEADER(V1), .certificate = "edge", .reason = "plaintext"},
	{.from = WELCOME, HEADER(V2), .reason = "plaintext"},
	{.from = PROXY, HEADER(V1 V1), .reason = "plaintext", .peer = "203.0.113.9:51514"},
};

#define HEADER_KEYS "from = 127.0.0.3, 127.0.0.6\nexempt = 127.0.0.4\nproxy-protocol = 127.0.0.6"

#define CASE(sentence, host, keys, comers)                                        \
	TEST_ROW(sentence, run_case, struct test_case, &(host), (keys), (comers), \
		 sizeof(comers) / sizeof((comers)[0]))

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a bare nginx serves whoever comes, from anywhere", nginx, NULL, all_served),
		CASE("nginx: those of `from` may connect, and those of `exempt` need no "
		     "certificate",
		     nginx, ADDRESS_KEYS, by_address),
		CASE("Apache: those of `from` may connect, and those of `exempt` need no "
		     "certificate",
		     apache, ADDRESS_KEYS, by_address),
		CASE("a bare nginx takes a PROXY header from anybody", nginx_behind, NULL,
		     all_with_header),
		CASE("nginx: a PROXY header comes from the peers named, and from no others",
		     nginx_behind, HEADER_KEYS, by_header),
		CASE("a bare Apache takes a PROXY header from anybody", apache_behind, NULL,
		     all_with_header),
		CASE("Apache: a PROXY header comes from the peers named, and from no others",
		     apache_behind, HEADER_KEYS, by_header),
	};

	return RUN_TESTS("judges-addresses", tests);
}
