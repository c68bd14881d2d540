/* datagram_client.h - the client of client.h over UDP: DTLS 1.2.  Nothing ends a conversation
 * there: silence for some time counts as the end of the stream. */
#ifndef DATAGRAM_CLIENT_H
#define DATAGRAM_CLIENT_H

#include "client.h"

/* Why a host that reads its datagrams by libssl cannot be had under a sanitizer. */
#define DATAGRAMS_UNSANITIZED \
	"the sanitizer's recvfrom() stands between libssl and the shim, which asks who calls"

/* client->descriptor may be of a stream, of which each write is a datagram. */
void datagram_client_run(const struct client *client, struct outcome *outcome);

/* To the client's address and port; -1: nobody there. */
int datagram_client_connect(const struct client *client, int type);

#endif
