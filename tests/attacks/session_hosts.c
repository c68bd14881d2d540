/* Hosts that keep, mark and choose sessions themselves: none of them opens an enforced port. */
#include "attack.h"
#include "resuming.h"
#include "test.h"

#include <dlfcn.h>
#include <string.h>

/* An external cache, as of HAProxy or Apache: one session, found by its id. */
static SSL_SESSION *cached;

static int put_into_cache(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(cached);
	cached = session;
	return 1;
}

static SSL_SESSION *find_in_cache(SSL *ssl, const unsigned char *id, int length, int *copy)
{
	unsigned own_length = 0;
	const unsigned char *own = cached ? SSL_SESSION_get_id(cached, &own_length) : NULL;

	(void)ssl;
	*copy = 1;
	return own != NULL && own_length == (unsigned)length && memcmp(own, id, own_length) == 0
		       ? cached
		       : NULL;
}

/* TLS 1.3 with tickets that are only names of entries in the host's cache. */
static void keep_state(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

static void cache_outside(SSL_CTX *context)
{
	keep_state(context);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, put_into_cache);
	SSL_CTX_sess_set_get_cb(context, find_in_cache);
}

/* A cache that knows how a session of the enforced port is marked, and marks its own so. */
static unsigned char mark[SSL_MAX_SID_CTX_LENGTH];
static unsigned mark_length;

static int put_and_learn_mark(SSL *ssl, SSL_SESSION *session)
{
	unsigned length = 0;
	const unsigned char *context = SSL_SESSION_get0_id_context(session, &length);

	if (length > 4) {
		memcpy(mark, context, length);
		mark_length = length;
	}
	return put_into_cache(ssl, session);
}

static SSL_SESSION *find_and_mark(SSL *ssl, const unsigned char *id, int length, int *copy)
{
	SSL_SESSION *found = find_in_cache(ssl, id, length, copy);

	if (found != NULL && mark_length > 0)
		SSL_SESSION_set1_id_context(found, mark, mark_length);
	return found;
}

static void cache_and_mark(SSL_CTX *context)
{
	cache_outside(context);
	SSL_CTX_sess_set_new_cb(context, put_and_learn_mark);
	SSL_CTX_sess_set_get_cb(context, find_and_mark);
}

/* A ticket callback that has each ticket fit the connection, or the connection each ticket. */
static SSL_TICKET_RETURN take_any_ticket(SSL *ssl, SSL_SESSION *session,
					 const unsigned char *key_name, size_t length,
					 SSL_TICKET_STATUS status, void *argument)
{
	unsigned context_length = 0;
	const unsigned char *context;

	(void)key_name, (void)length, (void)argument;
	if (session != NULL) {
		context = SSL_SESSION_get0_id_context(session, &context_length);
		SSL_set_session_id_context(ssl, context, context_length);
	}
	return status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
		       ? SSL_TICKET_RETURN_USE
		       : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void let_tickets_decide(SSL_CTX *context)
{
	SSL_CTX_set_session_ticket_cb(context, NULL, take_any_ticket, NULL);
}

static int lengthen_session(SSL *ssl, void *argument)
{
	(void)argument;
	SSL_SESSION_set_timeout(SSL_get_session(ssl), 100000);
	SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), "x", 1);
	return 1;
}

static void lengthen_sessions(SSL_CTX *context)
{
	SSL_CTX_set_session_ticket_cb(context, lengthen_session, NULL, NULL);
}

static int believe(X509_STORE_CTX *store, void *argument)
{
	(void)store, (void)argument;
	return 1;
}

/* By a function of libssl itself, which nobody stands in front of. */
static void believe_unseen(SSL_CTX *context)
{
	void (*set)(SSL_CTX *, int (*)(X509_STORE_CTX *, void *), void *);
	void *libssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_NOLOAD);
	void *found;

	if (libssl == NULL)
		libssl = dlopen("libssl.so.1.1", RTLD_NOW | RTLD_NOLOAD);
	found = dlsym(libssl, "SSL_CTX_set_cert_verify_callback");
	memcpy(&set, &found, sizeof(set));
	set(context, believe, NULL);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* Tickets come only where the host itself asks for one, whatever became of the handshake. */
static void give_no_tickets(SSL_CTX *context)
{
	SSL_CTX_set_num_tickets(context, 0);
}

static void give_ticket(SSL *ssl)
{
	host_accept(ssl);
	SSL_set_shutdown(ssl, 0);
	SSL_new_session_ticket(ssl);
	SSL_do_handshake(ssl);
	if (host_read(ssl))
		host_answer(ssl);
}

