/* door_data.c - what a host may do with a connection: nothing, before it is admitted or after it
 * was refused. */
#include "connection.h"
#include "hooks.h"
#include "refuse.h"

/* After early data, and before the client's second flight, an SSL is muted (its writes would reach
 * a stranger).  SSL_write() there goes on with the handshake first, so it may; what libssl itself
 * calls is SSL_write_early_data(), which would not. */
static bool unmute_for_write(const struct openssl *openssl, SSL *ssl, const void *caller)
{
	if (!connection_is_muted_for_early_data(ssl) || openssl_is_caller(openssl, caller))
		return false;
	refuse_unmute(openssl, ssl);
	return true;
}

static void mute_again(const struct openssl *openssl, SSL *ssl)
{
	if (connection_is_muted_for_early_data(ssl))
		refuse_mute(openssl, ssl);
}

int SSL_write(SSL *ssl, const void *bytes, int count)
{
	const struct openssl *openssl = openssl_at(CALLER);
	bool unmuted = unmute_for_write(openssl, ssl, CALLER);
	int result = openssl->SSL_write(ssl, bytes, count);

	if (unmuted)
		mute_again(openssl, ssl);
	return result;
}

int SSL_write_ex(SSL *ssl, const void *bytes, size_t count, size_t *written)
{
	const struct openssl *openssl = openssl_at(CALLER);
	bool unmuted = unmute_for_write(openssl, ssl, CALLER);
	int result = openssl->SSL_write_ex(ssl, bytes, count, written);

	if (unmuted)
		mute_again(openssl, ssl);
	return result;
}

/* EAP-TLS, DTLS-SRTP, OpenVPN: keys out of the handshake are the login. */
int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t length, const char *label,
			       size_t label_length, const unsigned char *context,
			       size_t context_length, int use_context)
{
	const struct openssl *openssl = openssl_at(CALLER);

	if (connection_is_unjudged(ssl))
		return 0;
	return openssl->SSL_export_keying_material(ssl, out, length, label, label_length, context,
						   context_length, use_context);
}

int SSL_export_keying_material_early(SSL *ssl, unsigned char *out, size_t length, const char *label,
				     size_t label_length, const unsigned char *context,
				     size_t context_length)
{
	const struct openssl *openssl = openssl_at(CALLER);

	if (connection_is_unjudged(ssl))
		return 0;
	return openssl->SSL_export_keying_material_early(ssl, out, length, label, label_length,
							 context, context_length);
}
