#include "open_port.h"

#include "attack.h"
#include "early.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve_all(char **words, SSL_CTX *context)
{
	int client, listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);

	while ((client = accept(listener, NULL, NULL)) >= 0)
		host_serve(context, client);
	return 1;
}

static void run_on_port(void *(*run)(void *), const char *port)
{
	const intptr_t listener = host_socket(SOCK_STREAM, port);
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)listener) == 0)
		pthread_detach(thread);
}

int host_beside_reader(char **words)
{
	host_read_on_port(words[2 + SECOND]);
	return serve_all(words, host_context(TLS_server_method(), words));
}

static void *echo_forever(void *argument)
{
	char bytes[16384];

	for (;;) {
		int client = accept((int)(intptr_t)argument, NULL, NULL);
		ssize_t count = read(client, bytes, sizeof(bytes));

		while (count > 0 && (count = read(client, bytes, sizeof(bytes))) > 0)
			(void)!write(client, bytes, (size_t)count);
		close(client);
	}
	return NULL;
}

int host_beside_echo(char **words)
{
	run_on_port(echo_forever, words[2 + SECOND]);
	return serve_all(words, host_context(TLS_server_method(), words));
}

/* Until its time is over; meanwhile the port listens. */
static void *write_much(void *argument)
{
	static const unsigned char begin[] = {SSL3_RT_HANDSHAKE, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3};
	enum { AFTER_BYTES = 32 };
	static unsigned char much[8 << 20];

	memcpy(much + sizeof(much) - AFTER_BYTES - sizeof(begin), begin, sizeof(begin));
	(void)!write((int)(intptr_t)argument, much, sizeof(much));
	return NULL;
}

static void echo_beside_writer(int client)
{
	const struct timeval soon = {.tv_usec = 400000};
	char bytes[16384];
	pthread_t writer;
	ssize_t count;

	setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	if (read(client, bytes, sizeof(bytes)) <= 0 ||
	    pthread_create(&writer, NULL, write_much, (void *)(intptr_t)client) != 0)
		return;
	count = read(client, bytes, sizeof(bytes));
	pthread_join(writer, NULL);
	while (count > 0) {
		(void)!write(client, bytes, (size_t)count);
		count = read(client, bytes, sizeof(bytes));
	}
}

static void *echo_beside_writer_forever(void *argument)
{
	for (;;) {
		int client = accept((int)(intptr_t)argument, NULL, NULL);

		echo_beside_writer(client);
		close(client);
	}
	return NULL;
}

int host_beside_writer(char **words)
{
	run_on_port(echo_beside_writer_forever, words[2 + SECOND]);
	return serve_all(words, host_context(TLS_server_method(), words));
}

static SSL_CTX *shared;

static void serve_tls(int descriptor)
{
	SSL *ssl = SSL_new(shared);

	SSL_set_fd(ssl, descriptor);
	if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(descriptor);
}

static void *serve_either_forever(void *argument)
{
	char bytes[16384];

	for (;;) {
		int client = accept((int)(intptr_t)argument, NULL, NULL);

		if (recv(client, bytes, 1, MSG_PEEK) == 1 && bytes[0] == SSL3_RT_HANDSHAKE)
			serve_tls(client);
		else
			(void)!read(client, bytes, sizeof(bytes));
	}
	return NULL;
}

int host_beside_both(char **words)
{
	shared = host_context(TLS_server_method(), words);
	take_early_data(shared);
	run_on_port(serve_either_forever, words[2 + SECOND]);
	return serve_all(words, shared);
}
