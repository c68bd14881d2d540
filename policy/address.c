/* Addresses: all are kept as IPv6, IPv4 mapped into it. */
#include "language.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool address_is_ipv4(const struct endpoint *endpoint)
{
	return memcmp(endpoint->address, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static void address_set_ipv4(struct endpoint *endpoint, const void *four_bytes)
{
	memcpy(endpoint->address, mapped_prefix, sizeof(mapped_prefix));
	memcpy(endpoint->address + sizeof(mapped_prefix), four_bytes, 4);
}

bool endpoint_from_sockaddr(struct endpoint *endpoint, const struct sockaddr *address,
			    socklen_t length)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
	sa_family_t family;

	if (length < offsetof(struct sockaddr, sa_family) + sizeof(family))
		return false;
	memcpy(&family, (const char *)address + offsetof(struct sockaddr, sa_family),
	       sizeof(family));
	if (family == AF_INET && length >= sizeof(ipv4)) {
		memcpy(&ipv4, address, sizeof(ipv4));
		address_set_ipv4(endpoint, &ipv4.sin_addr);
		endpoint->port = ntohs(ipv4.sin_port);
		return true;
	}
	if (family == AF_INET6 && length >= sizeof(ipv6)) {
		memcpy(&ipv6, address, sizeof(ipv6));
		memcpy(endpoint->address, &ipv6.sin6_addr, sizeof(endpoint->address));
		endpoint->port = ntohs(ipv6.sin6_port);
		return true;
	}
	return false;
}

bool address_parse(struct endpoint *endpoint, int family, const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(family, text, bytes) != 1)
		return false;
	if (family == AF_INET)
		address_set_ipv4(endpoint, bytes);
	else
		memcpy(endpoint->address, bytes, sizeof(bytes));
	return true;
}

void scope_print(char buffer[SCOPE_TEXT_BYTES], const struct scope *scope)
{
	const struct endpoint *first = &scope->first;
	char address[INET6_ADDRSTRLEN] = "";

	switch (scope->kind) {
	case SCOPE_ADDRESS:
		if (address_is_ipv4(first))
			inet_ntop(AF_INET, first->address + 12, address, sizeof(address));
		else
			inet_ntop(AF_INET6, first->address, address, sizeof(address));
		snprintf(buffer, SCOPE_TEXT_BYTES, address_is_ipv4(first) ? "%s:%u" : "[%s]:%u",
			 address, first->port);
		break;
	case SCOPE_PORT:
		snprintf(buffer, SCOPE_TEXT_BYTES, "%u", first->port);
		break;
	case SCOPE_RANGE:
		snprintf(buffer, SCOPE_TEXT_BYTES, "%u-%u", first->port, scope->last);
		break;
	case SCOPE_ANY:
	case SCOPE_KINDS:
		snprintf(buffer, SCOPE_TEXT_BYTES, "*");
		break;
	}
}
