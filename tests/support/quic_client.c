#include "quic_client.h"

#ifdef HAVE_QUIC

#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/quic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_MS   700
#define CRYPTO_ERROR 0x100 /* RFC 9000 20.1: and the alert */
#define MAX_STREAMS  4
#define STEP_MS      10

static int outcome_index;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct outcome *outcome = SSL_get_ex_data(ssl, outcome_index);

	if (outcome == NULL)
		return 0;
	SSL_SESSION_free(outcome->session);
	outcome->session = session;
	return 1;
}

static SSL_CTX *context_for(const struct client *client)
{
	SSL_CTX *context = SSL_CTX_new(OSSL_QUIC_client_method());

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, keep_session);
	if (client->certificate != NULL &&
	    (SSL_CTX_use_certificate_chain_file(context, certificate_file(client->certificate)) !=
		     1 ||
	     SSL_CTX_use_PrivateKey_file(context, certificate_key(client->certificate),
					 SSL_FILETYPE_PEM) != 1))
		fail_msg("cannot use the certificate %s", client->certificate);
	return context;
}

static bool give_socket(SSL *ssl, unsigned port)
{
	const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
	BIO_ADDR *peer = BIO_ADDR_new();
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	BIO *bio = BIO_new_dgram(descriptor, BIO_CLOSE);
	bool good;

	if (peer == NULL || bio == NULL)
		abort();
	BIO_ADDR_rawmake(peer, AF_INET, &loopback, sizeof(loopback), htons((uint16_t)port));
	SSL_set_bio(ssl, bio, bio);
	good = SSL_set1_initial_peer_addr(ssl, peer) == 1;
	BIO_ADDR_free(peer);
	return good;
}

/* Wait for the next datagram, or the next timer. */
static void step(SSL *ssl)
{
	struct pollfd waiting = {.fd = SSL_get_fd(ssl), .events = POLLIN};

	poll(&waiting, 1, STEP_MS);
	SSL_handle_events(ssl);
}

/* True once the connection is closed; the alert is the peer's. */
static bool is_closed(SSL *ssl, struct outcome *outcome)
{
	SSL_CONN_CLOSE_INFO info;

	if (SSL_get_conn_close_info(ssl, &info, sizeof(info)) != 1)
		return false;
	if ((info.flags & SSL_CONN_CLOSE_FLAG_LOCAL) == 0) {
		outcome->ending = END_EOF;
		if ((info.flags & SSL_CONN_CLOSE_FLAG_TRANSPORT) != 0 &&
		    info.error_code >= CRYPTO_ERROR && info.error_code < CRYPTO_ERROR + 0x100)
			outcome->alert = (int)(info.error_code - CRYPTO_ERROR);
	}
	return true;
}

static size_t read_stream(SSL *stream, struct outcome *outcome)
{
	char buffer[4096];
	size_t count = 0, room = sizeof(outcome->application) - 1 - outcome->application_bytes;

	if (SSL_read_ex(stream, buffer, sizeof(buffer), &count) != 1)
		return 0;
	if (count <= room)
		memcpy(outcome->application + outcome->application_bytes, buffer, count);
	outcome->application_bytes += count;
	return count;
}

/* Read from all streams, those of the server's making too, until it is silent or has closed. */
static void read_streams(SSL *ssl, SSL *own, struct outcome *outcome)
{
	SSL *streams[MAX_STREAMS] = {own};
	size_t count = own != NULL;
	long long deadline = clock_ms() + SILENCE_MS;

	while (!is_closed(ssl, outcome) && clock_ms() < deadline) {
		SSL *more = SSL_accept_stream(ssl, SSL_ACCEPT_STREAM_NO_BLOCK);

		if (more != NULL && count < MAX_STREAMS)
			streams[count++] = more;
		for (size_t i = 0; i < count; i++)
			if (read_stream(streams[i], outcome) > 0)
				deadline = clock_ms() + SILENCE_MS;
		step(ssl);
	}
	for (size_t i = 0; i < count; i++)
		SSL_free(streams[i]);
	if (outcome->ending == END_NONE)
		outcome->ending = END_EOF;
}

static void converse(const struct client *client, SSL *ssl, struct outcome *outcome)
{
	long long deadline = clock_ms() + 2 * SILENCE_MS;
	SSL *stream;
	size_t written;
	int result;

	while ((result = SSL_connect(ssl)) != 1 && !is_closed(ssl, outcome) &&
	       clock_ms() < deadline)
		step(ssl);
	outcome->handshake = result == 1;
	if (!outcome->handshake) {
		outcome->ending = END_EOF;
		return;
	}
	outcome->reused = SSL_session_reused(ssl) == 1;
	outcome->tricked = client->trick != NULL && client->trick(ssl);
	stream = SSL_new_stream(ssl, 0);
	if (stream != NULL && client->request != NULL)
		SSL_write_ex(stream, client->request, strlen(client->request), &written);
	read_streams(ssl, stream, outcome);
	deadline = clock_ms() + SILENCE_MS;
	while (SSL_shutdown(ssl) == 0 && clock_ms() < deadline)
		step(ssl);
}

void quic_client_run(const struct client *client, struct outcome *outcome)
{
	SSL_CTX *context = context_for(client);
	SSL *ssl = SSL_new(context);

	if (ssl == NULL)
		abort();
	if (outcome_index == 0)
		outcome_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	memset(outcome, 0, sizeof(*outcome));
	SSL_set_ex_data(ssl, outcome_index, outcome);
	SSL_set_blocking_mode(ssl, 0);
	SSL_set_default_stream_mode(ssl, SSL_DEFAULT_STREAM_MODE_NONE);
	SSL_set_alpn_protos(ssl, (const unsigned char *)QUIC_ALPN, sizeof(QUIC_ALPN) - 1);
	outcome->connected = give_socket(ssl, client->port);
	if (client->session != NULL)
		SSL_set_session(ssl, client->session);
	if (client->prepare != NULL)
		client->prepare(context, ssl);
	converse(client, ssl, outcome);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
}

#else
typedef int nothing_here; /* ISO C wants a declaration */
#endif
