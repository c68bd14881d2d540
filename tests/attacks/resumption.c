/* Sessions as a way in: what was handed out elsewhere, or earlier, or to somebody else, opens no
 * enforced port.
 *
 * The bare host asks nobody for a certificate, so every session of it is as good as any other. */
#include "attack.h"
#include "credentials.h"
#include "test.h"

#include <dlfcn.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RESUMABLE "ca = {ca}\nresumption = on"

/* ---- hosts ---- */

/* Every process of every host makes and takes the same tickets. */
static void share_ticket_keys(SSL_CTX *context)
{
	unsigned char keys[80];

	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (unsigned char)(i * 7);
	SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof(keys));
}

/* TLS 1.3 with tickets that are only names of entries in the host's cache. */
static void keep_state(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

/* A second context for the second port, as hosts have one for each of their names. */
static SSL_CTX *second_context;

static void share_keys_of_two(SSL_CTX *context)
{
	share_ticket_keys(context);
	second_context = SSL_CTX_new(TLS_server_method());
	share_ticket_keys(second_context);
	SSL_CTX_set_session_id_context(second_context, (const unsigned char *)"host", 4);
	SSL_CTX_use_certificate(second_context, SSL_CTX_get0_certificate(context));
	SSL_CTX_use_PrivateKey(second_context, SSL_CTX_get0_privatekey(context));
}

static unsigned local_port(SSL *ssl)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	getsockname(SSL_get_fd(ssl), (struct sockaddr *)&address, &length);
	return ntohs(address.sin_port);
}

static void choose_context(SSL *ssl)
{
	static unsigned
		first_seen; /* the port of the first connection, a probe of the first port */

	if (first_seen == 0)
		first_seen = local_port(ssl);
	if (local_port(ssl) != first_seen)
		SSL_set_SSL_CTX(ssl, second_context);
}

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

/* ---- attackers ---- */

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

/* A session of `port`, with `certificate`; the caller frees it. */
static SSL_SESSION *session_of(struct victim *victim, const struct client *client, unsigned port,
			       const char *certificate)
{
	struct client giver = *client;

	giver.port = port;
	giver.certificate = certificate;
	giver.trick = NULL;
	return attack_session(victim, &giver);
}

static void resume(struct victim *victim, const struct client *client, SSL_SESSION *session,
		   struct outcome *outcome)
{
	struct client taker = *client;

	taker.session = session;
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(session);
}

/* A session of the second port, offered on the first. */
static void resume_across_ports(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	resume(victim, client,
	       session_of(victim, client, victim->server->ports[SECOND], client->certificate),
	       outcome);
}

static void resume_of_other_rule(struct victim *victim, const struct client *client,
				 struct outcome *outcome)
{
	resume(victim, client, session_of(victim, client, victim->server->ports[SECOND], "other"),
	       outcome);
}

static void resume_of_bare_twin(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	struct server *twin = victim_bare_twin(victim);
	SSL_SESSION *session = session_of(victim, client, twin->ports[ENFORCED], NULL);

	server_stop(twin);
	resume(victim, client, session, outcome);
}

/* The edge's, by somebody who has the session and not the certificate. */
static void resume_of_edge(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	resume(victim, client, session_of(victim, client, 0, "edge"), outcome);
}

/* The cache has seen a session of the edge first. */
static void resume_with_mark(struct victim *victim, const struct client *client,
			     struct outcome *outcome)
{
	SSL_SESSION_free(session_of(victim, client, 0, "edge"));
	resume_across_ports(victim, client, outcome);
}

static void resume_after_change(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	SSL_SESSION *session;

	victim_restart(victim, "ca = {ca}, {other-ca}\nresumption = on");
	session = session_of(victim, client, 0, "other");
	victim_restart(victim, RESUMABLE);
	resume(victim, client, session, outcome);
}

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
	resume(victim, client, outcome->session, outcome);
}

/* The edge's, anew, by the same CA, and for `seconds` only. */
static X509 *short_lived;

static void make_short_lived(long seconds)
{
	FILE *file = fopen(certificate_file("edge"), "re");
	FILE *key_file = fopen(certificate_key("ca"), "re");
	EVP_PKEY *key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);

	X509_free(short_lived);
	short_lived = PEM_read_X509(file, NULL, NULL, NULL);
	X509_gmtime_adj(X509_getm_notAfter(short_lived), seconds);
	if (X509_sign(short_lived, key, EVP_sha256()) == 0)
		fail_msg("cannot sign");
	EVP_PKEY_free(key);
	fclose(key_file);
	fclose(file);
}

static void show_short_lived(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_use_certificate(ssl, short_lived);
	SSL_use_PrivateKey_file(ssl, certificate_key("edge"), SSL_FILETYPE_PEM);
}

static void resume_after_expiry(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	enum { LIFE_S = 2 };
	const struct timespec longer = {.tv_sec = LIFE_S + 1};
	SSL_SESSION *session;

	make_short_lived(LIFE_S);
	session = session_of(victim, client, 0, NULL);
	nanosleep(&longer, NULL);
	resume(victim, client, session, outcome);
}

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "a ticket of an open port",
		.source = "nginx CVE-2025-23419; HAProxy 52bdd0d02",
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a ticket of an open port, at another worker",
		.source = "OpenSSL ssl/t1_lib.c, tls_decrypt_ticket()",
		.prefork = true,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a session id of an open port",
		.source = "OpenSSL ssl/ssl_sess.c, ssl_get_prev_session(); nginx CVE-2014-3616",
		.attack = resume_across_ports,
		.client = {.trick = was_resumed, .no_ticket = true},
		.versions = ONLY_1_2,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a ticket with its state in the host's cache",
		.source = "OpenSSL ssl/statem/extensions_srvr.c, tls_get_stateful_ticket()",
		.prepare = keep_state,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
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
		.name = "a ticket of another context with the same keys",
		.source = "CVE-2014-3616; Apache CVE-2025-23048",
		.prepare = share_keys_of_two,
		.connect = choose_context,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a ticket of the bare host with the same keys",
		.source = "GnuTLS CVE-2020-13777; OpenSSL ssl/t1_lib.c, tls_decrypt_ticket()",
		.prepare = share_ticket_keys,
		.attack = resume_of_bare_twin,
		.client = {.trick = was_resumed},
		.rule = RESUMABLE,
		.reason = "no-certificate",
	},
	{
		.name = "a session that was verified under another rule",
		.source = "Cloudflare's incident of 2025-01-23; Envoy CVE-2022-21654",
		.attack = resume_of_other_rule,
		.client = {.trick = was_resumed},
		.rule = RESUMABLE,
		.second = "ca = {other-ca}\nresumption = on",
		.reason = "no-certificate",
	},
	{
		.name = "a session that was verified before the CA changed",
		.source = "Go CVE-2025-68121",
		.prepare = share_ticket_keys,
		.attack = resume_after_change,
		.client = {.trick = was_resumed},
		.rule = RESUMABLE,
		.reason = "no-certificate",
	},
	{
		.name = "a session of the edge's, where none is to be resumed",
		.source = "Cloudflare's incident of 2022-12-16",
		.attack = resume_of_edge,
		.client = {.trick = was_resumed},
		.reason = "no-certificate",
	},
	{
		.name = "a session whose certificate has expired since",
		.source = "CVE-2025-68121; OpenSSL ssl/ssl_sess.c, ssl_get_prev_session()",
		.attack = resume_after_expiry,
		.client = {.trick = was_resumed, .prepare = show_short_lived},
		.rule = RESUMABLE,
		.reason = "expired",
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
};

int main(int count, char **words)
{
	return attacks_main(count, words, "resumption", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
