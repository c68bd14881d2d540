/* door_view.c - what the host sets on a connection, and what it sees of it: on an armed one its own
 * settings are kept, not applied, and its getters answer with them. */
#include "connection.h"
#include "doors.h"
#include "hooks.h"

void SSL_set_info_callback(SSL *ssl, info_callback callback)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	bool ready = openssl != NULL && openssl_is_ready(openssl);
	struct connection *connection = ready ? connection_begin(openssl, ssl) : NULL;

	if (connection == NULL) {
		if (openssl != NULL)
			openssl->SSL_set_info_callback(ssl, callback);
		return;
	}
	connection->host.info = door_info_of_host(callback);
	connection->info_ours = true;
	openssl->SSL_set_info_callback(ssl, door_info);
}

info_callback SSL_get_info_callback(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection->info_ours)
		return connection->host.info;
	return openssl != NULL ? openssl->SSL_get_info_callback(ssl) : NULL;
}

/* nginx and Apache, from their server-name callbacks */
void SSL_set_verify(SSL *ssl, int mode, SSL_verify_cb callback)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection->verify_ours) {
		connection->host.verify_mode = mode;
		if (callback != NULL)
			connection->host.verify = callback;
	} else if (openssl != NULL) {
		openssl->SSL_set_verify(ssl, mode, callback);
	}
}

int SSL_get_verify_mode(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection->verify_ours)
		return connection->host.verify_mode;
	return openssl != NULL ? openssl->SSL_get_verify_mode(ssl) : SSL_VERIFY_NONE;
}

SSL_verify_cb SSL_get_verify_callback(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection->verify_ours)
		return connection->host.verify;
	return openssl != NULL ? openssl->SSL_get_verify_callback(ssl) : NULL;
}

/* A connection refused at the end has lost its BIOs, and the host still has a descriptor to close.
 */
static int kept_descriptor(const struct openssl *openssl, const SSL *ssl, int found, bool to_write)
{
	const struct connection *connection = found < 0 ? connection_of(ssl) : NULL;

	if (connection == NULL || !connection->taken_away)
		return found;
	return endpoint_descriptor(openssl,
				   to_write ? connection->kept_write : connection->kept_read);
}

int SSL_get_fd(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return kept_descriptor(openssl, ssl, openssl->SSL_get_fd(ssl), false);
}

int SSL_get_rfd(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return kept_descriptor(openssl, ssl, openssl->SSL_get_rfd(ssl), false);
}

int SSL_get_wfd(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return kept_descriptor(openssl, ssl, openssl->SSL_get_wfd(ssl), true);
}

/* A host that never asked for a client certificate does not find one: some would take it for a
 * login. */

X509 *SSL_get_peer_certificate(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return connection_hides_certificate(ssl) ? NULL : openssl->SSL_get_peer_certificate(ssl);
}

X509 *SSL_get0_peer_certificate(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return connection_hides_certificate(ssl) ? NULL : openssl->SSL_get0_peer_certificate(ssl);
}

X509 *SSL_get1_peer_certificate(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return connection_hides_certificate(ssl) ? NULL : openssl->SSL_get1_peer_certificate(ssl);
}

STACK_OF(X509) * SSL_get_peer_cert_chain(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return connection_hides_certificate(ssl) ? NULL : openssl->SSL_get_peer_cert_chain(ssl);
}

STACK_OF(X509) * SSL_get0_verified_chain(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return connection_hides_certificate(ssl) ? NULL : openssl->SSL_get0_verified_chain(ssl);
}
