/* A connection that was accepted before the policy changed, and over which nobody has said
 * anything, is judged whole by the new one: what comes before TLS, or instead of it, too.  One over
 * which the client has spoken stays. */
#include "changing.h"
#include "credentials.h"
#include "raw_client.h"
#include "scratch.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
#define HEADER  "PROXY TCP4 203.0.113.9 127.0.0.1 51514 443\r\n"
#define ANSWER  "an answer in plain text\n"
#define BYTES   (sizeof(ANSWER) - 1)

/* ---- the host: a thread for each connection, which treats it as the file `way` says ---- */

static const char host[] =
	"import os, select, socket, socketserver, time\n"
	"def report(line):\n"
	"    with open('report', 'a') as file: file.write(line + '\\n')\n"
	"def waits(way):\n"
	"    while not os.path.exists('go-' + way): time.sleep(.01)\n"
	"class Host(socketserver.BaseRequestHandler):\n"
	"    def takes(self, flags=0):\n"
	"        if self.way == 'polls':\n"
	"            self.request.setblocking(False)\n"
	"            select.select([self.request], [], [])\n"
	"        came = self.request.recv(4096, flags)\n"
	"        if came: report('request ' + self.way)\n"
	"        return came\n"
	"    def reads(self):\n"
	"        came = self.takes()\n"
	"        while came and not came.endswith(b'\\r\\n\\r\\n'):\n"
	"            more = self.takes()\n"
	"            if not more: return\n"
	"            came += more\n"
	"        if came: self.request.sendall(answer)\n"
	"    polls = reads\n"
	"    def peeks(self):\n"
	"        if self.takes(socket.MSG_PEEK): self.reads()\n"
	"    def greets(self):\n"
	"        waits(self.way)\n"
	"        self.request.sendall(answer)\n"
	"    def sends_file(self):\n"
	"        waits(self.way)\n"
	"        with open('answer') as file:\n"
	"            os.sendfile(self.request.fileno(), file.fileno(), 0, len(answer))\n"
	"    def feeds(self):\n"
	"        self.request.sendall(answer)\n"
	"        self.greets()\n"
	"    def converses(self):\n"
	"        self.request.sendall(answer)\n"
	"        self.reads()\n"
	"    def nothing(self): pass\n"
	"    def handle(self):\n"
	"        with open('way') as file: self.way = file.read()\n"
	"        report('accepted ' + self.way)\n"
	"        try: getattr(self, self.way)()\n"
	"        except OSError as error: report('error %d' % error.errno)\n"
	"with open('answer', 'rb') as file: answer = file.read()\n"
	"socketserver.ThreadingTCPServer.allow_reuse_address = True\n";

static void prepare_host(struct server *server)
{
	server_file(server, "answer", "%s", ANSWER);
	server_file(server, "way", "nothing");
	server_file(server, "host.py",
		    "%ssocketserver.ThreadingTCPServer(('127.0.0.1', %u), Host).serve_forever()\n",
		    host, server->ports[0]);
	server_command(server, "/usr/bin/python3 host.py");
}

static const struct server_kind plain_host = {.name = "plain host", .prepare = prepare_host};

static size_t reports(const struct server *server, const char *what, const char *way)
{
	char path[PATH_MAX + 16], line[64];

	text_format(path, sizeof(path), "%s/report", server->directory);
	text_format(line, sizeof(line), "%s %s", what, way);
	return log_count(path, line);
}

/* ---- what becomes of a connection that the host has, and that was silent so far ---- */

enum turn { CLIENT_SPEAKS, HOST_SPEAKS };

