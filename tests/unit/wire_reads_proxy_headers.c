/* The PROXY protocol's header: what the specification allows, and nothing else. */
#include "wire/proxy_header.h"
#include "wire_bytes.h"

#include <arpa/inet.h>
#include <stdio.h>

static const unsigned char signature[12] = {'\r', '\n', '\r', '\n', 0,   '\r',
					    '\n', 'Q',  'U',  'I',  'T', '\n'};
static const unsigned char behind[] = {22, 3, 1};
static const char too_long[] = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 GET / HTTP/1.1 Host: a very long "
			       "line that goes on and on without an end, more than 107 bytes\r\n";

static enum proxy_state feed(struct proxy_header *header, const void *bytes, size_t count,
			     size_t piece, size_t *taken)
{
	enum proxy_state state = PROXY_MORE;

	memset(header, 0, sizeof(*header));
	*taken = 0;
	for (size_t at = 0; at < count && state == PROXY_MORE; at += piece) {
		const size_t size = count - at < piece ? count - at : piece;
		unsigned char *exact = malloc(size);

		assert_non_null(exact);
		memcpy(exact, (const char *)bytes + at, size);
		*taken += proxy_header_feed(header, exact, size, &state);
		free(exact);
	}
	return state;
}

/* `source` is NULL where the header names none. */
static void expect_whole(const void *bytes, size_t count, const char *source, unsigned port)
{
	static unsigned char with_more[PROXY_MAX_BYTES + 100];
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff};

	if (source != NULL)
		assert_int_equal(strchr(source, ':') ? inet_pton(AF_INET6, source, address)
						     : inet_pton(AF_INET, source, address + 12),
				 1);
	memcpy(with_more, bytes, count);
	memcpy(with_more + count, behind, sizeof(behind));
	for (size_t piece = 1; piece <= 64; piece += 9) {
		struct proxy_header header;
		size_t taken;
		const enum proxy_state state = feed(&header, with_more, count + 3, piece, &taken);

		expect(state == PROXY_WHOLE && taken == count &&
			       header.has_address == (source != NULL),
		       "%.60s, in pieces of %zu: state %u, %zu of %zu bytes", (const char *)bytes,
		       piece, state, taken, count);
		if (source != NULL)
			expect(header.source.port == port &&
				       memcmp(header.source.address, address, 16) == 0,
			       "%.60s: another source, port %u", (const char *)bytes,
			       header.source.port);
		expect(feed(&header, with_more, count - 1, piece, &taken) == PROXY_MORE &&
			       taken == count - 1,
		       "%.60s, but for the last byte", (const char *)bytes);
	}
}

static void expect_not(const void *bytes, size_t count, const char *what)
{
	for (size_t piece = 1; piece <= 200; piece += 199) {
		struct proxy_header header;
		size_t taken;
		const enum proxy_state state = feed(&header, bytes, count, piece, &taken);

		expect(state == PROXY_NOT && taken < count, "%s: state %u, %zu of %zu bytes", what,
		       state, taken, count);
		expect(!header.has_address, "%s: names an address", what);
	}
}

