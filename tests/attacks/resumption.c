/* Sessions as a way in: what was handed out elsewhere, or earlier, or to somebody else, opens no
 * enforced port. */
#include "attack.h"
#include "test.h"

/* Every process of every host makes and takes the same tickets. */
static void share_ticket_keys(SSL_CTX *context)
{
	unsigned char keys[80];

	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (unsigned char)(i * 7);
	SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof(keys));
}

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

/* A session of the second port, offered on the first. */
static void resume_across_ports(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	struct client giver = *client, taker = *client;

	giver.port = victim->server->ports[SECOND];
	giver.trick = NULL;
	taker.session = attack_session(victim, &giver);
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(taker.session);
}

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
		.name = "a session id of an open port",
		.source = "OpenSSL ssl/ssl_sess.c, ssl_get_prev_session(); nginx CVE-2014-3616",
		.attack = resume_across_ports,
		.client = {.trick = was_resumed, .no_ticket = true},
		.versions = ONLY_1_2,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a ticket of another host with the same keys",
		.source = "OpenSSL ssl/t1_lib.c, tls_decrypt_ticket()",
		.prepare = share_ticket_keys,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "resumption", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
