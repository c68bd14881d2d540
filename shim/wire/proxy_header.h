/* proxy_header.h - the PROXY protocol's header, version 1 (text) or 2 (binary), before a stream.
 *
 * Strict: what the specification does not allow is no header.  The host parses the header itself;
 * here counts where it ends, so that nothing else is let through in its place, and whom it names.
 */
#ifndef CFSHIM_PROXY_HEADER_H
#define CFSHIM_PROXY_HEADER_H

#include "policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Version 1, with its CRLF. */
#define PROXY_TEXT_BYTES 107
/* Version 2.  nginx takes 4096 bytes, HAProxy what fits into its buffer (tune.bufsize, 16384 where
 * it is not set).  The larger of both: nothing is kept of it, and the host says itself what is too
 * long. */
#define PROXY_MAX_BYTES 16384

enum proxy_state { PROXY_MORE, PROXY_WHOLE, PROXY_NOT };

/* All zero: not a byte was seen. */
struct proxy_header {
	struct endpoint source; /* where has_address is set; IPv4 is mapped into IPv6 */
	bool has_address;       /* not for UNKNOWN, LOCAL, UNIX sockets, and the like */
	uint8_t version;        /* 1 or 2, once it is PROXY_WHOLE */
	uint8_t state;          /* enum proxy_state */
	uint16_t taken;
	uint16_t length; /* version 2: of the whole header, once it is known */
	unsigned char kept[PROXY_TEXT_BYTES];
};

/* Feed the bytes that come next.  Gives how many of them belong to the header: all of them at
 * PROXY_MORE; up to its last one at PROXY_WHOLE; those before the one that did not fit at
 * PROXY_NOT. At PROXY_WHOLE and PROXY_NOT it stays what it is, and takes no more. */
size_t proxy_header_feed(struct proxy_header *header, const unsigned char *bytes, size_t count,
			 enum proxy_state *state);

#endif
