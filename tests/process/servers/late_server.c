/* late_server CERTIFICATE KEY local|deep|apart|again PORT [LIBRARY ...] - a TLS server that loads
 * libssl when it is running.
 *
 * It is linked to no OpenSSL: each function is looked up in the library itself.  deep: the library
 * is loaded with RTLD_DEEPBIND, and so calls its own functions before anybody else's.  apart: in a
 * namespace of its own.  again: after the first client it is unloaded, and loaded again.  LIBRARY:
 * what is loaded, the last is libssl; without any, the system's.
 */
#include "listen_at.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_LIBRARIES 2
#define ANSWER                                         \
	"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" \
	"the answer of the server itself, and nothing else\n"

#define FUNCTIONS(use)                                                                           \
	use(SSL_CTX_new) use(TLS_server_method) use(SSL_CTX_use_certificate_chain_file)          \
		use(SSL_CTX_use_PrivateKey_file) use(SSL_new) use(SSL_set_fd)                    \
			use(SSL_set_accept_state) use(SSL_read) use(SSL_write) use(SSL_shutdown) \
				use(SSL_free) use(SSL_CTX_free) use(OPENSSL_init_crypto)

static struct {
#define MEMBER(name) __typeof__(&name) name;
	FUNCTIONS(MEMBER)
} ssl_library;

static void *loaded[MAX_LIBRARIES]; /* the last is libssl */

static void *load(const char *name, const char *mode, Lmid_t *namespace)
{
	int flags = RTLD_NOW | (strcmp(mode, "deep") == 0 ? RTLD_DEEPBIND : RTLD_LOCAL);
	void *library;

	if (strcmp(mode, "apart") != 0)
		return dlopen(name, flags);
	library = dlmopen(*namespace, name, flags);
	if (library != NULL)
		dlinfo(library, RTLD_DI_LMID, namespace);
	return library;
}

static void load_libraries(const char *mode, char **names)
{
	Lmid_t namespace = LM_ID_NEWLM;
	void *library = NULL, *found;

	for (size_t i = 0; i < MAX_LIBRARIES && names[i] != NULL; i++)
		library = loaded[i] = load(names[i], mode, &namespace);
	if (names[0] == NULL)
		library = load("libssl.so.3", mode, &namespace);
	if (names[0] == NULL && library == NULL)
		library = load("libssl.so.1.1", mode, &namespace);
	if (library == NULL)
		exit(1);
#define LOOK_UP(name)                  \
	found = dlsym(library, #name); \
	memcpy(&ssl_library.name, &found, sizeof(found));
	FUNCTIONS(LOOK_UP)
	/* What it would call at its end is no longer there. */
	if (strcmp(mode, "again") == 0)
		ssl_library.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* True where libssl has gone. */
static bool unload_libraries(const char *path)
{
	for (size_t i = MAX_LIBRARIES; i-- > 0;)
		if (loaded[i] != NULL)
			dlclose(loaded[i]);
	return dlopen(path, RTLD_LAZY | RTLD_NOLOAD) == NULL;
}

/* Neither SSL_accept() nor SSL_do_handshake(): the read is what drives the handshake. */
static void serve_client(SSL_CTX *context, int descriptor)
{
	const struct timeval patience = {.tv_sec = 5};
	SSL *ssl = ssl_library.SSL_new(context);
	char request[4096];

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ssl_library.SSL_set_fd(ssl, descriptor);
	ssl_library.SSL_set_accept_state(ssl);
	if (ssl_library.SSL_read(ssl, request, sizeof(request)) > 0)
		ssl_library.SSL_write(ssl, ANSWER, (int)strlen(ANSWER));
	ssl_library.SSL_shutdown(ssl);
	ssl_library.SSL_free(ssl);
	close(descriptor);
}

static SSL_CTX *make_context(char **words)
{
	SSL_CTX *context = ssl_library.SSL_CTX_new(ssl_library.TLS_server_method());

	if (context == NULL ||
	    ssl_library.SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
	    ssl_library.SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1)
		exit(1);
	return context;
}

int main(int count, char **words)
{
	SSL_CTX *context;
	int listener;

	if (count < 5)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	load_libraries(words[3], words + 5);
	context = make_context(words);
	listener = listen_at(words[4]);
	if (strcmp(words[3], "again") == 0) {
		serve_client(context, accept(listener, NULL, NULL));
		ssl_library.SSL_CTX_free(context);
		printf("%s\n", unload_libraries(words[count - 1]) ? "unloaded" : "still there");
		fflush(stdout);
		load_libraries(words[3], words + 5);
		context = make_context(words);
	}
	for (;;)
		serve_client(context, accept(listener, NULL, NULL));
}
