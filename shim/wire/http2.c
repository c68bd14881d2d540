#include "http2.h"

#include "page.h"

#include <stdio.h>
#include <string.h>

/* RFC 9113: 3.4, 4.1, 6. */
static const unsigned char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_BYTES   (sizeof(preface) - 1)
#define FRAME_MAX_BYTES 16384u

enum frame_type {
	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_SETTINGS = 4,
	FRAME_GOAWAY = 7,
	FRAME_CONTINUATION = 9
};
enum { FLAG_END_STREAM = 0x1, FLAG_ACK = 0x1, FLAG_END_HEADERS = 0x4, FLAG_PADDED = 0x8 };
enum { FLAG_PRIORITY = 0x20, PRIORITY_BYTES = 5, SETTING_INITIAL_WINDOW = 4 };
enum { ERROR_NONE = 0, ERROR_PROTOCOL = 1 };

static uint32_t number_at(const unsigned char *bytes, size_t count)
{
	uint32_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

static uint32_t frame_length(const struct http2_head *head)
{
	return number_at(head->frame, 3);
}

static uint32_t frame_stream(const struct http2_head *head)
{
	return number_at(head->frame + 5, 4) & 0x7fffffff;
}

/* The header of a frame is there: may it stand here? */
static bool frame_begin(struct http2_head *head)
{
	unsigned type = head->frame[3];

	head->payload_bytes = 0;
	if (frame_length(head) > FRAME_MAX_BYTES ||
	    (!head->settings_seen && type != FRAME_SETTINGS))
		return false;
	/* Until END_HEADERS nothing else comes in between. */
	if (head->stream != 0)
		return type == FRAME_CONTINUATION && frame_stream(head) == head->stream;
	if (type == FRAME_CONTINUATION || type == FRAME_DATA)
		return false;
	if (type != FRAME_HEADERS)
		return true;
	if ((frame_stream(head) & 1) == 0) /* a client's are odd */
		return false;
	head->stream = frame_stream(head);
	return true;
}

static void settings_byte(struct http2_head *head, unsigned char byte)
{
	const size_t at = head->payload_bytes % sizeof(head->setting);

	head->setting[at] = byte;
	if (at == sizeof(head->setting) - 1 &&
	    number_at(head->setting, 2) == SETTING_INITIAL_WINDOW)
		head->no_window = number_at(head->setting + 2, 4) < PAGE_MAX_BYTES;
}

static void headers_byte(struct http2_head *head, unsigned char byte)
{
	const unsigned flags = head->frame[3] == FRAME_HEADERS ? head->frame[4] : 0;
	uint32_t before = 0, behind = 0;

	if ((flags & FLAG_PADDED) != 0) {
		if (head->payload_bytes == 0)
			head->padding = byte;
		before = 1;
		behind = head->padding;
	}
	if ((flags & FLAG_PRIORITY) != 0)
		before += PRIORITY_BYTES;
	if (head->payload_bytes >= before && head->payload_bytes + behind < frame_length(head) &&
	    head->block_bytes < sizeof(head->block))
		head->block[head->block_bytes++] = byte;
}

/* True where the head of the request has ended with this frame. */
static bool frame_end(struct http2_head *head)
{
	head->frame_bytes = 0;
	if (head->frame[3] == FRAME_SETTINGS)
		head->settings_seen = true;
	return head->stream != 0 && (head->frame[4] & FLAG_END_HEADERS) != 0;
}

static enum http2_progress frame_byte(struct http2_head *head, unsigned char byte)
{
	if (head->frame_bytes < sizeof(head->frame)) {
		head->frame[head->frame_bytes++] = byte;
		if (head->frame_bytes < sizeof(head->frame))
			return HTTP2_MORE;
		if (!frame_begin(head))
			return HTTP2_BROKEN;
	} else {
		if (head->frame[3] == FRAME_SETTINGS)
			settings_byte(head, byte);
		else if (head->frame[3] == FRAME_HEADERS || head->frame[3] == FRAME_CONTINUATION)
			headers_byte(head, byte);
		head->payload_bytes++;
	}
	if (head->payload_bytes < frame_length(head))
		return HTTP2_MORE;
	return frame_end(head) ? HTTP2_COMPLETE : HTTP2_MORE;
}

enum http2_progress http2_read(struct http2_head *head, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const size_t at = head->bytes;
		enum http2_progress progress = HTTP2_MORE;

		if (at >= HTTP2_HEAD_MAX_BYTES || (at < PREFACE_BYTES && bytes[i] != preface[at]))
			return HTTP2_BROKEN;
		head->bytes++;
		if (at >= PREFACE_BYTES)
			progress = frame_byte(head, bytes[i]);
		if (progress != HTTP2_MORE)
			return progress;
	}
	return HTTP2_MORE;
}

/* ---- the header block (RFC 7541), as far as the method needs it ---- */

struct block {
	const unsigned char *at, *end;
	bool ended; /* before what was to be read */
};

static uint32_t block_byte(struct block *block)
{
	if (block->at == block->end) {
		block->ended = true;
		return 0;
	}
	return *block->at++;
}

