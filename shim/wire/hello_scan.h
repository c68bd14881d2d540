/* hello_scan.h - a ClientHello that comes after plain text (STARTTLS), wherever that may be.
 *
 * The host decides where the plain text ends, and the client writes it: so any place counts at
 * which OpenSSL could begin to read and find a hello.  Wherever that is, once the hello has passed
 * whole the scan says SCAN_HELLO with its random or SCAN_AMBIGUOUS; it never says SCAN_HELLO while
 * another place was in question.  Hellos in SSLv2 form are not looked for: the hooks refuse them.
 * Costs a memchr() of plain text; keeps less than 256 bytes; no more is looked at once ambiguous.
 */
#ifndef CFSHIM_HELLO_SCAN_H
#define CFSHIM_HELLO_SCAN_H

#include "client_hello.h"
#include "record_begin.h"

/* In this order, and never back. */
enum scan_state {
	SCAN_NOTHING,
	SCAN_SUSPECT, /* the first bytes of a hello were seen; chance does that once in 64 MiB */
	SCAN_HELLO, /* one hello has passed whole; or several, one after the other, of one random */
	SCAN_AMBIGUOUS, /* no random of this stream can be trusted */
};

#define SCAN_CANDIDATES 2

/* All zero: not a byte was seen. */
struct hello_scan {
	struct client_hello candidates[SCAN_CANDIDATES];
	uint8_t random[HELLO_RANDOM_BYTES]; /* at SCAN_HELLO */
	struct record_window window;
	uint8_t candidate_count;
	uint8_t bytes_since_hello; /* since the last whole one ended; not counted beyond a begin */
	uint8_t state;             /* enum scan_state */
};

/* Feed the bytes that come next. */
enum scan_state hello_scan_feed(struct hello_scan *scan, const unsigned char *bytes, size_t count);

#endif
