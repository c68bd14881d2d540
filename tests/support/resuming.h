/* resuming.h - attackers that offer sessions: for attack.attack and the members of its client. */
#ifndef RESUMING_H
#define RESUMING_H

#include "attack.h"

/* A rule that lets sessions resume. */
#define RESUMABLE "ca = {ca}\nresumption = on"

/* client.trick */
bool was_resumed(SSL *ssl);

/* A session of `port` (0: the enforced one), given to a client with `certificate`; the caller frees
 * it. */
SSL_SESSION *session_of(struct victim *victim, const struct client *client, unsigned port,
			const char *certificate);

/* Offer it; it is freed. */
void resume(struct victim *victim, const struct client *client, SSL_SESSION *session,
	    struct outcome *outcome);

/* A session of the second port, offered on the first; given to one with the client's certificate,
 * or with `other`. */
void resume_across_ports(struct victim *victim, const struct client *client,
			 struct outcome *outcome);
void resume_of_other_rule(struct victim *victim, const struct client *client,
			  struct outcome *outcome);

/* A session whose certificate has ended; client.prepare is show_short_lived. */
void resume_after_expiry(struct victim *victim, const struct client *client,
			 struct outcome *outcome);
void show_short_lived(SSL_CTX *context, SSL *ssl);

#endif
