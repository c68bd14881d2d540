/* The head of a request as it is held against the rules: what has one reading, and whose it is;
 * bodies; answers.  In one piece and cut at every byte. */
#include "test.h"
#include "wire/http_request.h"
#include "wire/http_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct good {
	const char *head, *host; /* NULL: it names none, or an address */
	uint64_t length;
	bool is_chunked, is_head, upgrades;
};

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct good goods[] = {
	{"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n", .host = "shop.example"},
	{"GET / HTTP/1.1\r\nhost:shop.example\r\n\r\n", .host = "shop.example"},
	{"GET / HTTP/1.1\r\nHOST: \t shop.example \t\r\n\r\n", .host = "shop.example"},
	{"GET / HTTP/1.1\r\nHost: Shop.EXAMPLE.:443\r\n\r\n", .host = "Shop.EXAMPLE."},
	{"GET / HTTP/1.1\r\nHost: xn--bcher-kva.example\r\n\r\n", .host = "xn--bcher-kva.example"},
	{"GET / HTTP/1.1\r\nHost: " LABEL63 ".a\r\n\r\n", .host = LABEL63 ".a"},
	{"GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n", .host = "localhost"},
	{"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", .host = NULL},
	{"GET / HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n\r\n", .host = NULL},
	{"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", .host = NULL},
	{"GET / HTTP/1.1\r\nHost: [2001:db8::1.2.3.4]:443\r\n\r\n", .host = NULL},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", .host = NULL},
	{"GET / HTTP/1.1\r\nHost: \r\n\r\n", .host = NULL},
	{"GET / HTTP/1.0\r\n\r\n", .host = NULL},
	{"GET / HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n",
	 .host = "a.example"},
	{"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", .host = "a.example"},
	{"GET HTTPS://A.example:443/?q HTTP/1.1\r\nHost: a.Example:443\r\n\r\n",
	 .host = "a.Example"},
	{"GET http://a.example HTTP/1.0\r\nHost: a.example\r\n\r\n", .host = "a.example"},
	{"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", .host = "a.example"},
	{"GET //b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", .host = "a.example"},
	{"GET /\xc3\xa4?\"<>\\^`{|}#x HTTP/1.1\r\nHost: a.example\r\n\r\n", .host = "a.example"},
	{"GET / HTTP/1.1\r\nX: \xc3\xa4\tb\r\nHost: a.example\r\nX-Empty:\r\n\r\n",
	 .host = "a.example"},
	{"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n", .host = "a.example", .is_head = true},
	{"VERSION-CONTROL / HTTP/1.1\r\nHost: a.example\r\n\r\n", .host = "a.example"},
	{"patch / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 7\r\n\r\n", .host = "a.example",
	 .length = 7},
	{"GET / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n", .host = "a.example"},
	{"POST / HTTP/1.1\r\nHost: a.example\r\ncontent-length: 007 \r\n\r\n", .host = "a.example",
	 .length = 7},
	{"PUT / HTTP/1.0\r\nHost: a.example\r\nContent-Length: 999999999999999999\r\n\r\n",
	 .host = "a.example", .length = 999999999999999999},
	{"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: Chunked\r\n\r\n",
	 .host = "a.example", .is_chunked = true},
	{"POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
	 .host = "a.example", .length = 1},
	{"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\n"
	 "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
	 .host = "a.example", .upgrades = true},
};

#define HOST "Host: a.example\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST

