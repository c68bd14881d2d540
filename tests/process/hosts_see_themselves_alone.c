/* A host finds of an enforced connection what it would find without the shim: each getter, at each
 * moment at which hosts look, asked of a bare host and of a covered one by the same client.
 *
 * Both sides are in this program, over one table of getters: started as `PROGRAM host WAY ...` it
 * is the host.  The server name says at which moment it looks. */
#include "attack.h"
#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define REQUEST  "GET / HTTP/1.0\r\n\r\n"
#define DEMANDED (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)

/* A buffer that getters write one value into. */
struct text {
	char *bytes;
	size_t size;
};

#define SAY(...) text_format(text.bytes, text.size, __VA_ARGS__)

/* ---- the getters ---- */

static SSL_CTX *own_context;

static int own_verify(int is_good, X509_STORE_CTX *store)
{
	(void)store;
	return is_good;
}

static void own_info(const SSL *ssl, int where, int value);

/* In which order they are, and what they are. */
static void say_names(struct text text, const STACK_OF(X509_NAME) * names)
{
	unsigned long sum = 0;
	int count = names ? sk_X509_NAME_num(names) : -1;

	for (int i = 0; i < count; i++)
		sum = sum * 31 + X509_NAME_hash(sk_X509_NAME_value(names, i));
	SAY("%d names, %lx", count, sum);
}

static void say_subject(struct text text, X509 *certificate)
{
	char subject[128] = "none";

	if (certificate != NULL)
		X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
	SAY("%s", subject);
}

static void verify_mode(SSL *ssl, struct text text)
{
	SAY("%d", SSL_get_verify_mode(ssl));
}

static void verify_callback(SSL *ssl, struct text text)
{
	SSL_verify_cb callback = SSL_get_verify_callback(ssl);

	SAY("%s", callback == NULL ? "none" : callback == own_verify ? "own" : "foreign");
}

static void verify_depth(SSL *ssl, struct text text)
{
	SAY("%d", SSL_get_verify_depth(ssl));
}

static void verify_result(SSL *ssl, struct text text)
{
	SAY("%ld", SSL_get_verify_result(ssl));
}

static void verify_parameters(SSL *ssl, struct text text)
{
	X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);

	SAY("%lu %d %d", X509_VERIFY_PARAM_get_flags(parameters),
	    X509_VERIFY_PARAM_get_depth(parameters), X509_VERIFY_PARAM_get_auth_level(parameters));
}

static void context_settings(SSL *ssl, struct text text)
{
	SSL_CTX *context = SSL_get_SSL_CTX(ssl);

	SAY("own=%d mode=%d callback=%d depth=%d info=%d options=%lx tickets=%zu",
	    context == own_context, SSL_CTX_get_verify_mode(context),
	    SSL_CTX_get_verify_callback(context) == own_verify, SSL_CTX_get_verify_depth(context),
	    SSL_CTX_get_info_callback(context) == own_info,
	    (unsigned long)SSL_CTX_get_options(context), SSL_CTX_get_num_tickets(context));
}

static void context_client_cert_callback(SSL *ssl, struct text text)
{
	SAY("%d", SSL_CTX_get_client_cert_cb(SSL_get_SSL_CTX(ssl)) != NULL);
}

static void client_ca_list(SSL *ssl, struct text text)
{
	say_names(text, SSL_get_client_CA_list(ssl));
}

static void ca_list(SSL *ssl, struct text text)
{
	say_names(text, SSL_get0_CA_list(ssl));
}

static void context_ca_lists(SSL *ssl, struct text text)
{
	char one[64], other[64];

	say_names((struct text){one, sizeof(one)},
		  SSL_CTX_get_client_CA_list(SSL_get_SSL_CTX(ssl)));
	say_names((struct text){other, sizeof(other)}, SSL_CTX_get0_CA_list(SSL_get_SSL_CTX(ssl)));
	SAY("%s; %s", one, other);
}

static void peer_certificate(SSL *ssl, struct text text)
{
	X509 *certificate = SSL_get_peer_certificate(ssl);

	say_subject(text, certificate);
	X509_free(certificate);
}

