/* A connection is judged, whole, by the policy in force when its handshake ends; one that is
 * established stays; a session of a rule that has changed does not resume. */
#include "changing.h"
#include "credentials.h"
#include "crl.h"
#include "scratch.h"
#include "test.h"
#include "web_hosts.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* What happens while a client waits; a client has no place of its own for it. */
static struct {
	const struct server *server;
	const char *policy;
	bool has_changed;
	const char *name, *second_name; /* NULL: no HelloRetryRequest is provoked */
	bool has_retried;
} meanwhile;

static void change_policy(void)
{
	meanwhile.has_changed = true;
	change_by_rename(meanwhile.server, "policy.conf", meanwhile.policy);
	wait_until_in_force();
}

/* ---- parked handshakes ---- */

/* What comes first is a HelloRetryRequest. */
static void retry(SSL *ssl, OSSL_HANDSHAKE_STATE state)
{
	if (meanwhile.second_name == NULL || meanwhile.has_retried || state != TLS_ST_CR_SRVR_HELLO)
		return;
	meanwhile.has_retried =
		SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)meanwhile.second_name) == 1;
}

/* The server has said all of its first flight. */
static void park(const SSL *ssl, int where, int value)
{
	OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);

	(void)value;
	if (where == SSL_CB_CONNECT_LOOP)
		retry((SSL *)(uintptr_t)ssl, state);
	if (where == SSL_CB_CONNECT_LOOP && !meanwhile.has_changed &&
	    (state == TLS_ST_CR_SRVR_DONE || state == TLS_ST_CR_FINISHED))
		change_policy();
}

static void prepare_to_park(SSL_CTX *context, SSL *ssl)
{
	char groups[] = "X25519:P-384"; /* one key share is sent, of the first */

	(void)context;
	if (meanwhile.second_name != NULL)
		SSL_set1_groups_list(ssl, groups);
	SSL_set_info_callback(ssl, park);
}

struct parked {
	const char *before, *after; /* lines of the section */
	const char *certificate;    /* NULL: none */
	const char *reason;         /* why it is refused; NULL: it is served */
};

static const struct parked parked[] = {
	{"ca = @ca.pem", "ca = @other-ca.pem", "edge", "untrusted-issuer"},
	{"ca = @ca.pem", "ca = @other-ca.pem\nrefuse = close", "edge", "untrusted-issuer"},
	{"ca = @ca.pem\nrefuse = close", "ca = @other-ca.pem", "edge", "untrusted-issuer"},
	{"ca = @ca.pem", "ca = @other-ca.pem", "other", NULL},
	{"ca = @ca.pem\nrefuse = close", "ca = @other-ca.pem\nrefuse = close", "other", NULL},
	{"verify = off", "ca = @ca.pem", NULL, "no-certificate"},
	{"verify = off", "ca = @ca.pem\nrefuse = close", NULL, "no-certificate"},
	{"exempt = loopback\nca = @ca.pem", "ca = @ca.pem", NULL, "no-certificate"},
	{"ca = @ca.pem", "ca = @ca.pem\nfrom = 192.0.2.0/24", "edge", "peer-address"},
	{"ca = @ca.pem", "ca = @ca.pem\nonly-names = shop.example", "edge", "server-name"},
	{"ca = @ca.pem", "ca = @ca.pem\nclient-cert = cn:nobody", "edge", "client-mismatch"},
	{"ca = @ca.pem", "ca = @ca.pem\nverify = nonsense", "edge", NULL},
};

/* Files have their names in the folder of the server. */
static void section_text(const struct server *server, char *text, size_t size, const char *lines)
{
	const char *place;

	text_format(text, size, "[port %u]\n", server->ports[0]);
	for (; (place = strchr(lines, '@')) != NULL; lines = place + 1) {
		size_t used = strlen(text);

		text_format(text + used, size - used, "%.*s%s/", (int)(place - lines), lines,
			    server->directory);
	}
	text_format(text + strlen(text), size - strlen(text), "%s\n", lines);
}

static void expect_parked(struct server *server, const struct parked *row, int version)
{
	char before[4096], after[4096];
	struct client client = {.port = server->ports[0],
				.version = version,
				.certificate = row->certificate,
				.server_name = meanwhile.name,
				.request = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
				.prepare = prepare_to_park};
	struct log log = {.path = server->log};
	struct refusal_line line = {.text = ""};
	struct outcome outcome;

	section_text(server, before, sizeof(before), row->before);
	section_text(server, after, sizeof(after), row->after);
	change_by_rename(server, "policy.conf", before);
	wait_until_in_force();
	while (log_next_refusal(&log, &line, true))
		;
	meanwhile.server = server;
	meanwhile.policy = after;
	meanwhile.has_changed = meanwhile.has_retried = false;
	client_run(&client, &outcome);
	expect(meanwhile.has_changed, "it was not parked");
	expect(meanwhile.has_retried == (meanwhile.second_name != NULL), "not by two hellos");
	expect((outcome.application_bytes > 0) == (row->reason == NULL),
	       "%s: \"%s\" -> \"%s\", %s, TLS %s: %zu bytes, alert %d, %s", server->kind->name,
	       row->before, row->after, row->certificate ? row->certificate : "no certificate",
	       version_word(version), outcome.application_bytes, outcome.alert,
	       ending_word(outcome.ending));
	if (row->reason != NULL)
		expect(log_next_refusal(&log, &line, false) &&
			       strcmp(line.reason, row->reason) == 0,
		       "%s: \"%s\" -> \"%s\": %s", server->kind->name, row->before, row->after,
		       line.text);
	outcome_clear(&outcome);
}

