#include "inside.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MASK       0x55
#define SILENCE_MS 700

struct ends {
	int wire, inner;
	unsigned char mask;
	int patience_ms; /* -1: for ever */
};

/* False: there is no more to come, or nobody to take it. */
static bool carry(int from, int to, unsigned char mask)
{
	unsigned char bytes[4096];
	ssize_t count = read(from, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < count; i++)
		bytes[i] ^= mask;
	return count > 0 && send(to, bytes, (size_t)count, MSG_NOSIGNAL) == count;
}

static void *carry_both_ways(void *argument)
{
	struct ends *ends = argument;
	struct pollfd both[] = {{.fd = ends->wire, .events = POLLIN},
				{.fd = ends->inner, .events = POLLIN}};
	bool goes_on = true;

	while (goes_on && poll(both, 2, ends->patience_ms) > 0)
		for (int i = 0; goes_on && i < 2; i++)
			if (both[i].revents != 0)
				goes_on = carry(both[i].fd, both[1 - i].fd, ends->mask);
	close(ends->wire);
	close(ends->inner);
	free(ends);
	return NULL;
}

static int begin(struct ends way)
{
	struct ends *ends = malloc(sizeof(*ends));
	pthread_t thread;
	int pair[2];

	if (ends == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		free(ends);
		return -1;
	}
	*ends = way;
	ends->inner = pair[0];
	if (pthread_create(&thread, NULL, carry_both_ways, ends) != 0) {
		close(pair[0]);
		close(pair[1]);
		free(ends);
		return -1;
	}
	pthread_detach(thread);
	return pair[1];
}

int inside_mask(int descriptor)
{
	return begin((struct ends){.wire = descriptor, .mask = MASK, .patience_ms = -1});
}

int inside_datagrams(int descriptor)
{
	return begin((struct ends){.wire = descriptor, .patience_ms = SILENCE_MS});
}
