#include "proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char signature[12] = {'\r', '\n', '\r', '\n', 0,   '\r',
					    '\n', 'Q',  'U',  'I',  'T', '\n'};
static const unsigned char greeting[6] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* Where things stand in a header of version 2, and what the addresses of each family need. */
enum { VERSION_AT = 12, FAMILY_AT = 13, LENGTH_AT = 14, ADDRESS_AT = 16 };
enum { FAMILY_UNSPEC, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX };
static const uint8_t address_bytes[] = {0, 12, 36, 216};
/* Protocols: 0 is unspecified, 1 stream, 2 datagram. */
enum { PROTOCOL_STREAM = 1, PROTOCOL_LAST = 2 };
enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };

/* ---- version 1 ---- */

/* The next word of the line, which ends with `end`; NULL: there is none, or it is too long. */
static const char *next_word(const char **line, char end, char *word, size_t size)
{
	const char *stop = strchr(*line, end);
	const size_t length = stop ? (size_t)(stop - *line) : size;

	if (length == 0 || length >= size)
		return NULL;
	memcpy(word, *line, length);
	word[length] = '\0';
	*line = stop + 1;
	return word;
}

/* Decimal, up to 65535, no zero in front. */
static bool parse_port(const char *word, uint16_t *port)
{
	unsigned value = 0;
	size_t length = 0;

	for (; word[length] >= '0' && word[length] <= '9' && length < 5; length++)
		value = value * 10 + (unsigned)(word[length] - '0');
	*port = (uint16_t)value;
	return length > 0 && word[length] == '\0' && value <= 65535 &&
	       (length == 1 || word[0] != '0');
}

/* "192.0.2.1 192.0.2.2 51514 443\r" */
static bool parse_addresses(struct proxy_header *header, const char *line, int family)
{
	char word[INET6_ADDRSTRLEN];
	uint8_t source[16], destination[16];
	uint16_t destination_port;

	if (next_word(&line, ' ', word, sizeof(word)) == NULL ||
	    inet_pton(family, word, source) != 1 ||
	    next_word(&line, ' ', word, sizeof(word)) == NULL ||
	    inet_pton(family, word, destination) != 1 ||
	    next_word(&line, ' ', word, sizeof(word)) == NULL ||
	    !parse_port(word, &header->source.port) ||
	    next_word(&line, '\r', word, sizeof(word)) == NULL ||
	    !parse_port(word, &destination_port))
		return false;
	if (family == AF_INET) {
		memcpy(header->source.address, mapped_prefix, sizeof(mapped_prefix));
		memcpy(header->source.address + sizeof(mapped_prefix), source, 4);
	} else {
		memcpy(header->source.address, source, sizeof(source));
	}
	header->has_address = true;
	return true;
}

/* The line without its LF.  Behind UNKNOWN anything may stand, and means nothing. */
static bool parse_line(struct proxy_header *header)
{
	char line[PROXY_TEXT_BYTES] = "";
	const size_t length = header->taken - 1u;
	const char *words = line + sizeof(greeting);

	memcpy(line, header->kept, length);
	if (strncmp(words, "TCP4 ", 5) == 0)
		return parse_addresses(header, words + 5, AF_INET);
	if (strncmp(words, "TCP6 ", 5) == 0)
		return parse_addresses(header, words + 5, AF_INET6);
	return strncmp(words, "UNKNOWN", 7) == 0 && (words[7] == ' ' || words[7] == '\r');
}

/* One more byte of a line: printable ASCII, then CR and LF. */
static bool take_text(struct proxy_header *header, unsigned char byte)
{
	const bool after_cr = header->taken > 0 && header->kept[header->taken - 1] == '\r';

	if (header->taken < sizeof(greeting) ? byte != greeting[header->taken]
	    : after_cr                       ? byte != '\n'
					     : (byte < ' ' || byte > '~') && byte != '\r')
		return false;
	if (header->taken + 1u >= PROXY_TEXT_BYTES && byte != '\n')
		return false;
	header->kept[header->taken++] = byte;
	if (byte != '\n')
		return true;
	if (!parse_line(header)) {
		header->taken--;
		return false;
	}
	header->version = 1;
	header->state = PROXY_WHOLE;
	return true;
}

/* ---- version 2 ---- */

/* The length is known: does it fit what the header says it holds? */
static bool measure(struct proxy_header *header, unsigned char last_byte)
{
	const unsigned rest = (unsigned)header->kept[LENGTH_AT] << 8 | last_byte;
	const unsigned family = header->kept[FAMILY_AT] >> 4;

	if (rest > PROXY_MAX_BYTES - ADDRESS_AT ||
	    (header->kept[VERSION_AT] == COMMAND_PROXY && rest < address_bytes[family]))
		return false;
	header->length = (uint16_t)(ADDRESS_AT + rest);
	return true;
}

static bool fits(struct proxy_header *header, unsigned char byte)
{
	if (header->taken < sizeof(signature))
		return byte == signature[header->taken];
	switch (header->taken) {
	case VERSION_AT:
		return byte == COMMAND_LOCAL || byte == COMMAND_PROXY;
	case FAMILY_AT:
		return byte >> 4 <= FAMILY_UNIX && (byte & 15) <= PROTOCOL_LAST;
	case LENGTH_AT + 1:
		return measure(header, byte);
	default:
		return true;
	}
}

/* Nothing in a header of LOCAL means anything; a proxied datagram is not this stream's peer. */
static void read_source(struct proxy_header *header)
{
	const unsigned char *address = header->kept + ADDRESS_AT;
	const unsigned kind = header->kept[FAMILY_AT];
	const unsigned char *port;

	if (header->kept[VERSION_AT] != COMMAND_PROXY || (kind & 15) != PROTOCOL_STREAM)
		return;
	if (kind >> 4 == FAMILY_INET) {
		memcpy(header->source.address, mapped_prefix, sizeof(mapped_prefix));
		memcpy(header->source.address + sizeof(mapped_prefix), address, 4);
		port = address + 8;
	} else if (kind >> 4 == FAMILY_INET6) {
		memcpy(header->source.address, address, 16);
		port = address + 32;
	} else {
		return;
	}
	header->source.port = (uint16_t)(port[0] << 8 | port[1]);
	header->has_address = true;
}

static bool take_binary(struct proxy_header *header, unsigned char byte)
{
	if (!fits(header, byte))
		return false;
	if (header->taken < sizeof(header->kept))
		header->kept[header->taken] = byte;
	header->taken++;
	if (header->taken == header->length) {
		read_source(header);
		header->version = 2;
		header->state = PROXY_WHOLE;
	}
	return true;
}

size_t proxy_header_feed(struct proxy_header *header, const unsigned char *bytes, size_t count,
			 enum proxy_state *state)
{
	size_t at = 0;

	while (at < count && header->state == PROXY_MORE) {
		const unsigned char first = header->taken > 0 ? header->kept[0] : bytes[at];

		if (first == signature[0] ? take_binary(header, bytes[at])
					  : take_text(header, bytes[at]))
			at++;
		else
			header->state = PROXY_NOT;
	}
	*state = (enum proxy_state)header->state;
	return at;
}
