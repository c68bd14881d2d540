#include "getters.h"

#include "scratch.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define SAY(...) text_format(text.bytes, text.size, __VA_ARGS__)

struct own_settings own;

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

	SAY("%s", callback == NULL ? "none" : callback == own.verify ? "own" : "foreign");
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
	    context == own.context, SSL_CTX_get_verify_mode(context),
	    SSL_CTX_get_verify_callback(context) == own.verify, SSL_CTX_get_verify_depth(context),
	    SSL_CTX_get_info_callback(context) == own.info,
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

	SAY("%s", callback == NULL ? "none" : callback == own.info ? "own" : "foreign");
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

const struct getter getters[GETTERS] = {
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
