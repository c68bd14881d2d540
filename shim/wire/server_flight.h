/* server_flight.h - what a host writes: does a TLS server begin to speak, and is it TLS throughout?
 */
#ifndef CFSHIM_SERVER_FLIGHT_H
#define CFSHIM_SERVER_FLIGHT_H

#include "record_begin.h"

#include <stdbool.h>

/* Looks for the begin of a record that holds a ServerHello, anywhere in what is written: eleven
 * bytes, from the record's type to the message's version (RFC 8446, 4.1.3), however they are cut.
 * Of the first six alone chance makes one in a gigabyte of plain text.  All zero: not a byte was
 * seen. A copy can be fed with bytes that may not all leave. */
#define SERVER_BEGIN_BYTES 11
struct server_flight {
	uint8_t window[SERVER_BEGIN_BYTES - 1]; /* the last that were seen */
	uint8_t count;
};

/* True: a ServerHello begins, and its begin is whole.  Then `begin` is the place of its first byte
 * in `bytes`; 0 where it stood in bytes fed before, of which there were `*early` (at most 10, else
 * 0). The window moves on behind all of `bytes` either way. */
bool server_flight_feed(struct server_flight *flight, const unsigned char *bytes, size_t count,
			size_t *begin, size_t *early);

/* A stream that is to be TLS records from its first byte: types 20 to 23, version 3.x, no longer
 * than TLS 1.2 allows them.  Bodies are skipped.  All zero: not a byte was seen. */
struct tls_records {
	uint16_t body_left;
	uint16_t length;
	uint8_t header_taken;
	bool is_broken; /* for good */
};

#define TLS_RECORDS_MAX_BODY (RECORD_MAX_BYTES + 2048)

/* How many of these bytes go on being TLS: `count`, or the place of the byte that is not. */
size_t tls_records_feed(struct tls_records *records, const unsigned char *bytes, size_t count);

/* Between two records, and not broken? */
bool tls_records_at_boundary(const struct tls_records *records);

/* The first ServerHello in what is written: up to its random (RFC 8446, 4.1.3).  All zero: not a
 * byte was seen. */
#define SERVER_RANDOM_BYTES 32
struct server_hello {
	struct server_flight flight;
	bool has_begun;
	uint8_t taken;
	uint8_t random[SERVER_RANDOM_BYTES];
};

/* True: the random has come, and it stays what it is. */
bool server_hello_feed(struct server_hello *hello, const unsigned char *bytes, size_t count);

/* Then this. */
const uint8_t *server_hello_random(const struct server_hello *hello);

#endif
