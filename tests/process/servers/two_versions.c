/* two_versions CERTIFICATE KEY MODULE FLAG PORT PORT - a TLS server with two OpenSSLs.
 *
 * The first port is served by the libssl that this program is linked to, the second one by that of
 * MODULE.
 *
 * - local: the module is loaded as usual, when the program's own libssl is at work
 * - deep: the same, with RTLD_DEEPBIND
 * - first: the module is at work before the program's own libssl is
 */
#include "listen_at.h"
#include "service.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct service *load_module(const char *path, int flags)
{
	void *handle = dlopen(path, RTLD_NOW | flags);
	const struct service *found = handle ? dlsym(handle, "service") : NULL;

	if (found == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return found;
}

static SSL_CTX *begin(const struct service *by, char **words)
{
	SSL_CTX *context = by->context();

	if (!by->begin(context, words[1], words[2]))
		exit(1);
	return context;
}

static void serve(const struct service *by, SSL_CTX *context, int listener)
{
	SSL *ssl = by->open(context, accept(listener, NULL, NULL));

	if (by->accept(ssl) == 1)
		by->answer(ssl);
	by->close(ssl);
}

int main(int count, char **words)
{
	struct pollfd listeners[2] = {{.events = POLLIN}, {.events = POLLIN}};
	SSL_CTX *contexts[2] = {NULL, NULL};
	const struct service *module;

	if (count != 7)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(words[4], "first") != 0)
		contexts[0] = begin(&service, words);
	module = load_module(words[3], strcmp(words[4], "deep") == 0 ? RTLD_DEEPBIND : RTLD_LOCAL);
	contexts[1] = begin(module, words);
	if (contexts[0] == NULL)
		contexts[0] = begin(&service, words);
	listeners[0].fd = listen_at(words[5]);
	listeners[1].fd = listen_at(words[6]);
	while (poll(listeners, 2, -1) > 0) {
		if (listeners[0].revents != 0)
			serve(&service, contexts[0], listeners[0].fd);
		if (listeners[1].revents != 0)
			serve(module, contexts[1], listeners[1].fd);
	}
	return 1;
}
