#include "client_socket.h"

#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define DRAIN_READS 16

static uint64_t cookie_of(int descriptor)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie), type_length;
	int type = 0;

	type_length = sizeof(type);
	if (descriptor < 0 ||
	    getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 ||
	    type != SOCK_STREAM ||
	    getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
		return 0;
	return cookie;
}

struct client_socket client_socket_of(const struct openssl *openssl, BIO *bio)
{
	struct client_socket client = {.descriptor = endpoint_descriptor(openssl, bio)};

	client.cookie = cookie_of(client.descriptor);
	return client;
}

bool client_socket_is(const struct client_socket *client)
{
	return client->cookie != 0 && cookie_of(client->descriptor) == client->cookie;
}

bool client_socket_never_block(const struct client_socket *client)
{
	int flags = client_socket_is(client) ? fcntl(client->descriptor, F_GETFL) : -1;

	return flags >= 0 && (flags & O_NONBLOCK) == 0 &&
	       fcntl(client->descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

void client_socket_block_again(const struct client_socket *client)
{
	int flags = client_socket_is(client) ? fcntl(client->descriptor, F_GETFL) : -1;

	if (flags >= 0)
		(void)fcntl(client->descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

long long clock_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool client_socket_wait(const struct client_socket *client, bool to_write, long long end)
{
	struct pollfd waiting = {.fd = client->descriptor, .events = to_write ? POLLOUT : POLLIN};

	for (;;) {
		long long left = end - clock_ms();
		int ready = left > 0 ? poll(&waiting, 1, (int)left) : 0;

		if (ready >= 0 || errno != EINTR)
			return ready > 0;
	}
}

void client_socket_say_no_more(const struct client_socket *client)
{
	if (client_socket_is(client))
		shutdown(client->descriptor, SHUT_WR);
}

void client_socket_drain(const struct client_socket *client)
{
	char thrown_away[4096];

	if (!client_socket_is(client))
		return;
	for (int i = 0; i < DRAIN_READS; i++)
		if (recv(client->descriptor, thrown_away, sizeof(thrown_away), MSG_DONTWAIT) <= 0)
			return;
}

bool client_socket_is_gone(const struct client_socket *client)
{
	struct pollfd end = {.fd = client->descriptor, .events = POLLRDHUP};

	return client_socket_is(client) && poll(&end, 1, 0) == 1;
}

/* One thread's alone, in glibc and musl; pthread_sigmask() is in a library of its own until glibc
 * 2.32. */
static int change_mask(int how, const sigset_t *signals, sigset_t *before)
{
	return sigprocmask(how, signals, before); /* NOLINT(concurrency-mt-unsafe) */
}

static sigset_t broken_pipe(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	return signals;
}

struct signal_held signal_hold(void)
{
	const sigset_t signals = broken_pipe();
	struct signal_held signal_held = {.held = false};
	sigset_t pending;

	if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0)
		signal_held.held = change_mask(SIG_BLOCK, &signals, &signal_held.before) == 0;
	return signal_held;
}

void signal_let_go(const struct signal_held *signal_held)
{
	const struct timespec at_once = {0};
	const sigset_t signals = broken_pipe();

	if (!signal_held->held)
		return;
	while (sigtimedwait(&signals, NULL, &at_once) < 0 && errno == EINTR)
		;
	change_mask(SIG_SETMASK, &signal_held->before, NULL);
}
