/* Under `reject 403` a refused client gets a status that its program can show: whatever it speaks,
 * asks and sends, and whatever its host is doing meanwhile; and the host gets nothing. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"
#include "web_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Between memory BIOs the socket is unknown, and with it the section: one for all ports does. */
static struct server *start(const struct server_kind *kind, const char *options, const char *rule)
{
	struct server *server = server_new(kind, 1);

	server->options = options;
	server->talks_first = options != NULL && strstr(options, "banner") != NULL;
	if (rule != NULL)
		server_policy(server, "[port *]\nca = %s\n%s\n", certificate_file("ca"), rule);
	server_start(server);
	return server;
}

static bool is_missing(const char *program)
{
	struct result result;
	bool missing;

	program_run(&result, &(struct program){.words = {program, "--version"}});
	missing = result.status == 127;
	result_clear(&result);
	if (missing)
		fprintf(stderr, "# untried: %s is not installed\n", program);
	return missing;
}

/* Why `kind` cannot be had here; NULL: it can. */
static const char *lacking(const struct server_kind *kind)
{
	struct result result;
	const char *lacks = NULL;

	if (kind != &node && kind != &node_with_openssl)
		return NULL;
	program_run(&result,
		    &(struct program){.words = {"node", "-p",
						"process.config.variables.node_shared_openssl"}});
	if (result.status != 0)
		lacks = "node is not installed";
	else if (strncmp(result.output, "true", 4) == 0 && kind == &node_with_openssl)
		lacks = "node has no OpenSSL inside";
	else if (strncmp(result.output, "true", 4) != 0 && kind == &node)
		lacks = "node has an OpenSSL inside";
	result_clear(&result);
	if (lacks != NULL)
		fprintf(stderr, "# untried: %s\n", lacks);
	return lacks;
}

/* ---- hosts ---- */

struct host_trial {
	const struct server_kind *kind;
	const char *options;
};

static void serves_only_the_edge(void **state)
{
	const struct host_trial *trial = *state;
	struct server *server;

	if (lacking(trial->kind) != NULL)
		skip();
	server = start(trial->kind, trial->options, NULL);
	expect_open(server, NULL, server->ports[0]);
	server_stop(server);
	server = start(trial->kind, trial->options, "refuse = reject 403");
	expect_enforced(server, "reject 403");
	expectations_met();
	server_stop(server);
}

/* ---- what the programs of clients show ---- */

/* A body that does not fit into what sockets hold. */
static const char *large_file(void)
{
	static char path[PATH_MAX];
	FILE *file;

	if (path[0] != '\0')
		return path;
	text_format(path, sizeof(path), "%s/large", scratch_dir());
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 20 << 20), 0);
	fclose(file);
	return path;
}

#define CURL_WORDS 6
struct curl_trial {
	const char *what;
	const char *words[CURL_WORDS];
	bool sends_file;
	const char *body; /* what it shows of the answer, beside the status */
};

#define PAGE                                                                                      \
	"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden" \
	"</h1></body></html>\n"

static const struct curl_trial curl_trials[] = {
	{"GET", {"--http1.1"}, false, PAGE},
	{"GET of HTTP/1.0", {"--http1.0"}, false, PAGE},
	{"HEAD", {"--http1.1", "-I"}, false, "HTTP/1.1 403 Forbidden\r\n"},
	{"a form, with Expect: 100-continue",
	 {"--http1.1", "-H", "Expect: 100-continue", "-d", "a=b"},
	 false,
	 PAGE},
	{"an upload, with Expect: 100-continue", {"--http1.1"}, true, PAGE},
	{"an upload, without", {"--http1.1", "-H", "Expect:"}, true, PAGE},
	{"an upload in chunks",
	 {"--http1.1", "-H", "Expect:", "-H", "Transfer-Encoding: chunked"},
	 true,
	 PAGE},
	{"GET over HTTP/2", {"--http2"}, false, PAGE},
	{"HEAD over HTTP/2", {"--http2", "-I"}, false, "HTTP/2 403 \r\n"},
	{"a form over HTTP/2", {"--http2", "-d", "a=b"}, false, PAGE},
	{"an upload over HTTP/2", {"--http2"}, true, PAGE},
};

