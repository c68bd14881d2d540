#include "enforcement.h"

#include "credentials.h"
#include "scratch.h"
#include "tally.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n"
/* How long a stranger waits for the server's word before it sends its request. */
#define PATIENCE_MS 1000

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

const struct visitor visitors[] = {
	{NULL, "no-certificate", 116, 40},
	{"self-signed", "untrusted-issuer", 48, 48},
	{"other", "untrusted-issuer", 48, 48},
	{"impostor", "untrusted-issuer", 48, 48},
	{"expired", "expired", 45, 45},
	{"not-yet-valid", "not-yet-valid", 45, 45},
	{"wrong-purpose", "wrong-purpose", 43, 43},
	{"ca", "wrong-purpose", 43, 43},
	{"edge", NULL, 0, 0},
	{"edge-no-eku", NULL, 0, 0},
	{"edge-chain", NULL, 0, 0},
};
const size_t visitor_count = sizeof(visitors) / sizeof(visitors[0]);

const struct visitor stranger = {NULL, "no-certificate", 116, 40};
const struct visitor foreigner = {"other", "untrusted-issuer", 48, 48};
const struct visitor edge = {"edge", NULL, 0, 0};
const struct visitor unready[] = {{NULL, "policy-error", 80, 80}, {"edge", "policy-error", 80, 80}};

/* Who it was, for what is printed. */
static const char *visit_text(const struct client *client)
{
	static char text[256];

	text_format(text, sizeof(text), "%s, TLS %s, %s port %u",
		    client->certificate ? client->certificate : "no certificate",
		    version_word(client->version), client->address ? client->address : "127.0.0.1",
		    client->port);
	return text;
}

static void expect_served(const struct client *client, const struct outcome *outcome)
{
	const char *who = visit_text(client);

	expect(outcome->handshake, "%s: no handshake, alert %d, %s", who, outcome->alert,
	       ending_word(outcome->ending));
	expect(strcmp(outcome_body(outcome), SERVER_ANSWER) == 0,
	       "%s: not the server's answer but \"%s\", alert %d, %s", who, outcome_body(outcome),
	       outcome->alert, ending_word(outcome->ending));
	expect(outcome->http_status == 200, "%s: HTTP status %d", who, outcome->http_status);
}

/* "reject 403" -> 403; 0: no status, or no answer (NULL). */
static int status_of(const char *answer)
{
	return answer != NULL && strncmp(answer, "reject ", 7) == 0
		       ? (int)strtol(answer + 7, NULL, 10)
		       : 0;
}

