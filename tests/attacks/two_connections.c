/* Two connections for one conversation: what comes by one leaves by the other, or one takes the
 * place of the other. */
#include "attack.h"
#include "changing.h"
#include "raw_client.h"
#include "test.h"
#include "veil.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAIR_WAIT_MS   300
#define PLAIN_TEXT_MAX 8192

/* ---- two connections for one conversation ---- */

/* The other connection of a client that comes to both ports; -1: it does not. */
static int other_connection(SSL *ssl)
{
	struct pollfd waiting = {.events = POLLIN};
	unsigned ours = 0, second = 0;
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);

	if (getsockname(SSL_get_fd(ssl), (struct sockaddr *)&address, &length) == 0)
		ours = address.sin_port;
	length = sizeof(address);
	if (getsockname(host_listener(SECOND), (struct sockaddr *)&address, &length) == 0)
		second = address.sin_port;
	waiting.fd = host_listener(ours == second ? ENFORCED : SECOND);
	return poll(&waiting, 1, PAIR_WAIT_MS) > 0 ? accept(waiting.fd, NULL, NULL) : -1;
}

/* Of a client that comes to both ports: it is heard on the connection where it speaks, and answered
 * on the other. */
static void answer_on_other_port(SSL *ssl)
{
	int one = SSL_get_fd(ssl), other = other_connection(ssl);
	struct pollfd speaking = {.fd = one, .events = POLLIN};

	if (other < 0)
		return;
	if (poll(&speaking, 1, PAIR_WAIT_MS) > 0)
		SSL_set0_wbio(ssl, BIO_new_socket(other, BIO_CLOSE));
	else
		SSL_set0_rbio(ssl, BIO_new_socket(other, BIO_CLOSE));
}

static int answer_later(SSL *ssl, void *argument)
{
	int other = other_connection(ssl);

	(void)argument;
	if (other >= 0)
		SSL_set0_wbio(ssl, BIO_new_socket(other, BIO_CLOSE));
	return 1;
}

static void answer_elsewhere_within_handshake(SSL *ssl)
{
	SSL_set_cert_cb(ssl, answer_later, NULL);
}

static int second_connection;

/* ---- a connection that is another's by the time it is answered ---- */

static int replace_connection(SSL *ssl, void *argument)
{
	int other = other_connection(ssl);

	(void)argument;
	if (other >= 0) {
		dup2(other, SSL_get_fd(ssl));
		close(other);
	}
	return 1;
}

/* Where a host closes a descriptor twice, the next connection takes the place of another thread's.
 */
static void replace_within_handshake(SSL *ssl)
{
	SSL_set_cert_cb(ssl, replace_connection, NULL);
}

/* ---- plain text that nobody can tell from a hello, and a hello that comes twice ---- */

/* As the host of a protocol with STARTTLS: so many bytes of plain text first, where the client
 * has a connection to the other port too, of which the hello is read and no more. */
static void take_plain_text(SSL *ssl)
{
	static int other_kept = -1;
	int other = other_connection(ssl), own = SSL_get_fd(ssl);
	unsigned char bytes[PLAIN_TEXT_MAX];
	uint16_t length = 0;

	if (other < 0)
		return;
	if (other_kept >= 0)
		close(other_kept);
	other_kept = other;
	if (recv(other, bytes, sizeof(bytes), 0) > 0 &&
	    recv(own, &length, sizeof(length), MSG_WAITALL) == sizeof(length) &&
	    length <= sizeof(bytes))
		(void)recv(own, bytes, length, MSG_WAITALL);
}

/* Libssl sees no socket, and no door what it writes. */
static void take_plain_text_and_hide(SSL *ssl)
{
	take_plain_text(ssl);
	veil_set(ssl, -1, VEIL_UNSEEN_WRITES);
}

static bool hello_is_out;

static int write_hello_elsewhere(BIO *bio, const char *bytes, int size)
{
	if (hello_is_out)
		return BIO_write(BIO_next(bio), bytes, size);
	hello_is_out = true;
	return (int)send(second_connection, bytes, (size_t)size, MSG_NOSIGNAL);
}

/* Another hello, as plain text, behind its length. */
static void write_plain_text(BIO *bio)
{
	unsigned char bytes[PLAIN_TEXT_MAX];
	uint16_t length = (uint16_t)raw_hello(TLS1_3_VERSION, bytes, sizeof(bytes));

	BIO_write(bio, &length, sizeof(length));
	BIO_write(bio, bytes, length);
}

static int write_hello_twice(BIO *bio, const char *bytes, int size)
{
	if (!hello_is_out) {
		hello_is_out = true;
		(void)send(second_connection, bytes, (size_t)size, MSG_NOSIGNAL);
		write_plain_text(BIO_next(bio));
	}
	return BIO_write(BIO_next(bio), bytes, size);
}

static long pass_control(BIO *bio, int command, long number, void *pointer)
{
	return BIO_ctrl(BIO_next(bio), command, number, pointer);
}

static void write_by(SSL *ssl, int (*write)(BIO *bio, const char *bytes, int size))
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "elsewhere");
	BIO *filter, *out = SSL_get_wbio(ssl);

	BIO_meth_set_write(method, write);
	BIO_meth_set_ctrl(method, pass_control);
	filter = BIO_new(method);
	BIO_set_init(filter, 1);
	BIO_up_ref(out);
	hello_is_out = false;
	SSL_set0_wbio(ssl, BIO_push(filter, out));
}

