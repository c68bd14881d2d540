/* What lies between a host's sockets and its libssl: where the port of a connection cannot be found
 * out, or seems to be another, nobody gets in by the rule of the open port beside it. */
#include "attack.h"
#include "decoy.h"
#include "test.h"
#include "veil.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- BIOs of the host's own ---- */

static void hide_descriptor(SSL *ssl)
{
	veil_set(ssl, -1, VEIL_SEEN);
}

static void show_closed_descriptor(SSL *ssl)
{
	veil_set(ssl, 999, VEIL_SEEN);
}

static void show_file(SSL *ssl)
{
	veil_set(ssl, STDOUT_FILENO, VEIL_SEEN);
}

static void show_open_listener(SSL *ssl)
{
	veil_set(ssl, host_listener(SECOND), VEIL_SEEN);
}

static void serve_by_pair(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);
	BIO *inner, *outer;

	if (BIO_new_bio_pair(&inner, 0, &outer, 0) != 1)
		return;
	SSL_set_bio(ssl, inner, inner);
	host_converse(ssl, outer, outer, descriptor);
	BIO_free(outer);
}

/* Traffic Server: the hello by memory, and the socket from then on. */
static void serve_socket_after_hello(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);
	unsigned char hello[4096];
	ssize_t count = recv(descriptor, hello, sizeof(hello), 0);
	BIO *input = BIO_new(BIO_s_mem());

	if (count <= 0)
		return;
	BIO_write(input, hello, (int)count);
	BIO_set_mem_eof_return(input, -1);
	SSL_set0_rbio(ssl, input);
	if (SSL_do_handshake(ssl) == 1 || SSL_get_error(ssl, -1) != SSL_ERROR_WANT_READ)
		return;
	SSL_set_fd(ssl, descriptor);
	if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* ---- other descriptors ---- */

/* The number by which the connection came is that of the open listener when libssl looks. */
static void use_duplicate(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);
	int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 100);
	BIO *bio = BIO_new_socket(duplicate, BIO_CLOSE);

	SSL_set_bio(ssl, bio, bio);
	dup2(host_listener(SECOND), descriptor);
}

/* Carry bytes until the host ends; who no longer listens to the client may have said something
 * before. */
static void relay(int client, int from_host, int to_host)
{
	struct pollfd both[] = {{.fd = from_host, .events = POLLIN},
				{.fd = client, .events = POLLIN}};
	const int onward[] = {client, to_host};
	char bytes[4096];

	while (both[0].fd >= 0 && poll(both, 2, 10000) > 0) {
		for (int i = 0; i < 2; i++) {
			ssize_t count;

			if (both[i].revents == 0)
				continue;
			count = read(both[i].fd, bytes, sizeof(bytes));
			if (count <= 0 || write(onward[i], bytes, (size_t)count) != count)
				both[i].fd = -1;
			if (both[1].fd < 0)
				if (shutdown(to_host, SHUT_WR) != 0)
					close(to_host);
		}
	}
}

struct relay {
	int client, from_host, to_host;
};

static void *relay_run(void *argument)
{
	struct relay *relays = argument;

	relay(relays->client, relays->from_host, relays->to_host);
	shutdown(relays->client, SHUT_WR);
	close(relays->client);
	close(relays->from_host);
	if (relays->to_host != relays->from_host)
		close(relays->to_host);
	free(relays);
	return NULL;
}

static void relay_in_thread(int client, int from_host, int to_host)
{
	struct relay *relays = malloc(sizeof(*relays));
	pthread_t thread;

	/* The host closes its own. */
	*relays = (struct relay){dup(client), from_host, to_host};
	if (pthread_create(&thread, NULL, relay_run, relays) == 0)
		pthread_detach(thread);
}

static void relay_in_child(int client, int from_host, int to_host, const int *of_host)
{
	signal(SIGCHLD, SIG_IGN);
	if (fork() == 0) {
		close(of_host[0]);
		close(of_host[1]);
		relay(client, from_host, to_host);
		_exit(0);
	}
	close(from_host);
	if (to_host != from_host)
		close(to_host);
}

static void use_socketpair(SSL *ssl)
{
	int pair[2];
	BIO *bio;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return;
	relay_in_thread(SSL_get_fd(ssl), pair[0], pair[0]);
	bio = BIO_new_socket(pair[1], BIO_CLOSE);
	SSL_set_bio(ssl, bio, bio);
}

static void use_pipes(SSL *ssl)
{
	int to_host[2] = {-1, -1}, from_host[2] = {-1, -1};

	if (pipe2(to_host, O_CLOEXEC) != 0 || pipe2(from_host, O_CLOEXEC) != 0)
		return;
	relay_in_child(SSL_get_fd(ssl), from_host[0], to_host[1],
		       (int[]){to_host[0], from_host[1]});
	SSL_set_bio(ssl, BIO_new_fd(to_host[0], BIO_CLOSE), BIO_new_fd(from_host[1], BIO_CLOSE));
}

/* One process takes TCP connections, and another one, which listens on a path, speaks TLS. */
static int host_on_path(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "tls.socket"};
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int path = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(path, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(path, 8) != 0)
		return 1;
	if (fork() == 0) {
		int listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);

		host_socket(SOCK_STREAM, words[2 + SECOND]);
		close(path);
		for (;;) {
			int client = accept(listener, NULL, NULL);

			path = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			if (client >= 0 &&
			    connect(path, (struct sockaddr *)&address, sizeof(address)) == 0)
				relay(client, path, path);
			close(client);
			close(path);
		}
	}
	for (;;)
		host_serve(context, accept(path, NULL, NULL));
}

