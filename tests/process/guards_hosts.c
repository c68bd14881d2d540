/* One port, sites that differ in whom they admit: whatever way a host reads, it is given each byte
 * of the requests that its connection was opened for, and none of another's.  The requests that
 * servers are known to read in different ways are those of tests/servers/hosts-*.sh. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define DIRECT "GET / HTTP/1.1\r\nHost: direct.example\r\n\r\n"
#define SHOP   "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
#define SOCKET                                                                       \
	"GET / HTTP/1.1\r\nHost: direct.example\r\nConnection: Upgrade\r\nUpgrade: " \
	"websocket\r\n\r\n"
#define STEPS 4

/* What the client sends, and what it then waits for; NULL: the end of the connection. */
struct step {
	const char *send, *expect;
};

struct trial {
	const char *way;
	const char *name, *certificate; /* of the client: SNI */
	struct step steps[STEPS];
	const char *seen; /* by the host, from the first byte to the last */
	const char *end;  /* of all that the client saw; NULL: whatever */
	const char *line; /* in the log; NULL: none */
	const char *more; /* in the section of shop.example */
	bool by_bytes;    /* each of what is sent in a record of its own */
	bool offers_h2;
	bool is_silent; /* nothing comes, and the host may take its time, to end it or to log */
};

static void prepare_host(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/reading_host");
	server_command(server, "%s %s %s %s %s/seen %u", command, certificate_file("server"),
		       certificate_key("server"), server->options, server->directory,
		       server->ports[0]);
}

static const struct server_kind reading_host = {.name = "reading_host", .prepare = prepare_host};

static struct server *start(const struct server_kind *kind, const struct trial *trial, bool shim)
{
	struct server *server = server_new(kind, 1);
	const unsigned port = server->ports[0];

	server->options = trial->way;
	if (shim)
		server_policy(server,
			      "[port %u]\nca = %s\n[port %u server direct.example]\nverify = off\n"
			      "[port %u server blog.example]\nverify = off\n"
			      "[port %u server shop.example]\nca = %s\n%s",
			      port, certificate_file("ca"), port, port, port,
			      certificate_file("ca"), trial->more ? trial->more : "");
	server_start(server);
	return server;
}

/* ---- the client ---- */

static SSL *connect_to(SSL_CTX *context, const struct server *server, const struct trial *trial)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)server->ports[0]),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval patience = {.tv_sec = trial->is_silent ? 2 : 8};
	const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(context);

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	SSL_set_fd(ssl, descriptor);
	if (trial->name != NULL)
		SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			 (void *)(uintptr_t)trial->name);
	if (trial->offers_h2)
		SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2\x8http/1.1", 12);
	return ssl;
}

/* Until `expect` has come, or the end; false: the client's patience has. */
static bool wait_for(SSL *ssl, const char *expect, char *saw, size_t size)
{
	size_t length = strlen(saw);
	const size_t begin = length;

	while (expect == NULL || strstr(saw + begin, expect) == NULL) {
		int count = SSL_read(ssl, saw + length, (int)(size - 1 - length));

		if (count <= 0)
			return expect == NULL && SSL_get_error(ssl, count) != SSL_ERROR_WANT_READ;
		length += (size_t)count;
		saw[length] = '\0';
	}
	return true;
}

static void send_text(SSL *ssl, const char *text, bool by_bytes)
{
	const size_t length = strlen(text);

	for (size_t at = 0; by_bytes && at < length; at++)
		SSL_write(ssl, text + at, 1);
	if (!by_bytes)
		SSL_write(ssl, text, (int)length);
}

static void converse(const struct server *server, const struct trial *trial, int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	char saw[8192] = "";
	SSL *ssl;

	SSL_CTX_set_min_proto_version(context, version);
	SSL_CTX_set_max_proto_version(context, version);
	if (trial->certificate != NULL) {
		SSL_CTX_use_certificate_file(context, certificate_file(trial->certificate),
					     SSL_FILETYPE_PEM);
		SSL_CTX_use_PrivateKey_file(context, certificate_key(trial->certificate),
					    SSL_FILETYPE_PEM);
	}
	ssl = connect_to(context, server, trial);
	if (SSL_connect(ssl) == 1) {
		for (size_t i = 0; i < STEPS && trial->steps[i].send != NULL; i++) {
			send_text(ssl, trial->steps[i].send, trial->by_bytes);
			expect(wait_for(ssl, trial->steps[i].expect, saw, sizeof(saw)) ||
				       trial->is_silent,
			       "%s, TLS %s: after %s the client saw %s", trial->way,
			       version_word(version), trial->steps[i].send, saw);
		}
	}
	expect(trial->end == NULL || strcmp(saw, trial->end) == 0,
	       "%s, TLS %s: all that came is %s", trial->way, version_word(version), saw);
	expect(strstr(saw, "believes") == NULL, "%s: %s", trial->way, saw);
	/* Of a client that goes before the host has let go of its SSL there is no such line. */
	if (trial->line != NULL && strstr(trial->line, "uncovered-tls") != NULL)
		while (recv(SSL_get_fd(ssl), saw, sizeof(saw), 0) > 0)
			;
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	SSL_CTX_free(context);
}

