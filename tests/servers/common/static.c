/* An HTTPS server of a few lines, to be linked to a static OpenSSL: static CERTIFICATE KEY PORT...
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void serve(SSL_CTX *context, int listener)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\nhello from a static OpenSSL\n";
	char request[4096];

	for (;;) {
		int descriptor = accept(listener, NULL, NULL);
		SSL *ssl = SSL_new(context);

		SSL_set_fd(ssl, descriptor);
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
			SSL_write(ssl, answer, (int)strlen(answer));
			SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(descriptor);
	}
}

int main(int count, char **words)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	signal(SIGPIPE, SIG_IGN);
	if (count < 4 || SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1)
		return 1;
	for (int i = 3; i < count; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_port = htons((unsigned short)atoi(words[i])),
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int listener = socket(AF_INET, SOCK_STREAM, 0);
		int on = 1;

		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		    listen(listener, 16) != 0)
			return 1;
		if (i == count - 1 || fork() == 0)
			serve(context, listener);
	}
}
