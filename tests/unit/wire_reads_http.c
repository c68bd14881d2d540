/* The head of a request, HTTP/1 and HTTP/2: whole, in pieces, broken, too long; and the answers. */
#include "test.h"
#include "wire/http1.h"
#include "wire/http2.h"
#include "wire/page.h"

#include <stdio.h>
#include <string.h>

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static void put(unsigned char *to, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = bytes[i];
}

/* ---- HTTP/1 ---- */

static const struct {
	const char *name;
	const char *bytes;
	bool complete, is_head;
} requests[] = {
	{"a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, false},
	{"one of HTTP/1.0 without a field", "GET / HTTP/1.0\r\n\r\n", true, false},
	{"line ends without CR", "GET / HTTP/1.1\nHost: a\n\n", true, false},
	{"HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", true, true},
	{"HEAD of HTTP/1.0", "HEAD / HTTP/1.0\r\n\r\n", true, true},
	{"what only begins with HEAD", "HEADER / HTTP/1.1\r\n\r\n", true, false},
	{"what is cut off before HEAD", "HEA / HTTP/1.1\r\n\r\n", true, false},
	{"head in small letters", "head / HTTP/1.1\r\n\r\n", true, false},
	{"an empty line in front", "\r\n\r\nHEAD / HTTP/1.1\r\n\r\n", true, true},
	{"one of HTTP/0.9", "GET /\r\n", true, false},
	{"a body behind it", "POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\nHEAD", true, false},
	{"a request line alone", "GET / HTTP/1.1\r\n", false, false},
	{"a field that is not at its end", "GET / HTTP/1.1\r\nHost: a\r\n", false, false},
	{"nothing but empty lines", "\r\n\r\n\r\n", false, false},
	{"nothing", "", false, false},
};

static void heads_of_http1(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const unsigned char *bytes = (const unsigned char *)requests[i].bytes;
		const size_t length = strlen(requests[i].bytes);
		struct http1_head whole = {0}, pieces = {0};
		enum http1_progress at_once = http1_read(&whole, bytes, length);
		enum http1_progress by_bytes = HTTP1_MORE;

		for (size_t at = 0; at < length && by_bytes == HTTP1_MORE; at++)
			by_bytes = http1_read(&pieces, bytes + at, 1);
		expect(at_once == (requests[i].complete ? HTTP1_COMPLETE : HTTP1_MORE), "%s: %d",
		       requests[i].name, (int)at_once);
		expect(by_bytes == at_once && pieces.is_head == whole.is_head,
		       "%s: in pieces it is another", requests[i].name);
		expect(whole.is_head == requests[i].is_head, "%s: HEAD %d", requests[i].name,
		       whole.is_head);
	}
	expectations_met();
}

static void long_heads_of_http1(void **state)
{
	static unsigned char bytes[HTTP1_HEAD_MAX_BYTES + 1];
	struct http1_head head = {0};

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(http1_read(&head, bytes, HTTP1_HEAD_MAX_BYTES), HTTP1_MORE);
	assert_int_equal(http1_read(&head, bytes, 1), HTTP1_TOO_LONG);
	assert_int_equal(http1_read(&head, bytes, 1), HTTP1_TOO_LONG);
	head = (struct http1_head){0};
	put(bytes + HTTP1_HEAD_MAX_BYTES - 2, BYTES("\n\n"));
	put(bytes, BYTES("GET / HTTP/1.1\n"));
	assert_int_equal(http1_read(&head, bytes, HTTP1_HEAD_MAX_BYTES), HTTP1_COMPLETE);
}

static void answers_of_http1(void **state)
{
	char answer[HTTP1_ANSWER_MAX_BYTES], page[PAGE_MAX_BYTES], length[64];

	(void)state;
	for (unsigned status = 400; status < 600; status++) {
		size_t page_bytes = page_write(page, status);
		size_t bytes = http1_answer(answer, status, false);
		const char *body = strstr(answer, "\r\n\r\n");

		assert_true(page_bytes < PAGE_MAX_BYTES && strlen(page) == page_bytes);
		assert_true(bytes < sizeof(answer) && strlen(answer) == bytes);
		assert_non_null(body);
		assert_string_equal(body + 4, page);
		snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", page_bytes);
		assert_non_null(strstr(answer, length));
		assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
		bytes = http1_answer(answer, status, true);
		assert_non_null(strstr(answer, length));
		assert_string_equal(answer + bytes - 4, "\r\n\r\n");
	}
	http1_answer(answer, 403, false);
	assert_memory_equal(answer, "HTTP/1.1 403 Forbidden\r\n", 24);
	http1_answer(answer, 599, false);
	assert_memory_equal(answer, "HTTP/1.1 599 Refused\r\n", 22);
}

/* ---- HTTP/2 ---- */

