/* Whether a stream begins with a ClientHello, where that ends, and its random: compared with what
 * OpenSSL makes, and with what it takes. */
#include "wire/client_hello.h"
#include "wire_bytes.h"

static struct stream message, other, stream;
static uint32_t seed = 20260101;

/* Feed in pieces: `cut` bytes, then the rest; or pieces by chance, where cut is SIZE_MAX. */
static enum hello_state feed(struct client_hello *hello, const unsigned char *bytes, size_t count,
			     size_t cut, size_t *taken)
{
	enum hello_state state = HELLO_MORE;
	size_t at = 0;

	memset(hello, 0, sizeof(*hello));
	*taken = 0;
	while (at < count) {
		size_t piece = cut == SIZE_MAX ? 1 + chance(&seed, 40) : at == 0 ? cut : count;
		unsigned char *exact;
		size_t belongs;

		if (piece > count - at)
			piece = count - at;
		exact = malloc(piece + 1);
		assert_non_null(exact);
		memcpy(exact + 1, bytes + at, piece);
		belongs = client_hello_feed(hello, exact + 1, piece, &state);
		free(exact);
		*taken += belongs;
		if (state == HELLO_MORE)
			assert_int_equal(belongs, piece);
		at += piece;
		if (piece == 0)
			cut = count;
	}
	assert_int_equal(hello->bytes_taken, *taken);
	return state;
}

static void expect_whole(size_t end, const struct stream *of, const char *what)
{
	struct client_hello hello;

	for (size_t cut = 0; cut <= stream.length; cut += stream.length > 4000 ? 997 : 1) {
		size_t taken;
		const enum hello_state state =
			feed(&hello, stream.bytes, stream.length, cut, &taken);

		expect(state == HELLO_WHOLE && taken == end && hello.has_random &&
			       memcmp(hello.random, random_of(of), 32) == 0 &&
			       client_hello_left(&hello) == 0,
		       "%s, cut at %zu: state %u, why %d, %zu of %zu bytes", what, cut, state,
		       hello.why, taken, end);
	}
}

static void expect_not(enum hello_fault why, size_t taken_at_most, const char *what)
{
	struct client_hello hello;

	for (unsigned round = 0; round < 8; round++) {
		size_t taken;
		const enum hello_state state = feed(&hello, stream.bytes, stream.length,
						    round == 0 ? stream.length : SIZE_MAX, &taken);

		expect(state == HELLO_NOT_TLS && taken <= taken_at_most &&
			       (hello.why == why || (why == HELLO_SSLV2 && round > 0)),
		       "%s: state %u, why %d, %zu bytes", what, state, hello.why, taken);
	}
}

static void takes_real_hellos(void **state)
{
	static const struct {
		int version;
		size_t extra;
	} hellos[] = {{TLS1_2_VERSION, 0}, {0, 0}, {0, 1300}, {TLS1_2_VERSION, 15900}, {0, 40000}};
	static const size_t sizes[] = {16384, 1400, 7, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		make_hello(&message, hellos[i].version, hellos[i].extra);
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			stream.length = 0;
			add_records(&stream, message.bytes, message.length, sizes[j]);
			expect_whole(stream.length, &message, "alone");
			add(&stream, "\x14\x03\x03\0\1\1", 6);
			expect_whole(stream.length - 6, &message, "with a record behind it");
		}
	}
	expectations_met();
}

static void takes_odd_records(void **state)
{
	struct opinion opinion;

	(void)state;
	make_hello(&message, 0, 0);
	for (size_t empty = 0; empty <= 33; empty++) {
		stream.length = 0;
		for (size_t i = 0; i < empty; i++)
			add_record(&stream, 22, 0xff, "", 0);
		add_record(&stream, 22, 0, message.bytes, 2);
		for (size_t i = 0; i < empty; i++)
			add_record(&stream, 22, 9, "", 0);
		add_record(&stream, 22, 4, message.bytes + 2, message.length - 2);
		ask_openssl(TLS_server_method(), stream.bytes, stream.length, &opinion);
		expect(opinion.is_hello == (empty <= 32), "OpenSSL and %zu empty records", empty);
		if (empty <= 32)
			expect_whole(stream.length, &message, "empty records between");
		else
			expect_not(HELLO_OTHER, 5 * empty, "too many empty records");
	}
	expectations_met();
}

