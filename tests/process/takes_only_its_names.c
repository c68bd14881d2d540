/* only-names: a hello for another name, or for none, is refused before the server has shown a
 * certificate, whatever the client holds. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define UNRECOGNIZED_NAME 112

static const struct visitor misled_edge = {"edge", "server-name", UNRECOGNIZED_NAME,
					   UNRECOGNIZED_NAME};
static const struct visitor misled_stranger = {NULL, "server-name", UNRECOGNIZED_NAME,
					       UNRECOGNIZED_NAME};

static const struct {
	const char *name;
	bool allowed;
} names[] = {
	{"shop.example", true},      {"SHOP.Example", true},
	{"shop.example.", true},     {"www.shop.example", true},
	{"other.example", false},    {"a.www.shop.example", false},
	{"shop.example.com", false}, {"xshop.example", false},
	{"shop.example..", false},   {"*.shop.example", false},
	{".shop.example", false},    {"localhost", false},
	{"own.example", true},       {NULL, false},
	{"section.example", false},  {"127.0.0.1", false},
};

/* Of one reason there are ten lines a second. */
static void pause_between_lines(void)
{
	const long long begin = clock_ms();

	while (clock_ms() < begin + 120)
		clock_nap();
}

static void visit_all_names(const struct server *server, const char *answer)
{
	struct log log = {.path = server->log};

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			const struct client client = {
				.port = server->ports[0],
				.version = version,
				.request = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
				.server_name = names[i].name,
			};

			expect_verdict(server, &client, names[i].allowed ? &edge : &misled_edge,
				       answer, &log);
			pause_between_lines();
			/* An allowed name is not a certificate. */
			if (i < 4)
				expect_verdict(server, &client,
					       names[i].allowed ? &stranger : &misled_stranger,
					       answer, &log);
		}
	}
}

struct trial {
	const char *kind;
	const char *answer; /* NULL: without the shim */
};

static void run_trial(void **state)
{
	const struct trial *trial = *state;
	const struct server_kind *kind =
		trial->kind ? server_kind_named(trial->kind) : &small_server;
	struct server *server = server_new(kind, 1);

	server_policy(server,
		      "[port %u]\nca = %s\nrefuse = %s\n"
		      "only-names = shop.example, *.shop.example\nonly-names = own.example\n",
		      server->ports[0], certificate_file("ca"), trial->answer);
	(void)trial;
	server_start(server);
	visit_all_names(server, trial->answer);
	expectations_met();
	server_stop(server);
}

/* ---- hellos that no honest client sends ---- */

/* The body of a server_name extension. */
struct forged {
	const char *what;
	const char *bytes;
	size_t count;
};

#define FORGED(what, bytes)                        \
	{                                          \
		(what), (bytes), sizeof(bytes) - 1 \
	}
static const struct forged forgeries[] = {
	FORGED("a NUL behind the name", "\0\x10\0\0\x0dshop.example\0"),
	FORGED("a NUL within the name", "\0\x15\0\0\x12shop.example\0.evil"),
	FORGED("an allowed name before another", "\0\x1b\0\0\x0cshop.example\0\0\x09"
						 "evil.test"),
	FORGED("an allowed name behind another", "\0\x1b\0\0\x09"
						 "evil.test\0\0\x0cshop.example"),
	FORGED("a name of another type", "\0\x0f\x01\0\x0cshop.example"),
	FORGED("an empty list", "\0\0"),
	FORGED("an empty name", "\0\x03\0\0\0"),
	FORGED("an empty extension", ""),
	FORGED("a list that is too short", "\0\x0e\0\0\x0cshop.example"),
	FORGED("a list that is too long", "\0\x10\0\0\x0cshop.example"),
	FORGED("a name that is too short", "\0\x0f\0\0\x0bshop.example"),
};