static void run_curl(struct result *result, const struct server *server,
		     const struct curl_trial *trial, const char *version, bool is_edge)
{
	struct program program = {.words = {"curl", "-sk", "-m", "8", "--tlsv1.2", "--tls-max",
					    version, "-w", "\n%{http_code} %{errormsg}"}};
	char url[64], file[PATH_MAX + 1];
	size_t count = 9;

	for (size_t i = 0; i < CURL_WORDS && trial->words[i] != NULL; i++)
		program.words[count++] = trial->words[i];
	if (trial->sends_file) {
		text_format(file, sizeof(file), "@%s", large_file());
		program.words[count++] = "--data-binary";
		program.words[count++] = file;
	}
	if (is_edge) {
		program.words[count++] = "--cert";
		program.words[count++] = certificate_file("edge");
		program.words[count++] = "--key";
		program.words[count++] = certificate_key("edge");
	}
	text_format(url, sizeof(url), "https://127.0.0.1:%u/canary", server->ports[0]);
	program.words[count] = url;
	program_run(result, &program);
}

static void shows_curl_the_status(void **state)
{
	const struct server_kind *kind = *state;
	const bool speaks_http2 = kind == &nginx_http2;
	struct server *server;

	if (lacking(kind) != NULL)
		skip();
	server = start(kind, NULL, "refuse = reject 403");
	for (size_t i = 0; i < sizeof(curl_trials) / sizeof(curl_trials[0]); i++) {
		const struct curl_trial *trial = &curl_trials[i];

		for (size_t j = 0; j < 2; j++) {
			const char *version = version_word(versions[j]);
			const size_t before = web_host_requests(server);
			struct result result;

			if (!speaks_http2 && strcmp(trial->words[0], "--http2") == 0)
				continue;
			run_curl(&result, server, trial, version, false);
			expect(strncmp(result.output, trial->body, strlen(trial->body)) == 0 &&
				       strstr(result.output, "\n403 ") != NULL &&
				       result.status == 0,
			       "%s, TLS %s: status %d, \"%s\"", trial->what, version, result.status,
			       result.output);
			result_clear(&result);
			expect(web_host_requests(server) == before,
			       "%s, TLS %s: something has come to the host", trial->what, version);
			run_curl(&result, server, &curl_trials[0], version, true);
			expect(strstr(result.output, "\n200 ") != NULL,
			       "%s, TLS %s: the edge got \"%s\"", trial->what, version,
			       result.output);
			result_clear(&result);
			expect(web_host_requests(server) > before,
			       "%s, TLS %s: nothing has come of the edge's", trial->what, version);
		}
	}
	expectations_met();
	server_stop(server);
}

static void shows_nghttp_the_status(void **state)
{
	struct server *server;
	struct result result;
	char url[64];

	(void)state;
	if (is_missing("nghttp"))
		skip();
	server = start(&nginx_http2, NULL, "refuse = reject 418");
	text_format(url, sizeof(url), "https://127.0.0.1:%u/", server->ports[0]);
	program_run(&result, &(struct program){.words = {"nghttp", "-v", url}});
	expect(strstr(result.output, ":status: 418") != NULL, "no status in \"%s\"", result.output);
	expect(strstr(result.output, "GOAWAY frame <length=8") != NULL &&
		       strstr(result.output, "error_code=NO_ERROR") != NULL,
	       "no GOAWAY in \"%s\"", result.output);
	result_clear(&result);
	expectations_met();
	server_stop(server);
}

/* ---- the status ---- */

static void sends_the_status_of_the_rule(void **state)
{
	static const char *const statuses[] = {"400", "404", "451", "496", "500", "599"};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char rule[64], answer[32];
		struct server *server;

		text_format(rule, sizeof(rule), "refuse = reject %s", statuses[i]);
		text_format(answer, sizeof(answer), "reject %s", statuses[i]);
		server = start(&small_server, NULL, rule);
		expect_guarded(server, NULL, server->ports[0], answer, NULL);
		server_stop(server);
	}
	expectations_met();
}

/* ---- where there can be none ---- */

