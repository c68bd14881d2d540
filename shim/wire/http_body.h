/* http_body.h - how far the body of a message of HTTP/1 reaches (RFC 9112, 6 and 7), strictly: a
 * chunk has no extensions, and nothing follows the last one.
 * Bytes in, facts out: no I/O, no memory but the caller's, any bytes in pieces of any size.
 */
#ifndef CFSHIM_WIRE_HTTP_BODY_H
#define CFSHIM_WIRE_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* HTTP_BODY_LENGTH: `left` bytes; also within a chunk.  HTTP_BODY_OVER: not a byte more. */
enum http_body_state {
	HTTP_BODY_OVER,
	HTTP_BODY_WRONG,
	HTTP_BODY_LENGTH,
	HTTP_BODY_REST, /* of the connection */
	HTTP_BODY_CHUNK_SIZE,
	HTTP_BODY_CHUNK,
	HTTP_BODY_LINE_END /* of a size, of a chunk, and of the last one */
};

struct http_body {
	enum http_body_state state;
	uint64_t left;
	unsigned digits; /* of the size at hand, so far */
	enum { HTTP_LINE_OF_SIZE, HTTP_LINE_OF_CHUNK, HTTP_LINE_OF_LAST } line;
	bool cr_seen;
};

struct http_body http_body_of_length(uint64_t length);
struct http_body http_body_of_chunks(void);

/* How many of these bytes are the body's; all, unless it is over or wrong. */
size_t http_body_read(struct http_body *body, const char *bytes, size_t count);

/* The same for `count` bytes that nobody has seen: wrong where any of them was more than data. */
void http_body_skip(struct http_body *body, size_t count);

#endif
