/* client_hello.h - the begin of a TLS connection: is it a ClientHello, where does it end, and which
 * random does it carry?
 *
 * Only what is needed to tell that: records, the message's own header, the lengths inside it.  What
 * OpenSSL would refuse before it calls anybody may pass here; what it takes is never missed, but
 * for the forms named at `why`.  Bytes in, facts out: nothing is kept but these few, so that a copy
 * can be fed with bytes that were only looked at.
 */
#ifndef CFSHIM_CLIENT_HELLO_H
#define CFSHIM_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_RANDOM_BYTES 32

enum hello_state { HELLO_MORE, HELLO_WHOLE, HELLO_NOT_TLS };

/* Why it is HELLO_NOT_TLS. */
enum hello_fault {
	HELLO_OTHER,       /* no library would take it */
	HELLO_SSLV2,       /* a hello in SSLv2 form, which OpenSSL takes at security level 0 */
	HELLO_CROWDED,     /* in the record that ends the hello, more bytes follow */
	HELLO_INTERRUPTED, /* between the hello's records stands one of another type */
	HELLO_MALFORMED,   /* the lengths inside do not add up; told to the scanner only */
};

/* All zero: not a byte was seen. */
struct client_hello {
	uint8_t random[HELLO_RANDOM_BYTES]; /* whole once has_random is set */
	uint32_t bytes_taken;               /* of the stream */
	uint32_t message_bytes; /* the handshake message with its header; 0: not known */
	uint32_t message_taken; /* of these */
	uint32_t field_at;      /* where in the message the next byte of a length stands */
	uint16_t field_value;   /* of that length, as far as it was seen */
	uint16_t record_bytes;  /* of the record under way, as far as its header was seen */
	uint16_t record_left;   /* of its body */
	uint8_t header_taken;   /* of the record's header */
	uint8_t empty_records;  /* one after another */
	uint8_t field;          /* which length that is */
	uint8_t field_left;     /* bytes of it */
	uint8_t state;          /* enum hello_state */
	uint8_t why;            /* enum hello_fault, at HELLO_NOT_TLS */
	bool has_random;
	bool is_strict; /* malformed is HELLO_NOT_TLS too: the scanner sets it */
};

/* Feed the bytes that come next.  Gives how many of them belong to the hello: all of them at
 * HELLO_MORE; up to its last one at HELLO_WHOLE; those before the one that did not fit at
 * HELLO_NOT_TLS.  At HELLO_WHOLE and HELLO_NOT_TLS it stays what it is, and takes no more. */
size_t client_hello_feed(struct client_hello *hello, const unsigned char *bytes, size_t count,
			 enum hello_state *state);

/* Of the handshake message, how many bytes are still to come (0: whole, or not known yet). */
uint32_t client_hello_left(const struct client_hello *hello);

#endif
