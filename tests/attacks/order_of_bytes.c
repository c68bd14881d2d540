/* Hosts that do not wait for SSL_accept() to say "1": whichever call drives the handshake, and
 * whatever comes in one piece with its end. */
#include "attack.h"
#include "raw_client.h"
#include "test.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER

/* ---- the call that drives the handshake ---- */

static void read_and_answer(SSL *ssl)
{
	if (host_read(ssl))
		host_answer(ssl);
}

/* The request that is read last was sent before the answer came. */
static void answer_and_read(SSL *ssl)
{
	host_answer(ssl);
	host_read(ssl);
}

static void peek_read_and_answer(SSL *ssl)
{
	char first;

	if (SSL_peek(ssl, &first, 1) <= 0)
		return;
	host_is_in("first byte");
	read_and_answer(ssl);
}

static void write_ex(SSL *ssl)
{
	size_t written;

	SSL_write_ex(ssl, ANSWER, strlen(ANSWER), &written);
	host_read(ssl);
}

#if OPENSSL_VERSION_NUMBER >= 0x30300000L
static void write_ex2(SSL *ssl)
{
	size_t written;

	SSL_write_ex2(ssl, ANSWER, strlen(ANSWER), 0, &written);
	host_read(ssl);
}
#endif

/* ---- between two records ---- */

static int write_past_libssl(SSL *ssl, void *argument)
{
	(void)argument;
	(void)send(SSL_get_fd(ssl), ANSWER, strlen(ANSWER), MSG_NOSIGNAL);
	return 1;
}

static void answer_past_libssl(SSL *ssl)
{
	SSL_set_cert_cb(ssl, write_past_libssl, NULL);
}

/* ---- the kernel writes ---- */

#if OPENSSL_VERSION_NUMBER >= 0x30000000L && !defined(OPENSSL_NO_KTLS)
static const char *lacks_kernel_tls(void)
{
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has_it = setsockopt(descriptor, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 ||
		      errno != ENOENT;

	close(descriptor);
	return has_it ? NULL : "the kernel has no TLS (modprobe tls)";
}

static void let_kernel_write(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_ENABLE_KTLS);
}

/* Whatever SSL_accept() says. */
static void send_file(SSL *ssl)
{
	int file = memfd_create("answer", MFD_CLOEXEC);

	if (write(file, ANSWER, strlen(ANSWER)) != (ssize_t)strlen(ANSWER))
		return;
	host_accept(ssl);
	SSL_sendfile(ssl, file, 0, strlen(ANSWER), 0);
	close(file);
	host_read(ssl);
}
#endif

/* ---- hosts that know BIOs only ---- */

static BIO *accept_bio(SSL_CTX *context, const char *port)
{
	BIO *tls = BIO_new_ssl(context, 0), *listener;
	char address[32];

	snprintf(address, sizeof(address), "127.0.0.1:%s", port);
	listener = BIO_new_accept(address);
	BIO_set_bind_mode(listener, BIO_BIND_REUSEADDR);
	BIO_set_accept_bios(listener, tls);
	return listener;
}

static void serve_by_bio(BIO *bio, bool handshake_first)
{
	char request[1024];

	if (handshake_first && BIO_do_handshake(bio) != 1)
		return;
	if (BIO_read(bio, request, sizeof(request)) <= 0)
		return;
	host_is_in("request");
	BIO_puts(bio, ANSWER);
}

static int run_bios(char **words, bool handshake_first)
{
	BIO *listener = accept_bio(host_context(TLS_server_method(), words), words[2]);

	/* The first call binds, each further one accepts. */
	while (BIO_do_accept(listener) == 1) {
		BIO *client = BIO_pop(listener);

		if (client == NULL)
			continue;
		serve_by_bio(client, handshake_first);
		BIO_ssl_shutdown(client);
		BIO_free_all(client);
	}
	return 1;
}

