/* http_response.h - what a server of HTTP/1 answers (RFC 9112), as far as to know when an answer is
 * over, and whether it is 101: from then on the connection speaks another protocol.
 *
 * Where that cannot be said for certain it is lost, for good: what follows from it is only what may
 * be allowed beyond the rule, so nothing is.
 * Bytes in, facts out: no I/O, no memory but the caller's, any bytes in pieces of any size.
 */
#ifndef CFSHIM_WIRE_HTTP_RESPONSE_H
#define CFSHIM_WIRE_HTTP_RESPONSE_H

#include "http_body.h"

enum http_response_state {
	HTTP_RESPONSE_NONE, /* none is due */
	HTTP_RESPONSE_HEAD,
	HTTP_RESPONSE_BODY,
	HTTP_RESPONSE_UPGRADED,
	HTTP_RESPONSE_LOST
};

/* All zero before the first request. */
struct http_response {
	enum http_response_state state;
	bool no_body, upgrades; /* what was asked for */
	struct http_body body;
	unsigned status; /* 0: its line has not come yet */
	bool is_chunked, has_length, switches;
	uint64_t length;
	size_t line_bytes; /* of the line at hand ... */
	char line[40];     /* ... as far as it matters */
};

/* A request is on its way to the server; `is_head`: the answer has no body. */
void http_response_expect(struct http_response *response, bool is_head, bool upgrades);

/* What the server writes; or `count` bytes of it that nobody has seen. */
void http_response_read(struct http_response *response, const char *bytes, size_t count);
void http_response_skip(struct http_response *response, size_t count);

#endif
