/* Two ports on one SSL_CTX, so on the same ticket keys and the same session cache: what an open
 * port hands out opens no enforced one.  The bare server shows that, without the shim, it would. */
#include "credentials.h"
#include "enforcement.h"
#include "test.h"

#include <string.h>

#define REQUEST "GET / HTTP/1.0\r\n\r\n"

/* Ways to resume. */
struct way {
	int version;
	bool no_ticket;
};

enum { OPEN, ENFORCED };

static struct server *start_server(bool shim)
{
	struct server *server = server_new(&small_server, 2);

	if (shim)
		server_policy(server, "[port %u]\nverify = off\n[port %u]\nca = %s\n",
			      server->ports[OPEN], server->ports[ENFORCED], certificate_file("ca"));
	server_start(server);
	return server;
}

static struct client client_for(const struct server *server, int port, const struct way *way)
{
	return (struct client){
		.port = server->ports[port],
		.version = way->version,
		.no_ticket = way->no_ticket,
		.request = REQUEST,
	};
}

/* A session of `port`; the caller frees it.  NULL: the server gave none. */
static SSL_SESSION *obtain_session(const struct client *client)
{
	struct outcome outcome;

	client_run(client, &outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0, "port %u does not answer",
	       client->port);
	return outcome.session;
}

/* Is the session resumed on `port`, by someone who has no certificate, and answered? */
static bool is_resumed(const struct server *server, int port, const struct way *way,
		       SSL_SESSION *session)
{
	struct client client = client_for(server, port, way);
	struct outcome outcome;
	bool is_answered;

	client.session = session;
	client_run(&client, &outcome);
	is_answered = strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0;
	expect(outcome.reused == is_answered, "reused: %d, answered: %d", outcome.reused,
	       is_answered);
	outcome_clear(&outcome);
	return outcome.reused;
}

static void bare_server_resumes_across(void **state)
{
	struct server *server = start_server(false);
	struct client client = client_for(server, OPEN, *state);
	SSL_SESSION *session = obtain_session(&client);

	assert_non_null(session);
	expect(is_resumed(server, ENFORCED, *state, session), "not resumed on the other port");
	SSL_SESSION_free(session);
	expectations_met();
	server_stop(server);
}

static void open_session_stays_out(void **state)
{
	struct server *server = start_server(true);
	struct client client = client_for(server, OPEN, *state);
	struct log log = {.path = server->log};
	SSL_SESSION *session = obtain_session(&client);

	assert_non_null(session);
	expect(is_resumed(server, OPEN, *state, session), "not resumed on its own port");
	SSL_SESSION_free(session);
	session = obtain_session(&client);
	client = client_for(server, ENFORCED, *state);
	client.session = session;
	expect_verdict(server, &client, &stranger, "reject", &log);
	expect_verdict(server, &client, &edge, "reject", &log);
	SSL_SESSION_free(session);
	expectations_met();
	server_stop(server);
}

/* Resumption is off on enforced ports: not even the edge's own session replaces its certificate. */
static void edge_session_stays_out(void **state)
{
	struct server *server = start_server(true);
	struct client client = client_for(server, ENFORCED, *state);
	struct log log = {.path = server->log};

	client.certificate = "edge";
	client.session = obtain_session(&client);
	expect_verdict(server, &client, &stranger, "reject", &log);
	SSL_SESSION_free(client.session);
	expectations_met();
	server_stop(server);
}

#define BY(way, sentence, function)                                                     \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = &(way)                                                 \
	}

int main(void)
{
	static struct way id_1_2 = {TLS1_2_VERSION, true};
	static struct way ticket_1_2 = {TLS1_2_VERSION, false};
	static struct way ticket_1_3 = {TLS1_3_VERSION, false};
	const struct CMUnitTest tests[] = {
		BY(id_1_2, "a TLS 1.2 session id crosses the ports of the bare server",
		   bare_server_resumes_across),
		BY(ticket_1_2, "a TLS 1.2 ticket crosses the ports of the bare server",
		   bare_server_resumes_across),
		BY(ticket_1_3, "a TLS 1.3 ticket crosses the ports of the bare server",
		   bare_server_resumes_across),
		BY(id_1_2, "a TLS 1.2 session id of the open port opens it alone",
		   open_session_stays_out),
		BY(ticket_1_2, "a TLS 1.2 ticket of the open port opens it alone",
		   open_session_stays_out),
		BY(ticket_1_3, "a TLS 1.3 ticket of the open port opens it alone",
		   open_session_stays_out),
		BY(id_1_2, "a TLS 1.2 session id of the edge does not replace its certificate",
		   edge_session_stays_out),
		BY(ticket_1_2, "a TLS 1.2 ticket of the edge does not replace its certificate",
		   edge_session_stays_out),
		BY(ticket_1_3, "a TLS 1.3 ticket of the edge does not replace its certificate",
		   edge_session_stays_out),
	};

	return RUN_TESTS("keeps-sessions-apart", tests);
}
