#include "client_hello.h"

#include "record_begin.h"

#include <string.h>

#define MESSAGE_CLIENT_HELLO 1
#define MESSAGE_HEADER_BYTES 4
/* Version and random stand first in the message. */
#define RANDOM_AT      (MESSAGE_HEADER_BYTES + 2)
#define SESSION_ID_AT  (RANDOM_AT + HELLO_RANDOM_BYTES)
#define SESSION_ID_MAX 32
/* No session id, no cipher, no compression method, no extensions. */
#define BODY_MIN 38
/* CLIENT_HELLO_MAX_LENGTH of OpenSSL 1.1.1 to 3.5. */
#define BODY_MAX 131396
/* MAX_EMPTY_RECORDS of OpenSSL 1.1.1 to 3.5. */
#define EMPTY_RECORDS_MAX 32

/* The lengths inside, in their order. */
enum field { FIELD_SESSION_ID, FIELD_CIPHERS, FIELD_COMPRESSION, FIELD_EXTENSIONS, FIELD_NONE };
static const uint8_t field_bytes[] = {1, 2, 1, 2};

static bool fail(struct client_hello *hello, enum hello_fault why)
{
	hello->state = HELLO_NOT_TLS;
	hello->why = (uint8_t)why;
	return false;
}

/* Some OpenSSL could go on: TLSv1_server_method() skips warnings between records. */
static bool fail_between(struct client_hello *hello)
{
	return fail(hello, hello->message_taken > 0 ? HELLO_INTERRUPTED : HELLO_OTHER);
}

/* The five bytes before each record's body. */
static bool take_record_byte(struct client_hello *hello, uint8_t byte)
{
	switch (hello->header_taken++) {
	case 0:
		return byte == RECORD_HANDSHAKE || fail_between(hello);
	case 1:
		return byte == 3 || fail(hello, HELLO_OTHER);
	case 2: /* OpenSSL looks at the minor version of no record before it has a message. */
		return true;
	case 3:
		hello->record_bytes = (uint16_t)(byte << 8);
		return hello->record_bytes <= RECORD_MAX_BYTES || fail(hello, HELLO_OTHER);
	default:
		hello->record_bytes = (uint16_t)(hello->record_bytes | byte);
		hello->record_left = hello->record_bytes;
		hello->header_taken = 0;
		hello->empty_records =
			(uint8_t)(hello->record_bytes == 0 ? hello->empty_records + 1 : 0);
		if (hello->record_bytes > RECORD_MAX_BYTES)
			return fail(hello, HELLO_OTHER);
		return hello->empty_records <= EMPTY_RECORDS_MAX || fail_between(hello);
	}
}

static bool take_message_header(struct client_hello *hello, uint8_t byte)
{
	uint32_t body;

	if (hello->message_taken == 0 && byte != MESSAGE_CLIENT_HELLO)
		return fail(hello, HELLO_OTHER);
	if (hello->message_taken > 0)
		hello->message_bytes = hello->message_bytes << 8 | byte;
	hello->message_taken++;
	hello->record_left--;
	if (hello->message_taken < MESSAGE_HEADER_BYTES)
		return true;
	body = hello->message_bytes;
	if (body < BODY_MIN || body > BODY_MAX)
		return fail(hello, HELLO_OTHER);
	hello->message_bytes = MESSAGE_HEADER_BYTES + body;
	hello->field_at = SESSION_ID_AT;
	hello->field_left = field_bytes[FIELD_SESSION_ID];
	return true;
}

/* A length is complete: does what it measures fit in, and where is the next one? */
static bool measure(struct client_hello *hello)
{
	const uint32_t end = hello->field_at + hello->field_value;
	const bool is_last = hello->field == FIELD_EXTENSIONS ||
			     (hello->field == FIELD_COMPRESSION && end == hello->message_bytes);

	if ((hello->field == FIELD_SESSION_ID && hello->field_value > SESSION_ID_MAX) ||
	    (is_last ? end != hello->message_bytes
		     : end + field_bytes[hello->field + 1] > hello->message_bytes))
		return false;
	hello->field = (uint8_t)(is_last ? FIELD_NONE : hello->field + 1);
	hello->field_at = end;
	hello->field_left = is_last ? 0 : field_bytes[hello->field];
	hello->field_value = 0;
	return true;
}

/* Take up to `count` bytes of the message's body: those up to the next byte that means something,
 * or that byte. */
static size_t take_body(struct client_hello *hello, const uint8_t *bytes, size_t count)
{
	const uint32_t at = hello->message_taken;
	uint32_t stop = hello->message_bytes;

	if (at < RANDOM_AT) {
		stop = RANDOM_AT;
	} else if (at < SESSION_ID_AT) {
		stop = SESSION_ID_AT;
	} else if (hello->field_left > 0) {
		stop = at == hello->field_at ? at + 1 : hello->field_at;
	}
	if (count > hello->record_left)
		count = hello->record_left;
	if (count > stop - at)
		count = stop - at;
	if (at >= RANDOM_AT && at < SESSION_ID_AT) {
		memcpy(hello->random + (at - RANDOM_AT), bytes, count);
		hello->has_random = at + count == SESSION_ID_AT;
	}
	hello->message_taken += (uint32_t)count;
	hello->record_left = (uint16_t)(hello->record_left - count);
	if (hello->field_left > 0 && at == hello->field_at) {
		hello->field_value = (uint16_t)(hello->field_value << 8 | bytes[0]);
		hello->field_at++;
		hello->field_left--;
		if (hello->field_left == 0 && !measure(hello) && hello->is_strict) {
			fail(hello, HELLO_MALFORMED);
			return 0;
		}
	}
	if (hello->message_taken == hello->message_bytes) {
		if (hello->record_left > 0)
			fail(hello, HELLO_CROWDED);
		else
			hello->state = HELLO_WHOLE;
	}
	return count;
}

size_t client_hello_feed(struct client_hello *hello, const unsigned char *bytes, size_t count,
			 enum hello_state *state)
{
	size_t at = 0;

	/* OpenSSL tells the SSLv2 form by its first and third byte. */
	if (hello->bytes_taken == 0 && hello->state == HELLO_MORE && count > 2 &&
	    bytes[0] >= 0x80 && bytes[2] == MESSAGE_CLIENT_HELLO)
		fail(hello, HELLO_SSLV2);
	while (at < count && hello->state == HELLO_MORE) {
		if (hello->record_left == 0)
			at += take_record_byte(hello, bytes[at]);
		else if (hello->message_taken < MESSAGE_HEADER_BYTES)
			at += take_message_header(hello, bytes[at]);
		else
			at += take_body(hello, bytes + at, count - at);
	}
	hello->bytes_taken += (uint32_t)at;
	*state = (enum hello_state)hello->state;
	return at;
}

uint32_t client_hello_left(const struct client_hello *hello)
{
	return hello->message_taken < MESSAGE_HEADER_BYTES
		       ? 0
		       : hello->message_bytes - hello->message_taken;
}