static void peer_chains(SSL *ssl, struct text text)
{
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
	STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);

	SAY("%d %d", sent ? sk_X509_num(sent) : -1, verified ? sk_X509_num(verified) : -1);
}

static void peer_of_session(SSL *ssl, struct text text)
{
	SSL_SESSION *session = SSL_get_session(ssl);

	say_subject(text, session ? SSL_SESSION_get0_peer(session) : NULL);
}

static void peer_of_session_reference(SSL *ssl, struct text text)
{
	SSL_SESSION *session = SSL_get1_session(ssl);
	SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;

	say_subject(text, copy ? SSL_SESSION_get0_peer(copy) : NULL);
	SSL_SESSION_free(session);
	SSL_SESSION_free(copy);
}

static void peer_signature(SSL *ssl, struct text text)
{
	int digest = -1, type = -1;
	long digest_found = SSL_get_peer_signature_nid(ssl, &digest);
	long type_found = SSL_get_peer_signature_type_nid(ssl, &type);

	SAY("%ld %d %ld %d", digest_found, digest, type_found, type);
}

static void options(SSL *ssl, struct text text)
{
	SAY("%lx", (unsigned long)SSL_get_options(ssl));
}

/* As hosts do that hand on what they set. */
static void options_set(SSL *ssl, struct text text)
{
	unsigned long set = (unsigned long)SSL_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
	unsigned long cleared =
		(unsigned long)SSL_clear_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);

	SAY("%lx %lx", set, cleared);
}

static void options_of_its_own(SSL *ssl, struct text text)
{
	unsigned long set = (unsigned long)SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
	unsigned long seen = (unsigned long)SSL_get_options(ssl);
	unsigned long cleared = (unsigned long)SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);

	SAY("%lx %lx %lx", set, seen, cleared);
}

static void tickets(SSL *ssl, struct text text)
{
	SAY("%zu", SSL_get_num_tickets(ssl));
}

static void tickets_of_its_own(SSL *ssl, struct text text)
{
	size_t before = SSL_get_num_tickets(ssl), seen;
	int result = SSL_set_num_tickets(ssl, 5);

	seen = SSL_get_num_tickets(ssl);
	SSL_set_num_tickets(ssl, before);
	SAY("%d %zu", result, seen);
}

static void certificate_list_limit(SSL *ssl, struct text text)
{
	SAY("%ld", SSL_get_max_cert_list(ssl));
}

static void certificate_list_limit_of_its_own(SSL *ssl, struct text text)
{
	long before = SSL_get_max_cert_list(ssl);
	long replaced = SSL_set_max_cert_list(ssl, 60 << 10), seen = SSL_get_max_cert_list(ssl);

	SSL_set_max_cert_list(ssl, before);
	SAY("%ld %ld", replaced, seen);
}

static void info_callback(SSL *ssl, struct text text)
{
	void (*callback)(const SSL *, int, int) = SSL_get_info_callback(ssl);

	SAY("%s", callback == NULL ? "none" : callback == own_info ? "own" : "foreign");
}

static void shutdown_flags(SSL *ssl, struct text text)
{
	SAY("%d %d", SSL_get_shutdown(ssl), SSL_get_quiet_shutdown(ssl));
}

static void ciphers(SSL *ssl, struct text text)
{
	STACK_OF(SSL_CIPHER) *list = SSL_get_ciphers(ssl);

	SAY("%d, of which %s", list ? sk_SSL_CIPHER_num(list) : -1,
	    SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)));
}

static void negotiated(SSL *ssl, struct text text)
{
	const unsigned char *protocol;
	unsigned length;

	SSL_get0_alpn_selected(ssl, &protocol, &length);
	SAY("%s group=%ld alpn=%u reused=%d security=%d modes=%lx", SSL_get_version(ssl),
	    SSL_get_shared_group(ssl, 0), length, SSL_session_reused(ssl),
	    SSL_get_security_level(ssl), (unsigned long)SSL_get_mode(ssl));
}

