/* Sessions as a way in: what was handed out elsewhere, or earlier, or to somebody else, opens no
 * enforced port.
 *
 * The bare host asks nobody for a certificate, so every session of it is as good as any other. */
#include "attack.h"
#include "resuming.h"
#include "test.h"

#include <string.h>

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

/* ---- attackers ---- */

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

static void resume_after_change(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	SSL_SESSION *session;

	victim_restart(victim, "ca = {ca}, {other-ca}\nresumption = on");
	session = session_of(victim, client, 0, "other");
	victim_restart(victim, RESUMABLE);
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
};

int main(int count, char **words)
{
	return attacks_main(count, words, "resumption", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
