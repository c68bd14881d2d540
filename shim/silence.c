/* silence.c - a libssl that has nothing to say: where the client is to learn nothing, or not yet.
 *
 * Part of connection.c. */
#include "refuse.h"
#include "verdict.h"

bool verdict_is_silent(const struct connection *connection)
{
	return connection->answer != ANSWER_REJECT;
}

void verdict_mute(struct connection *connection)
{
	refuse_mute(connection->openssl, connection->ssl);
	connection->muted = true;
}

void verdict_unmute(struct connection *connection)
{
	refuse_unmute(connection->openssl, connection->ssl);
	connection->muted = false;
}

int connection_shutdown(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	if (connection == NULL)
		return 0;
	if (connection->taken_away)
		return SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;
	return connection->muted ? SSL_SENT_SHUTDOWN : 0;
}

bool connection_hush(struct connection *connection)
{
	if (connection->muted || connection->taken_away || !connection_is_within(connection->ssl))
		return false;
	/* enforces hush */
	verdict_mute(connection);
	return true;
}

void connection_unhush(struct connection *connection)
{
	verdict_unmute(connection);
}
