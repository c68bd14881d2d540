/* One port of nginx, sites that differ in whom they admit, and one session cache and ticket key for
 * all: what one site handed out opens no other, a resumed connection is guarded like any, and a
 * second hello that names another site does not help.  The bare server lets all of that through. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "second_hello.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES "shop.example", "other.example", "direct.example", "blog.example"

/* One who comes with a name and a certificate, and asks for a host. */
struct visit {
	const char *name, *certificate, *host;
};

struct trial {
	struct visit first;      /* without trouble: it leaves a session; no name: there is none */
	struct visit visit;      /* offers that */
	const char *second_name; /* of the second hello; NULL: there is but one */
	bool reused;
	int status;         /* of HTTP; 0: not a byte comes */
	const char *reason; /* in the log; NULL: nothing is logged */
	int alert_1_3, alert_1_2;
	bool resumable; /* the policy lets sessions of enforced sites resume */
};

/* Ways to resume. */
struct way {
	int version;
	bool no_ticket;
};

static const struct way ways[] = {
	{TLS1_2_VERSION, true},
	{TLS1_2_VERSION, false},
	{TLS1_3_VERSION, false},
};

/* ---- the host ---- */

static void prepare_sites(struct server *server)
{
	static const char *const names[] = {SITES};
	char blocks[2048] = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		text_format(
			blocks + strlen(blocks), sizeof(blocks) - strlen(blocks),
			"server {\nlisten 127.0.0.1:%u ssl;\nserver_name %s;\n"
			"location / { default_type text/plain; return 200 'canary of %s'; }\n}\n",
			server->ports[0], names[i], names[i]);
	server_file(server, "nginx.conf",
		    "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\n"
		    "events { worker_connections 64; }\n"
		    "http {\nmap $status $executed { 200 1; default 0; }\n"
		    "log_format canary '$server_name';\naccess_log executed canary if=$executed;\n"
		    "client_body_temp_path body;\nproxy_temp_path proxy;\n"
		    "fastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n"
		    "ssl_certificate %s;\nssl_certificate_key %s;\n"
		    "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ecdh_curve %s;\n"
		    "ssl_session_cache shared:all:1m;\n%s}\n",
		    certificate_file("server"), certificate_key("server"),
		    server->options ? server->options : "auto", blocks);
	server_command(server, "nginx -p %s -c nginx.conf", server->directory);
}

static const struct server_kind sites = {.name = "nginx with four sites", .prepare = prepare_sites};

static struct server *start(const struct trial *trial, bool shim)
{
	struct server *server = server_new(&sites, 1);
	const unsigned port = server->ports[0];

	if (trial->second_name != NULL)
		server->options = "secp384r1";
	if (shim)
		server_policy(server,
			      "[port %u]\nca = %s\nresumption = %s\n"
			      "[port %u server other.example]\nca = %s\n"
			      "[port %u server direct.example]\nverify = off\n"
			      "[port %u server blog.example]\nverify = off\n",
			      port, certificate_file("ca"), trial->resumable ? "on" : "off", port,
			      certificate_file("other-ca"), port, port);
	server_start(server);
	return server;
}

static size_t executed_by(const struct server *server, const char *site)
{
	char path[PATH_MAX + 16], *text;
	size_t lines = 0;

	text_format(path, sizeof(path), "%s/executed", server->directory);
	text = scratch_read(path);
	for (const char *at = text; (at = strstr(at, site)) != NULL; at++)
		lines++;
	free(text);
	return lines;
}

/* ---- the client ---- */

static const struct trial *running;

static void change_name(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	second_hello_change_name(ssl, running->second_name);
}

static void come(const struct server *server, const struct way *way, const struct visit *visit,
		 const struct trial *trial, SSL_SESSION *session, struct outcome *outcome)
{
	const bool changes = trial != NULL && trial->second_name != NULL;
	char request[128];

	running = trial;
	text_format(request, sizeof(request),
		    "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", visit->host);
	client_run(&(struct client){.port = server->ports[0],
				    .version = way->version,
				    .no_ticket = way->no_ticket,
				    .certificate = visit->certificate,
				    .server_name = visit->name,
				    .request = request,
				    .session = session,
				    .patience_ms = 50,
				    .prepare = changes ? change_name : NULL},
		   outcome);
}

static bool is_answered_by(const struct outcome *outcome, const char *site)
{
	char canary[64];

	text_format(canary, sizeof(canary), "canary of %s", site);
	return outcome->http_status == 200 && strcmp(outcome_body(outcome), canary) == 0;
}

