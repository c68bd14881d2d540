/* reading_host CERTIFICATE KEY WAY FILE PORT - a host of HTTP/1 that reads by one of the ways there
 * are, and keeps all that it was given in FILE; one connection at a time.
 *
 * It answers each head "ok", and one that asks for WebSocket "101", after which it echoes.
 * - read, read-ex, byte: SSL_read(), SSL_read_ex(); one byte at a time
 * - peek: SSL_peek(), then SSL_read() of just that
 * - poll: a socket that does not block, asked only where poll() or SSL_pending() says so; small
 * reads
 * - memory: libssl between memory BIOs
 * - bio: through BIO_f_ssl(); bio-again: having taken the shutdown flags off
 * - unseen: by functions that it found in libssl itself; unseen-alpn: its ALPN callback alone
 * - deaf: it answers "ok" to WebSocket, too; feigned: 101, as its application has it, and stays
 * with HTTP
 * - half: the answer comes in two halves, and between them it reads on; the second one only where
 * the client has ended in order
 * - late: it waits for the first bytes before it reads, and goes where the client goes meanwhile
 * - nested: all while another SSL, by its BIO, is accepting; nested-unseen: as unseen
 * - early: driven by SSL_read_early_data()
 */
#include "listen_at.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 8000

static const char *way;
static int kept;

static bool is_way(const char *name)
{
	return strcmp(way, name) == 0;
}

/* Found in libssl itself, past whatever was loaded before it. */
static void *unseen(const char *name)
{
	void *libssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);

	if (libssl == NULL)
		libssl = dlopen("libssl.so.1.1", RTLD_NOW | RTLD_LOCAL);
	return libssl != NULL ? dlsym(libssl, name) : NULL;
}

static int (*read_call)(SSL *, void *, int);
static int (*accept_call)(SSL *);

static int read_some(SSL *ssl, BIO *bio, char *bytes, int size)
{
	size_t count = 0;
	int come;

	if (is_way("read-ex"))
		return SSL_read_ex(ssl, bytes, (size_t)size, &count) == 1 ? (int)count : -1;
	if (is_way("bio-again"))
		SSL_set_shutdown(ssl, 0);
	if (bio != NULL)
		return BIO_read(bio, bytes, size);
	if (is_way("byte"))
		return SSL_read(ssl, bytes, 1);
	if (!is_way("peek"))
		return read_call(ssl, bytes, is_way("poll") && size > 100 ? 100 : size);
	come = SSL_peek(ssl, bytes, size);
	if (come > 0) {
		char again[4096];

		if (SSL_read(ssl, again, come) != come || memcmp(again, bytes, (size_t)come) != 0)
			exit(3);
	}
	return come;
}

/* Of "memory", as hosts keep them. */
static BIO *incoming, *outgoing;

/* What libssl has to say goes out. */
static bool flush(int descriptor)
{
	char bytes[4096];
	int count;

	while (outgoing != NULL && (count = BIO_read(outgoing, bytes, sizeof(bytes))) > 0)
		if (write(descriptor, bytes, (size_t)count) != count)
			return false;
	return true;
}

/* And what has come goes in.  False: nothing did. */
static bool pump(int descriptor)
{
	char bytes[4096];
	ssize_t come;

	if (!flush(descriptor))
		return false;
	come = read(descriptor, bytes, sizeof(bytes));
	return come > 0 && BIO_write(incoming, bytes, (int)come) == come;
}

static bool waits(SSL *ssl, int descriptor, int result)
{
	struct pollfd ready = {.fd = descriptor, .events = POLLIN};

	if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
		return false;
	if (is_way("memory"))
		return pump(descriptor);
	return poll(&ready, 1, PATIENCE_MS) == 1;
}