/* The host has the name as it came, and may have chosen its default site by it. */
static void expect_spelling_counts(struct server *server)
{
	char sections[256];
	struct parked row = {.before = "verify = off", .after = sections};

	text_format(
		sections, sizeof(sections),
		"ca = @ca.pem\nhosts = names-only\n[port %u server direct.example]\nverify = off",
		server->ports[0]);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		meanwhile.name = "direct.example";
		row.reason = NULL;
		expect_parked(server, &row, version);
		meanwhile.name = "Direct.Example.";
		row.reason = "server-name";
		expect_parked(server, &row, version);
	}
	meanwhile.name = NULL;
}

static void run_parked(void **state)
{
	struct server *server = changing_server(*state, "");

	server_start(server);
	for (size_t i = 0; i < sizeof(parked) / sizeof(parked[0]); i++)
		expect_parked(server, &parked[i], i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
	/* Whoever is asked for a certificate and has none may go on where none is needed any more.
	 */
	expect_parked(server, &(struct parked){"ca = @ca.pem", "verify = off", NULL, NULL},
		      TLS1_3_VERSION);
	expect_spelling_counts(server);
	expectations_met();
	server_stop(server);
}

/* Where it is only observed, the hello behind a HelloRetryRequest may ask for another name than the
 * first, and gets that. */
static const struct retried {
	const char *name, *second_name;
	struct parked parked;
} retried[] = {
#define OBSERVED "ca = @ca.pem\nverify = observe"
#define NAMED    "ca = @ca.pem\nonly-names = shop.example"
	{"shop.example", "other.example", {OBSERVED, NAMED, "edge", "server-name"}},
	{"other.example", "shop.example", {OBSERVED, NAMED, "edge", "server-name"}},
	{"shop.example", "shop.example", {OBSERVED, NAMED, "edge", NULL}},
	{"shop.example", "shop.example", {OBSERVED, NAMED, NULL, "no-certificate"}},
	{"shop.example", "other.example", {OBSERVED, "verify = off", NULL, NULL}},
};

static void run_retried(void **state)
{
	struct server *server = changing_server(*state, "");

	server->options = "SSLOpenSSLConfCmd Groups P-384";
	server_start(server);
	for (size_t i = 0; i < sizeof(retried) / sizeof(retried[0]); i++) {
		meanwhile.name = retried[i].name;
		meanwhile.second_name = retried[i].second_name;
		expect_parked(server, &retried[i].parked, TLS1_3_VERSION);
	}
	meanwhile.name = meanwhile.second_name = NULL;
	expectations_met();
	server_stop(server);
}

/* ---- established connections ---- */

static bool change_and_see(SSL *ssl)
{
	const struct client next = {.port = meanwhile.server->ports[0],
				    .version = TLS1_3_VERSION,
				    .certificate = "edge",
				    .request = "GET / HTTP/1.0\r\n\r\n"};
	struct outcome outcome;

	/* The last of the handshake, which would travel with the request. */
	wire_wait(BIO_get_data(SSL_get_wbio(ssl)), 100);
	change_policy();
	client_run(&next, &outcome);
	expect(outcome.application_bytes == 0, "the next one is judged by the old policy");
	outcome_clear(&outcome);
	return true;
}

static void run_established(void **state)
{
	struct server *server = changing_server(&python_asyncio, "");
	struct client client = {.port = server->ports[0],
				.certificate = "edge",
				.request = "GET / HTTP/1.0\r\n\r\n",
				.timeout_ms = 10000,
				.trick = change_and_see};
	char edges[4096], others[4096];
	struct outcome outcome;

	(void)state;
	server_start(server);
	edge_policy(server, edges, sizeof(edges), "");
	other_policy(server, others, sizeof(others), "");
	for (client.version = TLS1_2_VERSION; client.version <= TLS1_3_VERSION; client.version++) {
		change_by_rename(server, "policy.conf", edges);
		wait_until_in_force();
		meanwhile.server = server;
		meanwhile.policy = others;
		client_run(&client, &outcome);
		expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0,
		       "an established connection of TLS %s has ended: %s, alert %d",
		       version_word(client.version), ending_word(outcome.ending), outcome.alert);
		outcome_clear(&outcome);
	}
	expectations_met();
	server_stop(server);
}

/* ---- sessions ---- */