/* Each would be served by somebody. */
static const char *const bads[] = {
	/* whom some take from the target, and others from nowhere */
	"GET http://a.example/ HTTP/1.0\r\n\r\n",
	/* lines */
	"GET / HTTP/1.1\nHost: a.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example\n\n",
	"GET / HTTP/1.1\r\nHost: a.example\r\r\n\r\n",
	"GET / HTTP/1.1\rHost: b.example\r\nHost: a.example\r\n\r\n",
	GET "X: a\rHost: b.example\r\n\r\n",
	GET "X: a\r\n b\r\n\r\n",
	GET "X: a\r\n\tb\r\n\r\n",
	"GET / HTTP/1.1\r\n Host: a.example\r\n\r\n",
	"GET / HTTP/1.1\r\nX: a\r\n Host: b.example\r\nHost: a.example\r\n\r\n",
	"\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	GET "X\r\n\r\n",
	GET "X: a\vb\r\n\r\n",
	GET "X: a\x7f\r\n\r\n",
	GET "X: a\x1b[2J\r\n\r\n",
	/* the first line */
	"GET /\r\n\r\n",
	"GET / \r\nHost: a.example\r\n\r\n",
	"GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/1.1 \r\nHost: a.example\r\n\r\n",
	"GET /  HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET\t/\tHTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET /\ta HTTP/1.1\r\nHost: a.example\r\n\r\n",
	" GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET / http/1.1\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/1.2\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/1.10\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/01.1\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/0.9\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/2.0\r\nHost: a.example\r\n\r\n",
	"GET / ICY/1.1\r\nHost: a.example\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"G@T / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET a.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET * HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET ftp://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http:/a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http:// HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http:///b.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
	"connect / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"EHLO a.example\r\n",
	/* the host */
	"GET / HTTP/1.1\r\n\r\n",
	"GET http://a.example/ HTTP/1.1\r\n\r\n",
	GET HOST "\r\n",
	GET "Host: b.example\r\n\r\n",
	GET "host: b.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost\t: a.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example b.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example@b.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example:80@b.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example#b.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example/b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: http://a.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a%2eexample\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\xc3\xa4.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example..\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: .a.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: .\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: *.example\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example:\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example:443:443\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example:port\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a.example:123456\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: :443\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: 2130706433\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: 127.1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: 127.0.0.01\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: 127.0.0.1.\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: 256.0.0.1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [a.example]\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a" LABEL63 ".example\r\n\r\n",
	"GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://a.example:80/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://a.example./ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://a.example/ HTTP/1.1\r\nHost:\r\n\r\n",
	"GET http://a.example#@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://a.example\\@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://a.example?@b.example/ HTTP/1.0\r\n\r\n",
	"GET http://a.example?q HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET http://x@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/1.1\r\n" HOST "Connection: close, Host\r\n\r\n",
	/* the body */
	POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
	POST "Content-Length: 5\r\nContent_Length: 6\r\n\r\n",
	POST "Content-Length: 5, 5\r\n\r\n",
	POST "Content-Length: +5\r\n\r\n",
	POST "Content-Length: -1\r\n\r\n",
	POST "Content-Length: 0x5\r\n\r\n",
	POST "Content-Length: 5 6\r\n\r\n",
	POST "Content-Length:\r\n\r\n",
	POST "Content-Length: 1000000000000000000\r\n\r\n",
	POST "Content-Length : 5\r\n\r\n",
	POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
	POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	POST "Transfer-Encoding: chunked, chunked\r\n\r\n",
	POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
	POST "Transfer-Encoding: identity\r\n\r\n",
	POST "Transfer-Encoding: chunked, identity\r\n\r\n",
	POST "Transfer-Encoding: xchunked\r\n\r\n",
	POST "Transfer-Encoding: \"chunked\"\r\n\r\n",
	POST "Transfer-Encoding: chunked;q=1\r\n\r\n",
	POST "Transfer-Encoding:\vchunked\r\n\r\n",
	POST "Transfer-Encoding : chunked\r\n\r\n",
	POST "Transfer_Encoding: chunked\r\n\r\n",
	POST "Transfer-Encoding:\r\n\r\n",
	POST "Transfer-Encoding:\r\n chunked\r\n\r\n",
	POST "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n",
	POST "Connection: x ,\tcontent-length\r\nContent-Length: 5\r\n\r\n",
	"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
	GET "Content-Length: 5\r\n\r\n",
	GET "Transfer-Encoding: chunked\r\n\r\n",
	"HEAD / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n",
	POST "Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\n",
	POST "Expect: 200-ok\r\nContent-Length: 5\r\n\r\n",
	/* another protocol */
	GET
	"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
	GET "HTTP2-Settings: AAMAAABk\r\n\r\n",
	GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
	GET "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
	GET "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n",
	GET "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
	"GET / HTTP/1.0\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
	POST "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\n",
	GET "Expect: 100-continue\r\nUpgrade: websocket\r\n\r\n",
};

/* The first head in a copy of just these bytes: as it is found at once, and as the bytes come in.
 */