/* The host may be a moment late with what it writes down. */
static void expect_seen(const struct server *server, const char *seen, const char *way)
{
	const long long deadline = clock_ms() + 1500;
	char path[PATH_MAX + 8];
	char *text;

	text_format(path, sizeof(path), "%s/seen", server->directory);
	for (;;) {
		text = scratch_read(path);
		if (strcmp(text, seen) == 0 || clock_ms() > deadline)
			break;
		free(text);
		clock_nap();
	}
	expect(strcmp(text, seen) == 0, "%s: the host was given %s", way, text);
	free(text);
}

static void run(void **state)
{
	const struct trial *trial = *state;

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct server *server = start(&reading_host, trial, true);
		struct log log = {.path = server->log};
		struct refusal_line line;
		bool found;

		converse(server, trial, version);
		expect_seen(server, trial->seen, trial->way);
		found = log_next_refusal(&log, &line, trial->line == NULL && !trial->is_silent);
		expect(found == (trial->line != NULL), "%s: %s", trial->way,
		       found ? line.text : "nothing is logged");
		if (found && trial->line != NULL)
			expect(strstr(line.text, trial->line) != NULL, "%s: %s", trial->way,
			       line.text);
		if (found && strstr(line.text, "uncovered-tls") != NULL)
			expect(strstr(line.text,
				      version == TLS1_2_VERSION
					      ? " server-name=direct.example tls=1.2 "
					      : " server-name=direct.example tls=1.3 ") != NULL,
			       "%s: %s", trial->way, line.text);
		server_stop(server);
	}
	expectations_met();
}

/* Whose own reading no door sees (as Node.js of its makers), where the static OpenSSL is there. */
static void prepare_whole_server(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/servers/whole_server");
	server_command(server, "%s %s %s 127.0.0.1 %u", command, certificate_file("server"),
		       certificate_key("server"), server->ports[0]);
}

static const struct server_kind whole_server = {
	.name = "whole_server",
	.prepare = prepare_whole_server,
};

static void unseen_openssl_gives_nothing(void **state)
{
	const struct trial trial = {
		.way = "whole",
		.name = "direct.example",
		.steps = {{DIRECT, NULL}},
		.end = "",
		.line = "reason=uncovered-tls",
		.is_silent = true,
	};
	char path[PATH_MAX];
	struct server *server;
	struct log log;
	struct refusal_line line;

	(void)state;
	built_path(path, sizeof(path), "tests/process/servers/whole_server");
	if (access(path, X_OK) != 0) {
		print_message("no static OpenSSL to put into a program\n");
		skip();
	}
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		server = start(&whole_server, &trial, true);
		log = (struct log){.path = server->log};
		converse(server, &trial, version);
		expect(log_next_refusal(&log, &line, false) &&
			       strstr(line.text, "reason=uncovered-tls") != NULL,
		       "%s", line.text);
		server_stop(server);
	}
	expectations_met();
}

/* Without the shim, the other's request is executed. */
static void bare_host_is_given_all(void **state)
{
	static const struct trial trial = {
		.way = "read", .name = "direct.example", .steps = {{DIRECT SHOP, "ok"}}};
	struct server *server = start(&reading_host, &trial, false);

	(void)state;
	converse(server, &trial, TLS1_3_VERSION);
	expect_seen(server, DIRECT SHOP, trial.way);
	expectations_met();
	server_stop(server);
}

#define REFUSED "reason=server-name port="
#define LINE    "answer=\"reject 421\" subject=-"

/* The same for every way of reading: requests one after the other, in one piece, and in pieces of
 * a byte; another's among them. */
