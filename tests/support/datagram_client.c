#include "datagram_client.h"

#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_MS 700
#define MTU        1500

static int outcome_index;

static void see_message(int is_ours, int version, int type, const void *data, size_t length,
			SSL *ssl, void *argument)
{
	struct outcome *outcome = argument;
	const unsigned char *bytes = data;

	(void)version;
	(void)ssl;
	if (is_ours || length == 0)
		return;
	if (type == SSL3_RT_ALERT && length == 2) {
		if (bytes[1] == SSL3_AD_CLOSE_NOTIFY)
			outcome->ending = END_CLOSE_NOTIFY;
		else
			outcome->alert = bytes[1];
	} else if (type == SSL3_RT_HANDSHAKE) {
		if (bytes[0] == SSL3_MT_CERTIFICATE_REQUEST)
			outcome->asked = true;
		if (bytes[0] == SSL3_MT_SERVER_DONE || bytes[0] == SSL3_MT_FINISHED)
			outcome->flight = true;
	}
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct outcome *outcome = SSL_get_ex_data(ssl, outcome_index);

	SSL_SESSION_free(outcome->session);
	outcome->session = session;
	return 1;
}

static SSL_CTX *context_for(const struct client *client)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_client_method());

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
	SSL_CTX_set_read_ahead(context, 1); /* the rest of a datagram is lost */
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

int datagram_client_connect(const struct client *client, int type)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)client->port),
	};
	int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, client->address ? client->address : "127.0.0.1", &address.sin_addr);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

/* Is the call that returned `result` to be made again?  Not where nothing comes: then that is the
 * end.  No retransmission: loopback loses nothing. */
static bool goes_on(SSL *ssl, int result, struct outcome *outcome)
{
	struct pollfd waiting = {.fd = SSL_get_fd(ssl), .events = POLLIN};

	if (result > 0 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
		return false;
	if (poll(&waiting, 1, SILENCE_MS) > 0)
		return true;
	outcome->ending = END_EOF;
	return false;
}

static void read_answer(SSL *ssl, struct outcome *outcome)
{
	char buffer[4096];
	int count;

	do {
		count = SSL_read(ssl, buffer, sizeof(buffer));
		if (count > 0 &&
		    outcome->application_bytes + (size_t)count < sizeof(outcome->application)) {
			memcpy(outcome->application + outcome->application_bytes, buffer,
			       (size_t)count);
			outcome->application_bytes += (size_t)count;
		}
	} while (count > 0 || goes_on(ssl, count, outcome));
}

/* What comes when libssl reads no more. */
static void wait_for_silence(SSL *ssl, struct outcome *outcome)
{
	struct pollfd waiting = {.fd = SSL_get_fd(ssl), .events = POLLIN};
	char bytes[4096];

	while (outcome->ending == END_NONE) {
		ssize_t count = -1;

		if (poll(&waiting, 1, SILENCE_MS) > 0)
			count = recv(waiting.fd, bytes, sizeof(bytes), 0);
		if (count <= 0)
			outcome->ending = END_EOF;
		else if (outcome->flight)
			outcome->bytes_after_flight += (size_t)count;
	}
}

static void converse(const struct client *client, SSL *ssl, struct outcome *outcome)
{
	struct pollfd waiting = {.fd = SSL_get_fd(ssl), .events = POLLIN};
	int result;

	do
		result = SSL_connect(ssl);
	while (goes_on(ssl, result, outcome));
	outcome->handshake = result == 1;
	if (outcome->handshake) {
		outcome->reused = SSL_session_reused(ssl) == 1;
		outcome->tricked = client->trick != NULL && client->trick(ssl);
		if (client->patience_ms > 0)
			poll(&waiting, 1, client->patience_ms);
		if (client->request != NULL)
			SSL_write(ssl, client->request, (int)strlen(client->request));
		read_answer(ssl, outcome);
		SSL_shutdown(ssl);
	}
	wait_for_silence(ssl, outcome);
}

/* A BIO_callback_fn_ex. */
static long count_bytes(BIO *bio, int operation, const char *bytes, size_t size, int number,
			/* cppcheck-suppress constParameter */
			long integer, int result, size_t *processed)
{
	struct outcome *outcome = (void *)BIO_get_callback_arg(bio);

	(void)bytes, (void)size, (void)number, (void)integer;
	if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && processed != NULL &&
	    outcome->flight)
		outcome->bytes_after_flight += *processed;
	return result;
}

static BIO *bio_of(int descriptor, struct outcome *outcome)
{
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	int type = 0;
	socklen_t size = sizeof(type);
	BIO *bio;

	outcome->connected = getpeername(descriptor, (struct sockaddr *)&peer, &length) == 0;
	getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size);
	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	bio = type == SOCK_DGRAM ? BIO_new_dgram(descriptor, BIO_CLOSE)
				 : BIO_new_socket(descriptor, BIO_CLOSE);
	if (bio == NULL)
		abort();
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
	BIO_set_callback_ex(bio, count_bytes);
	BIO_set_callback_arg(bio, (char *)outcome);
	return bio;
}

void datagram_client_run(const struct client *client, struct outcome *outcome)
{
	SSL_CTX *context = context_for(client);
	SSL *ssl = SSL_new(context);
	BIO *bio;

	if (ssl == NULL)
		abort();
	if (outcome_index == 0)
		outcome_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	memset(outcome, 0, sizeof(*outcome));
	bio = bio_of(client->descriptor > 0 ? client->descriptor
					    : datagram_client_connect(client, SOCK_DGRAM),
		     outcome);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(ssl, MTU);
	SSL_set_ex_data(ssl, outcome_index, outcome);
	SSL_set_msg_callback(ssl, see_message);
	SSL_set_msg_callback_arg(ssl, outcome);
	if (client->session != NULL)
		SSL_set_session(ssl, client->session);
	if (client->prepare != NULL)
		client->prepare(context, ssl);
	converse(client, ssl, outcome);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
}