static int host_of_bios(char **words)
{
	return run_bios(words, true);
}

static int host_of_bios_that_reads(char **words)
{
	return run_bios(words, false);
}

/* ---- the attacker ---- */

/* Behind its Finished, in one segment. */
static bool update_key(SSL *ssl)
{
	return SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1;
}

/* Says hello and no more, and finds an answer in what comes. */
static void look_for_plain_text(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	unsigned char hello[8192];
	size_t length = raw_hello(client->version, hello, sizeof(hello)), taken = 0;
	int descriptor;
	ssize_t count;
	char came[8192 + 1], *answer;

	victim_watch(victim);
	descriptor = raw_connect(NULL, victim->server->ports[ENFORCED]);
	memset(outcome, 0, sizeof(*outcome));
	outcome->connected = true;
	(void)send(descriptor, hello, length, MSG_NOSIGNAL);
	shutdown(descriptor, SHUT_WR);
	while ((count = recv(descriptor, came + taken, sizeof(came) - 1 - taken, 0)) > 0)
		taken += (size_t)count;
	outcome->ending = count == 0 ? END_EOF : END_RESET;
	came[taken] = '\0';
	answer = strstr(came, ANSWER); /* before any byte of TLS, which has NULs */
	if (answer != NULL) {
		outcome->application_bytes = strlen(answer);
		memcpy(outcome->application, ANSWER, sizeof(ANSWER));
	}
	close(descriptor);
}

static const struct attack attacks[] = {
	{
		.name = "a stranger to whom the host writes past libssl, within the handshake",
		.source = "RFC 8446, 5.1; write(2)",
		.connect = answer_past_libssl,
		.attack = look_for_plain_text,
		.reason = "plaintext",
		.alert = NO_ALERT,
		.edge_is_refused = true,
	},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L && !defined(OPENSSL_NO_KTLS)
	{
		.name = "a stranger for whom the kernel writes a file",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_sendfile()",
		.prepare = let_kernel_write,
		.serve = send_file,
		.lacking = lacks_kernel_tls,
		.reason = "no-certificate",
	},
#endif
	{
		.name = "a client of a host that talks first",
		.source = "OpenSSL ssl/record/rec_layer_s3.c, ssl3_write_bytes()",
		.serve = answer_and_read,
		.reason = "no-certificate",
	},
	{
		.name = "a client of a host that talks first, by SSL_write_ex()",
		.source = "SSL_write_ex(3)",
		.serve = write_ex,
		.reason = "no-certificate",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
	{
		.name = "a client of a host that talks first, by SSL_write_ex2()",
		.source = "SSL_write_ex2(3)",
		.serve = write_ex2,
		.reason = "no-certificate",
	},
#endif
	{
		.name = "a client of a host that only reads",
		.source = "SSL_read(3)",
		.serve = read_and_answer,
		.reason = "no-certificate",
	},
	{
		.name = "a client of a host that peeks",
		.source = "SSL_peek(3)",
		.serve = peek_read_and_answer,
		.reason = "no-certificate",
	},
	{
		.name = "a client of a host that knows BIOs only",
		.source = "BIO_f_ssl(3); OpenSSL ssl/bio_ssl.c, ssl_ctrl()",
		.host = host_of_bios,
		.reason = "no-certificate",
	},
	{
		.name = "a client of a host that knows BIOs only, and begins by reading",
		.source = "OpenSSL ssl/bio_ssl.c, ssl_read()",
		.host = host_of_bios_that_reads,
		.reason = "no-certificate",
	},
	{
		.name = "a KeyUpdate in one segment with Finished",
		.source = "RFC 8446, 4.6.3",
		.client = {.trick = update_key},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.edge_alike = true,
	},
	{
		.name = "a request with a FIN behind it",
		.source = "shutdown(2)",
		.client = {.half_close = true},
		.reason = "no-certificate",
		.edge_alike = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "order_of_bytes", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
