/* The host of an attack: plain, blocking, one connection at a time. */
#include "attack.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 5
#define ANSWER     "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" SERVER_ANSWER

static const struct attack *hosted;
static struct pollfd listeners[SERVER_MAX_PORTS];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

void host_is_in(const char *what)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "in: %s\n", what);

	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		die("write");
}

/* The host's own certificate lies among the others. */
static const char *own_certificate;

const char *host_file(const char *name)
{
	static char path[PATH_MAX + 64];
	const char *slash = strrchr(own_certificate, '/');

	snprintf(path, sizeof(path), "%.*s/%s.pem", (int)(slash - own_certificate), own_certificate,
		 name);
	return path;
}

SSL_CTX *host_context(const SSL_METHOD *method, char **words)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL || SSL_CTX_use_certificate_chain_file(context, words[0]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[1], SSL_FILETYPE_PEM) != 1)
		die(words[0]);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"host", 4);
	return context;
}

void host_add_rsa_certificate(SSL_CTX *context)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	X509 *certificate = X509_new();
	EVP_PKEY *key = NULL;

	if (EVP_PKEY_keygen_init(maker) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 2048) != 1 || EVP_PKEY_keygen(maker, &key) != 1)
		die("RSA key");
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	if (X509_sign(certificate, key, EVP_sha256()) == 0 ||
	    SSL_CTX_use_certificate(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(context, key) != 1)
		die("RSA certificate");
	X509_free(certificate);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(maker);
}

int host_socket(int type, const char *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int on = 1;

	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    (type == SOCK_STREAM && listen(descriptor, 64) != 0))
		die(port);
	return descriptor;
}

bool host_accept(SSL *ssl)
{
	return SSL_accept(ssl) == 1;
}

bool host_read(SSL *ssl)
{
	char request[4096];
	int count = SSL_read(ssl, request, sizeof(request));

	if (count > 0)
		host_is_in("request");
	return count > 0;
}

void host_answer(SSL *ssl)
{
	SSL_write(ssl, ANSWER, (int)strlen(ANSWER));
}

/* A function that the shim has no reason to replace tells which file libssl is. */
any_function host_original(const char *name)
{
	any_function neighbour = (any_function)SSL_alert_desc_string_long, found;
	Dl_info info;
	void *place, *libssl, *symbol;

	memcpy(&place, &neighbour, sizeof(place));
	libssl = dladdr(place, &info) != 0 ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
	symbol = libssl ? dlsym(libssl, name) : NULL;
	if (symbol == NULL)
		die(name);
	memcpy(&found, &symbol, sizeof(found));
	return found;
}

static void flush(BIO *output, int descriptor)
{
	char bytes[4096];
	int count;

	while ((count = BIO_read(output, bytes, sizeof(bytes))) > 0)
		if (send(descriptor, bytes, (size_t)count, MSG_NOSIGNAL) != count)
			return;
}

/* Is the call that returned `result` to be made again, now that more has come? */
static bool wants_more(SSL *ssl, int result, BIO *input, BIO *output, int descriptor)
{
	char bytes[4096];
	ssize_t count;

	flush(output, descriptor);
	if (result > 0 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
		return false;
	count = recv(descriptor, bytes, sizeof(bytes), 0);
	return count > 0 && BIO_write(input, bytes, (int)count) == (int)count;
}

void host_converse(SSL *ssl, BIO *input, BIO *output, int descriptor)
{
	char request[4096];
	int result, count;

	do
		result = SSL_do_handshake(ssl);
	while (wants_more(ssl, result, input, output, descriptor));
	if (result != 1)
		return;
	do
		count = SSL_read(ssl, request, sizeof(request));
	while (wants_more(ssl, count, input, output, descriptor));
	if (count <= 0)
		return;
	host_is_in("request");
	host_answer(ssl);
	flush(output, descriptor);
}

void host_serve_by_memory(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);
	BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());

	BIO_set_mem_eof_return(input, -1);
	BIO_set_mem_eof_return(output, -1);
	SSL_set_bio(ssl, input, output);
	host_converse(ssl, input, output, descriptor);
}

int host_listener(size_t port)
{
	return listeners[port].fd;
}

static void *read_forever(void *argument)
{
	char bytes[4096];

	for (;;) {
		int client = accept((int)(intptr_t)argument, NULL, NULL);

		if (client >= 0)
			(void)!read(client, bytes, sizeof(bytes));
	}
	return NULL;
}

void host_read_on_port(const char *port)
{
	const intptr_t listener = host_socket(SOCK_STREAM, port);
	pthread_t thread;

	if (pthread_create(&thread, NULL, read_forever, (void *)listener) == 0)
		pthread_detach(thread);
}

void host_serve(SSL_CTX *context, int descriptor)
{
	const struct attack *attack = hosted;
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	SSL *ssl = SSL_new(context);

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_set_fd(ssl, descriptor);
	SSL_set_accept_state(ssl);
	if (attack->connect != NULL)
		attack->connect(ssl);
	if (attack->serve != NULL)
		attack->serve(ssl);
	else if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(descriptor);
}

static void serve(SSL_CTX *context, nfds_t count)
{
	while (poll(listeners, count, -1) > 0) {
		for (nfds_t i = 0; i < count; i++) {
			int descriptor = -1;

			/* Another process may have been quicker. */
			if (listeners[i].revents != 0)
				descriptor = accept(listeners[i].fd, NULL, NULL);
			if (descriptor >= 0)
				host_serve(context, descriptor);
		}
	}
}

int host_main(const struct attack *attack, char **words)
{
	nfds_t count = 0;
	SSL_CTX *context;

	own_certificate = words[0];
	hosted = attack;
	signal(SIGPIPE, SIG_IGN);
	if (attack->host != NULL)
		return attack->host(words);
	context = host_context(TLS_server_method(), words);
	if (attack->prepare != NULL)
		attack->prepare(context);
	for (; words[2 + count] != NULL; count++) {
		listeners[count].fd = host_socket(SOCK_STREAM, words[2 + count]);
		listeners[count].events = POLLIN;
		fcntl(listeners[count].fd, F_SETFL, O_NONBLOCK);
	}
	for (int i = 0; attack->prefork && i < 2; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			serve(context, count);
		}
	}
	if (!attack->prefork)
		serve(context, count);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return 0;
}