static bool read_head(const char *bytes, size_t count, struct http_request *request,
		      const char *name)
{
	size_t looked = 0, looked_at_once = 0, length = 0, length_at_once = 0;
	enum http_head found = HTTP_HEAD_MORE, at_once;

	at_once = http_head_find(bytes, count, &looked_at_once, &length_at_once);
	for (size_t come = 1; come <= count && found == HTTP_HEAD_MORE; come++) {
		char *copy = malloc(come); /* of its own, for who watches memory */

		assert_non_null(copy);
		memcpy(copy, bytes, come);
		found = http_head_find(copy, come, &looked, &length);
		free(copy);
	}
	expect(found == at_once && (found != HTTP_HEAD_WHOLE || length == length_at_once),
	       "%s: byte by byte it is another", name);
	return at_once == HTTP_HEAD_WHOLE && http_request_parse(bytes, length_at_once, request);
}

static void good_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		const struct good *good = &goods[i];
		struct http_request request;
		const bool is_one = read_head(good->head, strlen(good->head), &request, good->head);

		expect(is_one, "refused: %s", good->head);
		if (!is_one)
			continue;
		expect((request.host == NULL) == (good->host == NULL), "%s: a name or none",
		       good->head);
		if (request.host != NULL && good->host != NULL)
			expect(request.host_length == strlen(good->host) &&
				       memcmp(request.host, good->host, request.host_length) == 0,
			       "%s: %.*s", good->head, (int)request.host_length, request.host);
		expect(request.content_length == good->length &&
			       request.is_chunked == good->is_chunked &&
			       request.is_head == good->is_head &&
			       request.upgrades == good->upgrades,
		       "%s", good->head);
	}
	expectations_met();
}

static void bad_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct http_request request;

		expect(!read_head(bads[i], strlen(bads[i]), &request, bads[i]), "passes: %s",
		       bads[i]);
	}
	expectations_met();
}

/* Only a tab passes, round a value. */
static void control_bytes(void **state)
{
	static const char whole[] =
		"POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n";
	const size_t length = sizeof(whole) - 1;

	(void)state;
	for (size_t at = 0; at < length - 1; at++) {
		for (int control = 0; control < ' '; control++) {
			char copy[sizeof(whole)];
			struct http_request request;

			memcpy(copy, whole, at);
			copy[at] = (char)control;
			memcpy(copy + at + 1, whole + at, length - at);
			if (read_head(copy, length + 1, &request, "a control byte"))
				expect(control == '\t' && request.host_length == 9 &&
					       request.content_length == 5,
				       "0x%02x before byte %zu passes", (unsigned)control, at);
		}
	}
	expectations_met();
}

static void long_heads(void **state)
{
	static const char end[] = {'\r', '\n', '\r', '\n'};
	struct http_request request;
	size_t looked = 0, length = 0;
	char *bytes = malloc(2 * HTTP_HEAD_MAX_BYTES);
	const size_t begin = (size_t)snprintf(bytes, 64, GET "X: ");

	(void)state;
	assert_non_null(bytes);
	memset(bytes + begin, 'x', 2 * HTTP_HEAD_MAX_BYTES - begin);
	assert_int_equal(http_head_find(bytes, HTTP_HEAD_MAX_BYTES - 1, &looked, &length),
			 HTTP_HEAD_MORE);
	assert_int_equal(http_head_find(bytes, HTTP_HEAD_MAX_BYTES, &looked, &length),
			 HTTP_HEAD_WRONG);
	memcpy(bytes + HTTP_HEAD_MAX_BYTES - 4, end, sizeof(end));
	looked = 0;
	assert_int_equal(http_head_find(bytes, 2 * HTTP_HEAD_MAX_BYTES, &looked, &length),
			 HTTP_HEAD_WHOLE);
	assert_int_equal(length, HTTP_HEAD_MAX_BYTES);
	assert_true(http_request_parse(bytes, length, &request));
	free(bytes);
}

/* ---- bodies ---- */

