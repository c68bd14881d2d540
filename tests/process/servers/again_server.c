/* again_server CERTIFICATE KEY PORT PORT - a TLS server of 1.2 that uses one SSL for every
 * connection, and answers with what it finds set on it.
 */
#include "listen_at.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PORTS 2

static void answer(SSL *ssl)
{
	char text[256];
	int length = snprintf(text, sizeof(text),
			      "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n"
			      "options=%#llx tickets=%zu list=%ld verify=%d\n",
			      (unsigned long long)SSL_get_options(ssl), SSL_get_num_tickets(ssl),
			      (long)SSL_get_max_cert_list(ssl), SSL_get_verify_mode(ssl));

	SSL_write(ssl, text, length);
}

static void serve_client(SSL *ssl, int descriptor)
{
	const struct timeval patience = {.tv_sec = 5};
	char request[4096];

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_clear(ssl);
	SSL_set_fd(ssl, descriptor);
	SSL_set_accept_state(ssl);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0)
		answer(ssl);
	SSL_shutdown(ssl);
	close(descriptor);
}

int main(int count, char **words)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	struct pollfd listeners[PORTS];
	SSL *ssl;

	signal(SIGPIPE, SIG_IGN);
	if (count != 3 + PORTS || context == NULL ||
	    SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1)
		return 1;
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	ssl = SSL_new(context);
	SSL_set_num_tickets(ssl, 7);
	SSL_set_max_cert_list(ssl, 70000);
	for (int i = 0; i < PORTS; i++)
		listeners[i] = (struct pollfd){.fd = listen_at(words[3 + i]), .events = POLLIN};
	while (poll(listeners, PORTS, -1) > 0)
		for (int i = 0; i < PORTS; i++)
			if (listeners[i].revents != 0)
				serve_client(ssl, accept(listeners[i].fd, NULL, NULL));
	return 1;
}