/* The whole of it, close_notify, and a FIN: no RST that could have overtaken it. */
static void expect_status(const struct client *client, const struct outcome *outcome, int status)
{
	const char *who = visit_text(client);
	const char *body = outcome_body(outcome);
	char length[64];

	text_format(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
	expect(outcome->handshake && outcome->alert == 0, "%s: no handshake, alert %d", who,
	       outcome->alert);
	expect(outcome->http_status == status, "%s: HTTP status %d", who, outcome->http_status);
	expect(strstr(outcome->application, length) != NULL && strlen(body) > 0,
	       "%s: another length than %zu in \"%s\"", who, strlen(body), outcome->application);
	expect(strstr(outcome->application, "\r\nConnection: close\r\n") != NULL,
	       "%s: without Connection: close", who);
	expect(strstr(outcome->application, SERVER_ANSWER) == NULL, "%s: the server's answer", who);
	expect(outcome->ending == END_CLOSE_NOTIFY && outcome->stream_end == END_EOF,
	       "%s: %s, then %s", who, ending_word(outcome->ending),
	       ending_word(outcome->stream_end));
	expect(outcome->session == NULL, "%s: a session", who);
}

/* Of a host whose reads come by no door. */
static void expect_end(const struct client *client, const struct outcome *outcome)
{
	const char *who = visit_text(client);

	expect(outcome->application_bytes == 0, "%s: %zu bytes of the application", who,
	       outcome->application_bytes);
	expect(outcome->ending == END_EOF || outcome->ending == END_RESET, "%s: ended with %s", who,
	       ending_word(outcome->ending));
}

static void expect_refused(const struct client *client, const struct outcome *outcome,
			   const struct visitor *visitor, const char *answer)
{
	const char *who = visit_text(client);
	int alert = client->version == TLS1_3_VERSION ? visitor->alert_1_3 : visitor->alert_1_2;
	bool reject = strcmp(answer, "reject") == 0;
	bool at_hello = strcmp(visitor->reason, "policy-error") == 0 ||
			strcmp(visitor->reason, "server-name") == 0;

	expect(outcome->connected, "%s: no connection", who);
	expect(outcome->application_bytes == 0, "%s: %zu bytes of the application", who,
	       outcome->application_bytes);
	expect(outcome->alert == (reject ? alert : 0), "%s: alert %d instead of %d", who,
	       outcome->alert, reject ? alert : 0);
	expect(outcome->flight != at_hello, "%s: refused %s the server's flight", who,
	       outcome->flight ? "after" : "before");
	if (reject)
		expect(outcome->ending == END_EOF || outcome->ending == END_RESET,
		       "%s: after the alert, %s", who, ending_word(outcome->ending));
	else
		expect(outcome->bytes_after_flight == 0, "%s: %zu bytes after the flight", who,
		       outcome->bytes_after_flight);
	if (!reject)
		expect(outcome->ending ==
			       (strcmp(answer, "close reset") == 0 ? END_RESET : END_EOF),
		       "%s: ended with %s", who, ending_word(outcome->ending));
}

/* What the line must say of who it was.  Before the server's flight neither version nor certificate
 * is settled. */
static void expect_origin(const struct refusal_line *line, const struct client *client,
			  const struct outcome *outcome)
{
	const char *who = visit_text(client);
	const char *version = version_word(client->version);
	char subject[sizeof(line->subject)] = "-";

	if (outcome->flight && client->certificate != NULL)
		certificate_subject(client->certificate, subject, sizeof(subject));
	expect(strcmp(line->subject, subject) == 0, "%s: subject \"%s\"", who, line->subject);
	expect(strcmp(line->tls, version) == 0 || (!outcome->flight && strcmp(line->tls, "-") == 0),
	       "%s: tls=%s", who, line->tls);
	expect(strcmp(line->server_name, client->server_name ? client->server_name : "-") == 0,
	       "%s: server-name=%s", who, line->server_name);
}

static void expect_sockets(const struct refusal_line *line, const struct client *client,
			   const struct outcome *outcome)
{
	const char *who = visit_text(client);
	const char *address = client->address ? client->address : "127.0.0.1";
	char peer[80];
	char port[16];

	text_format(peer, sizeof(peer), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
		    outcome->local_port);
	text_format(port, sizeof(port), "%u", client->port);
	expect(strcmp(line->peer, peer) == 0, "%s: peer=%s instead of %s", who, line->peer, peer);
	expect(strcmp(line->port, port) == 0, "%s: port=%s", who, line->port);
	expect(strcmp(line->network, "other") == 0, "%s: network=%s", who, line->network);
}

static void expect_line(const struct client *client, const struct visitor *visitor,
			const char *verdict, const char *answer, const struct outcome *outcome,
			struct log *log)
{
	const char *who = visit_text(client);
	struct refusal_line line = {.text = ""};

	if (visitor->reason == NULL) {
		expect(!log_next_refusal(log, &line, true), "%s: logged as %s", who, line.text);
		return;
	}
	if (!log_next_refusal(log, &line, false)) {
		expect(false, "%s: no line in the log", who);
		return;
	}
	expect(strcmp(line.verdict, verdict) == 0, "%s: %s instead of %s", who, line.verdict,
	       verdict);
	expect(strcmp(line.reason, visitor->reason) == 0, "%s: reason %s instead of %s", who,
	       line.reason, visitor->reason);
	expect(strcmp(line.answer, answer) == 0, "%s: answer \"%s\" in the log", who, line.answer);
	expect(strcmp(line.dropped, "0") == 0, "%s: dropped=%s", who, line.dropped);
	expect_origin(&line, client, outcome);
	expect_sockets(&line, client, outcome);
}

/* One more than before, whatever there was of others; where the rule demands nothing, none. */
static void expect_counted(const struct server *server, const struct client *client,
			   const struct visitor *visitor, const char *answer, uint64_t before)
{
	const enum verdict verdict = visitor->reason ? VERDICT_REFUSED : VERDICT_ADMITTED;
	const uint64_t now = tally(server->pid, verdict, visitor->reason);

	expect(now == before + (answer != NULL), "%s: %s %s is counted %llu times",
	       visit_text(client), verdict_word(verdict), visitor->reason ? visitor->reason : "",
	       (unsigned long long)(now - before));
}

void expect_verdict(const struct server *server, const struct client *client,
		    const struct visitor *visitor, const char *answer, struct log *log)
{
	const int status = status_of(answer);
	struct client visit = *client;
	const enum verdict verdict = visitor->reason ? VERDICT_REFUSED : VERDICT_ADMITTED;
	const uint64_t before = log ? tally(server->pid, verdict, visitor->reason) : 0;
	struct outcome outcome;

	visit.certificate = visitor->certificate;
	/* It is the answer to a request, also where the server would talk first. */
	if (visitor->reason != NULL && status != 0)
		visit.request = REQUEST;
	visit.to_the_end = visitor->reason != NULL && status != 0;
	if (visitor->reason != NULL && visit.patience_ms == 0 && status == 0)
		visit.patience_ms = PATIENCE_MS;
	client_run(&visit, &outcome);
	/* Where one waits in vain, all would: that is not seen in time. */
	if (outcome.ending == END_TIMEOUT)
		fail_msg("%s, %s: neither an answer nor an end", server->kind->name,
			 visit_text(&visit));
	if (visitor->reason != NULL && status != 0 && server->kind->reads_unseen)
		expect_end(&visit, &outcome);
	else if (visitor->reason != NULL && status != 0)
		expect_status(&visit, &outcome, status);
	else if (visitor->reason != NULL)
		expect_refused(&visit, &outcome, visitor, answer);
	else
		expect_served(&visit, &outcome);
	if (log != NULL) {
		expect_line(&visit, visitor, "refused", answer, &outcome, log);
		if (!server->kind->executes)
			expect_counted(server, &visit, visitor, answer, before);
	}
	outcome_clear(&outcome);
}

void expect_observed(const struct client *client, const struct visitor *visitor, struct log *log)
{
	struct client visit = *client;
	struct outcome outcome;

	visit.certificate = visitor->certificate;
	client_run(&visit, &outcome);
	expect_served(&visit, &outcome);
	expect(outcome.asked, "%s: no certificate was asked for", visit_text(&visit));
	expect_line(&visit, visitor, "observed", "reject", &outcome, log);
	outcome_clear(&outcome);
}

void expect_enforced(const struct server *server, const char *answer)
{
	struct log log = {.path = server->log};

	for (size_t i = 0; i < 2; i++) {
		struct client client = {
			.port = server->ports[0],
			.version = versions[i],
			.request = server->talks_first ? NULL : REQUEST,
			.server_name = versions[i] == TLS1_3_VERSION ? "shop.example" : NULL,
		};

		for (size_t j = 0; j < visitor_count; j++)
			expect_verdict(server, &client, &visitors[j], answer, &log);
	}
}

void expect_open(const struct server *server, const char *address, unsigned port)
{
	for (size_t i = 0; i < 2; i++) {
		struct client client = {
			.address = address,
			.port = port,
			.version = versions[i],
			.request = server->talks_first ? NULL : REQUEST,
		};

		for (size_t j = 0; j < visitor_count; j++) {
			struct visitor admitted = {.certificate = visitors[j].certificate};

			expect_verdict(server, &client, &admitted, "reject", NULL);
		}
	}
}

void expect_guarded(const struct server *server, const char *address, unsigned port,
		    const char *answer, struct log *log)
{
	const struct visitor *const few[] = {&stranger, &foreigner, &edge};

	for (size_t i = 0; i < 2; i++) {
		struct client client = {
			.address = address,
			.port = port,
			.version = versions[i],
			.request = server->talks_first ? NULL : REQUEST,
		};

		for (size_t j = 0; j < 3; j++)
			expect_verdict(server, &client, few[j], answer, log);
	}
}
