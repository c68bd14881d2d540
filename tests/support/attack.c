#include "attack.h"

#include "enforcement.h"
#include "log.h"
#include "scratch.h"
#include "test.h"
#include "victim.h"

#include <errno.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REQUEST       "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
#define PATIENCE_MS   1000
#define MAX_ATTACKS   64
#define STATUS_ANSWER "reject 403"

/* What `reject` says for a reason: DESIGN's table.  Nothing where libssl had finished already. */
static const struct {
	const char *reason;
	int alert_1_3, alert_1_2;
} alerts[] = {
	{"no-certificate", 116, 40}, {"untrusted-issuer", 48, 48},
	{"expired", 45, 45},         {"not-yet-valid", 45, 45},
	{"wrong-purpose", 43, 43},   {"bad-certificate", 42, 42},
	{"bad-signature", 51, 51},   {"no-certificate-cipher", 40, 40},
	{"policy-error", 80, 80},    {"unknown-endpoint", 80, 80},
	{"internal", 80, 80},
};

static int expected_alert(const struct attack *attack, int version)
{
	if (attack->goes_away)
		return 0;
	if (attack->alert != ALERT_OF_REASON)
		return attack->alert == NO_ALERT ? 0 : attack->alert;
	if (attack->at_the_end || attack->reason == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (strcmp(alerts[i].reason, attack->reason) == 0)
			return version == TLS1_3_VERSION ? alerts[i].alert_1_3
							 : alerts[i].alert_1_2;
	return 0;
}

static bool has_status(const struct victim *victim)
{
	return strcmp(victim->answer, STATUS_ANSWER) == 0;
}

/* ---- the attacker ---- */

void victim_watch(struct victim *victim)
{
	victim->times_in = victim_times_in(victim->server);
}

static void visit(struct victim *victim, const struct client *client, int patience_ms,
		  struct outcome *outcome)
{
	struct client visitor = *client;

	if (visitor.port == 0)
		visitor.port = victim->server->ports[ENFORCED];
	if (visitor.request == NULL)
		visitor.request = REQUEST;
	if (visitor.patience_ms == 0)
		visitor.patience_ms = patience_ms;
	victim_watch(victim);
	if (victim->attack->visit != NULL)
		victim->attack->visit(&visitor, outcome);
	else
		client_run(&visitor, outcome);
	expect(outcome->ending != END_TIMEOUT, "neither an answer nor an end");
}

void attack_run(struct victim *victim, const struct client *client, struct outcome *outcome)
{
	/* A stranger waits for the server's word before it sends its request, unless that is the
	 * answer to it. */
	bool waits =
		victim->answer != NULL && victim->attack->reason != NULL && !has_status(victim);

	visit(victim, client, waits ? PATIENCE_MS : 0, outcome);
}

SSL_SESSION *attack_session(struct victim *victim, const struct client *client)
{
	struct outcome outcome;

	visit(victim, client, 0, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0,
	       "no answer where a session is to be had: alert %d, %s", outcome.alert,
	       ending_word(outcome.ending));
	return outcome.session;
}

static void run_attack(struct victim *victim, int version, struct outcome *outcome)
{
	struct client client = victim->attack->client;

	client.version = version;
	if (victim->attack->attack != NULL)
		victim->attack->attack(victim, &client, outcome);
	else
		attack_run(victim, &client, outcome);
}

/* ---- what must be seen ---- */

static bool is_tried(const struct attack *attack, int version)
{
	return attack->versions == BOTH_VERSIONS ||
	       (attack->versions == ONLY_1_3) == (version == TLS1_3_VERSION);
}

static void expect_in(struct victim *victim, int version, struct outcome *seen)
{
	const struct attack *attack = victim->attack;
	const char *word = version_word(version);

	run_attack(victim, version, seen);
	expect(attack->without_answer || strstr(seen->application, SERVER_ANSWER) != NULL,
	       "TLS %s, bare: no answer, alert %d, %s", word, seen->alert,
	       ending_word(seen->ending));
	expect(!attack->without_answer || victim_times_in(victim->server) > victim->times_in,
	       "TLS %s, bare: nothing has come to the host, alert %d, %s", word, seen->alert,
	       ending_word(seen->ending));
	expect(attack->client.trick == NULL || seen->tricked,
	       "TLS %s, bare: not by the way that is meant", word);
	outcome_clear(seen);
}

static void expect_line(struct victim *victim, const char *version)
{
	const struct attack *attack = victim->attack;
	const char *answer = attack->answer ? attack->answer : victim->answer;
	struct refusal_line line = {.text = ""};
	bool found = log_next_refusal(&victim->log, &line, attack->reason == NULL);

	if (attack->reason == NULL) {
		expect(!found, "TLS %s, %s: logged as %s", version, victim->answer, line.text);
		return;
	}
	expect(found && strcmp(line.reason, attack->reason) == 0,
	       "TLS %s, %s: reason \"%s\" instead of %s", version, victim->answer, line.reason,
	       attack->reason);
	expect(!found || strcmp(line.answer, answer) == 0, "TLS %s, %s: answer \"%s\" in the log",
	       version, victim->answer, line.answer);
}

static void expect_refused(const struct victim *victim, int version, const struct outcome *outcome)
{
	const char *word = version_word(version);
	bool silent = strcmp(victim->attack->answer ? victim->attack->answer : victim->answer,
			     "reject") != 0;
	int alert = silent ? 0 : expected_alert(victim->attack, version);

	expect(outcome->connected, "TLS %s, %s: no connection", word, victim->answer);
	expect(outcome->application_bytes == 0, "TLS %s, %s: %zu bytes of the application", word,
	       victim->answer, outcome->application_bytes);
	expect(outcome->alert == alert, "TLS %s, %s: alert %d instead of %d", word, victim->answer,
	       outcome->alert, alert);
	expect(outcome->ending == END_EOF || outcome->ending == END_RESET,
	       "TLS %s, %s: ended with %s", word, victim->answer, ending_word(outcome->ending));
	expect(!silent || victim->attack->at_the_end || outcome->bytes_after_flight == 0,
	       "TLS %s, %s: %zu bytes after the flight", word, victim->answer,
	       outcome->bytes_after_flight);
}

/* Under `reject 403`: a status and nothing else, where the log says so; else what `reject` does. */
static void expect_status_at_most(struct victim *victim, int version, const struct outcome *outcome)
{
	const struct attack *attack = victim->attack;
	const char *word = version_word(version);
	struct refusal_line line = {.text = ""};
	const bool found = attack->reason != NULL && log_next_refusal(&victim->log, &line, false);
	const bool page = strncmp(outcome->application, "HTTP/1.1 403 ", 13) == 0 &&
			  outcome->application_bytes < 512;
	const int alert =
		found && strcmp(line.answer, "reject") == 0 ? expected_alert(attack, version) : 0;

	expect(found == (attack->reason != NULL) &&
		       (!found || strcmp(line.reason, attack->reason) == 0),
	       "TLS %s, %s: reason \"%s\" instead of %s", word, victim->answer, line.reason,
	       attack->reason ? attack->reason : "none");
	expect(outcome->application_bytes == 0 || (page && strcmp(line.answer, STATUS_ANSWER) == 0),
	       "TLS %s, %s: %zu bytes of the application, answer \"%s\" in the log", word,
	       victim->answer, outcome->application_bytes, line.answer);
	expect(strcmp(line.answer, attack->answer ? attack->answer : "reject") == 0 ||
		       strcmp(line.answer, STATUS_ANSWER) == 0 || !found,
	       "TLS %s, %s: answer \"%s\" in the log", word, victim->answer, line.answer);
	expect(outcome->alert == alert ||
		       (attack->undoes_end && outcome->alert == SSL_AD_INTERNAL_ERROR),
	       "TLS %s, %s: alert %d instead of %d", word, victim->answer, outcome->alert, alert);
	expect(outcome->ending == END_EOF || outcome->ending == END_RESET ||
		       (outcome->ending == END_CLOSE_NOTIFY &&
			strcmp(line.answer, STATUS_ANSWER) == 0),
	       "TLS %s, %s: ended with %s", word, victim->answer, ending_word(outcome->ending));
}

/* Under the shim. */
static void expect_out(struct victim *victim, int version, struct outcome *seen)
{
	const struct attack *attack = victim->attack;
	const char *word = version_word(version);

	run_attack(victim, version, seen);
	if (attack->reason != NULL || attack->goes_away) {
		if (has_status(victim))
			expect_status_at_most(victim, version, seen);
		else
			expect_refused(victim, version, seen);
		expect(victim_times_in(victim->server) == victim->times_in,
		       "TLS %s, %s: something has come to the host", word, victim->answer);
	} else {
		expect(!seen->tricked, "TLS %s, %s: the trick worked", word, victim->answer);
		expect(strcmp(outcome_body(seen), SERVER_ANSWER) == 0,
		       "TLS %s, %s: the edge is not served, alert %d, %s", word, victim->answer,
		       seen->alert, ending_word(seen->ending));
		expect(!attack->without_answer ||
			       victim_times_in(victim->server) == victim->times_in,
		       "TLS %s, %s: something has come to the host", word, victim->answer);
	}
	if (!has_status(victim) || attack->reason == NULL)
		expect_line(victim, word);
	outcome_clear(seen);
}

static void expect_edge_served(struct victim *victim, int version)
{
	struct client client = {.port = 0};
	struct outcome outcome;

	if (victim->attack->edge_alike)
		client = victim->attack->client;
	client.version = version;
	client.certificate = "edge";
	if (victim->attack->edge_is_refused)
		return;
	visit(victim, &client, 0, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0,
	       "TLS %s, %s: the edge is not served, alert %d, %s", version_word(version),
	       victim->answer, outcome.alert, ending_word(outcome.ending));
	expect(client.trick == NULL || outcome.tricked, "TLS %s, %s: the edge comes in another way",
	       version_word(version), victim->answer);
	outcome_clear(&outcome);
}

/* ---- the table ---- */

/* The answer, as the row has it: "alert 116". */
static void describe(char *text, size_t size, const struct attack *attack,
		     const struct outcome *outcome)
{
	if (attack->reason == NULL && !attack->goes_away)
		text_format(text, size, "stays as it was");
	else if (outcome->alert != 0)
		text_format(text, size, "alert %d", outcome->alert);
	else
		text_format(text, size, "%s, 0 bytes", ending_word(outcome->ending));
}

static FILE *open_table(const char *mode)
{
	const char *build = getenv("CFSHIM_BUILD");
	const char *name = strrchr(attack_program, '/') + 1;
	char path[PATH_MAX];

	text_format(path, sizeof(path), "%s/attacks", build ? build : "build");
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return NULL;
	text_format(path, sizeof(path), "%s/attacks/%s.tsv", build ? build : "build", name);
	return fopen(path, mode);
}

static void add_row(const struct attack *attack, const char *bare, const char *shimmed)
{
	const unsigned long number = OpenSSL_version_num();
	FILE *table = open_table("ae");
	char version[32];

	if (table == NULL)
		fail_msg("cannot write the table of attacks");
	/* Until 3.0 the third number counted as well. */
	text_format(version, sizeof(version), "%lu.%lu", number >> 28, number >> 20 & 0xff);
	if (number >> 28 < 3)
		text_format(version + strlen(version), sizeof(version) - strlen(version), ".%lu",
			    number >> 12 & 0xff);
	fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", strrchr(attack_program, '/') + 1,
		attack->name, attack->source, bare, shimmed, attack->reason ? attack->reason : "-",
		version);
	fclose(table);
}

