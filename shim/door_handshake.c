/* door_handshake.c - the calls that drive a handshake.  OpenSSL's callbacks have judged it by the
 * time they return; where a host replaced these unseen (an OpenSSL inside the program that it calls
 * directly), it is judged here. */
#include "connection.h"
#include "doors.h"
#include "hooks.h"

#include <errno.h>

static int finish(struct openssl *openssl, SSL *ssl, int result)
{
	struct connection *connection;

	if (!openssl_is_ready(openssl) || !openssl->SSL_is_server(ssl))
		return result;
	if (openssl_is_inside_quic(openssl, ssl)) {
		/* enforces refused-inside-quic, as refused-quic does, from 3.5 */
		if (result == 1 && door_refused_inside_quic())
			result = -1;
		return result;
	}
	if (result == 1)
		connection_judge(openssl, ssl, false);
	connection = connection_of(ssl);
	if (connection != NULL)
		connection_settle(connection, result, 0);
	/* Some take "1" for a login, and look no further; and a stale EAGAIN would have them try
	 * again. */
	/* enforces accept-fails */
	if (result == 1 && connection != NULL && connection->stage == STAGE_REFUSED &&
	    !connection_is_answered(ssl) && !connection->is_acme) {
		errno = ECONNRESET;
		result = -1;
	}
	return result;
}

int door_handshake(struct openssl *openssl, SSL *ssl)
{
	int result;

	connection_door_opens(ssl, connection_of(ssl));
	result = finish(openssl, ssl, openssl->SSL_do_handshake(ssl));
	connection_door_shuts(ssl, connection_of(ssl));
	return result;
}

void door_stay_refused(const struct openssl *openssl, SSL *ssl)
{
	int flags = connection_shutdown(ssl);

	if ((flags & SSL_RECEIVED_SHUTDOWN) != 0)
		openssl->SSL_set_shutdown(ssl, flags);
}

/* openssl s_server, socat, stunnel, Apache */
int SSL_accept(SSL *ssl)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);

	int result;

	if (openssl == NULL)
		return -1;
	connection_door_opens(ssl, connection_of(ssl));
	result = finish(openssl, ssl, openssl->SSL_accept(ssl));
	connection_door_shuts(ssl, connection_of(ssl));
	return result;
}

/* nginx, Python */
int SSL_do_handshake(SSL *ssl)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);

	return openssl != NULL ? door_handshake(openssl, ssl) : -1;
}

/* For the next connection on the same SSL; libssl itself calls it where a handshake begins. */
int SSL_clear(SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	connection_clear(ssl);
	return openssl != NULL ? openssl->SSL_clear(ssl) : 0;
}
