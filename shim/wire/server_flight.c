#include "server_flight.h"

#include <string.h>

#define MESSAGE_SERVER_HELLO 2

enum { TYPE_FIRST = 20, TYPE_LAST = 23 };

bool server_flight_feed(struct server_flight *flight, const unsigned char *bytes, size_t count,
			size_t *begin, size_t *early)
{
	static const struct record_kind kind = {MESSAGE_SERVER_HELLO, 0x0f};
	uint8_t six[RECORD_BEGIN_BYTES];
	const size_t last = record_begin_find(&flight->window, &kind, bytes, count, 0, six);
	const bool found = last < count;

	*begin = 0;
	*early = 0;
	if (found && last >= RECORD_BEGIN_BYTES - 1)
		*begin = last - (RECORD_BEGIN_BYTES - 1);
	else if (found)
		*early = RECORD_BEGIN_BYTES - 1 - last;
	record_window_move(&flight->window, bytes, count);
	return found;
}

/* False: no header of a record has this byte next. */
static bool take_header_byte(struct tls_records *records, unsigned char byte)
{
	switch (records->header_taken++) {
	case 0:
		return byte >= TYPE_FIRST && byte <= TYPE_LAST;
	case 1:
		return byte == 3;
	case 2:
		return true;
	case 3:
		records->length = (uint16_t)(byte << 8);
		return records->length <= TLS_RECORDS_MAX_BODY;
	default:
		records->length = (uint16_t)(records->length | byte);
		records->body_left = records->length;
		records->header_taken = 0;
		return records->length <= TLS_RECORDS_MAX_BODY;
	}
}

size_t tls_records_feed(struct tls_records *records, const unsigned char *bytes, size_t count)
{
	size_t at = 0;

	while (at < count && !records->is_broken) {
		if (records->body_left > 0) {
			const size_t rest = count - at;
			const size_t skip = rest < records->body_left ? rest : records->body_left;

			records->body_left = (uint16_t)(records->body_left - skip);
			at += skip;
		} else if (take_header_byte(records, bytes[at])) {
			at++;
		} else {
			records->is_broken = true;
		}
	}
	return at;
}

bool tls_records_at_boundary(const struct tls_records *records)
{
	return !records->is_broken && records->body_left == 0 && records->header_taken == 0;
}

/* ---- the first that it says ---- */

enum {
	TYPE_CHANGE_CIPHER = 20,
	TYPE_ALERT,
	ASIDE_MAX_BYTES = 2, /* of a record of these two, in plain */
	MESSAGE_AT = RECORD_HEADER_BYTES,
	VERSION_AT = MESSAGE_AT + 4,
	RANDOM_AT = VERSION_AT + 2
};

static uint16_t record_length(const struct server_hello *hello)
{
	return (uint16_t)(hello->bytes[3] << 8 | hello->bytes[4]);
}

/* A record that says nothing yet: the warning of a TLS 1.2 server that it does not know the name,
 * and the ChangeCipherSpec behind a HelloRetryRequest (RFC 8446, D.4). */
static bool is_aside(const struct server_hello *hello)
{
	return hello->bytes[0] == TYPE_CHANGE_CIPHER || hello->bytes[0] == TYPE_ALERT;
}

/* May the last byte that was taken stand where it stands? */
static bool server_hello_fits(const struct server_hello *hello)
{
	const uint8_t byte = hello->bytes[hello->taken - 1];

	switch (hello->taken - 1) {
	case 0:
		return is_aside(hello) || byte == RECORD_HANDSHAKE;
	case 1:
	case VERSION_AT:
		return byte == 3;
	case MESSAGE_AT - 1:
		return is_aside(hello) ? record_length(hello) <= ASIDE_MAX_BYTES
				       : record_length(hello) >= SERVER_HELLO_BYTES - MESSAGE_AT;
	case MESSAGE_AT:
		return byte == MESSAGE_SERVER_HELLO;
	default:
		return true;
	}
}

/* The rest of the record that is taken so far is of no interest. */
static void skip_record(struct server_hello *hello)
{
	hello->skip = (uint16_t)(record_length(hello) + RECORD_HEADER_BYTES - hello->taken);
	hello->taken = 0;
}

static void take_server_byte(struct server_hello *hello, uint8_t byte)
{
	/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest" */
	static const uint8_t retry[SERVER_RANDOM_BYTES] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

	hello->bytes[hello->taken++] = byte;
	if (!server_hello_fits(hello)) {
		hello->state = SERVER_HELLO_NOT;
	} else if (hello->taken == MESSAGE_AT && is_aside(hello)) {
		skip_record(hello);
	} else if (hello->taken == SERVER_HELLO_BYTES) {
		if (memcmp(server_hello_random(hello), retry, sizeof(retry)) == 0) {
			hello->state = SERVER_HELLO_RETRY;
			skip_record(hello);
		} else {
			hello->state = SERVER_HELLO_WHOLE;
		}
	}
}

enum server_hello_state server_hello_feed(struct server_hello *hello, const unsigned char *bytes,
					  size_t count)
{
	size_t at = 0;

	while (at < count && hello->state < SERVER_HELLO_WHOLE) {
		const size_t rest = count - at, skip = rest < hello->skip ? rest : hello->skip;

		hello->skip = (uint16_t)(hello->skip - skip);
		at += skip;
		if (at < count)
			take_server_byte(hello, bytes[at++]);
	}
	return (enum server_hello_state)hello->state;
}

const uint8_t *server_hello_random(const struct server_hello *hello)
{
	return hello->bytes + RANDOM_AT;
}