/* The process that takes TCP connections is another one, and the pairs were there before both: the
 * one that speaks TLS listens on the open port alone. */
static int host_of_pairs(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	const __SOCKADDR_ARG anybody = {NULL};
	int pairs[64][2];
	size_t count = sizeof(pairs) / sizeof(pairs[0]);
	pid_t child;

	for (size_t i = 0; i < count; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) != 0)
			return 1;
	child = fork();
	for (size_t i = 0; i < count; i++)
		close(pairs[i][child == 0]);
	if (child == 0) {
		int listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);

		for (size_t i = 0; i < count; i++) {
			/* No door sees it: the relay could be any program's. */
			int client = HOST_ORIGINAL(accept)(listener, anybody, NULL);

			relay(client, pairs[i][0], pairs[i][0]);
			close(client);
			close(pairs[i][0]);
		}
		_exit(0);
	}
	host_read_on_port(words[2 + SECOND]);
	for (size_t i = 0; i < count; i++) {
		struct pollfd waiting = {.fd = pairs[i][1], .events = POLLIN};

		poll(&waiting, 1, -1);
		host_serve(context, pairs[i][1]);
	}
	return 1;
}

/* ---- the table ---- */

/* ---- a decoy: the hello comes to the open port, too, in the body of a request ---- */

static unsigned decoy_port;

static void prepare_decoy(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	decoy_of(ssl, decoy_port, true);
}

static void come_behind_decoy(struct victim *victim, const struct client *client,
			      struct outcome *outcome)
{
	decoy_port = victim->server->ports[SECOND];
	attack_run(victim, client, outcome);
	decoy_end();
}

static const struct attack attacks[] = {
	{
		.name = "a stranger at a host that feeds libssl by memory",
		.source = "OpenSSL crypto/bio/bss_mem.c; Apache mod_ssl",
		.serve = host_serve_by_memory,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a client of the other port's CA at a host that feeds libssl by memory",
		.source = "OpenSSL crypto/bio/bss_mem.c; Apache mod_ssl",
		.serve = host_serve_by_memory,
		.client = {.certificate = "other"},
		.second = "ca = {other-ca}",
		.reason = "untrusted-issuer",
	},
	{
		.name = "a stranger at a host whose bytes no door sees",
		.source = "syscall(2)",
		.connect = veil_hide_bytes,
		.versions = ONLY_1_3,
		ANYWHERE,
	},
	{
		.name = "a client of the other port's CA at a host whose bytes no door sees",
		.source = "syscall(2)",
		.connect = veil_hide_bytes,
		.client = {.certificate = "other"},
		.second = "ca = {other-ca}",
		.reason = "unknown-endpoint",
		.answer = "close",
		.edge_is_refused = true,
	},
	{
		.name = "a stranger at a host with a BIO pair",
		.source = "OpenSSL crypto/bio/bss_bio.c",
		.serve = serve_by_pair,
		.versions = ONLY_1_3,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger at a host whose BIO knows no descriptor",
		.source = "HAProxy src/ssl_sock.c, ha_meth",
		.connect = hide_descriptor,
		.versions = ONLY_1_3,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger at a host whose BIO names a closed descriptor",
		.source = "getsockname(2), EBADF",
		.connect = show_closed_descriptor,
		.versions = ONLY_1_3,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger at a host whose BIO names a file",
		.source = "getsockname(2), ENOTSOCK",
		.connect = show_file,
		.versions = ONLY_1_3,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger at a host whose BIO names the open listener",
		.source = "OpenSSL doc/man3/BIO_s_fd, BIO_get_fd()",
		.connect = show_open_listener,
		.versions = ONLY_1_3,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger whose hello comes by memory, and the rest by the socket",
		.source = "Apache Traffic Server, SSLNetVConnection.cc",
		.serve = serve_socket_after_hello,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger on a duplicate of the descriptor, which is the open listener's "
			"now",
		.source = "dup2(2)",
		.connect = use_duplicate,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger behind a relay over a socket pair",
		.source = "unix(7)",
		.connect = use_socketpair,
		.versions = ONLY_1_3,
		BESIDE_OPEN_PORT,
	},
	{
		.name = "a stranger behind a relay of another process that listens for this one",
		.source = "socketpair(2); inetd",
		.host = host_of_pairs,
		.versions = ONLY_1_3,
		ANYWHERE,
	},
	{
		.name = "a stranger behind such a relay whose hello has come to the open port, too",
		.source = "unix(7); systemd-socket-proxyd(8)",
		.host = host_of_pairs,
		.client = {.prepare = prepare_decoy},
		.attack = come_behind_decoy,
		.second = "verify = off\n[port *]\nca = {ca}",
		.reason = "unknown-endpoint",
		.answer = "close",
		.at_the_end = true,
	},
	{
		.name = "a stranger behind another process that relays over two pipes",
		.source = "pipe(2); tcpserver, inetd",
		.connect = use_pipes,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "uncovered-tls",
		.edge_is_refused = true, /* by the relay's process, in which nobody speaks TLS */
	},
	{
		.name = "a stranger behind another process that relays to a path",
		.source = "unix(7)",
		.host = host_on_path,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "uncovered-tls",
		.edge_is_refused = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "transport", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
