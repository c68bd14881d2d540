/* A host finds of an enforced connection what it would find without the shim: each getter, at each
 * moment at which hosts look, asked of a bare host and of a covered one by the same client.
 *
 * Both sides are in this program, over one table of getters: started as `PROGRAM host WAY ...` it
 * is the host.  The server name says at which moment it looks. */
#include "attack.h"
#include "credentials.h"
#include "getters.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define REQUEST  "GET / HTTP/1.0\r\n\r\n"
#define DEMANDED (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)

static const char *const moments[MOMENTS] = {"at-name", "at-certificate", "at-done", "after-accept",
					     "after-read"};

/* ---- the host ---- */

static const char *way;
static char view[4096];

static bool is_way(const char *name)
{
	return strcmp(way, name) == 0;
}

static void look(const SSL *ssl, enum moment moment)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	size_t used = 1;

	if (name == NULL || strcmp(name, moments[moment]) != 0)
		return;
	view[0] = '\n';
	for (size_t i = 0; i < GETTERS; i++) {
		char value[512] = "";

		getters[i].say((SSL *)(uintptr_t)ssl, (struct text){value, sizeof(value)});
		text_format(view + used, sizeof(view) - used, "%s: %s\n", getters[i].name, value);
		used += strlen(view + used);
	}
}

static int own_verify(int is_good, X509_STORE_CTX *store)
{
	(void)store;
	return is_good;
}

static void own_info(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where & SSL_CB_HANDSHAKE_DONE)
		look(ssl, AT_DONE);
}

static int at_name(SSL *ssl, int *alert, void *argument)
{
	(void)alert, (void)argument;
	look(ssl, AT_NAME);
	return SSL_TLSEXT_ERR_OK;
}

static int at_certificate(SSL *ssl, void *argument)
{
	(void)argument;
	look(ssl, AT_CERTIFICATE);
	return 1;
}

static STACK_OF(X509_NAME) * names_of(const char *certificate)
{
	return SSL_load_client_CA_file(host_file(certificate));
}

static void prepare(SSL_CTX *context)
{
	own = (struct own_settings){context, own_verify, own_info};
	SSL_CTX_set_info_callback(context, own_info);
	SSL_CTX_set_tlsext_servername_callback(context, at_name);
	SSL_CTX_set_cert_cb(context, at_certificate, NULL);
	if (is_way("asks") || is_way("asks-by-list") || is_way("later")) {
		SSL_CTX_set_verify(
			context, is_way("later") ? DEMANDED | SSL_VERIFY_POST_HANDSHAKE : DEMANDED,
			own_verify);
		SSL_CTX_load_verify_locations(context, host_file("ca"), NULL);
	}
	if (is_way("asks") || is_way("later"))
		SSL_CTX_set_client_CA_list(context, names_of("other-ca"));
	else if (is_way("asks-by-list"))
		SSL_CTX_set0_CA_list(context, names_of("other-ca"));
}

static void set_of_its_own(SSL *ssl)
{
	if (!is_way("own-settings"))
		return;
	SSL_set_client_CA_list(ssl, names_of("other-ca"));
	SSL_set_num_tickets(ssl, 3);
	SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
	SSL_set_max_cert_list(ssl, 50 << 10);
	SSL_set_verify(ssl, SSL_VERIFY_NONE, own_verify);
	SSL_set_verify_depth(ssl, 7);
	SSL_set_info_callback(ssl, own_info);
}

/* As Apache does, for a folder, when it has read the request. */
static bool ask_later(SSL *ssl)
{
	char byte;

	if (SSL_version(ssl) < TLS1_3_VERSION)
		return true;
	if (SSL_verify_client_post_handshake(ssl) != 1 || SSL_do_handshake(ssl) != 1)
		return false;
	/* Returns when the client's certificate has been looked at, and says that nothing came. */
	SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	return SSL_peek(ssl, &byte, 1) < 0 && SSL_want_read(ssl);
}

static void show_view(SSL *ssl)
{
	char request[512];
	size_t length;

	view[0] = '\0';
	if (!host_accept(ssl))
		return;
	look(ssl, AFTER_ACCEPT);
	if (SSL_read(ssl, request, sizeof(request)) <= 0 || (is_way("later") && !ask_later(ssl)))
		return;
	look(ssl, AFTER_READ);
	length = strlen(view);
	text_format(view + length, sizeof(view) - length, "end\n");
	SSL_write(ssl, view, (int)strlen(view));
}

static const struct attack host = {
	.prepare = prepare, .connect = set_of_its_own, .serve = show_view};

/* ---- the client ---- */

