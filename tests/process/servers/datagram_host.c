/* datagram_host PORT... - reads datagrams by itself, in the way whose name stands in the file
 * `way`, and sends back what it got.  Into the file `report` goes a line for each: the way, what
 * the call returned, errno where it failed, and 1 where the host knows what was said.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_PORTS 4

static char text[256];
static struct iovec piece = {.iov_base = text, .iov_len = sizeof(text) - 1};
static struct sockaddr_in peer;

static long by_message(int descriptor, bool many)
{
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_name = &peer, .msg_namelen = sizeof(peer)};
	struct mmsghdr one = {.msg_hdr = message};

	if (!many)
		return recvmsg(descriptor, &message, MSG_DONTWAIT);
	return recvmmsg(descriptor, &one, 1, MSG_DONTWAIT, NULL) == 1 ? (long)one.msg_len : -1;
}

/* Nobody to answer to is known then. */
static long patiently(int descriptor)
{
	const struct timeval patience = {.tv_usec = 200000};

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return recv(descriptor, text, sizeof(text) - 1, 0);
}

static long go(const char *way, int descriptor)
{
	socklen_t length = sizeof(peer);

	if (strcmp(way, "recvfrom") == 0)
		return recvfrom(descriptor, text, sizeof(text) - 1, MSG_DONTWAIT,
				(struct sockaddr *)&peer, &length);
	if (strcmp(way, "recvmsg") == 0)
		return by_message(descriptor, false);
	if (strcmp(way, "recvmmsg") == 0)
		return by_message(descriptor, true);
	if (strcmp(way, "recv") == 0)
		return recv(descriptor, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (strcmp(way, "patiently") == 0)
		return patiently(descriptor);
	if (strcmp(way, "SYS_recvfrom") == 0)
		return syscall(SYS_recvfrom, descriptor, text, sizeof(text) - 1, (long)MSG_DONTWAIT,
			       &peer, &length);
	if (strcmp(way, "copy") == 0) {
		int copy = dup(descriptor);
		long result = recv(copy, text, sizeof(text) - 1, MSG_DONTWAIT);

		close(copy);
		return result;
	}
	return 0;
}

static void serve(int descriptor)
{
	FILE *file = fopen("way", "r");
	char way[64] = "";
	long result;
	int error_number;

	if (file == NULL || fscanf(file, "%63s", way) != 1)
		exit(1);
	fclose(file);
	memset(text, 0, sizeof(text));
	memset(&peer, 0, sizeof(peer));
	errno = 0;
	if (strcmp(way, "peek") == 0) {
		char first[sizeof(text)] = "";
		socklen_t length = sizeof(peer);

		result = recvfrom(descriptor, first, sizeof(first) - 1, MSG_PEEK | MSG_DONTWAIT,
				  (struct sockaddr *)&peer, &length);
		error_number = errno;
		recv(descriptor, text, sizeof(text) - 1, MSG_DONTWAIT);
		memcpy(text, first, sizeof(text));
	} else {
		result = go(way, descriptor);
		error_number = errno;
	}
	if (peer.sin_port != 0)
		sendto(descriptor, text, strlen(text), 0, (struct sockaddr *)&peer, sizeof(peer));
	file = fopen("report", "a");
	if (file == NULL)
		exit(1);
	fprintf(file, "%s %ld %d %d %d\n", way, result, result < 0 ? error_number : 0,
		strcmp(text, "what is said") == 0, peer.sin_port != 0);
	fclose(file);
}

int main(int count, char **words)
{
	struct pollfd sockets[MOST_PORTS];
	nfds_t ports = 0;

	for (int i = 1; i < count && ports < MOST_PORTS; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					      .sin_port =
						      htons((uint16_t)strtoul(words[i], NULL, 10))};
		int descriptor = socket(AF_INET, SOCK_DGRAM, 0);

		if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0)
			return 1;
		sockets[ports++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
	}
	for (;;) {
		poll(sockets, ports, -1);
		for (nfds_t i = 0; i < ports; i++)
			if (sockets[i].revents & POLLIN)
				serve(sockets[i].fd);
	}
}