static const struct way {
	const char *name;
	enum turn turn;
} ways[] = {
	{"reads", CLIENT_SPEAKS}, /* blocked meanwhile, and alone: it has to look by itself */
	{"polls", CLIENT_SPEAKS}, {"peeks", CLIENT_SPEAKS},
	{"greets", HOST_SPEAKS},  {"sends_file", HOST_SPEAKS},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

struct change {
	const char *before, *after; /* lines of the section; NULL: bare, and nothing changes */
	const char *verdict;        /* of the line; NULL: none */
	const char *reason;
	bool resets;
	const char *said; /* NULL: REQUEST */
	const char *peer; /* in the line; NULL: whichever */
	bool by_client;   /* only where the client speaks first */
};

static void section(const struct server *server, char *text, size_t size, const char *lines)
{
	text_format(text, size, "[port %u]\n%s\n", server->ports[0], lines);
}

static void wait_for_host(const struct server *server, const char *way)
{
	long long deadline = clock_ms() + 5000;

	while (reports(server, "accepted", way) == 0 && clock_ms() < deadline)
		clock_nap();
	expect(reports(server, "accepted", way) > 0, "%s: it is not accepted", way);
}

static int park(const struct server *server, const char *way)
{
	int descriptor;

	server_file(server, "way", "%s", way);
	descriptor = raw_connect(NULL, server->ports[0]);
	wait_for_host(server, way);
	return descriptor;
}

static void start(struct server *server, const char *lines, struct log *log)
{
	struct refusal_line line;
	char text[4096];

	if (lines != NULL) {
		section(server, text, sizeof(text), lines);
		server_policy(server, "%s", text);
	}
	server_start(server);
	if (server->kind == &plain_host)
		wait_for_host(server, "nothing"); /* who looked whether it listens */
	*log = (struct log){.path = server->log};
	while (lines != NULL && log_next_refusal(log, &line, true))
		;
}

static void change(const struct server *server, const char *lines)
{
	char text[4096];

	if (lines != NULL) {
		section(server, text, sizeof(text), lines);
		change_by_rename(server, "policy.conf", text);
	}
	wait_until_in_force();
}

static void go(const struct server *server, const char *way)
{
	char name[32];

	text_format(name, sizeof(name), "go-%s", way);
	server_file(server, name, "\n");
}

static void expect_line(struct log *log, const struct change *row, const char *way)
{
	struct refusal_line line = {.text = ""};

	if (row->verdict == NULL) {
		expect(!log_next_refusal(log, &line, true), "%s: a line: %s", way, line.text);
		return;
	}
	expect(log_next_refusal(log, &line, false) && strcmp(line.verdict, row->verdict) == 0 &&
		       strcmp(line.reason, row->reason) == 0 &&
		       (row->peer == NULL || strcmp(line.peer, row->peer) == 0),
	       "%s: \"%s\"", way, line.text);
	expect(!log_next_refusal(log, &line, true), "%s: one more line: %s", way, line.text);
}

static void expect_change(const struct server *server, const struct change *row,
			  const struct way *way, int descriptor, struct log *log)
{
	const char *said = way->turn == HOST_SPEAKS ? "" : row->said ? row->said : REQUEST;
	const bool is_refused = row->verdict != NULL && strcmp(row->verdict, "refused") == 0;
	enum ending ending;
	size_t count;

	go(server, way->name);
	count = raw_exchange(descriptor, said, strlen(said), &ending);
	expect(count == (is_refused ? 0 : BYTES), "%s: %zu bytes", way->name, count);
	expect(ending == (is_refused && row->resets ? END_RESET : END_EOF), "%s: %s", way->name,
	       ending_word(ending));
	expect((reports(server, "request", way->name) > 0) ==
		       (!is_refused && way->turn == CLIENT_SPEAKS),
	       "%s: the host has the request", way->name);
	if (row->before != NULL)
		expect_line(log, row, way->name);
}

static bool is_tried(const struct change *row, const struct way *way)
{
	return !row->by_client || way->turn == CLIENT_SPEAKS;
}

static void run_change(void **state)
{
	const struct change *row = *state;
	struct log log;
	struct server *server = server_new(&plain_host, 1);
	int descriptors[WAYS];

	start(server, row->before, &log);
	for (size_t i = 0; i < WAYS; i++)
		if (is_tried(row, &ways[i]))
			descriptors[i] = park(server, ways[i].name);
	change(server, row->after);
	for (size_t i = 0; i < WAYS; i++)
		if (is_tried(row, &ways[i]))
			expect_change(server, row, &ways[i], descriptors[i], &log);
	expectations_met();
	server_stop(server);
}

/* ---- where somebody has spoken already ---- */

static void expect_bytes(int descriptor, const char *said, size_t wanted, enum ending wanted_end,
			 const char *who)
{
	enum ending ending;
	size_t count = raw_exchange(descriptor, said, strlen(said), &ending);

	expect(count == wanted && ending == wanted_end, "%s: %zu bytes, %s", who, count,
	       ending_word(ending));
}

static void run_begun(void **state)
{
	const struct change row = {.verdict = "refused", .reason = "plaintext"};
	struct log log;
	struct server *server = server_new(&plain_host, 1);
	int half, fed, greeted;

	(void)state;
	start(server, "verify = off", &log);
	half = park(server, "reads");
	fed = park(server, "feeds");
	greeted = park(server, "converses");
	assert_int_equal(send(half, REQUEST, 5, 0), 5);
	usleep(100000);
	change(server, "ca = cloudflare");
	expect_bytes(half, &REQUEST[5], BYTES, END_EOF, "half of a request was there");
	go(server, "feeds");
	expect_bytes(fed, "", 2 * BYTES, END_EOF, "one that only listens");
	expect_line(&log, &(struct change){.verdict = NULL}, "none that has spoken");
	/* What has come before the change is still there to be read. */
	expect_bytes(greeted, REQUEST, BYTES, END_EOF, "one that was greeted");
	expect(reports(server, "request", "converses") == 0, "the host has the request");
	expect_line(&log, &row, "one that was greeted");
	expectations_met();
	server_stop(server);
}

/* ---- TLS ---- */

struct hello {
	const char *before, *after; /* lines of the section */
	const struct visitor *visitor;
	const char *answer; /* NULL: nothing is demanded */
};

static const struct visitor anybody = {.certificate = NULL};

static const struct hello hellos[] = {
	{"verify = off", "", &stranger, "reject"},
	{"verify = off", "", &edge, "reject"},
	{"verify = observe", "refuse = close", &stranger, "close"},
	{"verify = observe", "", &edge, "reject"},
	{"exempt = loopback", "", &stranger, "reject"},
	{"plaintext = allow", "refuse = close reset", &stranger, "close reset"},
	{"", "verify = off", &anybody, NULL},
	{"", "exempt = loopback", &anybody, NULL},
};

static void expect_hello(const struct server_kind *kind, const struct hello *row, int version)
{
	char before[PATH_MAX + 64], after[PATH_MAX + 64];
	struct log log;
	struct server *server = server_new(kind, 1);
	struct client client = {.version = version, .request = REQUEST};

	if (kind == &server_kinds[2]) /* else the kernel keeps it until the client speaks */
		server->options = "AcceptFilter http none\nAcceptFilter https none";
	put_certificate(server, "ca.pem", "ca");
	text_format(before, sizeof(before), "ca = %s/ca.pem\n%s", server->directory, row->before);
	text_format(after, sizeof(after), "ca = %s/ca.pem\n%s", server->directory, row->after);
	start(server, before, &log);
	client.port = server->ports[0];
	client.descriptor = raw_connect(NULL, server->ports[0]);
	usleep(100000);
	change(server, after);
	expect_verdict(server, &client, row->visitor, row->answer, row->answer ? &log : NULL);
	server_stop(server);
}

static void run_hellos(void **state)
{
	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++)
		expect_hello(*state, &hellos[i], i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
	expectations_met();
}

#define CHANGE(sentence, ...) TEST_ROW(sentence, run_change, struct change, __VA_ARGS__)
#define REFUSED               .verdict = "refused", .reason

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANGE("without the shim a host reads, and speaks, in each of these ways",
		       .before = NULL),
		CHANGE("off, then require: plain text is refused", "verify = off", "",
		       REFUSED = "plaintext"),
		CHANGE("by the answer of the new policy", "verify = off", "refuse = close reset",
		       REFUSED = "plaintext", .resets = true),
		CHANGE("observe, then require", "verify = observe", "", REFUSED = "plaintext"),
		CHANGE("exempt, then not", "exempt = loopback", "exempt = 192.0.2.0/24",
		       REFUSED = "plaintext"),
		CHANGE("plain text allowed, then not", "plaintext = allow", "",
		       REFUSED = "plaintext"),
		CHANGE("off, then closed to this peer", "verify = off",
		       "plaintext = allow\nfrom = 192.0.2.0/24", REFUSED = "peer-address"),
		CHANGE("required, then closed to this peer", "", "from = 192.0.2.0/24",
		       REFUSED = "peer-address"),
		CHANGE("off, then a PROXY header is due, which does not come", "verify = off",
		       "proxy-protocol = loopback", REFUSED = "plaintext"),
		CHANGE("or which comes before plain text", "verify = off",
		       "proxy-protocol = loopback", REFUSED = "plaintext", .said = HEADER REQUEST,
		       .peer = "203.0.113.9:51514", .by_client = true),
		CHANGE("or which comes where plain text passes", "verify = off",
		       "proxy-protocol = loopback\nplaintext = allow", .said = HEADER REQUEST,
		       .by_client = true),
		CHANGE("off, then acme: a hello is due for that", "verify = off", "acme = allow",
		       REFUSED = "plaintext"),
		CHANGE("off, then observe: it is told of", "verify = off", "verify = observe",
		       .verdict = "observed", .reason = "plaintext"),
		CHANGE("off, then plain text is allowed", "verify = off", "plaintext = allow",
		       .verdict = NULL),
		CHANGE("off, then exempt", "verify = off", "exempt = loopback", .verdict = NULL),
		CHANGE("off, then a policy that is none", "verify = off", "verify = nonsense",
		       .verdict = NULL),
		CHANGE("require, then off", "", "verify = off", .verdict = NULL),
		CHANGE("require, then plain text is allowed", "", "plaintext = allow",
		       .verdict = NULL),
		CHANGE("require, then exempt", "", "exempt = loopback", .verdict = NULL),
		CHANGE("a PROXY header was due, and is no more", "proxy-protocol = loopback",
		       "verify = off", .verdict = NULL),
		TEST("whoever has spoken goes on, so does who listens; who was greeted does not "
		     "begin",
		     run_begun),
		{"nginx: a handshake begins under the new policy", run_hellos, NULL, test_end,
		 (void *)(uintptr_t)&server_kinds[0]},
		{"Apache event, which gives libssl memory: the same", run_hellos, NULL, test_end,
		 (void *)(uintptr_t)&server_kinds[2]},
	};

	return RUN_TESTS("judges-the-first-byte", tests);
}
