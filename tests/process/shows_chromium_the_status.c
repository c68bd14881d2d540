/* What a browser makes of a refusal: the page under `reject 403`, its own error under `close`. */
#include "credentials.h"
#include "scratch.h"
#include "test.h"
#include "web_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A browser's first start takes its time. */
#define LIMIT_MS 60000

static char screenshot[PATH_MAX + 32], output[PATH_MAX], errors[PATH_MAX];

/* Chromium at the server, without a certificate; false: it is not here. */
static bool run_chromium(const struct server *server, const char *what)
{
	char profile[PATH_MAX], profile_word[PATH_MAX + 32], url[64];
	const struct program program = {
		.words = {"chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
			  "--ignore-certificate-errors", profile_word, what, url},
		.output = output,
		.errors = errors,
	};
	const long long end = clock_ms() + LIMIT_MS;
	int status = -1;
	pid_t pid;

	scratch_new_dir(profile, sizeof(profile), "chromium");
	text_format(output, sizeof(output), "%s/output", profile);
	text_format(errors, sizeof(errors), "%s/errors", profile);
	text_format(profile_word, sizeof(profile_word), "--user-data-dir=%s/data", profile);
	text_format(url, sizeof(url), "https://127.0.0.1:%u/", server->ports[0]);
	pid = program_start(&program);
	while (!program_has_ended(pid, &status)) {
		if (clock_ms() > end) {
			program_end(pid);
			fail_msg("chromium does not end");
		}
		clock_nap();
	}
	return status != 127;
}

static struct server *start(const struct server_kind *kind, const char *answer)
{
	struct server *server = server_new(kind, 1);

	server_policy(server, "[port *]\nca = %s\nrefuse = %s\n", certificate_file("ca"), answer);
	server_start(server);
	return server;
}

/* Does the file hold `text`? */
static bool holds(const char *path, const char *text)
{
	char *all = scratch_read(path);
	bool found = strstr(all, text) != NULL;

	if (!found)
		show_text(path, all);
	free(all);
	return found;
}

static void shows_the_page(void **state)
{
	struct server *server = start(*state, "reject 403");
	char word[PATH_MAX + 64], tests[PATH_MAX];
	struct stat file = {0};

	if (!run_chromium(server, "--dump-dom")) {
		fprintf(stderr, "# untried: chromium is not installed\n");
		server_stop(server);
		skip();
	}
	expect(holds(output, "<h1>403 Forbidden</h1>"), "it is not the page");
	/* To be looked at. */
	built_path(tests, sizeof(tests), "tests");
	text_format(screenshot, sizeof(screenshot), "%s/chromium-403.png", tests);
	text_format(word, sizeof(word), "--screenshot=%s", screenshot);
	remove(screenshot);
	run_chromium(server, word);
	expect(stat(screenshot, &file) == 0 && file.st_size > 1000, "no screenshot");
	expect(web_host_requests(server) == 0, "something has come to the host");
	expectations_met();
	server_stop(server);
}

static void shows_its_own_error(void **state)
{
	struct server *server = start(*state, "close");

	if (!run_chromium(server, "--dump-dom")) {
		fprintf(stderr, "# untried: chromium is not installed\n");
		server_stop(server);
		skip();
	}
	expect(holds(errors, "Page load failed: net::ERR_"), "it has no error");
	expectations_met();
	server_stop(server);
}

#define WITH(sentence, function, kind)                                                  \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH("Chromium shows the page over HTTP/2", shows_the_page, &nginx_http2),
		WITH("Chromium shows the page over HTTP/1.1", shows_the_page, &python_asyncio),
		WITH("Chromium shows its own error under close", shows_its_own_error, &nginx_http2),
	};

	return RUN_TESTS("shows-chromium-the-status", tests);
}
