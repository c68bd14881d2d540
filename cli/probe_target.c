#include "probe_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESS_FORMS "HOST:PORT, 192.0.2.1:443 or [2001:db8::1]:443"

/* The host's part of "HOST:PORT" or "[HOST]:PORT"; NULL where it is neither, else the port. */
static const char *split(struct target *target)
{
	const char *text = target->spelling;
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char *rest;

	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (colon == NULL || memchr(text, ':', length) != NULL) {
		return NULL;
	}
	if (length == 0 || length >= sizeof(target->host))
		return NULL;
	memcpy(target->host, text, length);
	if (colon[1] < '1' || colon[1] > '9' || strtoul(colon + 1, &rest, 10) > UINT16_MAX ||
	    *rest != '\0')
		return NULL;
	return colon + 1;
}

static bool is_address(const char *host)
{
	struct in6_addr address;

	return strchr(host, ':') != NULL || inet_pton(AF_INET, host, &address) == 1;
}

static enum status resolve(struct target *target, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	int error = getaddrinfo(target->host, port, &hints, &target->addresses);

	if (error == 0)
		return STATUS_GOOD;
	target->addresses = NULL;
	return refuse(STATUS_BAD, "probe", "%s: %s", target->host,
		      error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

static enum status read_request(struct target *target, const char *path)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (file == NULL)
		return refuse(STATUS_BAD, "probe", "%s: %s", path, strerror(errno));
	target->request = malloc(REQUEST_MAX_BYTES);
	if (target->request != NULL)
		target->request_bytes = fread(target->request, 1, REQUEST_MAX_BYTES, file);
	good = target->request != NULL && ferror(file) == 0 && getc(file) == EOF;
	fclose(file);
	if (good)
		return STATUS_GOOD;
	return refuse(STATUS_BAD, "probe", "%s: cannot be read, or is over %d bytes", path,
		      REQUEST_MAX_BYTES);
}

static enum status make_request(struct target *target)
{
	const char *name = target->server_name ? target->server_name : target->host;
	const bool is_ipv6 = strchr(name, ':') != NULL;
	int count = asprintf(&target->request,
			     "GET / HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: cfshim-probe/%s\r\n"
			     "Accept: */*\r\nConnection: close\r\n\r\n",
			     is_ipv6 ? "[" : "", name, is_ipv6 ? "]" : "", CFSHIM_VERSION);

	if (count < 0) {
		target->request = NULL;
		return refuse(STATUS_BAD, "probe", "no memory");
	}
	target->request_bytes = (size_t)count;
	return STATUS_GOOD;
}

enum status target_read(struct target *target, const struct arguments *arguments)
{
	const char *send = arguments->options[OPTION_probe_send];
	const char *port;
	enum status status;

	*target = (struct target){.server_name = arguments->options[OPTION_probe_server_name]};
	if (arguments->count != 1)
		return refuse_usage("probe", "one server is needed, not %d", arguments->count);
	target->spelling = arguments->operands[0];
	port = split(target);
	if (port == NULL)
		return refuse_usage("probe", "%s is no server: write %s", target->spelling,
				    ADDRESS_FORMS);
	if (target->server_name != NULL &&
	    (*target->server_name == '\0' || strpbrk(target->server_name, " \r\n\t") != NULL ||
	     strlen(target->server_name) >= sizeof(target->host)))
		return refuse_usage("probe", "--server-name takes a name");
	if (target->server_name == NULL && !is_address(target->host))
		target->server_name = target->host;
	status = send ? read_request(target, send) : make_request(target);
	return status == STATUS_GOOD ? resolve(target, port) : status;
}

void target_clear(struct target *target)
{
	if (target->addresses != NULL)
		freeaddrinfo(target->addresses);
	free(target->request);
	*target = (struct target){.addresses = NULL};
}