static const struct {
	const char *bytes;
	uint64_t length; /* 0: chunks */
	size_t taken;
	enum http_body_state state;
} bodies[] = {
	{"GET / HTTP/1.1\r\n", 5, 5, HTTP_BODY_OVER},
	{"12345", 6, 5, HTTP_BODY_LENGTH},
	{"0\r\n\r\nGET", 0, 5, HTTP_BODY_OVER},
	{"5\r\nabcde\r\n0\r\n\r\n", 0, 15, HTTP_BODY_OVER},
	{"1\r\na\r\nA\r\n0123456789\r\n00\r\n\r\nX", 0, 27, HTTP_BODY_OVER},
	{"5\r\n0\r\n\r\n\r\n0\r\n\r\n", 0, 15, HTTP_BODY_OVER},
	{"5\r\nabcd", 0, 7, HTTP_BODY_CHUNK},
	{"fffffffffffffff\r\na", 0, 18, HTTP_BODY_CHUNK},
	{"5\nabcde\r\n0\r\n\r\n", 0, 2, HTTP_BODY_WRONG},
	{"5\r\nabcde\n0\r\n\r\n", 0, 9, HTTP_BODY_WRONG},
	{"5\r\nabcdef\r\n0\r\n\r\n", 0, 9, HTTP_BODY_WRONG},
	{"5\r\nabc\r\n0\r\n\r\n", 0, 9, HTTP_BODY_WRONG},
	{"5;a=b\r\nabcde\r\n0\r\n\r\n", 0, 2, HTTP_BODY_WRONG},
	{"5 \r\nabcde\r\n0\r\n\r\n", 0, 2, HTTP_BODY_WRONG},
	{" 5\r\nabcde\r\n0\r\n\r\n", 0, 1, HTTP_BODY_WRONG},
	{"0x5\r\nabcde\r\n0\r\n\r\n", 0, 2, HTTP_BODY_WRONG},
	{"+5\r\nabcde\r\n0\r\n\r\n", 0, 1, HTTP_BODY_WRONG},
	{"-1\r\n", 0, 1, HTTP_BODY_WRONG},
	{"\r\nabcde\r\n0\r\n\r\n", 0, 1, HTTP_BODY_WRONG},
	{"1000000000000000\r\n", 0, 16, HTTP_BODY_WRONG},
	{"10000000000000005\r\n", 0, 16, HTTP_BODY_WRONG},
	{"0;\n\r\n\r\n", 0, 2, HTTP_BODY_WRONG},
	{"0\r\nHost: b.example\r\n\r\n", 0, 4, HTTP_BODY_WRONG},
	{"0\r\n\n", 0, 4, HTTP_BODY_WRONG},
	{"0\r\n\r\r", 0, 5, HTTP_BODY_WRONG},
};

static void bodies_end_where_they_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const size_t count = strlen(bodies[i].bytes);

		for (size_t cut = 0; cut <= count; cut++) {
			struct http_body body = bodies[i].length > 0
							? http_body_of_length(bodies[i].length)
							: http_body_of_chunks();
			size_t taken = http_body_read(&body, bodies[i].bytes, cut);

			if (taken == cut)
				taken += http_body_read(&body, bodies[i].bytes + cut, count - cut);
			expect(taken == bodies[i].taken && body.state == bodies[i].state,
			       "%s cut at %zu: %zu bytes, %d", bodies[i].bytes, cut, taken,
			       (int)body.state);
		}
	}
	expectations_met();
}

static void bodies_that_nobody_sees(void **state)
{
	struct http_body body = http_body_of_length(10);

	(void)state;
	http_body_skip(&body, 9);
	assert_int_equal(body.state, HTTP_BODY_LENGTH);
	http_body_skip(&body, 1);
	assert_int_equal(body.state, HTTP_BODY_OVER);
	http_body_skip(&body, 1);
	assert_int_equal(body.state, HTTP_BODY_WRONG);
	body = http_body_of_chunks();
	http_body_skip(&body, 1);
	assert_int_equal(body.state, HTTP_BODY_WRONG);
	body = http_body_of_length(1);
	http_body_skip(&body, 2);
	assert_int_equal(body.state, HTTP_BODY_WRONG);
}

/* ---- answers ---- */

