/* http2.h - the beginning of one HTTP/2 connection up to its first request, and the answer to it
 * (RFC 9113).
 * Bytes in, facts out: no I/O, no memory but the caller's, any bytes in pieces of any size.
 */
#ifndef CFSHIM_WIRE_HTTP2_H
#define CFSHIM_WIRE_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What comes before the end of the first request's head, at most. */
#define HTTP2_HEAD_MAX_BYTES (16u << 10)

enum http2_progress { HTTP2_MORE, HTTP2_COMPLETE, HTTP2_BROKEN };

/* All zero before the first byte. */
struct http2_head {
	size_t bytes;
	unsigned char frame[9]; /* the header of the frame at hand ... */
	unsigned frame_bytes;   /* ... as far as it has come */
	uint32_t payload_bytes; /* of it, come so far */
	unsigned char setting[6];
	bool settings_seen;
	bool no_window;  /* the client's settings leave a stream no room for a page */
	uint32_t stream; /* of the first request; 0: none yet */
	unsigned char padding;
	size_t block_bytes; /* of its header block the first bytes, where the method stands */
	unsigned char block[256];
};

/* The next bytes.  HTTP2_BROKEN: they are no HTTP/2, or too many. */
enum http2_progress http2_read(struct http2_head *head, const unsigned char *bytes, size_t count);

/* Is it the method HEAD?  For what stands in a dynamic table it says no. */
bool http2_is_head(const struct http2_head *head);

/* The whole of the server's side, up to GOAWAY; its length.  Without a request, GOAWAY alone. */
#define HTTP2_ANSWER_MAX_BYTES 512
size_t http2_answer(unsigned char answer[HTTP2_ANSWER_MAX_BYTES], const struct http2_head *head,
		    unsigned status);

#endif
