#include "server_flight.h"

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

/* ---- which server it is ---- */

bool server_hello_feed(struct server_hello *hello, const unsigned char *bytes, size_t count)
{
	size_t at = 0, begin, early;

	if (!hello->has_begun) {
		hello->has_begun = server_flight_feed(&hello->flight, bytes, count, &begin, &early);
		if (!hello->has_begun)
			return false;
		at = begin + RECORD_BEGIN_BYTES - early;
	}
	while (at < count && hello->taken < SERVER_HELLO_BYTES)
		hello->bytes[hello->taken++] = bytes[at++];
	return hello->taken == SERVER_HELLO_BYTES;
}

const uint8_t *server_hello_random(const struct server_hello *hello)
{
	return hello->bytes + SERVER_HELLO_BYTES - SERVER_RANDOM_BYTES;
}
