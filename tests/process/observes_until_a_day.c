/* verify = observe until a day: when it comes, the rule requires, in a process that goes on;
 * sessions of the days before do not resume then; and a clock that was never set puts nothing off.
 *
 * Both sides are in this program: started as `PROGRAM host ...` it is the host, whose clock shows
 * what the file `clock` in its folder says. */
#include "attack.h"
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST "GET / HTTP/1.0\r\n\r\n"
#define DAY     (24 * 60 * 60)

/* ---- the host ---- */

/* In the place of libc's, for all libraries of the process. */
__attribute__((visibility("default"))) time_t time(time_t *place)
{
	struct timespec now;
	long long shown = 0;
	FILE *file = fopen("clock", "re");

	clock_gettime(CLOCK_REALTIME, &now);
	if (file != NULL) {
		if (fscanf(file, "%lld", &shown) == 1)
			now.tv_sec = shown;
		fclose(file);
	}
	if (place != NULL)
		*place = now.tv_sec;
	return now.tv_sec;
}

static const struct attack host;

/* ---- the client ---- */

static void prepare_command(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/observes_until_a_day");
	server_command(server, "%s host %s %s %u", command, certificate_file("server"),
		       certificate_key("server"), server->ports[0]);
}

static const struct server_kind clocked_host = {.name = "clock", .prepare = prepare_command};

static void set_clock(const struct server *server, long long seconds)
{
	server_file(server, "clock", "%lld\n", seconds);
}

/* The day is tomorrow; NULL: for good. */
static struct server *start_host(long long clock, const char *until)
{
	struct server *server = server_new(&clocked_host, 1);

	set_clock(server, clock);
	server_policy(server, "[port %u]\nca = %s\nresumption = on\nverify = observe%s%s\n",
		      server->ports[0], certificate_file("ca"), until ? " until " : "",
		      until ? until : "");
	server_start(server);
	return server;
}

/* The begin of the day after now, and its name. */
static long long tomorrow(char name[16])
{
	long long begin = ((long long)time(NULL) / DAY + 1) * DAY;
	time_t seconds = (time_t)begin;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(name, 16, "%Y-%m-%d", &utc);
	return begin;
}

static struct client client_of(const struct server *server, int version)
{
	return (struct client){.port = server->ports[0], .version = version, .request = REQUEST};
}

static void day_comes(void **state)
{
	char day[16];
	const long long begin = tomorrow(day);
	struct server *server = start_host(begin - 1, day);
	struct log log = {.path = server->log};

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		const struct client client = client_of(server, version);

		set_clock(server, begin - 1);
		expect_observed(&client, &stranger, &log);
		expect_observed(&client, &edge, &log);
		set_clock(server, begin);
		expect_verdict(server, &client, &stranger, "reject", &log);
		expect_verdict(server, &client, &edge, "reject", &log);
	}
	expectations_met();
	server_stop(server);
}

static void expect_visit(const struct client *client, const char *certificate, bool reused,
			 SSL_SESSION **session)
{
	struct client visit = *client;
	struct outcome outcome;

	visit.certificate = certificate;
	client_run(&visit, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0 && outcome.reused == reused,
	       "TLS %s: alert %d, resumed: %d", version_word(client->version), outcome.alert,
	       outcome.reused);
	if (session != NULL) {
		*session = outcome.session;
		outcome.session = NULL;
	}
	outcome_clear(&outcome);
}

/* What the edge was given resumes among the days before, and not from that day on. */
static void sessions_end(void **state)
{
	char day[16];
	const long long begin = tomorrow(day);
	struct server *server = start_host(begin - 60, day);
	struct log log = {.path = server->log};

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version);
		SSL_SESSION *first, *second;

		set_clock(server, begin - 60);
		expect_visit(&client, "edge", false, &first);
		client.session = first;
		expect_visit(&client, NULL, true, NULL);
		set_clock(server, begin);
		expect_visit(&client, "edge", false, &second);
		client.session = first;
		expect_verdict(server, &client, &stranger, "reject", &log);
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
	}
	expectations_met();
	server_stop(server);
}

/* Nobody gets a session that would stand for a certificate which was not verified. */
static void strangers_resume_nothing(void **state)
{
	static const struct visitor *const strangers[] = {&stranger, &foreigner};
	struct server *server = start_host((long long)time(NULL), NULL);
	struct log log = {.path = server->log};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct client client = client_of(server, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
		struct refusal_line line = {.text = ""};
		SSL_SESSION *session;

		expect_visit(&client, strangers[i / 2]->certificate, false, &session);
		expect(log_next_refusal(&log, &line, false) &&
			       strcmp(line.reason, strangers[i / 2]->reason) == 0,
		       "the first visit: %s", line.text);
		client.session = session;
		expect_observed(&client, strangers[i / 2], &log);
		expect_observed(&client, strangers[i / 2], &log);
		SSL_SESSION_free(session);
	}
	expectations_met();
	server_stop(server);
}

/* 1990: before any release. */
static void clock_was_never_set(void **state)
{
	struct server *server = start_host(20LL * 365 * DAY, "2400-01-01");
	struct server *for_good = start_host(20LL * 365 * DAY, NULL);
	struct log log = {.path = server->log}, other = {.path = for_good->log};

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = client_of(server, version);

		expect_verdict(server, &client, &stranger, "reject", &log);
		client = client_of(for_good, version);
		expect_observed(&client, &stranger, &other);
	}
	expectations_met();
	server_stop(server);
	server_stop(for_good);
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		TEST("when its day comes, a running server requires", day_comes),
		TEST("sessions of the days before do not resume then", sessions_end),
		TEST("strangers who are observed resume nothing", strangers_resume_nothing),
		TEST("with a clock that was never set it requires, unless it observes for good",
		     clock_was_never_set),
	};

	if (count > 4 && strcmp(words[1], "host") == 0)
		return host_main(&host, words + 2);
	return RUN_TESTS("observes-until-a-day", tests);
}