/* A hello of TLS 1.2 with that extension in it, and what any OpenSSL needs besides. */
static size_t write_hello(unsigned char *hello, const struct forged *forged)
{
	static const unsigned char others[] = {
		0, 10, 0, 4, 0, 2, 0, 23,                          /* groups: P-256 */
		0, 13, 0, 6, 0, 4, 4, 3,  8, 4, 0, 11, 0, 2, 1, 0, /* signatures, point formats */
	};
	const size_t extensions = 4 + forged->count + sizeof(others);
	const size_t body = 2 + 32 + 1 + 2 + 4 + 2 + 2 + extensions;
	unsigned char *at = hello;

#define PUT16(value) (*at++ = (unsigned char)((value) >> 8), *at++ = (unsigned char)(value))
	*at++ = 22;
	PUT16(0x0301);
	PUT16(body + 4);
	*at++ = 1;
	*at++ = 0;
	PUT16(body);
	PUT16(0x0303);
	memset(at, (int)(forged - forgeries) + 1, 32);
	at += 32;
	*at++ = 0;
	PUT16(4);
	PUT16(0xc02b);
	PUT16(0xc02f);
	PUT16(0x0100);
	PUT16(extensions);
	PUT16(0);
	PUT16(forged->count);
	memcpy(at, forged->bytes, forged->count);
	at += forged->count;
	memcpy(at, others, sizeof(others));
	at += sizeof(others);
#undef PUT16
	return (size_t)(at - hello);
}

/* All that the server has to say to it, up to its end. */
static size_t say_hello(unsigned port, const struct forged *forged, unsigned char *answer,
			size_t size)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval patience = {.tv_sec = 5};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned char hello[512];
	size_t length = write_hello(hello, forged), count = 0;
	ssize_t got = -1;

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(descriptor, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
	    write(descriptor, hello, length) == (ssize_t)length)
		while (count < size && (got = read(descriptor, answer + count, size - count)) > 0)
			count += (size_t)got;
	expect(got == 0 || count > 0, "%s: neither an answer nor an end", forged->what);
	close(descriptor);
	return count;
}

static void takes_no_forged_name(void **state)
{
	struct server *server = server_new(&small_server, 1);
	struct log log = {.path = server->log};
	struct refusal_line line;

	(void)state;
	server_policy(server, "[port %u]\nca = %s\nonly-names = shop.example\n", server->ports[0],
		      certificate_file("ca"));
	server_start(server);
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(*forgeries); i++) {
		static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, UNRECOGNIZED_NAME};
		unsigned char answer[4096] = {0};
		size_t count;

		pause_between_lines();
		count = say_hello(server->ports[0], &forgeries[i], answer, sizeof(answer));

		answer[2] = 3; /* of the record, any version */
		expect(count == sizeof(alert) && memcmp(answer, alert, count) == 0,
		       "%s: %zu bytes, of type %d, the last is %d", forgeries[i].what, count,
		       answer[0], count > 0 ? answer[count - 1] : 0);
		expect(log_next_refusal(&log, &line, false) &&
			       strcmp(line.reason, "server-name") == 0 &&
			       strcmp(line.server_name, "-") == 0,
		       "%s: logged as %s", forgeries[i].what, line.text);
	}
	expectations_met();
	server_stop(server);
}

/* Seen from outside, the bare server shows its certificate whatever name is asked for. */
static void bare_server_takes_any(void **state)
{
	struct server *server = server_new(&small_server, 1);

	(void)state;
	server_start(server);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct client client = {
			.port = server->ports[0],
			.version = TLS1_3_VERSION,
			.request = "GET / HTTP/1.0\r\n\r\n",
			.server_name = names[i].name,
		};
		const struct visitor anybody = {.certificate = NULL};

		expect_verdict(server, &client, &anybody, "reject", NULL);
	}
	expectations_met();
	server_stop(server);
}

#define TRIAL(sentence, ...) TEST_ROW(sentence, run_trial, struct trial, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a bare server answers whatever name is asked for", bare_server_takes_any),
		TRIAL("a small server under reject takes its own names alone", NULL, "reject"),
		TRIAL("a small server under close takes its own names alone", NULL, "close"),
		TRIAL("nginx under reject takes its own names alone", "nginx", "reject"),
		TRIAL("Apache, whose libssl sees no socket, takes its own names alone",
		      "Apache event", "close reset"),
		TEST("what libssl would not report to the server is no name", takes_no_forged_name),
	};

	return RUN_TESTS("takes-only-its-names", tests);
}