/* The hello goes to the connection that was made before, the rest to the client's own. */
static void begin_elsewhere(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	write_by(ssl, write_hello_elsewhere);
}

/* The client reads from its own wire, and writes to the connection that it made before. */
static void write_elsewhere(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set0_wbio(ssl, BIO_new_socket(second_connection, BIO_NOCLOSE));
}

static const struct server *changing;

static void write_elsewhere_over_change(SSL_CTX *context, SSL *ssl)
{
	write_elsewhere(context, ssl);
	change_amid_handshake(changing, ssl);
}

static int connection_to(unsigned port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0)
		fail_msg("no connection to port %u: %s", port, strerror(errno));
	return descriptor;
}

static unsigned open_port;

/* The hello goes to the open port too, by a connection that is made behind the client's own. */
static void begin_twice(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	second_connection = connection_to(open_port);
	write_by(ssl, write_hello_twice);
}

/* The hello comes to `port`, the server's flight from the other one. */
static void speak_on(struct victim *victim, const struct client *client, struct outcome *outcome,
		     size_t port)
{
	struct client listening = *client;

	second_connection = connection_to(victim->server->ports[port]);
	listening.port = victim->server->ports[port == ENFORCED ? SECOND : ENFORCED];
	if (listening.prepare == NULL)
		listening.prepare = write_elsewhere;
	attack_run(victim, &listening, outcome);
	close(second_connection);
}

static void speak_on_enforced(struct victim *victim, const struct client *client,
			      struct outcome *outcome)
{
	speak_on(victim, client, outcome, ENFORCED);
}

static void speak_on_open(struct victim *victim, const struct client *client,
			  struct outcome *outcome)
{
	speak_on(victim, client, outcome, SECOND);
}

static void speak_over_change(struct victim *victim, const struct client *client,
			      struct outcome *outcome)
{
	changing = victim->server;
	speak_on(victim, client, outcome, SECOND);
}

static void begin_on_open(struct victim *victim, const struct client *client,
			  struct outcome *outcome)
{
	struct client listening = *client;

	second_connection = connection_to(victim->server->ports[SECOND]);
	poll(NULL, 0, PAIR_WAIT_MS / 2); /* the host is to take that one first */
	listening.prepare = begin_elsewhere;
	attack_run(victim, &listening, outcome);
	close(second_connection);
}

/* All of it is said there. */
static void speak_on_open_first(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	struct client listening = *client;

	second_connection = connection_to(victim->server->ports[SECOND]);
	poll(NULL, 0, PAIR_WAIT_MS / 2); /* the host is to take that one first */
	listening.prepare = write_elsewhere;
	attack_run(victim, &listening, outcome);
	close(second_connection);
}

static void say_hello_twice(struct victim *victim, const struct client *client,
			    struct outcome *outcome)
{
	struct client twice = *client;

	/* The connections by which it was found out that the host listens would be a pair too. */
	poll(NULL, 0, 2 * PAIR_WAIT_MS);
	open_port = victim->server->ports[SECOND];
	twice.prepare = begin_twice;
	attack_run(victim, &twice, outcome);
	close(second_connection);
}

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "a stranger whose connection took the place of one of the open port",
		.source = "dup2(2); close(2), on closing twice",
		.connect = replace_within_handshake,
		.attack = begin_on_open,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "plaintext",
	},
	{
		.name = "the same, where plain text passes",
		.source = "dup2(2); close(2), on closing twice",
		.connect = replace_within_handshake,
		.attack = begin_on_open,
		.versions = ONLY_1_3,
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "unknown-endpoint",
		.answer = "close",
	},
	{
		.name = "a stranger who is heard on the enforced port and answered on the open one",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_rfd() and SSL_set_wfd()",
		.connect = answer_on_other_port,
		.attack = speak_on_enforced,
		.versions = ONLY_1_3,
		ANYWHERE,
	},
	{
		.name = "a stranger who is heard on the open port and answered on the enforced one",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_rfd() and SSL_set_wfd()",
		.connect = answer_on_other_port,
		.attack = speak_on_open,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "plaintext",
	},
	{
		.name = "the same, where plain text passes, over a change of the policy",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_rfd() and SSL_set_wfd()",
		.connect = answer_on_other_port,
		.attack = speak_over_change,
		.client = {.prepare = write_elsewhere_over_change},
		.versions = ONLY_1_3,
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		.name = "a stranger who is answered on the enforced port from the midst of the "
			"handshake on",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_wfd()",
		.connect = answer_elsewhere_within_handshake,
		.attack = speak_on_open_first,
		.versions = ONLY_1_3,
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "unknown-endpoint",
		.answer = "close",
		.at_the_end = true,
	},
	{
		.name = "a stranger whose hello came to the open port too, behind plain text that "
			"looks like another",
		.source = "RFC 3207; RFC 8446, 4.1.2 (random); io_uring(7)",
		.connect = take_plain_text_and_hide,
		.attack = say_hello_twice,
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "unknown-endpoint",
		.answer = "close",
		.at_the_end = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "two_connections", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