/* ---- one attack ---- */

static void run_bare(const struct attack *attack, const char **how)
{
	struct victim victim = victim_start(attack, NULL);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct outcome seen;

		if (!is_tried(attack, version))
			continue;
		expect_in(&victim, version, &seen);
		*how = attack->without_answer ? "in" : "answered";
	}
	server_stop(victim.server);
}

static void run_shimmed(const struct attack *attack, const char *answer, char *how, size_t size)
{
	struct victim victim = victim_start(attack, answer);
	char word[64];

	how[0] = '\0';
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct outcome seen;

		if (!is_tried(attack, version))
			continue;
		expect_out(&victim, version, &seen);
		expect_edge_served(&victim, version);
		describe(word, sizeof(word), attack, &seen);
		if (strcmp(word, how) != 0)
			text_format(how + strlen(how), size - strlen(how), "%s%s",
				    how[0] ? " / " : "", word);
	}
	server_stop(victim.server);
}

static void run(void **state)
{
	const struct attack *attack = *state;
	const char *bare = "-";
	char rejected[128], closed[128], answered[128];

	if (attack->unsanitized != NULL)
		skip_under_sanitizer(attack->unsanitized);
	if (attack->lacking != NULL && attack->lacking() != NULL) {
		fprintf(stderr, "# untried: %s\n", attack->lacking());
		skip();
	}
	run_bare(attack, &bare);
	run_shimmed(attack, "reject", rejected, sizeof(rejected));
	run_shimmed(attack, "close", closed, sizeof(closed));
	run_shimmed(attack, STATUS_ANSWER, answered, sizeof(answered));
	expectations_met();
	add_row(attack, bare, rejected);
}

int attacks_main(int count, char **words, const char *program, const struct attack *attacks,
		 size_t attack_count)
{
	static struct CMUnitTest tests[MAX_ATTACKS];
	static char names[MAX_ATTACKS][160];
	static char path[128];
	FILE *table;

	if (count > 3 && strcmp(words[1], "host") == 0)
		return host_main(&attacks[strtoul(words[2], NULL, 10)], words + 3);
	snprintf(path, sizeof(path), "tests/attacks/%s", program);
	attack_program = path;
	attack_table = attacks;
	for (size_t i = 0; i < attack_count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", program, attacks[i].name);
		tests[i] = (struct CMUnitTest)TEST(names[i], run);
		tests[i].initial_state = (void *)(uintptr_t)&attacks[i];
	}
	table = open_table("we");
	if (table == NULL || attack_count > MAX_ATTACKS)
		return 1;
	fclose(table);
	return _cmocka_run_group_tests(program, tests, attack_count, test_group_begin,
				       test_group_end);
}
