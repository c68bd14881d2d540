#include "ring.h"

#include "endpoint.h"
#include "journal.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Beyond them nobody looks: a host makes its ring before it has that many connections. */
#define DESCRIPTORS_LOOKED_AT 1024

static _Atomic bool is_made, is_told;

void ring_was_made(void)
{
	atomic_store(&is_made, true);
	endpoint_received_sockets();
}

static bool is_ring(int descriptor)
{
	static const char ring[] = "anon_inode:[io_uring]";
	char path[32], target[sizeof(ring)];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	length = readlink(path, target, sizeof(target));
	return length == (ssize_t)sizeof(ring) - 1 && memcmp(target, ring, sizeof(ring) - 1) == 0;
}

static bool has_ring(void)
{
	struct pollfd open_ones[DESCRIPTORS_LOOKED_AT];
	struct rlimit limit;
	nfds_t count = DESCRIPTORS_LOOKED_AT;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count)
		count = (nfds_t)limit.rlim_cur;
	for (nfds_t i = 0; i < count; i++)
		open_ones[i] = (struct pollfd){.fd = (int)i};
	if (poll(open_ones, count, 0) < 0)
		return false;
	for (nfds_t i = 0; i < count; i++)
		if ((open_ones[i].revents & POLLNVAL) == 0 && is_ring((int)i))
			return true;
	return false;
}

static bool is_due(void)
{
	static _Atomic time_t last;
	time_t before = atomic_load(&last);
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec + 1 != before &&
	       atomic_compare_exchange_strong(&last, &before, now.tv_sec + 1);
}

void ring_look(void)
{
	if (atomic_load(&is_told))
		return;
	if (!atomic_load(&is_made) && is_due() && has_ring())
		ring_was_made();
	if (atomic_load(&is_made) && !atomic_exchange(&is_told, true))
		journal_uncovered("io_uring", "its bytes pass unseen");
}