/* RFC 7541, 5.1; what is beyond all that can stand here ends the block. */
static uint32_t block_number(struct block *block, uint32_t first, uint32_t mask)
{
	uint32_t number = first & mask, byte;

	if (number < mask)
		return number;
	for (unsigned shift = 0; shift < 21; shift += 7) {
		byte = block_byte(block);
		number += (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return number;
	}
	block->ended = true;
	return 0;
}

/* A string is passed over; true where it is "HEAD". */
static bool block_string(struct block *block)
{
	static const unsigned char plain[] = {'H', 'E', 'A', 'D'};
	static const unsigned char coded[] = {0xc7, 0x82, 0x1b, 0xff}; /* Huffman */
	uint32_t first = block_byte(block);
	uint32_t length = block_number(block, first, 0x7f);
	const unsigned char *string = block->at;

	if (length > (size_t)(block->end - block->at)) {
		block->ended = true;
		return false;
	}
	block->at += length;
	return length == sizeof(plain) &&
	       memcmp(string, (first & 0x80) != 0 ? coded : plain, sizeof(plain)) == 0;
}

bool http2_is_head(const struct http2_head *head)
{
	struct block block = {.at = head->block, .end = head->block + head->block_bytes};

	while (!block.ended && block.at < block.end) {
		uint32_t first = block_byte(&block), name;
		bool is_head;

		if ((first & 0x80) != 0) { /* in the table, name and value */
			(void)block_number(&block, first, 0x7f);
			continue;
		}
		if ((first & 0xe0) == 0x20) { /* a new size of the table */
			(void)block_number(&block, first, 0x1f);
			continue;
		}
		name = block_number(&block, first, (first & 0xc0) == 0x40 ? 0x3f : 0x0f);
		if (name == 0)
			(void)block_string(&block);
		is_head = block_string(&block);
		if ((name == 2 || name == 3) && !block.ended) /* :method */
			return is_head;
	}
	return false;
}

/* ---- the answer ---- */

struct answer {
	unsigned char *bytes;
	size_t length;
};

static void add_bytes(struct answer *answer, const void *bytes, size_t count)
{
	memcpy(answer->bytes + answer->length, bytes, count);
	answer->length += count;
}

static void add_number(struct answer *answer, uint32_t number, unsigned count)
{
	while (count-- > 0)
		answer->bytes[answer->length++] = (unsigned char)(number >> (8 * count));
}

static void add_frame(struct answer *answer, enum frame_type type, unsigned flags, uint32_t stream,
		      size_t length)
{
	add_number(answer, (uint32_t)length, 3);
	add_number(answer, type, 1);
	add_number(answer, flags, 1);
	add_number(answer, stream, 4);
}

/* A literal field, not indexed, whose name has `index` in the static table. */
static void add_field(struct answer *answer, unsigned index, const char *value)
{
	const size_t length = strlen(value);

	if (index < 15) {
		add_number(answer, index, 1);
	} else {
		add_number(answer, 15, 1);
		add_number(answer, index - 15, 1);
	}
	add_number(answer, (uint32_t)length, 1);
	add_bytes(answer, value, length);
}

/* The fields, of which the frame's header has to know the length. */
static void add_headers(struct answer *answer, const struct http2_head *head, unsigned status,
			size_t page_bytes, bool ends)
{
	enum { STATUS = 8, CACHE_CONTROL = 24, CONTENT_LENGTH = 28, CONTENT_TYPE = 31 };
	unsigned char bytes[128];
	struct answer fields = {.bytes = bytes};
	char text[16];

	snprintf(text, sizeof(text), "%u", status);
	add_field(&fields, STATUS, text);
	add_field(&fields, CONTENT_TYPE, "text/html");
	if (!head->no_window) {
		snprintf(text, sizeof(text), "%zu", page_bytes);
		add_field(&fields, CONTENT_LENGTH, text);
	}
	add_field(&fields, CACHE_CONTROL, "no-store");
	add_frame(answer, FRAME_HEADERS, FLAG_END_HEADERS | (ends ? FLAG_END_STREAM : 0u),
		  head->stream, fields.length);
	add_bytes(answer, fields.bytes, fields.length);
}

static void add_response(struct answer *answer, const struct http2_head *head, unsigned status)
{
	const bool no_body = head->no_window || http2_is_head(head);
	char page[PAGE_MAX_BYTES];
	const size_t length = page_write(page, status);

	add_headers(answer, head, status, length, no_body);
	/* No RST_STREAM behind it, though a body may be under way (RFC 9113, 8.1, allows it): curl
	 * that finds both at once (7.88) loses the answer. */
	if (!no_body) {
		add_frame(answer, FRAME_DATA, FLAG_END_STREAM, head->stream, length);
		add_bytes(answer, page, length);
	}
}

size_t http2_answer(unsigned char bytes[HTTP2_ANSWER_MAX_BYTES], const struct http2_head *head,
		    unsigned status)
{
	struct answer answer = {.bytes = bytes};
	const bool is_request = head->stream != 0;

	add_frame(&answer, FRAME_SETTINGS, 0, 0, 0);
	if (head->settings_seen)
		add_frame(&answer, FRAME_SETTINGS, FLAG_ACK, 0, 0);
	if (is_request)
		add_response(&answer, head, status);
	add_frame(&answer, FRAME_GOAWAY, 0, 0, 8);
	add_number(&answer, head->stream, 4);
	add_number(&answer, is_request ? ERROR_NONE : ERROR_PROTOCOL, 4);
	return answer.length;
}