static const struct {
	const char *bytes;
	bool is_head, upgrades;
	enum http_response_state state;
} answers[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, false, HTTP_RESPONSE_NONE},
	{"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nab", false, false, HTTP_RESPONSE_BODY},
	{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", false, false, HTTP_RESPONSE_LOST},
	{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, false, HTTP_RESPONSE_NONE},
	{"HTTP/1.1 204 No Content\r\n\r\n", false, false, HTTP_RESPONSE_NONE},
	{"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", false, false,
	 HTTP_RESPONSE_NONE},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false, false,
	 HTTP_RESPONSE_NONE},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding:\tchunked \r\n\r\n0\r\n\r\n", false, false,
	 HTTP_RESPONSE_NONE},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding:               chunked, gzip\r\n\r\n0\r\n\r\n",
	 false, false, HTTP_RESPONSE_LOST},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, false,
	 HTTP_RESPONSE_LOST},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", false, false,
	 HTTP_RESPONSE_LOST},
	{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", false, false,
	 HTTP_RESPONSE_LOST},
	{"HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n", false, true,
	 HTTP_RESPONSE_BODY},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, false,
	 HTTP_RESPONSE_NONE},
	{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 S\r\nUpgrade: "
	 "websocket\r\n\r\n",
	 false, true, HTTP_RESPONSE_UPGRADED},
	{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nany bytes", false, true,
	 HTTP_RESPONSE_UPGRADED},
	{"HTTP/1.1 101 Switching Protocols\r\n\r\n", false, false, HTTP_RESPONSE_LOST},
	{"HTTP/1.1 101 Switching Protocols\r\nX: ", false, true, HTTP_RESPONSE_HEAD},
	{"HTTP/1.1 1010\r\n\r\n", false, true, HTTP_RESPONSE_LOST},
	{"HTTP/1.1 200 OK\r\nX: a\r\n b: c\r\n\r\n", false, false, HTTP_RESPONSE_LOST},
	{"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", false, false, HTTP_RESPONSE_NONE},
	{"HTTP/1.1 200\r\nContent-Length: 0\r\nServer: one with a name that is longer than a line "
	 "that "
	 "is kept\r\n\r\n",
	 false, false, HTTP_RESPONSE_NONE},
	{"ICY 200 OK\r\n\r\n", false, false, HTTP_RESPONSE_LOST},
	{"<html>a page of HTTP/0.9</html>\r\n", false, false, HTTP_RESPONSE_LOST},
};

static void answers_are_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const size_t count = strlen(answers[i].bytes);

		for (size_t cut = 0; cut <= count; cut++) {
			struct http_response response = {0};

			http_response_expect(&response, answers[i].is_head, answers[i].upgrades);
			http_response_read(&response, answers[i].bytes, cut);
			http_response_read(&response, answers[i].bytes + cut, count - cut);
			expect(response.state == answers[i].state, "%s cut at %zu: %d",
			       answers[i].bytes, cut, (int)response.state);
		}
	}
	expectations_met();
}

/* Whose answer it is cannot be told: an answer may hold what looks like another. */
static void pipelined_requests_are_lost(void **state)
{
	struct http_response response = {0};

	(void)state;
	http_response_expect(&response, false, false);
	http_response_expect(&response, false, true);
	http_response_read(&response, "HTTP/1.1 101 S\r\n\r\n", 18);
	assert_int_equal(response.state, HTTP_RESPONSE_LOST);
	response = (struct http_response){0};
	http_response_read(&response, "HTTP/1.1 408 Timeout\r\n\r\n", 24);
	assert_int_equal(response.state, HTTP_RESPONSE_LOST);
	response = (struct http_response){0};
	http_response_expect(&response, false, false);
	http_response_skip(&response, 5);
	assert_int_equal(response.state, HTTP_RESPONSE_LOST);
	response = (struct http_response){0};
	http_response_expect(&response, false, false);
	http_response_read(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 38);
	http_response_skip(&response, 5);
	assert_int_equal(response.state, HTTP_RESPONSE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a request that has one reading is one, and its host is known", good_requests),
		TEST("a request that servers read in different ways is refused", bad_requests),
		TEST("a control byte anywhere spoils a request", control_bytes),
		TEST("a head has 64 KiB at most", long_heads),
		TEST("a body ends where its length says, or its chunks", bodies_end_where_they_end),
		TEST("of a body that nobody sees only data may be skipped",
		     bodies_that_nobody_sees),
		TEST("an answer is followed to its end", answers_are_followed),
		TEST("an answer that cannot be told from others is lost",
		     pipelined_requests_are_lost),
	};

	return RUN_TESTS("wire-guards-requests", tests);
}
