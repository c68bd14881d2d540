/* Connections of several ports by one SSL, in several threads, and in several processes: which is
 * whose? */
#include "attack.h"
#include "scratch.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one SSL after another connection, other threads, other processes ---- */

static SSL *used_again;

/* One SSL for all connections, cleared in between. */
static void use_again(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);

	if (used_again == NULL) {
		used_again = SSL_new(SSL_get_SSL_CTX(ssl));
		SSL_set_accept_state(used_again);
	}
	SSL_set_fd(used_again, descriptor);
	if (host_accept(used_again) && host_read(used_again))
		host_answer(used_again);
	SSL_shutdown(used_again);
	SSL_clear(used_again);
}

static void visit_open_port_first(struct victim *victim, const struct client *client,
				  struct outcome *outcome)
{
	struct client visitor = *client;

	visitor.port = victim->server->ports[SECOND];
	SSL_SESSION_free(attack_session(victim, &visitor));
	attack_run(victim, client, outcome);
}

static SSL_CTX *shared_context;
static unsigned enforced_port;

/* Says nothing of what comes by the open port. */
static void serve_and_tell_ports_apart(SSL *ssl)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);
	char request[64];

	if (!host_accept(ssl) || SSL_read(ssl, request, sizeof(request)) <= 0)
		return;
	if (getsockname(SSL_get_fd(ssl), (struct sockaddr *)&address, &length) != 0 ||
	    ntohs(address.sin_port) == enforced_port)
		host_is_in("request");
	host_answer(ssl);
}

static void *serve_listener(void *argument)
{
	const int *listener = argument;

	for (;;)
		host_serve(shared_context, accept(*listener, NULL, NULL));
	return NULL;
}

/* A thread for each port. */
static int host_of_threads(char **words)
{
	int listeners[] = {host_socket(SOCK_STREAM, words[2 + ENFORCED]),
			   host_socket(SOCK_STREAM, words[2 + SECOND])};
	pthread_t thread;

	shared_context = host_context(TLS_server_method(), words);
	enforced_port = (unsigned)strtoul(words[2 + ENFORCED], NULL, 10);
	if (pthread_create(&thread, NULL, serve_listener, &listeners[SECOND]) != 0)
		return 1;
	serve_listener(&listeners[ENFORCED]);
	return 0;
}

/* What runs beside the attack; it says nothing. */
static void *visit_open_port(void *argument)
{
	const struct client *client = argument;

	for (int i = 0; i < 20; i++) {
		struct outcome outcome;

		client_run(client, &outcome);
		outcome_clear(&outcome);
	}
	return NULL;
}

static void attack_in_a_crowd(struct victim *victim, const struct client *client,
			      struct outcome *outcome)
{
	struct client other = *client;
	pthread_t crowd;

	SSL_SESSION_free(
		attack_session(victim, &(struct client){.port = victim->server->ports[SECOND],
							.version = client->version}));
	other.port = victim->server->ports[SECOND];
	other.request = "GET / HTTP/1.0\r\n\r\n";
	if (pthread_create(&crowd, NULL, visit_open_port, &other) != 0)
		fail_msg("no thread");
	attack_run(victim, client, outcome);
	pthread_join(crowd, NULL);
}

static void go_on_in_child(SSL *ssl, bool after_hello)
{
	int descriptor = SSL_get_fd(ssl);
	pid_t child;

	if (after_hello) {
		char byte;

		/* The hello is there, and nothing else: one call answers it. */
		if (recv(descriptor, &byte, 1, MSG_PEEK) != 1)
			return;
		fcntl(descriptor, F_SETFL, O_NONBLOCK);
		if (SSL_accept(ssl) != 1 && SSL_get_error(ssl, -1) != SSL_ERROR_WANT_READ)
			return;
		fcntl(descriptor, F_SETFL, 0);
	}
	child = fork();
	if (child == 0) {
		if (host_accept(ssl) && host_read(ssl))
			host_answer(ssl);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void fork_before_handshake(SSL *ssl)
{
	go_on_in_child(ssl, false);
}

static void fork_within_handshake(SSL *ssl)
{
	go_on_in_child(ssl, true);
}

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "a stranger on an SSL that served the open port before",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_clear()",
		.serve = use_again,
		.attack = visit_open_port_first,
#if OPENSSL_VERSION_NUMBER < 0x30000000L
		.versions = ONLY_1_2, /* a cleared SSL of 1.1.1 does not speak TLS 1.3 again */
#endif
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger in a crowd on the open port",
		.source = "OpenSSL doc/man7/openssl-threads",
		.host = host_of_threads,
		.serve = serve_and_tell_ports_apart,
		.attack = attack_in_a_crowd,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose handshake is a child's",
		.source = "fork(2)",
		.serve = fork_before_handshake,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose handshake began in the parent",
		.source = "fork(2)",
		.serve = fork_within_handshake,
		.second = "verify = off",
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "workers", attacks, sizeof(attacks) / sizeof(attacks[0]));
}