static void state(SSL *ssl, struct text text)
{
	SAY("%s, done=%d server=%d", SSL_state_string(ssl), SSL_is_init_finished(ssl),
	    SSL_is_server(ssl));
}

static void descriptors(SSL *ssl, struct text text)
{
	SAY("%d %d", SSL_get_rfd(ssl), SSL_get_wfd(ssl));
}

static void early_data(SSL *ssl, struct text text)
{
	SAY("%u %u %d", SSL_get_max_early_data(ssl), SSL_get_recv_max_early_data(ssl),
	    SSL_get_early_data_status(ssl));
}

static void own_certificate_of(SSL *ssl, struct text text)
{
	say_subject(text, SSL_get_certificate(ssl));
}

static void errors(SSL *ssl, struct text text)
{
	(void)ssl;
	SAY("%lx", ERR_peek_error());
}

static void session_context(SSL *ssl, struct text text)
{
	SSL_SESSION *session = SSL_get_session(ssl);
	unsigned length = 0;

	if (session != NULL)
		SSL_SESSION_get0_id_context(session, &length);
	SAY("%u", length);
}

static void session_resumable(SSL *ssl, struct text text)
{
	const SSL_SESSION *session = SSL_get_session(ssl);
	unsigned length = 0;

	if (session != NULL)
		SSL_SESSION_get_id(session, &length);
	SAY("%d %u %d", session ? SSL_SESSION_is_resumable(session) : -1, length,
	    session ? SSL_SESSION_has_ticket(session) : -1);
}

static void statistics(SSL *ssl, struct text text)
{
	SSL_CTX *context = SSL_get_SSL_CTX(ssl);

	SAY("sessions=%ld hits=%ld misses=%ld", SSL_CTX_sess_number(context),
	    SSL_CTX_sess_hits(context), SSL_CTX_sess_misses(context));
}

enum moment { AT_NAME, AT_CERTIFICATE, AT_DONE, AFTER_ACCEPT, AFTER_READ, MOMENTS };
static const char *const moments[MOMENTS] = {"at-name", "at-certificate", "at-done", "after-accept",
					     "after-read"};

/* `known`: why it cannot be as without the shim where a port is enforced, as the manual says. */
static const struct getter {
	const char *name;
	void (*say)(SSL *ssl, struct text text);
	const char *known;
	enum moment known_until;
} getters[] = {
#define GETTER(name)                 \
	{                            \
#name, name, NULL, 0 \
	}
	GETTER(verify_mode),
	GETTER(verify_callback),
	GETTER(verify_depth),
	GETTER(verify_result),
	GETTER(verify_parameters),
	GETTER(context_settings),
	GETTER(context_client_cert_callback),
	GETTER(client_ca_list),
	GETTER(ca_list),
	GETTER(context_ca_lists),
	GETTER(peer_certificate),
	GETTER(peer_chains),
	GETTER(peer_of_session),
	GETTER(peer_of_session_reference),
	GETTER(peer_signature),
	GETTER(options),
	GETTER(options_set),
	GETTER(options_of_its_own),
	GETTER(tickets),
	GETTER(tickets_of_its_own),
	GETTER(certificate_list_limit),
	GETTER(certificate_list_limit_of_its_own),
	GETTER(info_callback),
	GETTER(shutdown_flags),
	GETTER(ciphers),
	GETTER(negotiated),
	{"state", state, "no tickets follow, so libssl is further", AT_DONE},
	GETTER(descriptors),
	GETTER(early_data),
	GETTER(own_certificate_of),
	GETTER(errors),
	{"session_context", session_context, "it keeps sessions of other rules out", AFTER_READ},
	{"session_resumable", session_resumable, "none is kept", AFTER_READ},
	{"statistics", statistics, "none is kept", AFTER_READ},
};
#define GETTERS (sizeof(getters) / sizeof(getters[0]))

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
	own_context = context;
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
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n[port %u]\nverify = off\n",
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
	for (enum moment moment = AT_NAME; moment < MOMENTS; moment++) {
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
	static const char *const answers[] = {"reject", "close"};

	for (size_t i = 0; i < 2; i++) {
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