static void give_ticket_with_answer(SSL *ssl)
{
	host_accept(ssl);
	SSL_set_shutdown(ssl, 0);
	SSL_new_session_ticket(ssl);
	host_answer(ssl);
	host_read(ssl);
}
#endif

/* ---- attackers ---- */

/* The cache has seen a session of the edge first. */
static void resume_with_mark(struct victim *victim, const struct client *client,
			     struct outcome *outcome)
{
	SSL_SESSION_free(session_of(victim, client, 0, "edge"));
	resume_across_ports(victim, client, outcome);
}

/* Was the client before given a session? */
static bool was_given;

/* libssl gives the session of a handshake away that the shim refuses, if that comes too late. */
static void resume_of_refused(struct victim *victim, const struct client *client,
			      struct outcome *outcome)
{
	struct client giver = *client;
	struct refusal_line line;

	giver.certificate = "other";
	giver.trick = NULL;
	attack_run(victim, &giver, outcome);
	if (victim->answer != NULL)
		expect(log_next_refusal(&victim->log, &line, false), "the giver is not refused");
	else
		expect(outcome->session != NULL, "no session is given");
	was_given = outcome->session != NULL;
	resume(victim, client, outcome->session, outcome);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* The other one's, who is refused: it has none. */
static void resume_of_given(struct victim *victim, const struct client *client,
			    struct outcome *outcome)
{
	resume_of_refused(victim, client, outcome);
	expect(victim->answer == NULL || !was_given, "a refused client is given a session");
}

#define BY_TICKET_OF_HOST(FUNCTION)                                                       \
	.source = "OpenSSL 3.0, SSL_new_session_ticket(3)", .prepare = give_no_tickets,   \
	.serve = (FUNCTION), .attack = resume_of_given, .client = {.trick = was_resumed}, \
	.versions = ONLY_1_3, .reason = "no-certificate"
#endif

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "a session of a cache outside of libssl",
		.source = "OpenSSL ssl/ssl_sess.c, lookup_sess_in_cache(); HAProxy 5d5f12376",
		.prepare = cache_outside,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a session that the host's cache marks as the edge's",
		.source = "OpenSSL ssl/ssl_sess.c, ssl_get_prev_session()",
		.prepare = cache_and_mark,
		.attack = resume_with_mark,
		.client = {.trick = was_resumed},
		.rule = RESUMABLE,
		.second = "verify = off",
		.reason = "resumed-unverified",
	},
	{
		.name = "a session of a handshake that was refused at its end",
		.source = "stunnel 5.14, redirect; OpenSSL ssl/statem/statem_srvr.c",
		.prepare = believe_unseen,
		.attack = resume_of_refused,
		.client = {.trick = was_resumed},
		.versions = ONLY_1_2,
		.rule = RESUMABLE,
		.reason = "no-certificate",
	},
	{
		.name = "a session whose certificate has expired since, and that the host lets "
			"last longer",
		.source = "OpenSSL ssl/statem/statem_srvr.c, generate_ticket_cb",
		.prepare = lengthen_sessions,
		.attack = resume_after_expiry,
		.client = {.trick = was_resumed, .prepare = show_short_lived},
		.rule = RESUMABLE,
		.reason = "expired",
		.alert = NO_ALERT,
	},
	{
		.name = "a ticket that the host has fit every connection",
		.source = "OpenSSL ssl/t1_lib.c, tls_decrypt_ticket(), decrypt_ticket_cb",
		.prepare = let_tickets_decide,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "resumed-unverified",
	},
	{
		.name = "a ticket that the host has fit every connection, where some may be "
			"resumed",
		.source = "OpenSSL ssl/t1_lib.c, tls_decrypt_ticket(), decrypt_ticket_cb",
		.prepare = let_tickets_decide,
		.attack = resume_of_other_rule,
		.client = {.trick = was_resumed},
		.rule = RESUMABLE,
		.second = "ca = {other-ca}\nresumption = on",
		.reason = "resumed-unverified",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	{
		.name = "a ticket that the host asks for behind the handshake",
		BY_TICKET_OF_HOST(give_ticket),
	},
	{
		.name = "a ticket that the host asks for behind the handshake, where some may be "
			"resumed",
		BY_TICKET_OF_HOST(give_ticket),
		.rule = RESUMABLE,
	},
	{
		.name = "a ticket that the host sends with its answer, where some may be resumed",
		BY_TICKET_OF_HOST(give_ticket_with_answer),
		.rule = RESUMABLE,
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "session_hosts", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