static void rejects_where_the_host_asks_itself(void **state)
{
	char options[PATH_MAX + 16];
	struct server *server;

	(void)state;
	text_format(options, sizeof(options), "demand=%s", certificate_file("ca"));
	server = start(&small_server, options, "refuse = reject 403");
	expect_guarded(server, NULL, server->ports[0], "reject", NULL);
	expectations_met();
	server_stop(server);
}

/* ---- sessions ---- */

/* Where the rule lets sessions be resumed, that of a refused client is none. */
static void gives_no_session(void **state)
{
	struct server *server = start(&small_server, NULL, "refuse = reject 403\nresumption = on");

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct client client = {.port = server->ports[0],
					.version = versions[i],
					.request = "GET / HTTP/1.0\r\n\r\n"};
		const char *word = version_word(versions[i]);
		struct outcome first, second;

		/* The edge's is resumed: the test can see that. */
		client.certificate = "edge";
		client_run(&client, &first);
		client.session = first.session;
		client_run(&client, &second);
		expect(second.reused && second.http_status == 200,
		       "TLS %s: the edge is not resumed", word);
		outcome_clear(&first);
		outcome_clear(&second);
		for (size_t j = 0; j < 2; j++) {
			client.certificate = j == 0 ? NULL : "other";
			client.session = NULL;
			client_run(&client, &first);
			expect(first.http_status == 403, "TLS %s: status %d", word,
			       first.http_status);
			expect(first.session == NULL || versions[i] == TLS1_2_VERSION,
			       "TLS %s: a session was given", word);
			client.session = first.session;
			client_run(&client, &second);
			expect(!second.reused && second.http_status == 403,
			       "TLS %s: resumed %d, status %d", word, second.reused,
			       second.http_status);
			outcome_clear(&first);
			outcome_clear(&second);
		}
	}
	expectations_met();
	server_stop(server);
}

static const struct host_trial hosts[] = {
	{&small_server, NULL},
	{&small_server, "accept"},
	{&small_server, "banner"},
	{&small_server, "accept banner"},
	{&small_server, "non-blocking"},
	{&small_server, "non-blocking accept"},
	{&small_server, "non-blocking banner"},
	{&small_server, "early"},
	{&small_server, "early non-blocking"},
	{&python_asyncio, NULL},
	{&node, NULL},
	{&node_with_openssl, NULL},
	{&nginx_http2, NULL},
};
static const struct server_kind *const web_hosts[] = {&nginx_http2, &python_asyncio, &node};

int main(void)
{
	enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]), WEB = 3 };
	static char names[HOSTS + WEB][128];
	struct CMUnitTest tests[HOSTS + WEB + 4] = {
		TEST("nghttp shows the status of an HTTP/2 answer", shows_nghttp_the_status),
		TEST("each status is the one that the rule names", sends_the_status_of_the_rule),
		TEST("where the host asks for certificates itself, there is an alert",
		     rejects_where_the_host_asks_itself),
		TEST("a refused client has no session that could be resumed", gives_no_session),
	};
	size_t count = 4;

	for (size_t i = 0; i < HOSTS; i++, count++) {
		snprintf(names[i], sizeof(names[i]), "%s%s%s %s", hosts[i].kind->name,
			 hosts[i].options ? ", " : "", hosts[i].options ? hosts[i].options : "",
			 hosts[i].kind->reads_unseen
				 ? "ends without a byte to strangers, and serves the edge"
				 : "gives a status to strangers, and serves the edge");
		tests[count] = (struct CMUnitTest)TEST(names[i], serves_only_the_edge);
		tests[count].initial_state = (void *)(uintptr_t)&hosts[i];
	}
	for (size_t i = 0; i < WEB; i++, count++) {
		char *name = names[HOSTS + i];

		snprintf(name, sizeof(names[0]), "curl shows the status that %s did not give",
			 web_hosts[i]->name);
		tests[count] = (struct CMUnitTest)TEST(name, shows_curl_the_status);
		tests[count].initial_state = (void *)(uintptr_t)web_hosts[i];
	}
	return RUN_TESTS("answers-with-a-status", tests);
}
