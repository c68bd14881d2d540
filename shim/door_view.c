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

	return openssl->SSL_get_peer_certificate == NULL || connection_hides_certificate(ssl)
		       ? NULL
		       : openssl->SSL_get_peer_certificate(ssl);
}

X509 *SSL_get0_peer_certificate(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return openssl->SSL_get0_peer_certificate == NULL || connection_hides_certificate(ssl)
		       ? NULL
		       : openssl->SSL_get0_peer_certificate(ssl);
}

X509 *SSL_get1_peer_certificate(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return openssl->SSL_get1_peer_certificate == NULL || connection_hides_certificate(ssl)
		       ? NULL
		       : openssl->SSL_get1_peer_certificate(ssl);
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

int SSL_get_peer_signature_type_nid(const SSL *ssl, int *found)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return connection_hides_certificate(ssl)
		       ? 0
		       : openssl->SSL_get_peer_signature_type_nid(ssl, found);
}

X509 *SSL_SESSION_get0_peer(SSL_SESSION *session)
{
	const struct openssl *openssl = openssl_at(CALLER);

	return connection_hides_session(openssl, session) ? NULL
							  : openssl->SSL_SESSION_get0_peer(session);
}

/* Within TLS 1.3 a host may ask when the handshake is over, as Apache does for a folder. */
int SSL_verify_client_post_handshake(SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection_may_talk(connection) && connection->verify_ours) {
		connection_give_back_verify(connection);
		connection->asks_later = true;
		connection->host_verified |= connection->came_without;
	}
	return openssl->SSL_verify_client_post_handshake(ssl);
}

/* ---- settings that are the shim's, for as long as the host has not made them its own ---- */

static uint64_t options_ours(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL ? connection->host.options_ours : 0;
}

uint64_t SSL_get_options(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	return openssl->SSL_get_options(ssl) & ~options_ours(ssl);
}

/* What the host sets is its own from now on; and what it clears is gone, until the next step of a
 * handshake. */
static void options_of_host(const SSL *ssl, uint64_t options)
{
	struct connection *connection = connection_of(ssl);

	if (connection != NULL)
		connection->host.options_ours &= ~options;
}

uint64_t SSL_set_options(SSL *ssl, uint64_t options)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	options_of_host(ssl, options);
	return openssl->SSL_set_options(ssl, options) & ~options_ours(ssl);
}

uint64_t SSL_clear_options(SSL *ssl, uint64_t options)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	options_of_host(ssl, options);
	return openssl->SSL_clear_options(ssl, options) & ~options_ours(ssl);
}

size_t SSL_get_num_tickets(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection->host.tickets_ours)
		return connection->host.tickets;
	return openssl->SSL_get_num_tickets(ssl);
}

int SSL_set_num_tickets(SSL *ssl, size_t count)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *connection = connection_of(ssl);

	if (connection == NULL || !connection->host.tickets_ours)
		return openssl->SSL_set_num_tickets(ssl, count);
	connection->host.tickets = count;
	return 1;
}

/* SSL_get_max_cert_list(), SSL_set_max_cert_list(): the limit is the shim's while it stands. */
static long certificate_list_limit(struct host_connection *host, int command, long limit)
{
	long before = host->certificate_list_bytes;

	if (command == SSL_CTRL_SET_MAX_CERT_LIST)
		host->certificate_list_bytes = limit;
	return before;
}

/* What macros of OpenSSL's headers call. */
long SSL_ctrl(SSL *ssl, int command, long number, void *place)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	if (command == SSL_CTRL_GET_MAX_CERT_LIST || command == SSL_CTRL_SET_MAX_CERT_LIST) {
		struct connection *connection = connection_of(ssl);

		if (connection != NULL && connection->host.certificate_list_bytes != 0)
			return certificate_list_limit(&connection->host, command, number);
	}
	if (command == SSL_CTRL_GET_PEER_SIGNATURE_NID && connection_hides_certificate(ssl))
		return 0;
	return openssl->SSL_ctrl(ssl, command, number, place);
}

const char *SSL_get_servername(const SSL *ssl, int type)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const char *name = openssl->SSL_get_servername(ssl, type);
	const bool is_stream = openssl_is_quic(openssl, ssl);

	/* enforces name-of-hello */
	if (type == TLSEXT_NAMETYPE_host_name)
		name = connection_server_name(
			is_stream ? openssl->SSL_get0_connection((SSL *)(uintptr_t)ssl) : ssl,
			name);
	return name;
}

/* nginx resumes where it is the same. */
const char *SSL_SESSION_get0_hostname(const SSL_SESSION *session)
{
	const struct openssl *openssl = openssl_at(CALLER);

	return connection_session_name(openssl->SSL_SESSION_get0_hostname(session));
}

/* Before the hello is judged: HAProxy chooses the certificate by it. */
int SSL_client_hello_get0_ext(SSL *ssl, unsigned type, const unsigned char **bytes, size_t *length)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	int found = openssl->SSL_client_hello_get0_ext(ssl, type, bytes, length);

	/* enforces name-at-hello */
	if (found == 1 && type == TLSEXT_TYPE_server_name && bytes != NULL && length != NULL)
		found = connection_server_name_extension(openssl, ssl, bytes, length);
	return found;
}

/* Muted, libssl takes a close_notify for sent; for the host none is, until the verdict. */
int SSL_get_shutdown(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const struct connection *connection = connection_of(ssl);
	int flags = openssl->SSL_get_shutdown(ssl);

	if (connection != NULL && connection->muted && connection->stage == STAGE_ARMED)
		flags &= ~SSL_SENT_SHUTDOWN;
	flags = connection_flags_for_host(ssl, flags);
	return connection_is_answered(ssl) ? 0 : flags;
}