static void prepare_command(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/hosts_see_themselves_alone");
	server_command(server, "%s host %s %s %s %u %u", command, server->options,
		       certificate_file("server"), certificate_key("server"),
		       server->ports[ENFORCED], server->ports[SECOND]);
}

static const struct server_kind viewing_host = {.name = "view", .prepare = prepare_command};

static struct server *start_host(const char *which, const char *answer)
{
	struct server *server = server_new(&viewing_host, 2);

	server->options = which;
	if (answer != NULL)
		server_policy(server, "[port %u]\nca = %s\n%s\n[port %u]\nverify = off\n",
			      server->ports[ENFORCED], certificate_file("ca"), answer,
			      server->ports[SECOND]);
	server_start(server);
	return server;
}

static void answer_demands_later(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_post_handshake_auth(ssl, 1);
}

static void visit(const struct server *server, int port, int version, enum moment moment,
		  struct outcome *outcome)
{
	client_run(
		&(struct client){
			.port = server->ports[port],
			.version = version,
			.certificate = "edge",
			.server_name = moments[moment],
			.request = REQUEST,
			.prepare = answer_demands_later,
		},
		outcome);
	outcome_clear(outcome);
}

/* The line of getter `i`, of what a host has answered; it ends with a newline. */
static const char *line_of(const char *answer, size_t i, char *line, size_t size)
{
	char start[64];
	const char *found;

	text_format(start, sizeof(start), "\n%s: ", getters[i].name);
	found = strstr(answer, start);
	text_format(line, size, "%.*s", found ? (int)strcspn(found + 1, "\n") : 7,
		    found ? found + 1 : "nothing");
	return line;
}

static void compare(const char *bare, const char *covered, bool enforced, enum moment moment,
		    const char *where)
{
	for (size_t i = 0; i < GETTERS; i++) {
		char expected[600], seen[600];
		bool known =
			enforced && getters[i].known != NULL && moment <= getters[i].known_until;

		line_of(bare, i, expected, sizeof(expected));
		line_of(covered, i, seen, sizeof(seen));
		expect(known || strcmp(expected, seen) == 0,
		       "%s, %s: without the shim \"%s\", with it \"%s\"", where, moments[moment],
		       expected, seen);
	}
}

/* The host's own names are among those that the client is told. */
static void compare_demands(const struct outcome *bare, const struct outcome *covered,
			    const char *where)
{
	if (bare->asked)
		expect(strstr(covered->ca_names, bare->ca_names) != NULL,
		       "%s: the client is told \"%s\", without the shim \"%s\"", where,
		       covered->ca_names, bare->ca_names);
}

static void compare_at(const struct server *bare, const struct server *covered, int port,
		       int version, const char *answer)
{
	char where[128];

	text_format(where, sizeof(where), "TLS %s, %s port, %s", version_word(version),
		    port == ENFORCED ? "enforced" : "open", answer);
	for (enum moment moment = 0; moment < MOMENTS; moment++) {
		struct outcome expected, seen;

		visit(bare, port, version, moment, &expected);
		visit(covered, port, version, moment, &seen);
		expect(strstr(expected.application, "end\n") != NULL, "%s, %s: bare \"%s\"", where,
		       moments[moment], expected.application);
		compare(expected.application, seen.application, port == ENFORCED, moment, where);
		compare_demands(&expected, &seen, where);
	}
}

static void run(void **state)
{
	static const char *const answers[] = {"refuse = reject", "refuse = close",
					      "verify = observe"};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct server *bare = start_host(*state, NULL);
		struct server *covered = start_host(*state, answers[i]);

		for (int port = ENFORCED; port <= SECOND; port++) {
			compare_at(bare, covered, port, TLS1_2_VERSION, answers[i]);
			compare_at(bare, covered, port, TLS1_3_VERSION, answers[i]);
		}
		server_stop(bare);
		server_stop(covered);
	}
	expectations_met();
}

#define WAY(sentence, which)                                                     \
	{                                                                        \
		.name = (sentence), .test_func = run, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(which)                      \
	}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		WAY("a host that asks for no certificate finds what it finds without the shim",
		    "plain"),
		WAY("one that has settings of its own on each connection finds those",
		    "own-settings"),
		WAY("one that demands certificates finds the edge's, and its own settings", "asks"),
		WAY("so does one that names its CAs by SSL_CTX_set0_CA_list()", "asks-by-list"),
		WAY("one that asks after the handshake finds none before, and the edge's then",
		    "later"),
	};

	if (count > 4 && strcmp(words[1], "host") == 0) {
		way = words[2];
		return host_main(&host, words + 3);
	}
	return RUN_TESTS("hosts-see-themselves-alone", tests);
}