/* Length limits of the message, at both ends. */
static void bounds_the_message(void **state)
{
	static const struct {
		size_t body;
		bool fits;
	} bodies[] = {{37, false}, {38, true}, {131396, true}, {131397, false}, {0xffffff, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const size_t body = bodies[i].body;
		const unsigned char header[] = {1, (unsigned char)(body >> 16),
						(unsigned char)(body >> 8), (unsigned char)body};

		message.length = 0;
		add(&message, header, 4);
		for (size_t j = 0; j < body && j < 140000; j++)
			add(&message, "", 1);
		stream.length = 0;
		add_records(&stream, message.bytes, message.length, 16384);
		if (bodies[i].fits)
			expect_whole(stream.length, &message, "a body within the limits");
		else
			expect_not(HELLO_OTHER, 8, "a body beyond the limits");
	}
	expectations_met();
}

static void refuses_what_is_none(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t count, taken;
		enum hello_fault why;
	} cases[] = {
		{"HTTP", "GET / HTTP/1.0\r\n\r\n", 18, 0, HELLO_OTHER},
		{"a NUL", "\0", 1, 0, HELLO_OTHER},
		{"SSLv2", "\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10", 11, 0, HELLO_SSLV2},
		{"SSLv2, large", "\xff\xff\x01\0\2", 5, 0, HELLO_SSLV2},
		{"a high byte", "\x80\x2e\x02", 3, 0, HELLO_OTHER},
		{"an alert first", "\x15\x03\x01\0\2\1\x5a\x16\x03\x01", 10, 0, HELLO_OTHER},
		{"change_cipher_spec first", "\x14\x03\x01\0\1\1", 6, 0, HELLO_OTHER},
		{"data first", "\x17\x03\x03\0\1\1", 6, 0, HELLO_OTHER},
		{"major version 2", "\x16\x02\0", 3, 1, HELLO_OTHER},
		{"major version 4", "\x16\x04\0", 3, 1, HELLO_OTHER},
		{"a record of 16385 bytes", "\x16\x03\x01\x40\x01\x01", 6, 4, HELLO_OTHER},
		{"a record of 65535 bytes", "\x16\x03\x01\xff\xff\x01", 6, 3, HELLO_OTHER},
		{"a ServerHello", "\x16\x03\x03\0\x40\x02\0\0\x3c", 9, 5, HELLO_OTHER},
		{"a HelloRequest", "\x16\x03\x03\0\4\0\0\0\0", 9, 5, HELLO_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stream.length = 0;
		add(&stream, cases[i].bytes, cases[i].count);
		expect_not(cases[i].why, cases[i].taken, cases[i].name);
	}
	expectations_met();
}

/* At every place of the hello: a record of another type, and bytes behind its end. */
static void refuses_interruptions(void **state)
{
	static const int types[] = {20, 21, 23, 24, 99};

	(void)state;
	make_hello(&message, TLS1_2_VERSION, 0);
	for (size_t cut = 1; cut < message.length; cut++) {
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			stream.length = 0;
			add_record(&stream, 22, 1, message.bytes, cut);
			add_record(&stream, types[i], 1, "\1\x5a", 2);
			add_record(&stream, 22, 1, message.bytes + cut, message.length - cut);
			expect_not(HELLO_INTERRUPTED, 5 + cut, "interrupted");
		}
		stream.length = 0;
		add(&message, "\x10", 1);
		add_record(&stream, 22, 1, message.bytes, cut);
		add_record(&stream, 22, 1, message.bytes + cut, message.length - cut);
		message.length--;
		expect_not(HELLO_CROWDED, 10 + message.length, "crowded");
	}
	expectations_met();
}