#define WAY(word)                                                                                  \
	TEST_ROW(word " is given its own requests alone", run, struct trial, .way = (word),        \
		 .name = "direct.example",                                                         \
		 .steps = {{DIRECT, "ok"}, {DIRECT, "ok"}, {SHOP, "421 Misdirected"}, {"", NULL}}, \
		 .seen = DIRECT DIRECT, .line = LINE),                                             \
		TEST_ROW(word " is given its own requests alone, byte by byte", run, struct trial, \
			 .way = (word), .name = "direct.example", .by_bytes = true,                \
			 .steps = {{DIRECT, "ok"}, {SHOP, "421 Misdirected"}, {"", NULL}},         \
			 .seen = DIRECT, .line = LINE),                                            \
		TEST_ROW(word " is given both of two requests at once", run, struct trial,         \
			 .way = (word), .name = "direct.example",                                  \
			 .steps = {{DIRECT DIRECT, "okHTTP/1.1 200 OK"}}, .seen = DIRECT DIRECT)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a bare host is given whatever comes", bare_host_is_given_all),
		TEST("a host with an OpenSSL inside, whose reading no door sees, is given nothing",
		     unseen_openssl_gives_nothing),
		WAY("read"),
		WAY("read-ex"),
		WAY("byte"),
		WAY("peek"),
		WAY("poll"),
		WAY("memory"),
		WAY("nested"),
		TEST_ROW("who reads by a BIO is given nothing", run, struct trial, .way = "bio",
			 .name = "direct.example", .steps = {{DIRECT, NULL}}, .seen = "",
			 .line = "reason=uncovered-tls"),
		TEST_ROW("nor if it takes flags off before", run, struct trial, .way = "bio-again",
			 .name = "direct.example", .steps = {{DIRECT, NULL}}, .seen = "",
			 .line = "reason=uncovered-tls"),
		TEST_ROW("who reads past the doors is given nothing", run, struct trial,
			 .way = "unseen", .name = "direct.example", .steps = {{DIRECT, NULL}},
			 .seen = "", .line = "reason=uncovered-tls"),
		TEST_ROW("nor while another SSL is in a door of the same thread", run, struct trial,
			 .way = "nested-unseen", .name = "direct.example",
			 .steps = {{DIRECT, NULL}}, .seen = "", .line = "reason=uncovered-tls"),
		TEST_ROW("a client that goes without a word is not taken for one unseen", run,
			 struct trial, .way = "late", .name = "direct.example", .seen = "",
			 .is_silent = true),
		TEST_ROW("h2 is not offered", run, struct trial, .way = "read",
			 .name = "direct.example", .offers_h2 = true, .steps = {{DIRECT, "ok"}},
			 .seen = DIRECT),
		TEST_ROW("h2 that was chosen past the doors is refused", run, struct trial,
			 .way = "unseen-alpn", .name = "direct.example", .offers_h2 = true,
			 .steps = {{DIRECT, NULL}}, .seen = "", .line = REFUSED),
		TEST_ROW("a request that cannot be read in one way is refused", run, struct trial,
			 .way = "read", .name = "direct.example",
			 .steps = {{"GET / HTTP/1.1\r\nHost: direct.example\r\nHost: "
				    "direct.example\r\n\r\n",
				    "421 Misdirected"},
				   {"", NULL}},
			 .seen = "", .line = "server-name=direct.example"),
		TEST_ROW("so is one under the port's own rule, by whoever it admits", run,
			 struct trial, .way = "read", .certificate = "edge",
			 .steps = {{"GET / HTTP/1.0\r\n\r\n", "ok"},
				   {"GET / HTTP/1.1\r\nHost: other.example\r\nHost: "
				    "shop.example\r\n\r\n",
				    "421 Misdirected"},
				   {"", NULL}},
			 .seen = "GET / HTTP/1.0\r\n\r\n", .line = LINE),
		TEST_ROW("the host that was asked for is in the log", run, struct trial,
			 .way = "read", .name = "direct.example",
			 .steps = {{SHOP, "421 Misdirected"}, {"", NULL}}, .seen = "",
			 .line = "server-name=shop.example"),
		TEST_ROW("another open site's request passes", run, struct trial, .way = "read",
			 .name = "direct.example",
			 .steps = {{"GET / HTTP/1.1\r\nHost: blog.example:443\r\n\r\n", "ok"}},
			 .seen = "GET / HTTP/1.1\r\nHost: blog.example:443\r\n\r\n"),
		TEST_ROW("with its certificate, a request for an open site passes, too", run,
			 struct trial, .way = "read", .name = "shop.example", .certificate = "edge",
			 .steps = {{SHOP, "ok"}, {DIRECT, "ok"}}, .seen = SHOP DIRECT),
		TEST_ROW("the edge's certificate is not asked for on an open site, and counts for "
			 "nothing",
			 run, struct trial, .way = "read", .name = "direct.example",
			 .certificate = "edge", .steps = {{SHOP, "421 Misdirected"}, {"", NULL}},
			 .seen = "", .line = LINE),
		TEST_ROW("without a host it is the port's own", run, struct trial, .way = "read",
			 .name = "direct.example",
			 .steps = {{"GET / HTTP/1.0\r\n\r\n", "421 Misdirected"}, {"", NULL}},
			 .seen = "", .line = LINE),
		TEST_ROW("an open site's name in capitals may be the default site's to a host", run,
			 struct trial, .way = "read", .name = "direct.example",
			 .steps = {{"GET / HTTP/1.1\r\nHost: DIRECT.example\r\n\r\n",
				    "421 Misdirected"},
				   {"", NULL}},
			 .seen = "", .line = LINE),
		TEST_ROW("so may one with a dot at its end", run, struct trial, .way = "read",
			 .name = "direct.example",
			 .steps = {{"GET / HTTP/1.1\r\nHost: direct.example.\r\n\r\n",
				    "421 Misdirected"},
				   {"", NULL}},
			 .seen = "", .line = LINE),
		TEST_ROW("so may one that stands in the target alone", run, struct trial,
			 .way = "read", .name = "direct.example",
			 .steps = {{"GET http://direct.example/ HTTP/1.0\r\n\r\n",
				    "421 Misdirected"},
				   {"", NULL}},
			 .seen = "", .line = LINE),
		TEST_ROW("with the certificate of the port's own rule a name has any spelling", run,
			 struct trial, .way = "read", .name = "shop.example", .certificate = "edge",
			 .steps = {{"GET / HTTP/1.1\r\nHost: Direct.Example.\r\n\r\n", "ok"}},
			 .seen = "GET / HTTP/1.1\r\nHost: Direct.Example.\r\n\r\n"),
		TEST_ROW("where the rule says so, the status is another", run, struct trial,
			 .way = "read", .name = "direct.example", .more = "refuse = reject 403\n",
			 .steps = {{SHOP, "403 Forbidden"}, {"", NULL}}, .seen = "",
			 .line = "answer=\"reject 403\""),
		TEST_ROW("where the rule says so, not a byte", run, struct trial, .way = "read",
			 .name = "direct.example", .more = "refuse = close\n",
			 .steps = {{SHOP, NULL}}, .seen = "", .end = "", .line = "answer=close"),
		TEST_ROW("where the rule says so, a reset", run, struct trial, .way = "memory",
			 .name = "direct.example", .more = "refuse = close reset\n",
			 .steps = {{SHOP, NULL}}, .seen = "", .end = "",
			 .line = "answer=\"close reset\""),
		TEST_ROW("HEAD is answered by a head", run, struct trial, .way = "read",
			 .name = "direct.example",
			 .steps = {{"HEAD / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
				    "Connection: close\r\n\r\n"},
				   {"", NULL}},
			 .seen = "", .line = LINE),
		TEST_ROW("an answer that is under way comes to its end", run, struct trial,
			 .way = "half", .name = "direct.example",
			 .steps = {{DIRECT SHOP, "\r\n\r\nok"}, {"", NULL}}, .seen = DIRECT,
			 .line = "answer=reject"),
		TEST_ROW("after 101 any bytes pass", run, struct trial, .way = "read",
			 .name = "direct.example", .steps = {{SOCKET, "101"}, {SHOP, SHOP}},
			 .seen = SOCKET SHOP),
		TEST_ROW("and before it none", run, struct trial, .way = "read",
			 .name = "direct.example", .steps = {{SOCKET DIRECT, NULL}}, .seen = SOCKET,
			 .line = "reason=server-name"),
		TEST_ROW("a host that stays with HTTP is guarded on", run, struct trial,
			 .way = "deaf", .name = "direct.example",
			 .steps = {{SOCKET, "ok"}, {DIRECT, "ok"}, {SHOP, "421 Misdirected"}},
			 .seen = SOCKET DIRECT, .line = LINE),
		TEST_ROW("a 101 that names no other protocol is none", run, struct trial,
			 .way = "feigned", .name = "direct.example",
			 .steps = {{SOCKET, "101"}, {SHOP, NULL}}, .seen = SOCKET,
			 .line = "reason=server-name"),
		TEST_ROW("an upgrade behind another request is none", run, struct trial,
			 .way = "read", .name = "direct.example",
			 .steps = {{DIRECT SOCKET, "101"}, {SHOP, NULL}}, .seen = DIRECT SOCKET,
			 .line = "reason=server-name"),
	};

	signal(SIGPIPE, SIG_IGN); /* who is refused at once may still be writing */
	return RUN_TESTS("guards-hosts", tests);
}
