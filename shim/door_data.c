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
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	bool unmuted;
	int result;

	/* enforces write-in-callback */
	if (connection_may_not_write(ssl))
		return -1;
	unmuted = unmute_for_write(openssl, ssl, CALLER);
	result = openssl->SSL_write(ssl, bytes, count);
	if (unmuted)
		mute_again(openssl, ssl);
	return result;
}

int SSL_write_ex(SSL *ssl, const void *bytes, size_t count, size_t *written)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	bool unmuted;
	int result;

	/* enforces write-ex-in-callback */
	if (connection_may_not_write(ssl))
		return 0;
	unmuted = unmute_for_write(openssl, ssl, CALLER);
	result = openssl->SSL_write_ex(ssl, bytes, count, written);
	if (unmuted)
		mute_again(openssl, ssl);
	return result;
}

int SSL_write_ex2(SSL *ssl, const void *bytes, size_t count, uint64_t flags, size_t *written)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	bool unmuted;
	int result;

	/* enforces write-ex2-in-callback */
	if (connection_may_not_write(ssl))
		return 0;
	unmuted = unmute_for_write(openssl, ssl, CALLER);
	result = openssl->SSL_write_ex2(ssl, bytes, count, flags, written);
	if (unmuted)
		mute_again(openssl, ssl);
	return result;
}

/* What came after a handshake that was refused at its end may lie in libssl already, and a host may
 * take the flags off that keep it there. */
static void stay_refused(const struct openssl *openssl, SSL *ssl)
{
	int flags = connection_shutdown(ssl);

	/* enforces refused-reads */
	if ((flags & SSL_RECEIVED_SHUTDOWN) != 0)
		openssl->SSL_set_shutdown(ssl, flags);
}

int SSL_read(SSL *ssl, void *bytes, int size)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	stay_refused(openssl, ssl);
	return openssl->SSL_read(ssl, bytes, size);
}

int SSL_read_ex(SSL *ssl, void *bytes, size_t size, size_t *count)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	stay_refused(openssl, ssl);
	return openssl->SSL_read_ex(ssl, bytes, size, count);
}

int SSL_peek(SSL *ssl, void *bytes, int size)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	stay_refused(openssl, ssl);
	return openssl->SSL_peek(ssl, bytes, size);
}

int SSL_peek_ex(SSL *ssl, void *bytes, size_t size, size_t *count)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	stay_refused(openssl, ssl);
	return openssl->SSL_peek_ex(ssl, bytes, size, count);
}

/* Flags that are the shim's stay. */
void SSL_set_shutdown(SSL *ssl, int flags)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* enforces refused-flags */
	flags |= connection_shutdown(ssl);
	openssl->SSL_set_shutdown(ssl, flags);
}

/* EAP-TLS, DTLS-SRTP, OpenVPN: keys out of the handshake are the login. */
int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t length, const char *label,
			       size_t label_length, const unsigned char *context,
			       size_t context_length, int use_context)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

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

	/* enforces early-keys */
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
