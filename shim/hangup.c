#include "hangup.h"

#include "libc.h"

#include <sys/socket.h>

/* At most this much of what the client sent meanwhile is thrown away. */
#define DRAIN_READS 16

/* What the client sent after its last flight would turn the host's close() into a reset, which
 * overtakes what we said. */
static void drain(int descriptor)
{
	char thrown_away[4096];

	for (int i = 0; i < DRAIN_READS; i++)
		if (libc_originals()->recv(descriptor, thrown_away, sizeof(thrown_away),
					   MSG_DONTWAIT) <= 0)
			return;
}

/* connect() to nowhere dissolves the association: TCP sends its RST now, whoever else holds the
 * descriptor. */
static void reset(int descriptor)
{
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)connect(descriptor, &nowhere, sizeof(nowhere));
}

void hangup(int descriptor, enum answer answer, bool at_once)
{
	int type = 0;
	socklen_t length = sizeof(type);

	if (descriptor < 0 || getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
	    type != SOCK_STREAM)
		return;
	if (answer == ANSWER_CLOSE_RESET) {
		reset(descriptor);
		return;
	}
	if (at_once || answer == ANSWER_CLOSE)
		shutdown(descriptor, SHUT_WR);
	drain(descriptor);
}
