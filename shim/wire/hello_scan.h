/* hello_scan.h - a ClientHello that comes after plain text (STARTTLS), wherever that may be.
 *
 * The host decides where the plain text ends, and the client writes it: so any place counts at
 * which OpenSSL could begin to read and find a hello.  Wherever that is, once the hello has passed
 * whole the scan says SCAN_HELLO or SCAN_OVERLAPPED with its random, or SCAN_AMBIGUOUS.
 *
 * Hellos in SSLv2 form are not looked for (the hooks refuse them), nor TLS inside other framing
 * (TDS, EAP).  Costs a memchr() of plain text, keeps less than 256 bytes, and looks at no more once
 * ambiguous.
 */
#ifndef CFSHIM_HELLO_SCAN_H
#define CFSHIM_HELLO_SCAN_H

#include "client_hello.h"
#include "record_begin.h"

/* In this order, and never back. */
enum scan_state {
	SCAN_NOTHING,
	/* The first six bytes of a hello were seen.  Chance does that once in 64 MiB. */
	SCAN_SUSPECT,
	/* One hello has passed whole; or several of one random, as after a HelloRetryRequest.  No
	 * other place was in question meanwhile. */
	SCAN_HELLO,
	/* The same, but a hello could also begin at another place, before its end, and had come to
	 * nothing when it ended.  Hellos cut into small records look like that; so do attacks. */
	SCAN_OVERLAPPED,
	/* No random of this stream can be trusted: hellos of two randoms, or one that only some
	 * OpenSSL takes, or more begins at once than are followed. */
	SCAN_AMBIGUOUS,
};

/* Enough for real hellos in records of ten bytes and more. */
#define SCAN_CANDIDATES 3

/* All zero: not a byte was seen. */
struct hello_scan {
	struct client_hello candidates[SCAN_CANDIDATES];
	uint8_t random[HELLO_RANDOM_BYTES]; /* at SCAN_HELLO and SCAN_OVERLAPPED */
	struct record_window window;
	uint8_t candidate_count;
	uint8_t bytes_since_hello; /* since the last whole one ended; not counted beyond a begin */
	uint8_t state;             /* enum scan_state */
};

/* Feed the bytes that come next. */
enum scan_state hello_scan_feed(struct hello_scan *scan, const unsigned char *bytes, size_t count);

#endif