static const struct way {
	int version;
	bool no_ticket;
} ways[] = {{TLS1_2_VERSION, true}, {TLS1_2_VERSION, false}, {TLS1_3_VERSION, false}};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static struct client client_by(const struct server *server, const struct way *way)
{
	return (struct client){.port = server->ports[0],
			       .version = way->version,
			       .no_ticket = way->no_ticket,
			       .request = "GET / HTTP/1.0\r\n\r\n"};
}

struct session_trial {
	const char *before, *after; /* lines of the section */
	bool still_resumes, still_admits, renews_list;
};

static void put_list(const struct server *server, const char *revoked)
{
	char path[PATH_MAX + 64], place[PATH_MAX + 64];

	text_format(path, sizeof(path), "%s/list.new", server->directory);
	text_format(place, sizeof(place), "%s/list.pem", server->directory);
	crl_write(path, &(struct crl){.issuer = "ca", .revoked = revoked}, 1);
	assert_int_equal(rename(path, place), 0);
}

static void offer_again(const struct server *server, const struct session_trial *trial,
			struct outcome *first)
{
	for (size_t i = 0; i < WAYS; i++) {
		struct client client = client_by(server, &ways[i]);
		struct outcome second;

		client.session = first[i].session;
		client_run(&client, &second);
		expect((second.application_bytes > 0) == trial->still_resumes &&
			       second.reused == trial->still_resumes,
		       "\"%s\" -> \"%s\", TLS %s, %s: %sresumed, %zu bytes", trial->before,
		       trial->after, version_word(client.version),
		       client.no_ticket ? "id" : "ticket", second.reused ? "" : "not ",
		       second.application_bytes);
		outcome_clear(&second);
		/* With its certificate it is judged anew. */
		client.certificate = "edge";
		client_run(&client, &second);
		expect((second.application_bytes > 0) == trial->still_admits &&
			       (trial->still_resumes || !second.reused),
		       "\"%s\" -> \"%s\", TLS %s, with a certificate: %zu bytes, alert %d",
		       trial->before, trial->after, version_word(client.version),
		       second.application_bytes, second.alert);
		outcome_clear(&second);
		outcome_clear(&first[i]);
	}
}

static void run_sessions(void **state)
{
	const struct session_trial *trial = *state;
	struct server *server = changing_server(&small_server, "");
	struct outcome first[WAYS];
	char text[4096];

	put_list(server, NULL);
	section_text(server, text, sizeof(text), trial->before);
	server_policy(server, "%s", text);
	server_start(server);
	for (size_t i = 0; i < WAYS; i++) {
		struct client client = client_by(server, &ways[i]);

		client.certificate = "edge";
		client_run(&client, &first[i]);
		expect(first[i].session != NULL && first[i].application_bytes > 0,
		       "TLS %s: no session is given", version_word(client.version));
	}
	section_text(server, text, sizeof(text), trial->after);
	change_by_rename(server, "policy.conf", text);
	if (trial->renews_list)
		put_list(server, "wrong-purpose");
	wait_until_in_force();
	offer_again(server, trial, first);
	expect_lines(server, "policy-changed", 1);
	expectations_met();
	server_stop(server);
}

#define SESSIONS(sentence, ...) TEST_ROW(sentence, run_sessions, struct session_trial, __VA_ARGS__)
#define RESUMABLE               "resumption = on\nca = @ca.pem"

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"nginx: a handshake that is parked over a change is judged by the new policy",
		 run_parked, NULL, test_end, (void *)(uintptr_t)&server_kinds[0]},
		{"Apache event, which gives libssl memory: the same", run_parked, NULL, test_end,
		 (void *)(uintptr_t)&server_kinds[2]},
		{"Apache event: one of two hellos that name two servers, which was only observed",
		 run_retried, NULL, test_end, (void *)(uintptr_t)&server_kinds[2]},
		TEST("an established connection stays", run_established),
		SESSIONS("a session resumes where only another section has changed", RESUMABLE,
			 RESUMABLE "\n[port 1]\nverify = off", true, true, false),
		SESSIONS("a session does not resume once other certificates are named", RESUMABLE,
			 RESUMABLE "\nclient-cert = cn:nobody", false, false, false),
		SESSIONS("nor where they are named otherwise, and its own is still one",
			 RESUMABLE "\nclient-cert = cn:edge.test",
			 RESUMABLE "\nclient-cert = dns:edge.test\nclient-cert = cn:edge.test",
			 false, true, false),
		SESSIONS("nor once another CA counts too", RESUMABLE, RESUMABLE "\nca = cloudflare",
			 false, true, false),
		SESSIONS("nor once lists of revoked certificates count", RESUMABLE,
			 RESUMABLE "\ncrl = @list.pem", false, true, false),
		SESSIONS("nor once such a list is another", RESUMABLE "\ncrl = @list.pem",
			 RESUMABLE "\ncrl = @list.pem", false, true, true),
		SESSIONS("nor once resumption is off", RESUMABLE, "ca = @ca.pem", false, true,
			 false),
	};

	return RUN_TESTS("judges-by-the-last-policy", tests);
}