static void say(SSL *ssl, int descriptor, const char *text)
{
	SSL_write(ssl, text, (int)strlen(text));
	flush(descriptor);
}

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void answer(SSL *ssl, int descriptor, const char *head, bool *echoes)
{
	if (strstr(head, "pgrade: ") != NULL && is_way("feigned")) {
		say(ssl, descriptor, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
		return;
	}
	if (strstr(head, "pgrade: ") != NULL && !is_way("deaf")) {
		say(ssl, descriptor,
		    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
		*echoes = true;
		return;
	}
	if (!is_way("half")) {
		say(ssl, descriptor, ok);
		return;
	}
	say(ssl, descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
}

/* One head after the other, of requests without bodies. */
static void serve(SSL *ssl, int descriptor, BIO *bio)
{
	static char head[200000];
	size_t length = 0;
	bool echoes = false, owes = false;
	char bytes[4096];
	int count;

	for (;;) {
		const char *end;

		while ((count = read_some(ssl, bio, bytes, sizeof(bytes))) <= 0)
			if (bio != NULL || !waits(ssl, descriptor, count)) {
				owes = owes && SSL_get_error(ssl, count) == SSL_ERROR_ZERO_RETURN;
				goto over;
			}
		if (write(kept, bytes, (size_t)count) != count ||
		    length + (size_t)count >= sizeof(head))
			goto over;
		if ((SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0)
			say(ssl, descriptor, "the host believes that the client has ended\n");
		memcpy(head + length, bytes, (size_t)count);
		length += (size_t)count;
		head[length] = '\0';
		if (echoes) {
			say(ssl, descriptor, head);
			length = 0;
		}
		while (!echoes && (end = strstr(head, "\r\n\r\n")) != NULL) {
			answer(ssl, descriptor, head, &echoes);
			owes = is_way("half");
			length -= (size_t)(end + 4 - head);
			memmove(head, end + 4, length + 1);
		}
	}
over:
	if (owes)
		say(ssl, descriptor, "k");
	SSL_shutdown(ssl);
	flush(descriptor);
}

static int choose(SSL *ssl, const unsigned char **chosen, unsigned char *length,
		  const unsigned char *offered, unsigned offered_length, void *argument)
{
	static const unsigned char protocols[] = "\2h2\x8http/1.1";

	(void)ssl, (void)argument;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)chosen, length, protocols,
				     sizeof(protocols) - 1, offered,
				     offered_length) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *make_context(const char *certificate, const char *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	void (*set)(SSL_CTX *, SSL_CTX_alpn_select_cb_func, void *) = SSL_CTX_set_alpn_select_cb;
	void *found = unseen("SSL_CTX_set_alpn_select_cb");

	if (is_way("unseen-alpn"))
		memcpy(&set, &found, sizeof(set));
	if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		exit(2);
	set(context, choose, NULL);
	if (is_way("early"))
		SSL_CTX_set_max_early_data(context, 16384);
	return context;
}

static bool begin(SSL *ssl, int descriptor)
{
	char bytes[4096];
	size_t count;
	int result;

	if (is_way("memory")) {
		incoming = BIO_new(BIO_s_mem());
		outgoing = BIO_new(BIO_s_mem());
		BIO_set_mem_eof_return(incoming, -1);
		BIO_up_ref(incoming);
		BIO_up_ref(outgoing);
		SSL_set_bio(ssl, incoming, outgoing);
	} else {
		SSL_set_fd(ssl, descriptor);
	}
	SSL_set_accept_state(ssl);
	if (is_way("early")) {
		while (SSL_read_early_data(ssl, bytes, sizeof(bytes), &count) ==
		       SSL_READ_EARLY_DATA_SUCCESS)
			if (write(kept, bytes, count) < 0)
				return false;
	}
	while ((result = accept_call(ssl)) <= 0)
		if (!waits(ssl, descriptor, result)) {
			flush(descriptor);
			return false;
		}
	return true;
}

/* Does the client say anything before it goes? */
static bool is_there(int descriptor)
{
	struct pollfd ready = {.fd = descriptor, .events = POLLIN | POLLRDHUP};

	return poll(&ready, 1, PATIENCE_MS) == 1 && (ready.revents & POLLRDHUP) == 0;
}

static void converse(SSL *ssl, int descriptor, BIO *bio)
{
	if (begin(ssl, descriptor) && (!is_way("late") || is_there(descriptor)))
		serve(ssl, descriptor, bio);
}

/* Of the other SSL: what it reads by. */
static SSL *inner;
static int inner_descriptor;

static int read_meanwhile(BIO *bio, char *bytes, int size)
{
	(void)bio, (void)bytes, (void)size;
	if (inner != NULL)
		converse(inner, inner_descriptor, NULL);
	inner = NULL;
	return -1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)command, (void)number, (void)pointer;
	return 1;
}

static void converse_within_another(SSL_CTX *context, SSL *ssl, int descriptor)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "meanwhile");
	SSL *outer = SSL_new(context);
	BIO *bio;

	BIO_meth_set_read(method, read_meanwhile);
	BIO_meth_set_ctrl(method, control);
	bio = BIO_new(method);
	BIO_set_init(bio, 1);
	SSL_set_bio(outer, bio, bio);
	inner = ssl;
	inner_descriptor = descriptor;
	SSL_accept(outer);
	SSL_free(outer);
	BIO_meth_free(method);
}

int main(int count, char **words)
{
	SSL_CTX *context;
	int listener;

	if (count != 6)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	way = words[3];
	kept = open(words[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	read_call = SSL_read;
	accept_call = SSL_accept;
	if (is_way("unseen") || is_way("nested-unseen")) {
		/* The latter calls nothing by name, as one of libssl's does another. */
		void *found[] = {unseen("SSL_read"),
				 unseen(is_way("unseen") ? "SSL_accept" : "SSL_do_handshake")};

		memcpy(&read_call, &found[0], sizeof(read_call));
		memcpy(&accept_call, &found[1], sizeof(accept_call));
	}
	context = make_context(words[1], words[2]);
	listener = listen_at(words[5]);
	for (;;) {
		const int descriptor = accept(listener, NULL, NULL);
		SSL *ssl = SSL_new(context);
		BIO *bio = strncmp(way, "bio", 3) == 0 ? BIO_new(BIO_f_ssl()) : NULL;

		if (is_way("poll"))
			fcntl(descriptor, F_SETFL, O_NONBLOCK);
		if (bio != NULL)
			BIO_set_ssl(bio, ssl, BIO_NOCLOSE);
		if (is_way("nested") || is_way("nested-unseen"))
			converse_within_another(context, ssl, descriptor);
		else
			converse(ssl, descriptor, bio);
		BIO_free(bio);
		BIO_free(incoming);
		BIO_free(outgoing);
		incoming = outgoing = NULL;
		SSL_free(ssl);
		close(descriptor);
	}
}
