#include "service.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER "the answer of the server itself, and nothing else"

SSL_CTX *service_context(void)
{
	return SSL_CTX_new(TLS_server_method());
}

int service_accept(SSL *ssl)
{
	return SSL_accept(ssl);
}

int service_begin(SSL_CTX *context, const char *certificate, const char *key)
{
	return context != NULL && SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
	       SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
}

SSL *service_open(SSL_CTX *context, int descriptor)
{
	const struct timeval patience = {.tv_sec = 5};
	SSL *ssl = SSL_new(context);

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_set_fd(ssl, descriptor);
	return ssl;
}

void service_answer(SSL *ssl)
{
	char request[4096];
	char answer[512];
	int length = SSL_read(ssl, request, sizeof(request) - 1);

	if (length <= 0)
		return;
	request[length] = '\0';
	length = snprintf(
		answer, sizeof(answer), "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n%s\n",
		strncmp(request, "GET /version", 12) == 0 ? OpenSSL_version(OPENSSL_VERSION)
							  : ANSWER);
	SSL_write(ssl, answer, length);
}

void service_close(SSL *ssl)
{
	int descriptor;

	SSL_shutdown(ssl);
	descriptor = SSL_get_fd(ssl); /* as hosts do that keep it nowhere else */
	SSL_free(ssl);
	close(descriptor);
}

const struct service service = {
	.context = service_context,
	.begin = service_begin,
	.open = service_open,
	.accept = service_accept,
	.answer = service_answer,
	.close = service_close,
};
