#include "resuming.h"

#include "credentials.h"
#include "test.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

SSL_SESSION *session_of(struct victim *victim, const struct client *client, unsigned port,
			const char *certificate)
{
	struct client giver = *client;

	giver.port = port;
	giver.certificate = certificate;
	giver.trick = NULL;
	return attack_session(victim, &giver);
}

void resume(struct victim *victim, const struct client *client, SSL_SESSION *session,
	    struct outcome *outcome)
{
	struct client taker = *client;

	taker.session = session;
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(session);
}

void resume_across_ports(struct victim *victim, const struct client *client,
			 struct outcome *outcome)
{
	resume(victim, client,
	       session_of(victim, client, victim->server->ports[SECOND], client->certificate),
	       outcome);
}

void resume_of_other_rule(struct victim *victim, const struct client *client,
			  struct outcome *outcome)
{
	resume(victim, client, session_of(victim, client, victim->server->ports[SECOND], "other"),
	       outcome);
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

void show_short_lived(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_use_certificate(ssl, short_lived);
	SSL_use_PrivateKey_file(ssl, certificate_key("edge"), SSL_FILETYPE_PEM);
}

void resume_after_expiry(struct victim *victim, const struct client *client,
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
