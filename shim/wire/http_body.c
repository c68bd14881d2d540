#include "http_body.h"

/* No chunk that is sent has more. */
#define DIGITS_MAX 15

struct http_body http_body_of_length(uint64_t length)
{
	return (struct http_body){.state = length > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_OVER,
				  .left = length};
}

struct http_body http_body_of_chunks(void)
{
	return (struct http_body){.state = HTTP_BODY_CHUNK_SIZE};
}

static int digit_of(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

static void size_byte(struct http_body *body, char byte)
{
	const int digit = digit_of(byte);

	if (digit >= 0 && body->digits < DIGITS_MAX) {
		body->left = body->left << 4 | (unsigned)digit;
		body->digits++;
	} else if (byte == '\r' && body->digits > 0) {
		body->state = HTTP_BODY_LINE_END;
		body->line = HTTP_LINE_OF_SIZE;
		body->cr_seen = true;
	} else {
		body->state = HTTP_BODY_WRONG;
	}
}

static void line_end_byte(struct http_body *body, char byte)
{
	if (byte != (body->cr_seen ? '\n' : '\r')) {
		body->state = HTTP_BODY_WRONG;
		return;
	}
	if (!body->cr_seen) {
		body->cr_seen = true;
		return;
	}
	body->cr_seen = false;
	body->digits = 0;
	if (body->line == HTTP_LINE_OF_LAST)
		body->state = HTTP_BODY_OVER;
	else if (body->line == HTTP_LINE_OF_CHUNK)
		body->state = HTTP_BODY_CHUNK_SIZE;
	else if (body->left > 0)
		body->state = HTTP_BODY_CHUNK;
	else
		body->line = HTTP_LINE_OF_LAST;
}

/* As many of `count` as are of the length, or of the chunk. */
static size_t take_data(struct http_body *body, size_t count)
{
	const size_t taken = count < body->left ? count : (size_t)body->left;

	body->left -= taken;
	if (body->left == 0 && body->state == HTTP_BODY_CHUNK) {
		body->state = HTTP_BODY_LINE_END;
		body->line = HTTP_LINE_OF_CHUNK;
	} else if (body->left == 0) {
		body->state = HTTP_BODY_OVER;
	}
	return taken;
}

size_t http_body_read(struct http_body *body, const char *bytes, size_t count)
{
	size_t at = 0;

	while (at < count && body->state > HTTP_BODY_WRONG) {
		if (body->state == HTTP_BODY_REST)
			return count;
		if (body->state == HTTP_BODY_LENGTH || body->state == HTTP_BODY_CHUNK)
			at += take_data(body, count - at);
		else if (body->state == HTTP_BODY_CHUNK_SIZE)
			size_byte(body, bytes[at++]);
		else
			line_end_byte(body, bytes[at++]);
	}
	return at;
}

void http_body_skip(struct http_body *body, size_t count)
{
	if (body->state == HTTP_BODY_REST || count == 0)
		return;
	if ((body->state != HTTP_BODY_LENGTH && body->state != HTTP_BODY_CHUNK) ||
	    take_data(body, count) != count)
		body->state = HTTP_BODY_WRONG;
}
