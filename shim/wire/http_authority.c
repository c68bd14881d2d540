#include "http_authority.h"

#include <string.h>

/* 127.0.0.1, as inet_pton() has it and no looser. */
static bool is_ipv4(struct piece piece)
{
	for (unsigned part = 0; part < 4; part++) {
		unsigned number = 0;
		struct piece digits = piece;

		if (part < 3 && !piece_cut(&piece, '.', &digits))
			return false;
		if (digits.length == 0 || digits.length > 3 ||
		    (digits.length > 1 && digits.at[0] == '0'))
			return false;
		for (size_t i = 0; i < digits.length; i++) {
			if (!piece_is_digit(digits.at[i]))
				return false;
			number = number * 10 + (unsigned)(digits.at[i] - '0');
		}
		if (number > 255)
			return false;
	}
	return true;
}

static bool is_ipv6(struct piece piece)
{
	if (piece.length < 4 || piece.length > 47 || piece.at[piece.length - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < piece.length; i++)
		if (piece.at[i] == '\0' || strchr("0123456789abcdefABCDEF:.", piece.at[i]) == NULL)
			return false;
	return true;
}

static bool is_label(struct piece label)
{
	for (size_t i = 0; i < label.length; i++)
		if (!piece_is_letter(label.at[i]) && !piece_is_digit(label.at[i]) &&
		    label.at[i] != '-' && label.at[i] != '_')
			return false;
	return label.length > 0 && label.length <= 63;
}

/* A name of the DNS, with a dot behind it or without; one that ends in a number is an address in
 * some spelling or other. */
static bool is_name(struct piece name)
{
	struct piece label;
	size_t digits = 0;

	if (name.length > 0 && name.at[name.length - 1] == '.')
		name.length--;
	if (name.length > 253)
		return false;
	while (piece_cut(&name, '.', &label))
		if (!is_label(label))
			return false;
	while (digits < name.length && piece_is_digit(name.at[digits]))
		digits++;
	return is_label(name) && digits < name.length;
}

static bool is_port(struct piece port)
{
	for (size_t i = 0; i < port.length; i++)
		if (!piece_is_digit(port.at[i]))
			return false;
	return port.length > 0 && port.length <= 5;
}

bool http_authority_parse(struct piece authority, struct piece *name)
{
	const char *bracket = memchr(authority.at, ']', authority.length);
	struct piece host = authority, port = authority;

	if (bracket != NULL)
		port = (struct piece){bracket, authority.length - (size_t)(bracket - authority.at)};
	if (memchr(port.at, ':', port.length) != NULL) {
		(void)piece_cut(&port, ':', &host);
		host = (struct piece){authority.at, (size_t)(port.at - 1 - authority.at)};
		if (!is_port(port))
			return false;
	}
	*name = (struct piece){NULL, 0};
	if (host.length > 0 && host.at[0] == '[')
		return is_ipv6(host);
	if (is_ipv4(host))
		return true;
	*name = host;
	return is_name(host);
}
