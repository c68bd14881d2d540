#include "server_flight.h"

#include <string.h>

#define MESSAGE_SERVER_HELLO 2
/* Of the versions of a record and of the message: 3.minor. */
#define MAX_MINOR 0x0f

enum { TYPE_FIRST = 20, TYPE_LAST = 23 };

/* A record shorter than the head of its message has another behind it, and says no more. */
static bool is_begin(const uint8_t begin[SERVER_BEGIN_BYTES])
{
	const unsigned length = (unsigned)begin[3] << 8 | begin[4];

	return begin[0] == RECORD_HANDSHAKE && begin[1] == 3 && begin[2] <= MAX_MINOR &&
	       length > 0 && length <= RECORD_MAX_BYTES && begin[5] == MESSAGE_SERVER_HELLO &&
	       (length < SERVER_BEGIN_BYTES - RECORD_HEADER_BYTES ||
		(begin[6] == 0 && begin[9] == 3 && begin[10] <= MAX_MINOR));
}

/* The place of the first begin that is there whole; `count`: none. */
static size_t search(const uint8_t *bytes, size_t count)
{
	size_t at = 0;

	while (count - at >= SERVER_BEGIN_BYTES) {
		const uint8_t *first =
			memchr(bytes + at, RECORD_HANDSHAKE, count - at - SERVER_BEGIN_BYTES + 1);

		if (first == NULL)
			break;
		at = (size_t)(first - bytes);
		if (is_begin(first))
			return at;
		at++;
	}
	return count;
}

bool server_flight_feed(struct server_flight *flight, const unsigned char *bytes, size_t count,
			size_t *begin, size_t *early)
{
	uint8_t seam[2 * sizeof(flight->window)];
	const size_t kept = flight->count;
	const size_t more = count < sizeof(flight->window) ? count : sizeof(flight->window);
	size_t place;
	bool found;

	*begin = *early = 0;
	if (count == 0)
		return false;
	memcpy(seam, flight->window, kept);
	memcpy(seam + kept, bytes, more);
	place = search(seam, kept + more);
	*early = place < kept ? kept - place : 0;
	place = *early == 0 ? search(bytes, count) : count;
	found = *early > 0 || place < count;
	*begin = place < count ? place : 0;
	flight->count =
		(uint8_t)window_move(flight->window, sizeof(flight->window), kept, bytes, count);
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
		at = begin + SERVER_BEGIN_BYTES - early;
	}
	while (at < count && hello->taken < SERVER_RANDOM_BYTES)
		hello->random[hello->taken++] = bytes[at++];
	return hello->taken == SERVER_RANDOM_BYTES;
}

const uint8_t *server_hello_random(const struct server_hello *hello)
{
	return hello->random;
}
