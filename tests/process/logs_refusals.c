/* The lines about refusals: where they go, and that a flood of strangers is no flood of lines. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the ten lines that one second and reason may have. */
#define FLOOD 40

/* A place for the lines: `log` in the policy or CFSHIM_LOG, "@" standing for the server's folder;
 * and the file to look in. */
struct place {
	const char *in_policy;
	const char *in_environment;
	const char *file;
	const char *line; /* what one line must hold; NULL: there must be none, in no file of the
			     folder */
};

static void visit(const struct server *server)
{
	const struct client client = {
		.port = server->ports[0],
		.version = TLS1_3_VERSION,
		.request = "GET / HTTP/1.0\r\n\r\n",
	};

	expect_verdict(server, &client, &stranger, "reject", NULL);
}

static void place_text(const char *value, const struct server *server, char *text, size_t size)
{
	size_t length = strcspn(value, "@");

	text_format(text, size, "%.*s%s%s", (int)length, value,
		    value[length] ? server->directory : "",
		    value[length] ? value + length + 1 : "");
}

/* The line may come a little after the client has seen its refusal. */
static size_t count_soon(const char *path, const char *line)
{
	long long deadline = clock_ms() + 1500;

	while (log_count(path, line) == 0 && clock_ms() < deadline)
		clock_nap();
	return log_count(path, line);
}

static void run_place(void **state)
{
	const struct place *place = *state;
	struct server *server = server_new(&small_server, 1);
	char log[PATH_MAX + 64];
	char path[PATH_MAX + 64];

	place_text(place->in_policy, server, log, sizeof(log));
	server_policy(server, "log = %s\n[port %u]\nca = %s\n", log, server->ports[0],
		      certificate_file("ca"));
	server->log[0] = '\0';
	if (place->in_environment != NULL)
		place_text(place->in_environment, server, server->log, sizeof(server->log));
	server_start(server);
	visit(server);
	text_format(path, sizeof(path), "%s/%s", server->directory, place->file);
	if (place->line != NULL)
		expect(count_soon(path, place->line) == 1, "%s does not hold %s", path,
		       place->line);
	else
		visit(server);
	if (place->line == NULL || strcmp(place->file, "server.log") != 0) {
		text_format(path, sizeof(path), "%s/server.log", server->directory);
		expect(log_count(path, "no-certificate") == 0, "stderr holds a line too");
	}
	if (place->in_environment != NULL) {
		text_format(path, sizeof(path), "%s/other.log", server->directory);
		expect(log_count(path, "no-certificate") == 0, "the overridden file holds a line");
	}
	expectations_met();
	server_stop(server);
}

/* Every refusal is in a line or in the `dropped` of a later one. */
static void run_flood(void **state)
{
	struct server *server = server_new(&small_server, 1);
	struct refusal_line line;
	struct log log = {.path = NULL};
	long long start;
	unsigned long lines = 0;
	unsigned long dropped = 0;
	long long seconds;

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	log.path = server->log;
	start = clock_ms();
	for (unsigned i = 0; i < FLOOD; i++)
		visit(server);
	seconds = (clock_ms() - start) / 1000 + 2;
	/* In the next second there is room for a line, which brings the count of the others. */
	start = clock_ms();
	while (clock_ms() - start < 1100)
		clock_nap();
	visit(server);
	while (lines + dropped < FLOOD + 1 && log_next_refusal(&log, &line, false)) {
		lines++;
		dropped += strtoul(line.dropped, NULL, 10);
	}
	expect(lines + dropped == FLOOD + 1, "%lu lines and %lu dropped of %d", lines, dropped,
	       FLOOD + 1);
	expect((long long)lines <= seconds * 10 + 1, "%lu lines in %lld seconds", lines, seconds);
	expect(dropped > 0, "nothing was dropped");
	expectations_met();
	server_stop(server);
}

#define PLACE(sentence, ...) TEST_ROW(sentence, run_place, struct place, __VA_ARGS__)

int main(void)
{
	static const char line[] = ": refused reason=no-certificate port=";
	static const char object[] = "\"reason\":\"no-certificate\"";
	const struct CMUnitTest tests[] = {
		PLACE("a refusal is logged on stderr", "stderr", NULL, "server.log", line),
		PLACE("a refusal is logged in a file", "@/a.log", NULL, "a.log", line),
		PLACE("a refusal is logged as JSON", "json:@/a.log", NULL, "a.log", object),
		PLACE("a refusal is not logged where log is off", "off", NULL, "a.log", NULL),
		PLACE("CFSHIM_LOG overrides the file of the policy", "@/other.log", "@/a.log",
		      "a.log", line),
		PLACE("CFSHIM_LOG switches the log off", "@/other.log", "off", "other.log", NULL),
		TEST("forty refusals in a second are ten lines and a count", run_flood),
	};

	return RUN_TESTS("logs-refusals", tests);
}
