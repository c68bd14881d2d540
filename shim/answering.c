/* answering.c - a refused client that is answered over HTTP: the last stage of its connection.
 *
 * Part of connection.c.  The connection is refused, and stays so; what a door asks here is only
 * whether the host is to wait for the end. */
#include "answer_status.h"
#include "connection.h"
#include "verdict.h"

/* Where the host itself asks for certificates, the handshake may be the login, as it is where keys
 * are taken out of it. */
bool verdict_may_finish(const struct connection *connection)
{
	return connection->status != 0 && !connection->renegotiates &&
	       !host_asks(&connection->host) &&
	       answer_status_is_possible(connection->openssl, connection->ssl);
}

void verdict_begin_answer(struct connection *connection)
{
	if (verdict_may_finish(connection))
		connection->conversation = answer_status_begin(connection->openssl, connection->ssl,
							       connection->status);
	if (connection->conversation != NULL)
		guard_answer(connection->stream);
}

void verdict_await_end(struct connection *connection)
{
	connection->conversation = answer_status_await_end(connection->openssl, connection->ssl);
}

void verdict_end_answer(struct connection *connection)
{
	if (connection->conversation == NULL)
		return;
	answer_status_end(connection->conversation);
	connection->conversation = NULL;
	/* enforces answered-socket */
	guard_refuse(connection->stream, ANSWER_REJECT);
}

bool connection_answer(SSL *ssl)
{
	struct connection *connection = connection_of(ssl);
	struct quiet quiet;
	bool waits;

	if (connection == NULL || connection->conversation == NULL)
		return false;
	if (connection->conversing) /* a callback of the host's, from within */
		return true;
	quiet = quiet_begin(connection->openssl);
	connection->conversing = true;
	waits = answer_status_go_on(connection->conversation, connection->kept_read,
				    connection->kept_write);
	connection->conversing = false;
	if (!waits)
		verdict_end_answer(connection);
	quiet_end(connection->openssl, quiet);
	return waits;
}

void connection_hang_up(SSL *ssl)
{
	struct connection *connection = connection_of(ssl);
	struct quiet quiet;

	if (connection == NULL || connection->conversation == NULL || connection->conversing)
		return;
	quiet = quiet_begin(connection->openssl);
	connection->conversing = true;
	answer_status_hang_up(connection->conversation, connection->kept_read,
			      connection->kept_write);
	connection->conversing = false;
	verdict_end_answer(connection);
	quiet_end(connection->openssl, quiet);
}