/* The caller frees it. */
static SSL_SESSION *obtain_session(const struct server *server, const struct way *way,
				   const struct visit *first)
{
	struct outcome outcome;
	SSL_SESSION *session;

	if (first->name == NULL)
		return NULL;
	come(server, way, first, NULL, NULL, &outcome);
	expect(is_answered_by(&outcome, first->host), "%s is not answered: %s", first->name,
	       outcome.application);
	session = outcome.session;
	outcome.session = NULL;
	expect(session != NULL, "%s: no session to offer", first->name);
	outcome_clear(&outcome);
	return session;
}

/* ---- what is owed ---- */

static void expect_outcome(const struct trial *trial, const struct way *way,
			   const struct outcome *outcome)
{
	const int alert = way->version == TLS1_3_VERSION ? trial->alert_1_3 : trial->alert_1_2;

	expect(outcome->reused == trial->reused, "TLS %s: reused: %d", version_word(way->version),
	       outcome->reused);
	expect(outcome->http_status == trial->status, "TLS %s: the client saw %s, alert %d",
	       version_word(way->version), outcome->application, outcome->alert);
	expect(trial->status != 200 || is_answered_by(outcome, trial->visit.host),
	       "TLS %s: the client saw %s", version_word(way->version), outcome->application);
	expect(trial->status != 0 || outcome->application_bytes == 0, "TLS %s: %zu bytes came",
	       version_word(way->version), outcome->application_bytes);
	expect(outcome->alert == alert, "TLS %s: alert %d", version_word(way->version),
	       outcome->alert);
	expect(trial->second_name == NULL || second_hello_changed(NULL),
	       "there was no second hello");
}

static void expect_logged(const struct trial *trial, struct log *log)
{
	struct refusal_line line;
	const bool found = log_next_refusal(log, &line, trial->reason == NULL);

	expect(found == (trial->reason != NULL), "%s", found ? line.text : "nothing is logged");
	if (found && trial->reason != NULL)
		expect(strcmp(line.reason, trial->reason) == 0, "%s", line.text);
}

/* The one worker has written down all that came before, when it has written down a last visit. */
static void expect_executed(const struct trial *trial, const struct way *way,
			    const struct server *server)
{
	static const struct visit last = {"blog.example", NULL, "blog.example"};
	const long long deadline = clock_ms() + 5000;
	const char *site = trial->visit.host;
	const bool first_too = trial->first.name != NULL && strcmp(trial->first.host, site) == 0;
	struct outcome outcome;

	come(server, way, &last, NULL, NULL, &outcome);
	expect(is_answered_by(&outcome, last.host), "afterwards: %s", outcome.application);
	outcome_clear(&outcome);
	while (executed_by(server, last.host) == 0 && clock_ms() < deadline)
		clock_nap();
	expect(executed_by(server, last.host) == 1 &&
		       executed_by(server, site) ==
			       (first_too ? 1u : 0u) + (trial->status == 200 ? 1u : 0u),
	       "TLS %s: %s has executed %zu", version_word(way->version), site,
	       executed_by(server, site));
}

static void run(void **state)
{
	const struct trial *trial = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server;
		struct outcome outcome;
		SSL_SESSION *session;
		struct log log;

		if (trial->second_name != NULL && ways[i].version != TLS1_3_VERSION)
			continue;
		server = start(trial, true);
		log = (struct log){.path = server->log};
		session = obtain_session(server, &ways[i], &trial->first);
		come(server, &ways[i], &trial->visit, trial, session, &outcome);
		expect_outcome(trial, &ways[i], &outcome);
		expect_logged(trial, &log);
		outcome_clear(&outcome);
		SSL_SESSION_free(session);
		expect_executed(trial, &ways[i], server);
		server_stop(server);
	}
	expectations_met();
}

/* Without the shim, the same visit is answered by the site that it asks for. */
static void bare_server_answers(void **state)
{
	const struct trial *trial = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server;
		struct outcome outcome;
		SSL_SESSION *session;

		if (trial->second_name != NULL && ways[i].version != TLS1_3_VERSION)
			continue;
		server = start(trial, false);
		session = obtain_session(server, &ways[i], &trial->first);
		come(server, &ways[i], &trial->visit, trial, session, &outcome);
		expect(is_answered_by(&outcome, trial->visit.host) &&
			       outcome.reused == trial->reused &&
			       (trial->second_name == NULL || second_hello_changed(NULL)),
		       "TLS %s: reused: %d, %s", version_word(ways[i].version), outcome.reused,
		       outcome.application);
		outcome_clear(&outcome);
		SSL_SESSION_free(session);
		server_stop(server);
	}
	expectations_met();
}

