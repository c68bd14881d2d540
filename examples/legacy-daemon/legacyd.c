/* legacyd.c - a daemon as many were written: TLS, a process for each client, lines in and lines out,
 * and not a word of client certificates.  Nothing here knows of libcfshim.
 *
 *   legacyd PORT CERTIFICATE KEY
 *
 * It listens on 127.0.0.1 and answers: STOCK ITEM, QUIT.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static int listen_on(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int descriptor = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(descriptor, 64) != 0) {
		perror("legacyd");
		exit(1);
	}
	return descriptor;
}

static void answer_lines(SSL *ssl)
{
	char line[256], answer[320];
	int length;

	while ((length = SSL_read(ssl, line, sizeof(line) - 1)) > 0) {
		line[length] = '\0';
		line[strcspn(line, "\r\n")] = '\0';
		if (strcmp(line, "QUIT") == 0)
			return;
		if (strncmp(line, "STOCK ", 6) == 0)
			snprintf(answer, sizeof(answer), "%s: 42 in stock\n", line + 6);
		else
			snprintf(answer, sizeof(answer), "what is %s?\n", line);
		SSL_write(ssl, answer, (int)strlen(answer));
	}
}

static void serve(SSL_CTX *context, int client)
{
	SSL *ssl = SSL_new(context);

	SSL_set_fd(ssl, client);
	if (SSL_accept(ssl) == 1)
		answer_lines(ssl);
	else
		ERR_print_errors_fp(stderr);
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

int main(int count, char **arguments)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int listener, client;

	if (count != 4) {
		fputs("usage: legacyd PORT CERTIFICATE KEY\n", stderr);
		return 2;
	}
	if (SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, arguments[3], SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	listener = listen_on(arguments[1]);
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			close(listener);
			serve(context, client);
			_exit(0);
		}
		close(client);
	}
	return 0;
}
