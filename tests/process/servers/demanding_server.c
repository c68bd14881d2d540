/* demanding_server CERTIFICATE KEY CA WAY PORT [PORT] - a TLS server with client certificates of
 * its own: it demands them of CA, or seems to, and answers with all that it knows of the client's.
 *
 * WAY is how it comes to its verdict, which is the first word of the answer:
 * - handshake: libssl's: certificates are demanded
 * - asked: as well, but none is one
 * - callback: a verify callback decides, and counts
 * - result: a verify callback takes all, and the verify result is looked at afterwards
 * - store: the certificate-verify callback takes a store of its own
 * - certificate: a verify callback takes all and clears the error; the certificate and its chain
 * are verified afterwards
 * - name: the demand comes in the server-name callback
 * - context: that callback changes to a context that demands
 * - afterwards: within TLS 1.3, after the handshake
 * - nothing: none is demanded, and one that is found would do
 * - default: the same, and the verify result would do
 */
#include "listen_at.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HTTP_HEAD  "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n"
#define DEMANDED   (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
#define PATIENCE_S 5
#define MAX_PORTS  2

static const char *way, *authority;
static X509_STORE *own_store;
static SSL_CTX *demanding_context;
static char seen[512]; /* by the callbacks, of the connection at hand */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static bool is_way(const char *name)
{
	return strcmp(way, name) == 0;
}

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
							 const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

/* ---- callbacks ---- */

static void note_step(X509_STORE_CTX *store, int is_good)
{
	append(seen, sizeof(seen), " %d:%d:%d", X509_STORE_CTX_get_error_depth(store),
	       X509_STORE_CTX_get_error(store), is_good);
}

static int decide(int is_good, X509_STORE_CTX *store)
{
	note_step(store, is_good);
	return is_good;
}

static int take(int is_good, X509_STORE_CTX *store)
{
	note_step(store, is_good);
	return 1;
}

static int take_and_clear(int is_good, X509_STORE_CTX *store)
{
	note_step(store, is_good);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* Is it one of the own CA's? */
static bool is_trusted(X509 *certificate, STACK_OF(X509) * chain)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool good = X509_STORE_CTX_init(context, own_store, certificate, chain) == 1 &&
		    X509_verify_cert(context) == 1;

	X509_STORE_CTX_free(context);
	return good;
}

static int verify_by_store(X509_STORE_CTX *store, void *argument)
{
	bool good =
		is_trusted(X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_untrusted(store));

	(void)argument;
	append(seen, sizeof(seen), " store:%d", good);
	X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
	return good;
}

static int at_server_name(SSL *ssl, int *alert, void *argument)
{
	(void)alert;
	(void)argument;
	if (is_way("context"))
		SSL_set_SSL_CTX(ssl, demanding_context);
	SSL_set_verify(ssl, DEMANDED, decide);
	return SSL_TLSEXT_ERR_OK;
}

/* ---- settings ---- */

static SSL_CTX *make_context(char **words)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL || SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(context, authority, NULL) != 1)
		die(words[1]);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"demanding", 9);
	return context;
}

static void set_demand(SSL_CTX *context)
{
	if (is_way("handshake") || is_way("store"))
		SSL_CTX_set_verify(context, DEMANDED, NULL);
	else if (is_way("asked"))
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	else if (is_way("callback"))
		SSL_CTX_set_verify(context, DEMANDED, decide);
	else if (is_way("result"))
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take);
	else if (is_way("certificate"))
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_and_clear);
	if (is_way("store"))
		SSL_CTX_set_cert_verify_callback(context, verify_by_store, NULL);
	if (is_way("name") || is_way("context"))
		SSL_CTX_set_tlsext_servername_callback(context, at_server_name);
}

/* ---- the answer ---- */

static int count_of(STACK_OF(X509) * chain)
{
	return chain ? sk_X509_num(chain) : -1;
}

static void append_subject(char *text, size_t size, X509 *certificate)
{
	char subject[256] = "-";

	if (certificate != NULL)
		X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
	append(text, size, " certificate=%s", subject);
}

static void describe(SSL *ssl, char *text, size_t size)
{
	X509 *certificate = SSL_get_peer_certificate(ssl);

	append(text, size, "mode=%d depth=%d result=%ld", SSL_get_verify_mode(ssl),
	       SSL_get_verify_depth(ssl), SSL_get_verify_result(ssl));
	append_subject(text, size, certificate);
	append(text, size, " chain=%d verified=%d seen=%s\n",
	       count_of(SSL_get_peer_cert_chain(ssl)), count_of(SSL_get0_verified_chain(ssl)),
	       seen);
	X509_free(certificate);
}

static bool has_logged_in(SSL *ssl)
{
	X509 *certificate = SSL_get_peer_certificate(ssl);
	bool good = certificate != NULL;

	if (is_way("certificate"))
		good = good && is_trusted(certificate, SSL_get_peer_cert_chain(ssl));
	else if (is_way("nothing"))
		good = good || SSL_get_peer_cert_chain(ssl) != NULL;
	else
		good = good && SSL_get_verify_result(ssl) == X509_V_OK;
	X509_free(certificate);
	return good;
}

/* As Apache does, for a folder, when it has read the request. */
static bool ask_afterwards(SSL *ssl)
{
	char byte;

	SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE, take);
	if (SSL_verify_client_post_handshake(ssl) != 1 || SSL_do_handshake(ssl) != 1)
		return false;
	/* Returns when the client's certificate has been looked at, and says that nothing came. */
	SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	return SSL_peek(ssl, &byte, 1) < 0 && SSL_want_read(ssl);
}

static void converse(SSL *ssl)
{
	char request[4096], text[2048] = HTTP_HEAD;

	if (SSL_accept(ssl) != 1 || SSL_read(ssl, request, sizeof(request)) <= 0 ||
	    (is_way("afterwards") && !ask_afterwards(ssl)))
		return;
	append(text, sizeof(text), "%s ", has_logged_in(ssl) ? "in" : "out");
	describe(ssl, text, sizeof(text));
	SSL_write(ssl, text, (int)strlen(text));
	SSL_shutdown(ssl);
}

static void serve_client(SSL_CTX *context, int descriptor)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	SSL *ssl = SSL_new(context);

	seen[0] = '\0';
	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_set_fd(ssl, descriptor);
	converse(ssl);
	SSL_free(ssl);
	close(descriptor);
}

int main(int count, char **words)
{
	struct pollfd listeners[MAX_PORTS];
	nfds_t listener_count = 0;
	SSL_CTX *context;

	if (count < 6)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	authority = words[3];
	way = words[4];
	own_store = X509_STORE_new();
	if (X509_STORE_load_locations(own_store, authority, NULL) != 1)
		die(authority);
	context = make_context(words);
	demanding_context = make_context(words);
	set_demand(context);
	for (; words[5 + listener_count] != NULL && listener_count < MAX_PORTS; listener_count++) {
		listeners[listener_count].fd = listen_at(words[5 + listener_count]);
		listeners[listener_count].events = POLLIN;
	}
	while (poll(listeners, listener_count, -1) > 0)
		for (nfds_t i = 0; i < listener_count; i++)
			if (listeners[i].revents != 0)
				serve_client(context, accept(listeners[i].fd, NULL, NULL));
	return 0;
}