static void takes_lines(void **state)
{
	static const struct {
		const char *line, *source;
		unsigned port;
	} cases[] = {
		{"PROXY TCP4 203.0.113.9 192.0.2.1 51514 443\r\n", "203.0.113.9", 51514},
		{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255",
		 65535},
		{"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0", 0},
		{"PROXY TCP6 2001:db8::9 ::1 1 2\r\n", "2001:db8::9", 1},
		{"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535},
		{"PROXY TCP6 ::ffff:203.0.113.9 ::1 7 8\r\n", "203.0.113.9", 7},
		{"PROXY UNKNOWN\r\n", NULL, 0},
		{"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_whole(cases[i].line, strlen(cases[i].line), cases[i].source, cases[i].port);
	expectations_met();
}

static void refuses_other_lines(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1\r\n",
		"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY\r\n",
		"PROXY \r\n",
		"PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r \n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8\t1 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 100000\r\n",
		"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
		"PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
		"PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY TCP4 1.2.3.4 host 1 2\r\n",
		"PROXY TCP4 ::1 ::2 1 2\r\n",
		"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY TCP6 ::1%lo ::2 1 2\r\n",
		"PROXY TCP6 [::1] ::2 1 2\r\n",
		"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY UNKNOWNS\r\n",
		"PROXY UNKNOWN \x80\r\n",
		"PROXY UNKNOWN \x01\r\n",
		too_long,
	};
	char line[200];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_not(lines[i], strlen(lines[i]), lines[i]);
	expect_not("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\0\r\n", 33, "a NUL");
	/* 107 bytes at most, its CRLF included. */
	for (size_t length = 106; length <= 108; length++) {
		snprintf(line, sizeof(line), "PROXY UNKNOWN %0*d\r\n", (int)length - 16, 0);
		if (length <= 107)
			expect_whole(line, length, NULL, 0);
		else
			expect_not(line, length, "108 bytes");
	}
	expectations_met();
}

/* Signature, version and command, family and protocol, length; then the addresses; filled up. */
static size_t binary(unsigned char *header, int command, int family, size_t rest)
{
	memcpy(header, signature, sizeof(signature));
	header[12] = (unsigned char)command;
	header[13] = (unsigned char)family;
	header[14] = (unsigned char)(rest >> 8);
	header[15] = (unsigned char)rest;
	for (size_t i = 0; i < rest; i++)
		header[16 + i] = (unsigned char)i;
	return 16 + rest;
}

static void takes_binary(void **state)
{
	static unsigned char header[70000];
	static const char ipv6[] = "1:203:405:607:809:a0b:c0d:e0f";

	(void)state;
	for (size_t more = 0; more < 5000; more = 2 * more + 1) {
		expect_whole(header, binary(header, 0x21, 0x11, 12 + more), "0.1.2.3", 0x0809);
		expect_whole(header, binary(header, 0x21, 0x21, 36 + more), ipv6, 0x2021);
		expect_whole(header, binary(header, 0x21, 0x31, 216 + more), NULL, 0);
		expect_whole(header, binary(header, 0x21, 0x12, 12 + more), NULL, 0);
		expect_whole(header, binary(header, 0x21, 0x10, 12 + more), NULL, 0);
		expect_whole(header, binary(header, 0x21, 0x00, more), NULL, 0);
		expect_whole(header, binary(header, 0x21, 0x01, more), NULL, 0);
		expect_whole(header, binary(header, 0x20, 0x00, more), NULL, 0);
		expect_whole(header, binary(header, 0x20, 0x11, more), NULL, 0);
	}
	expect_whole(header, binary(header, 0x21, 0x11, PROXY_MAX_BYTES - 16), "0.1.2.3", 0x0809);
	expectations_met();
}

static void refuses_other_binary(void **state)
{
	static unsigned char header[70000];

	(void)state;
	for (int command = 0; command < 256; command++)
		if (command != 0x20 && command != 0x21)
			expect_not(header, binary(header, command, 0x11, 12), "another command");
	for (int family = 0; family < 256; family++)
		if (family >> 4 > 3 || (family & 15) > 2)
			expect_not(header, binary(header, 0x21, family, 300), "another family");
	expect_not(header, binary(header, 0x21, 0x11, 11), "too short for IPv4");
	expect_not(header, binary(header, 0x21, 0x21, 35), "too short for IPv6");
	expect_not(header, binary(header, 0x21, 0x31, 215), "too short for a path");
	expect_not(header, binary(header, 0x20, 0, PROXY_MAX_BYTES - 15), "too long");
	expect_not(header, binary(header, 0x21, 0x11, 65535), "as long as can be");
	for (size_t i = 0; i < 12; i++) {
		const size_t count = binary(header, 0x21, 0x11, 12);

		header[i] ^= 1;
		expect_not(header, count, "another signature");
	}
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("lines of version 1 are whole at their end, and name the source", takes_lines),
		TEST("a line that deviates by a byte is no header", refuses_other_lines),
		TEST("headers of version 2 are whole at their end, whatever follows the addresses",
		     takes_binary),
		TEST("a header of another version, command, family or length is none",
		     refuses_other_binary),
	};

	return RUN_TESTS("wire-reads-proxy-headers", tests);
}
