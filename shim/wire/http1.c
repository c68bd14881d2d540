#include "http1.h"

#include "page.h"

#include <stdio.h>
#include <string.h>

/* A line has ended; true where the head has. */
static bool end_line(struct http1_head *head)
{
	bool empty = head->line_bytes == 0;

	head->line_bytes = 0;
	if (head->in_headers)
		return empty;
	/* RFC 9112, 2.2: empty lines before the request line do not count. */
	if (empty)
		return false;
	head->in_headers = true;
	head->is_head = head->blanks > 0 && memcmp(head->method, "HEAD", 4) == 0;
	return head->blanks < 2;
}

/* One byte of a line. */
static void take_byte(struct http1_head *head, unsigned char byte)
{
	if (!head->in_headers) {
		if (head->line_bytes < sizeof(head->method))
			head->method[head->line_bytes] = (char)byte;
		else if (head->line_bytes == sizeof(head->method) && byte != ' ')
			head->method[0] = '\0'; /* "HEADER" */
		head->blanks += byte == ' ' && head->blanks < 2;
	}
	head->line_bytes++;
}

enum http1_progress http1_read(struct http1_head *head, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (head->bytes++ >= HTTP1_HEAD_MAX_BYTES)
			return HTTP1_TOO_LONG;
		if (bytes[i] == '\n') {
			if (end_line(head))
				return HTTP1_COMPLETE;
		} else if (bytes[i] != '\r') {
			take_byte(head, bytes[i]);
		}
	}
	return HTTP1_MORE;
}

size_t http1_answer(char answer[HTTP1_ANSWER_MAX_BYTES], unsigned status, bool is_head)
{
	char page[PAGE_MAX_BYTES];
	size_t length = page_write(page, status);

	return (size_t)snprintf(answer, HTTP1_ANSWER_MAX_BYTES,
				"HTTP/1.1 %u %s\r\nContent-Type: text/html\r\n"
				"Content-Length: %zu\r\nCache-Control: no-store\r\n"
				"Connection: close\r\n\r\n%s",
				status, page_phrase(status), length, is_head ? "" : page);
}
