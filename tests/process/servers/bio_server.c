/* bio_server CERTIFICATE KEY pair|custom|late PORT [PORT...] - a TLS server whose OpenSSL sees no
 * socket.
 *
 * One SSL_CTX for all of its ports, a thread for each connection.
 *
 * - pair: libssl has one half of a BIO pair, and the server moves what passes through the other
 * - custom: libssl has a BIO of the server's own making, which knows a descriptor and tells nobody;
 *   clients of TLS 1.3 are asked for another hello, since their first shares no key of its only
 *   group
 * - late: as pair, but the first words of three clients are read before any of them is served
 */
#include "listen_at.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_PORTS  8
#define PATIENCE_S 30
#define LATE       3
#define ANSWER                                         \
	"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" \
	"the answer of the server itself, and nothing else\n"

static SSL_CTX *context;
static BIO_METHOD *own_method;
static bool by_pair, is_late;

/* One that was accepted, and what has been read from it before it is served. */
struct client {
	int descriptor;
	int count;
	char bytes[4096];
};

struct conversation {
	SSL *ssl;
	BIO *network; /* the server's half of a pair; NULL: there is none */
	int descriptor;
};

/* ---- a BIO of one's own ---- */

static int *place_of(BIO *bio)
{
	return BIO_get_data(bio);
}

static int write_own(BIO *bio, const char *bytes, int count)
{
	return (int)send(*place_of(bio), bytes, (size_t)count, MSG_NOSIGNAL);
}

static int read_own(BIO *bio, char *bytes, int count)
{
	return (int)recv(*place_of(bio), bytes, (size_t)count, 0);
}

static long control_own(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO *make_own(struct client *client)
{
	BIO *bio = BIO_new(own_method);

	BIO_set_data(bio, &client->descriptor);
	BIO_set_init(bio, 1);
	return bio;
}

/* ---- a pair ---- */

static void flush(const struct conversation *conversation)
{
	char bytes[4096];
	int count;

	while (conversation->network != NULL &&
	       (count = BIO_read(conversation->network, bytes, sizeof(bytes))) > 0)
		if (send(conversation->descriptor, bytes, (size_t)count, MSG_NOSIGNAL) != count)
			return;
}

/* Is the call that returned `result` to be made again, now that bytes have moved? */
static bool moved(const struct conversation *conversation, int result)
{
	char bytes[1024];
	ssize_t count;
	int error;

	flush(conversation);
	error = SSL_get_error(conversation->ssl, result);
	if (result > 0 || conversation->network == NULL ||
	    (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE))
		return false;
	if (error == SSL_ERROR_WANT_WRITE)
		return true;
	count = recv(conversation->descriptor, bytes, sizeof(bytes), 0);
	return count > 0 && BIO_write(conversation->network, bytes, (int)count) == (int)count;
}

/* ---- a connection ---- */

static void converse(const struct conversation *conversation)
{
	SSL *ssl = conversation->ssl;
	char request[4096];
	int result;

	do
		result = SSL_accept(ssl);
	while (moved(conversation, result));
	if (result != 1)
		return;
	do
		result = SSL_read(ssl, request, sizeof(request));
	while (moved(conversation, result));
	if (result <= 0)
		return;
	do
		result = SSL_write(ssl, ANSWER, (int)strlen(ANSWER));
	while (moved(conversation, result));
	SSL_shutdown(ssl);
	flush(conversation);
}

static void *serve(void *place)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct client *client = place;
	struct conversation conversation = {.ssl = SSL_new(context),
					    .descriptor = client->descriptor};
	BIO *own;

	setsockopt(client->descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (by_pair)
		BIO_new_bio_pair(&own, 0, &conversation.network, 0);
	else
		own = make_own(client);
	SSL_set_bio(conversation.ssl, own, own);
	if (client->count > 0)
		BIO_write(conversation.network, client->bytes, client->count);
	converse(&conversation);
	SSL_free(conversation.ssl);
	BIO_free(conversation.network);
	close(client->descriptor);
	free(client);
	return NULL;
}

static void start(struct client *client)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, serve, client) != 0)
		exit(1);
	pthread_attr_destroy(&attributes);
}

static void take(int listener)
{
	static struct client *late[LATE];
	static size_t count;
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		exit(1);
	client->descriptor = accept(listener, NULL, NULL);
	if (client->descriptor >= 0 && is_late)
		client->count =
			(int)recv(client->descriptor, client->bytes, sizeof(client->bytes), 0);
	if (client->descriptor < 0 || (is_late && client->count <= 0)) {
		close(client->descriptor);
		free(client);
		return;
	}
	if (!is_late) {
		start(client);
		return;
	}
	late[count++] = client;
	if (count == LATE)
		while (count > 0)
			start(late[--count]);
}

static void make_context(char **words)
{
	context = SSL_CTX_new(TLS_server_method());
	own_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "own");
	if (context == NULL || own_method == NULL ||
	    SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1)
		exit(1);
	BIO_meth_set_write(own_method, write_own);
	BIO_meth_set_read(own_method, read_own);
	BIO_meth_set_ctrl(own_method, control_own);
}

int main(int count, char **words)
{
	struct pollfd listeners[MAX_PORTS];
	static char group[] = "P-256";
	nfds_t ports = 0;

	if (count < 5)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	is_late = strcmp(words[3], "late") == 0;
	by_pair = is_late || strcmp(words[3], "pair") == 0;
	make_context(words);
	if (!by_pair && SSL_CTX_set1_groups_list(context, group) != 1)
		return 1;
	for (; words[4 + ports] != NULL && ports < MAX_PORTS; ports++)
		listeners[ports] =
			(struct pollfd){.fd = listen_at(words[4 + ports]), .events = POLLIN};
	while (poll(listeners, ports, -1) > 0)
		for (nfds_t i = 0; i < ports; i++)
			if (listeners[i].revents != 0)
				take(listeners[i].fd);
	return 0;
}