#define OF_DIRECT           .first = {"direct.example", NULL, "direct.example"}
#define OF_SHOP             .first = {"shop.example", "edge", "shop.example"}
#define WITHOUT_CERTIFICATE .reason = "no-certificate", .alert_1_3 = 116, .alert_1_2 = 40
#define OF_ANOTHER_CA       .reason = "untrusted-issuer", .alert_1_3 = 48, .alert_1_2 = 48
#define MISDIRECTED         .status = 421, .reason = "server-name"
#define SECOND_NAME         .reason = "server-name", .alert_1_3 = 47

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ROW("the bare server resumes a session of one site for another",
			 bare_server_answers, struct trial, OF_DIRECT,
			 .visit = {"shop.example", NULL, "shop.example"}, .reused = true),
		TEST_ROW("and takes another name in the second hello", bare_server_answers,
			 struct trial, OF_DIRECT, .visit = {"direct.example", NULL, "shop.example"},
			 .second_name = "shop.example", .reused = true),
		TEST_ROW("an open site resumes its own sessions", run, struct trial, OF_DIRECT,
			 .visit = {"direct.example", NULL, "direct.example"}, .reused = true,
			 .status = 200),
		TEST_ROW("what is resumed is guarded", run, struct trial, OF_DIRECT,
			 .visit = {"direct.example", NULL, "shop.example"}, .reused = true,
			 MISDIRECTED),
		TEST_ROW("so it is under another open site's name", run, struct trial, OF_DIRECT,
			 .visit = {"blog.example", NULL, "shop.example"}, .reused = true,
			 MISDIRECTED),
		TEST_ROW("an open site's session is no certificate", run, struct trial, OF_DIRECT,
			 .visit = {"shop.example", NULL, "shop.example"}, WITHOUT_CERTIFICATE),
		TEST_ROW("nor without a name", run, struct trial, OF_DIRECT,
			 .visit = {NULL, NULL, "shop.example"}, WITHOUT_CERTIFICATE),
		TEST_ROW("nor where enforced sites' sessions resume", run, struct trial, OF_DIRECT,
			 .visit = {"shop.example", NULL, "shop.example"}, WITHOUT_CERTIFICATE,
			 .resumable = true),
		TEST_ROW("nor beside another's certificate", run, struct trial, OF_DIRECT,
			 .visit = {"other.example", "edge", "other.example"}, OF_ANOTHER_CA),
		TEST_ROW("with the right one it is not needed", run, struct trial, OF_DIRECT,
			 .visit = {"shop.example", "edge", "shop.example"}, .status = 200),
		TEST_ROW("an enforced site's session is its own, where the policy says so", run,
			 struct trial, OF_SHOP, .visit = {"shop.example", NULL, "shop.example"},
			 .reused = true, .status = 200, .resumable = true),
		TEST_ROW("and what is resumed of it is guarded", run, struct trial, OF_SHOP,
			 .visit = {"shop.example", NULL, "other.example"}, .reused = true,
			 MISDIRECTED, .resumable = true),
		TEST_ROW("for another enforced site it is no certificate", run, struct trial,
			 OF_SHOP, .visit = {"other.example", NULL, "other.example"},
			 WITHOUT_CERTIFICATE, .resumable = true),
		TEST_ROW("under an open site's name it opens that alone", run, struct trial,
			 OF_SHOP, .visit = {"direct.example", NULL, "shop.example"}, MISDIRECTED,
			 .resumable = true),
		TEST_ROW("a second hello does not change an open name to an enforced one", run,
			 struct trial, .visit = {"direct.example", NULL, "shop.example"},
			 .second_name = "shop.example", SECOND_NAME),
		TEST_ROW("nor with a session", run, struct trial, OF_DIRECT,
			 .visit = {"direct.example", NULL, "shop.example"},
			 .second_name = "shop.example", SECOND_NAME),
		TEST_ROW("nor to another open one", run, struct trial, OF_DIRECT,
			 .visit = {"direct.example", NULL, "direct.example"},
			 .second_name = "blog.example", SECOND_NAME),
		TEST_ROW("nor with the certificate", run, struct trial, OF_DIRECT,
			 .visit = {"direct.example", "edge", "shop.example"},
			 .second_name = "shop.example", SECOND_NAME),
		TEST_ROW("nor an enforced one to an open one, with a session", run, struct trial,
			 OF_SHOP, .visit = {"shop.example", NULL, "shop.example"},
			 .second_name = "direct.example", SECOND_NAME, .resumable = true),
		TEST_ROW("nor to another enforced one", run, struct trial, OF_SHOP,
			 .visit = {"shop.example", "other", "other.example"},
			 .second_name = "other.example", SECOND_NAME, .resumable = true),
		TEST_ROW("a second hello for the same name is like any", run, struct trial,
			 OF_DIRECT, .visit = {"direct.example", NULL, "shop.example"},
			 .second_name = "direct.example", .reused = true, MISDIRECTED),
	};

	return RUN_TESTS("keeps-hosts-sessions-apart", tests);
}
