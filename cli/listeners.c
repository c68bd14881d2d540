#include "listeners.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTENS 0x0au /* TCP_LISTEN */
#define STATE_UDP     0x07u /* TCP_CLOSE: all that UDP sockets are, unless they are connected */

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Words as the kernel has them in memory, each printed as a number. */
static bool parse_address(struct listener *listener, const char *hex, size_t words)
{
	uint8_t *address = listener->here.address;

	memset(address, 0, sizeof(listener->here.address));
	if (words == 1)
		memcpy(address, mapped_prefix, sizeof(mapped_prefix));
	listener->everywhere = true;
	for (size_t i = 0; i < words; i++) {
		unsigned number;
		uint32_t word;

		if (sscanf(hex + 8 * i, "%8X", &number) != 1)
			return false;
		word = number;
		memcpy(address + (words == 1 ? 12 : 4 * i), &word, sizeof(word));
		listener->everywhere = listener->everywhere && number == 0;
	}
	return true;
}

/* "  0: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 1234 1 ..." */
static bool parse_line(struct listener *listener, const char *line, bool datagrams)
{
	char address[64], remote[64];
	unsigned port, remote_port, state;
	unsigned long long inode;

	if (sscanf(line, " %*[^:]: %63[0-9A-F]:%X %63[0-9A-F]:%X %X %*s %*s %*s %*s %*s %llu",
		   address, &port, remote, &remote_port, &state, &inode) != 6 ||
	    port == 0 || port > UINT16_MAX)
		return false;
	if (datagrams ? state != STATE_UDP || remote_port != 0 : state != STATE_LISTENS)
		return false;
	listener->here.port = (uint16_t)port;
	listener->datagrams = datagrams;
	listener->inode = inode;
	return (strlen(address) == 8 || strlen(address) == 32) &&
	       parse_address(listener, address, strlen(address) / 8);
}

static void read_table(struct listeners *listeners, const struct process *process, const char *name,
		       bool datagrams)
{
	const int opened = openat(process->folder, name, O_RDONLY | O_CLOEXEC);
	FILE *file = opened >= 0 ? fdopen(opened, "r") : NULL;
	char *line = NULL;
	size_t size = 0;

	while (file != NULL && getline(&line, &size, file) >= 0) {
		struct listener listener, *grown;

		if (!parse_line(&listener, line, datagrams))
			continue;
		grown = realloc(listeners->list, (listeners->count + 1) * sizeof(*grown));
		if (grown == NULL)
			break;
		listeners->list = grown;
		listeners->list[listeners->count++] = listener;
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

static int compare(const void *left, const void *right)
{
	const struct listener *one = left, *other = right;

	if (one->here.port != other->here.port)
		return one->here.port < other->here.port ? -1 : 1;
	if (one->datagrams != other->datagrams)
		return one->datagrams ? 1 : -1;
	return memcmp(one->here.address, other->here.address, sizeof(one->here.address));
}

void listeners_read(struct listeners *listeners, const struct process *process)
{
	read_table(listeners, process, "net/tcp", false);
	read_table(listeners, process, "net/tcp6", false);
	read_table(listeners, process, "net/udp", true);
	read_table(listeners, process, "net/udp6", true);
	if (listeners->count > 1)
		qsort(listeners->list, listeners->count, sizeof(*listeners->list), compare);
}

void listeners_clear(struct listeners *listeners)
{
	free(listeners->list);
	*listeners = (struct listeners){.list = NULL};
}

bool process_holds(const struct process *process, const struct listener *listener)
{
	for (size_t i = 0; i < process->socket_count; i++)
		if (process->sockets[i] == listener->inode)
			return true;
	return false;
}

static bool is_ipv4(const struct listener *listener)
{
	return memcmp(listener->here.address, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

const char *listener_text(const struct listener *listener, char text[LISTENER_TEXT_BYTES])
{
	char address[INET6_ADDRSTRLEN] = "";
	const bool ipv4 = is_ipv4(listener);

	inet_ntop(ipv4 ? AF_INET : AF_INET6, listener->here.address + (ipv4 ? 12 : 0), address,
		  sizeof(address));
	snprintf(text, LISTENER_TEXT_BYTES, ipv4 ? "%s:%u" : "[%s]:%u", address,
		 listener->here.port);
	return text;
}

bool listener_is_local(const struct listener *listener)
{
	static const uint8_t loopback[16] = {[15] = 1};

	return is_ipv4(listener) ? listener->here.address[12] == 127
				 : memcmp(listener->here.address, loopback, 16) == 0;
}