#define PREFACE  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define GET      "\x82\x87\x84"

static const struct {
	const char *name;
	const unsigned char *bytes;
	size_t length;
	enum http2_progress progress;
	uint32_t stream;
	bool is_head, no_window;
} streams[] = {
	{"a request", BYTES(PREFACE SETTINGS "\0\0\3\1\5\0\0\0\1" GET), HTTP2_COMPLETE, 1, false,
	 false},
	{"one with a body to come", BYTES(PREFACE SETTINGS "\0\0\3\1\4\0\0\0\3" GET),
	 HTTP2_COMPLETE, 3, false, false},
	{"HEAD", BYTES(PREFACE SETTINGS "\0\0\7\1\5\0\0\0\1\x42\4HEAD\x84"), HTTP2_COMPLETE, 1,
	 true, false},
	{"HEAD by Huffman", BYTES(PREFACE SETTINGS "\0\0\6\1\5\0\0\0\1\x02\x84\xc7\x82\x1b\xff"),
	 HTTP2_COMPLETE, 1, true, false},
	{"HEAD behind a path and a new size of the table",
	 BYTES(PREFACE SETTINGS "\0\0\x10\1\5\0\0\0\1\x3f\xe1\x1f\x44\5/HEAD\x13\4HEAD\x87"),
	 HTTP2_COMPLETE, 1, true, false},
	{"a field of its own name that is HEAD",
	 BYTES(PREFACE SETTINGS "\0\0\x0a\1\5\0\0\0\1\x82\0\2ab\4HEAD"), HTTP2_COMPLETE, 1, false,
	 false},
	{"a method that is cut off", BYTES(PREFACE SETTINGS "\0\0\3\1\5\0\0\0\1\x42\4H"),
	 HTTP2_COMPLETE, 1, false, false},
	{"padding and a priority",
	 BYTES(PREFACE SETTINGS "\0\0\x0f\1\x2d\0\0\0\5\2\0\0\0\0\x0f\x42\4HEAD\x84\0\0"),
	 HTTP2_COMPLETE, 5, true, false},
	{"more padding than there is", BYTES(PREFACE SETTINGS "\0\0\2\1\x0d\0\0\0\1\xff\x82"),
	 HTTP2_COMPLETE, 1, false, false},
	{"a head in two frames",
	 BYTES(PREFACE SETTINGS "\0\0\4\1\1\0\0\0\1\x42\4HE\0\0\2\x09\4\0\0\0\1"
				"AD"),
	 HTTP2_COMPLETE, 1, true, false},
	{"other frames before it",
	 BYTES(PREFACE SETTINGS "\0\0\4\x08\0\0\0\0\0\0\0\1\0\0\0\5\2\0\0\0\0\3\0\0\0\0\0"
				"\0\0\3\1\5\0\0\0\1" GET),
	 HTTP2_COMPLETE, 1, false, false},
	{"settings without room for a page",
	 BYTES(PREFACE "\0\0\x0c\4\0\0\0\0\0\0\3\0\0\0\x64\0\4\0\0\0\x10"
		       "\0\0\3\1\5\0\0\0\1" GET),
	 HTTP2_COMPLETE, 1, false, true},
	{"a preface alone", BYTES(PREFACE), HTTP2_MORE, 0, false, false},
	{"settings alone", BYTES(PREFACE SETTINGS), HTTP2_MORE, 0, false, false},
	{"a frame that is cut off", BYTES(PREFACE SETTINGS "\0\0\3\1\5\0\0\0\1\x82"), HTTP2_MORE, 1,
	 false, false},
	{"a request of HTTP/1", BYTES("GET / HTTP/1.1\r\n\r\n"), HTTP2_BROKEN, 0, false, false},
	{"no settings in front", BYTES(PREFACE "\0\0\3\1\5\0\0\0\1" GET), HTTP2_BROKEN, 0, false,
	 false},
	{"data in front", BYTES(PREFACE SETTINGS "\0\0\1\0\0\0\0\0\1x"), HTTP2_BROKEN, 0, false,
	 false},
	{"the stream of a server", BYTES(PREFACE SETTINGS "\0\0\3\1\5\0\0\0\2" GET), HTTP2_BROKEN,
	 0, false, false},
	{"a stream without a number", BYTES(PREFACE SETTINGS "\0\0\3\1\5\0\0\0\0" GET),
	 HTTP2_BROKEN, 0, false, false},
	{"a frame that is too long", BYTES(PREFACE SETTINGS "\0\x40\1\1\5\0\0\0\1" GET),
	 HTTP2_BROKEN, 0, false, false},
	{"a head that another frame interrupts",
	 BYTES(PREFACE SETTINGS "\0\0\3\1\1\0\0\0\1" GET SETTINGS), HTTP2_BROKEN, 1, false, false},
};

