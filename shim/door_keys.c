/* door_keys.c - what a host may take out of a handshake: keys, and the session that holds them.
 * Until the client is admitted, nothing. */
#include "answer_status.h"
#include "connection.h"
#include "doors.h"
#include "hooks.h"

/* EAP-TLS, DTLS-SRTP, OpenVPN: keys out of the handshake are the login. */
int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t length, const char *label,
			       size_t label_length, const unsigned char *context,
			       size_t context_length, int use_context)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	if (!door_is_clients(openssl, ssl))
		answer_status_keys_asked();
	/* enforces keys */
	if (connection_is_unjudged(ssl))
		return 0;
	return openssl->SSL_export_keying_material(ssl, out, length, label, label_length, context,
						   context_length, use_context);
}

int SSL_export_keying_material_early(SSL *ssl, unsigned char *out, size_t length, const char *label,
				     size_t label_length, const unsigned char *context,
				     size_t context_length)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* enforces early-keys, as early-data early-data-again do */
	if (connection_is_unjudged(ssl))
		return 0;
	return openssl->SSL_export_keying_material_early(ssl, out, length, label, label_length,
							 context, context_length);
}

/* In it is the master key, of which older hosts make such keys themselves. */
SSL_SESSION *SSL_get_session(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* enforces refused-session */
	if (connection_is_refused(ssl))
		return NULL;
	return openssl->SSL_get_session(ssl);
}

SSL_SESSION *SSL_get1_session(SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* enforces refused-session-reference */
	if (connection_is_refused(ssl))
		return NULL;
	return openssl->SSL_get1_session(ssl);
}
