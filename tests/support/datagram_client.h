/* datagram_client.h - the client of client.h over UDP: DTLS 1.2.  Nothing ends a conversation
 * there: silence for some time counts as the end of the stream. */
#ifndef DATAGRAM_CLIENT_H
#define DATAGRAM_CLIENT_H

#include "client.h"

void datagram_client_run(const struct client *client, struct outcome *outcome);

/* TLS, of which a datagram is no more than a piece, as in protocols that carry it (OpenVPN,
 * RADIUS). */
void datagram_client_run_tls(const struct client *client, struct outcome *outcome);

#endif