static void heads_of_http2(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct http2_head whole = {0}, pieces = {0};
		enum http2_progress at_once =
			http2_read(&whole, streams[i].bytes, streams[i].length);
		enum http2_progress by_bytes = HTTP2_MORE;

		for (size_t at = 0; at < streams[i].length && by_bytes == HTTP2_MORE; at++)
			by_bytes = http2_read(&pieces, streams[i].bytes + at, 1);
		expect(at_once == streams[i].progress, "%s: %d", streams[i].name, (int)at_once);
		expect(by_bytes == at_once && pieces.bytes == whole.bytes &&
			       pieces.stream == whole.stream &&
			       pieces.block_bytes == whole.block_bytes &&
			       memcmp(pieces.block, whole.block, whole.block_bytes) == 0,
		       "%s: in pieces it is another", streams[i].name);
		expect(whole.stream == streams[i].stream, "%s: stream %u", streams[i].name,
		       whole.stream);
		expect(http2_is_head(&whole) == streams[i].is_head, "%s: HEAD %d", streams[i].name,
		       http2_is_head(&whole));
		expect(whole.no_window == streams[i].no_window, "%s: no window %d", streams[i].name,
		       whole.no_window);
	}
	expectations_met();
}

static void long_heads_of_http2(void **state)
{
	static unsigned char bytes[HTTP2_HEAD_MAX_BYTES];
	struct http2_head head = {0};

	(void)state;
	put(bytes, BYTES(PREFACE SETTINGS));
	put(bytes + 33, BYTES("\0\x40\0\1\1\0\0\0\1"));
	assert_int_equal(http2_read(&head, bytes, sizeof(bytes)), HTTP2_MORE);
	assert_int_equal(http2_read(&head, bytes, 1), HTTP2_BROKEN);
}

/* Frame by frame: "type/flags/stream/length " for each. */
static void describe(char *text, size_t size, const unsigned char *bytes, size_t length)
{
	text[0] = '\0';
	for (size_t at = 0; at + 9 <= length;) {
		size_t payload = (size_t)bytes[at + 1] << 8 | bytes[at + 2];
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%u/%u/%u%s ", bytes[at + 3], bytes[at + 4],
			 bytes[at + 8], at + 9 + payload <= length ? "" : " cut off");
		at += 9 + payload;
	}
}

static void answers_of_http2(void **state)
{
	static const struct {
		struct http2_head head;
		const char *frames;
	} cases[] = {
		{{.stream = 1, .settings_seen = true}, "4/0/0 4/1/0 1/4/1 0/1/1 7/0/0 "},
		{{.stream = 3, .settings_seen = true}, "4/0/0 4/1/0 1/4/3 0/1/3 7/0/0 "},
		{{.stream = 1, .no_window = true, .settings_seen = true},
		 "4/0/0 4/1/0 1/5/1 7/0/0 "},
		{{.settings_seen = true}, "4/0/0 4/1/0 7/0/0 "},
		{{.stream = 0}, "4/0/0 7/0/0 "},
	};
	unsigned char answer[HTTP2_ANSWER_MAX_BYTES];
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		describe(text, sizeof(text), answer, http2_answer(answer, &cases[i].head, 451));
		assert_string_equal(text, cases[i].frames);
	}
}

/* Any bytes, in pieces of any size: an end, and no byte out of bounds (under a sanitizer). */
static void any_bytes(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct http2_head second = {0};
		struct http1_head first = {0};
		unsigned char bytes[200], answer[HTTP2_ANSWER_MAX_BYTES];
		size_t length = 0;

		put(bytes, BYTES(PREFACE SETTINGS));
		for (size_t i = round % 2 ? 33 : 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[i] = (unsigned char)((seed >> 24) & (i % 3 ? 0xff : 0x0f));
		}
		while (length < sizeof(bytes)) {
			size_t piece = 1 + (seed >> 20) % (sizeof(bytes) - length);

			http1_read(&first, bytes + length, piece);
			http2_read(&second, bytes + length, piece);
			length += piece;
		}
		(void)http2_is_head(&second);
		assert_true(http2_answer(answer, &second, 403) < sizeof(answer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the head of an HTTP/1 request ends at its empty line", heads_of_http1),
		TEST("a head of HTTP/1 over 16 KiB is too long", long_heads_of_http1),
		TEST("an answer of HTTP/1 has the length of its page, which HEAD does not get",
		     answers_of_http1),
		TEST("the first request of HTTP/2 is found, whatever comes before it",
		     heads_of_http2),
		TEST("a head of HTTP/2 over 16 KiB is broken", long_heads_of_http2),
		TEST("an answer of HTTP/2 has its frames in order", answers_of_http2),
		TEST("any bytes are read to an end", any_bytes),
	};

	return RUN_TESTS("wire-reads-http", tests);
}