static void copies_are_of_their_own(void **state)
{
	enum hello_state what;

	(void)state;
	make_hello(&message, 0, 0);
	make_hello(&other, 0, 0);
	stream.length = 0;
	add_records(&stream, message.bytes, message.length, 100);
	for (size_t cut = 0; cut < stream.length; cut++) {
		struct client_hello hello = {0}, copy;

		client_hello_feed(&hello, stream.bytes, cut, &what);
		copy = hello;
		client_hello_feed(&copy, stream.bytes + cut, stream.length - cut, &what);
		expect(what == HELLO_WHOLE, "the copy at %zu: %u", cut, what);
		client_hello_feed(&hello, stream.bytes + cut, stream.length - cut, &what);
		expect(what == HELLO_WHOLE && memcmp(hello.random, copy.random, 32) == 0 &&
			       hello.bytes_taken == copy.bytes_taken,
		       "the original at %zu: %u", cut, what);
		expect(client_hello_feed(&hello, other.bytes, other.length, &what) == 0 &&
			       what == HELLO_WHOLE,
		       "more after the end, at %zu", cut);
	}
	expectations_met();
}

/* Records and messages bent by chance: what OpenSSL takes, we take, or say which form it has. */
static void bend(void)
{
	size_t at = 0;

	make_hello(&message, chance(&seed, 2) ? 0 : TLS1_2_VERSION, 0);
	if (chance(&seed, 2))
		message.bytes[1 + chance(&seed, (unsigned)message.length - 1)] =
			(unsigned char)chance(&seed, 256);
	if (chance(&seed, 8) == 0)
		add(&message, "\x10\0\0\1", 1 + chance(&seed, 4));
	stream.length = 0;
	if (chance(&seed, 16) == 0)
		add_record(&stream, 21, 1, "\1\x5a", 2);
	while (at < message.length) {
		size_t size = chance(&seed, 3) ? message.length - at : chance(&seed, 60);

		if (size > message.length - at)
			size = message.length - at;
		add_record(&stream, 22, (int)chance(&seed, 6), message.bytes + at, size);
		at += size;
		if (chance(&seed, 20) == 0)
			add_record(&stream, 20 + (int)chance(&seed, 6), 1, "\1\x5a", 2);
	}
	if (chance(&seed, 4) == 0)
		stream.bytes[chance(&seed, (unsigned)stream.length)] ^=
			(unsigned char)(1u << chance(&seed, 8));
}

static void agrees_with_openssl(void **state)
{
	unsigned taken_by_both = 0, refused_by_both = 0, stricter = 0;

	(void)state;
	for (unsigned round = 0; round < 6000; round++) {
		const SSL_METHOD *method = TLS_server_method();
		struct client_hello hello;
		struct opinion opinion;
		enum hello_state what;
		size_t taken;

		bend();
		ask_openssl(method, stream.bytes, stream.length, &opinion);
		what = feed(&hello, stream.bytes, stream.length, SIZE_MAX, &taken);
		if (!opinion.is_hello) {
			refused_by_both += what != HELLO_WHOLE;
		} else if (what == HELLO_WHOLE) {
			taken_by_both++;
			expect(memcmp(hello.random, opinion.random, 32) == 0, "another random");
		} else {
			stricter++;
			expect(what == HELLO_NOT_TLS && hello.why == HELLO_CROWDED,
			       "OpenSSL takes it, here it is %u, %d", what, hello.why);
		}
	}
	expect(taken_by_both > 1000 && refused_by_both > 500 && stricter > 100,
	       "%u taken, %u refused, %u crowded", taken_by_both, refused_by_both, stricter);
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("OpenSSL's hellos are whole at their last byte, in any records and pieces",
		     takes_real_hellos),
		TEST("empty records and odd minor versions are taken as OpenSSL takes them",
		     takes_odd_records),
		TEST("a message may be as short and as long as OpenSSL has it", bounds_the_message),
		TEST("other streams are told by the first byte that does not fit",
		     refuses_what_is_none),
		TEST("a record of another type between, or bytes behind, and it is no hello",
		     refuses_interruptions),
		TEST("a copy can be fed beforehand", copies_are_of_their_own),
		TEST("of six thousand bent hellos, none is missed that OpenSSL takes",
		     agrees_with_openssl),
	};

	return RUN_TESTS("wire-knows-hellos", tests);
}
