/* http_request.h - the head of a request of HTTP/1 (RFC 9112), strictly: for which host it is, and
 * what body follows.
 *
 * Who guards another's parser must not read a byte differently from it.  What parsers are known to
 * differ about (bare CR and LF, NUL, folded lines, blanks round a name, repeated or contradictory
 * framing, a second host, one in the target alone, a body where none belongs, HTTP/0.9 and /2,
 * CONNECT, h2c) is therefore refused, and what is left has one reading.  An own parser, and not one
 * of the well-known: those are made to take what is sent (llhttp and picohttpparser pass on the
 * host as it stands, take bare LF or blanks, each in its own way), and all that is refused here
 * would still have to be found in what they give; and a head is parsed only when the whole of it is
 * there, which takes a page or two.
 *
 * Bytes in, facts out: no I/O, no memory but the caller's.
 */
#ifndef CFSHIM_WIRE_HTTP_REQUEST_H
#define CFSHIM_WIRE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer head is refused. */
#define HTTP_HEAD_MAX_BYTES ((size_t)64 << 10)

enum http_head { HTTP_HEAD_MORE, HTTP_HEAD_WHOLE, HTTP_HEAD_WRONG };

/* Does a head that begins at `bytes` end within the `count` that are there?  Then `*length` is its
 * own.  `*looked` is 0 at first: how many were looked at already.  HTTP_HEAD_WRONG as soon as it
 * cannot become the head of a request any more. */
enum http_head http_head_find(const char *bytes, size_t count, size_t *looked, size_t *length);

struct http_request {
	const char
		*host; /* within the head, without its port; NULL: it names none, or an address */
	size_t host_length;
	bool is_head;            /* the method is HEAD: the answer to it has no body */
	bool upgrades;           /* it asks for WebSocket */
	bool is_chunked;         /* its body is; else it has content_length bytes */
	uint64_t content_length; /* 0: no body */
};

/* The head that http_head_find() has found.  False: it is none, or not of the one reading. */
bool http_request_parse(const char *head, size_t length, struct http_request *request);

#endif
