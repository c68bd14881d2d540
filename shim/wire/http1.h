/* http1.h - the head of one HTTP/1 request, and the answer to it (RFC 9112).
 * Bytes in, facts out: no I/O, no memory but the caller's, any bytes in pieces of any size.
 */
#ifndef CFSHIM_WIRE_HTTP1_H
#define CFSHIM_WIRE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>

/* A longer head is answered where it stands. */
#define HTTP1_HEAD_MAX_BYTES (16u << 10)

enum http1_progress { HTTP1_MORE, HTTP1_COMPLETE, HTTP1_TOO_LONG };

/* All zero before the first byte. */
struct http1_head {
	size_t bytes;
	size_t line_bytes; /* of the line at hand, without CR and LF */
	unsigned blanks;   /* in the request line: of HTTP/0.9 it has one */
	bool in_headers;   /* the request line is over */
	bool is_head;      /* the method is HEAD: the answer has no body */
	char method[4];
};

/* The next bytes.  What follows a head that is complete is of no interest. */
enum http1_progress http1_read(struct http1_head *head, const unsigned char *bytes, size_t count);

/* A whole answer that ends the connection; its length.  An `Expect: 100-continue` is answered by it
 * too (RFC 9110, 10.1.1), and a request of HTTP/1.0 (RFC 9112, 2.3). */
#define HTTP1_ANSWER_MAX_BYTES 512
size_t http1_answer(char answer[HTTP1_ANSWER_MAX_BYTES], unsigned status, bool is_head);

#endif
