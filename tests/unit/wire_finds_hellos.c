/* A ClientHello behind plain text, wherever it is and however that is cut: compared with a slow
 * reading of the same stream from each of its places.
 */
#include "wire/hello_scan.h"
#include "wire_bytes.h"

#define NEVER SIZE_MAX

static struct stream message, stream;
static uint32_t seed = 20260102;

/* ---- the slow reading ---- */

enum fate { FATE_NONE, FATE_ALIVE, FATE_WHOLE, FATE_ODD };

/* What comes of reading from one place.  It ends with the byte before `end`: the last of a hello,
 * or the one that did not fit. */
struct reading {
	enum fate fate;
	size_t begin, end;
	unsigned char random[32];
};

static unsigned char body[140000];
static size_t places[140000];

/* The first length that does not fit, as the number of bytes read when it is known; 0: all fit. */
static size_t misfit(size_t have)
{
	static const size_t widths[] = {1, 2, 1, 2};
	const size_t total = 4 + (size_t)(body[1] << 16 | body[2] << 8 | body[3]);
	size_t at = 4 + 2 + 32;

	for (size_t i = 0; i < 4; i++) {
		const size_t after = at + widths[i];
		size_t value;

		if (i == 3 && at == total)
			return 0;
		if (after > have)
			return 0;
		value = widths[i] == 1 ? body[at] : (size_t)(body[at] << 8 | body[at + 1]);
		at = after + value;
		if ((i == 0 && value > 32) || (i == 3 && at != total) || at > total ||
		    (i < 2 && at + widths[i + 1] > total) ||
		    (i == 2 && at != total && at + 2 > total))
			return after;
	}
	return 0;
}

static void reading_ends(struct reading *reading, enum fate fate, size_t end)
{
	reading->fate = fate;
	reading->end = end;
}

/* The header of the record at `at`; false: the reading is over, or the stream is. */
static bool read_header(struct reading *reading, size_t at, size_t *length)
{
	const unsigned char *bytes = stream.bytes + at;
	const size_t left = stream.length - at;

	if (left > 0 && bytes[0] != 22)
		reading_ends(reading, FATE_ODD, at + 1);
	else if (left > 1 && bytes[1] != 3)
		reading_ends(reading, FATE_NONE, at + 2);
	else if (left > 3 && bytes[3] > 0x40)
		reading_ends(reading, FATE_NONE, at + 4);
	else if (left > 4 && bytes[3] == 0x40 && bytes[4] > 0)
		reading_ends(reading, FATE_NONE, at + 5);
	if (left < 5 || reading->end != NEVER)
		return false;
	*length = (size_t)(bytes[3] << 8 | bytes[4]);
	return true;
}

/* The hello's bytes as far as the records from reading->begin hold them: how many. */
static size_t read_records(struct reading *reading)
{
	size_t at = reading->begin, empty = 0, have = 0, length;

	while (read_header(reading, at, &length)) {
		at += 5;
		empty = length == 0 ? empty + 1 : 0;
		if (empty > 32) {
			reading_ends(reading, FATE_ODD, at);
			return have;
		}
		for (; length > 0 && at < stream.length && have < sizeof(body); at++, length--) {
			places[have] = at;
			body[have++] = stream.bytes[at];
		}
		if (length > 0)
			return have;
	}
	return have;
}

/* Does a record, of the shape that holds a hello, begin there? */
static bool begins(size_t at)
{
	const unsigned char *bytes = stream.bytes + at;
	size_t length;

	if (at + 6 > stream.length)
		return false;
	length = (size_t)(bytes[3] << 8 | bytes[4]);
	return bytes[0] == 22 && bytes[1] == 3 && length > 0 && length <= 16384 && bytes[5] == 1;
}

static struct reading read_from(size_t begin)
{
	struct reading reading = {FATE_ALIVE, begin, NEVER, {0}};
	size_t have, total, bad;

	if (!begins(begin))
		return (struct reading){FATE_NONE, begin, begin, {0}};
	have = read_records(&reading);
	if (have < 4)
		return reading;
	total = 4 + (size_t)(body[1] << 16 | body[2] << 8 | body[3]);
	if (total < 42 || total > 131400) {
		reading_ends(&reading, FATE_NONE, places[3] + 1);
		return reading;
	}
	bad = misfit(have < total ? have : total);
	if (bad > 0 && places[bad - 1] < reading.end) {
		reading_ends(&reading, FATE_NONE, places[bad - 1] + 1);
	} else if (have >= total && places[total - 1] < reading.end) {
		const size_t end = places[total - 1] + 1;

		/* The next byte of the same record, or none. */
		reading_ends(&reading, FATE_WHOLE, end);
		memcpy(reading.random, body + 6, 32);
		if (have > total && places[total] == end)
			reading.fate = FATE_ODD;
	}
	return reading;
}

/* A record may be cut off by the stream's end behind the hello: then it is crowded all the same,
 * and that is to be seen in its header. */
static bool is_crowded(const struct reading *reading)
{
	size_t at = reading->begin;

	for (;;) {
		const size_t end =
			at + 5 + (size_t)(stream.bytes[at + 3] << 8 | stream.bytes[at + 4]);

		if (end >= reading->end)
			return end > reading->end;
		at = end;
	}
}

struct verdict {
	enum scan_state state;
	unsigned char random[32];
};

/* What it means that readings[one], a hello, is not alone. */
static enum scan_state compare(const struct reading *readings, size_t count, size_t one)
{
	enum scan_state state = SCAN_HELLO;

	for (size_t i = 0; i < count; i++) {
		const struct reading *other = &readings[i];
		/* One that ends with a byte that does not fit lives until before it. */
		const size_t lives = other->fate == FATE_NONE ? other->end - 1 : other->end;

		if (other->fate == FATE_WHOLE &&
		    memcmp(other->random, readings[one].random, 32) != 0)
			return SCAN_AMBIGUOUS;
		if (i != one && other->begin < readings[one].end && lives >= readings[one].end)
			state = SCAN_OVERLAPPED;
	}
	return state;
}

/* More begins under way than are followed? */
static bool is_crowd(const struct reading *readings, size_t one)
{
	size_t under_way = 0;

	for (size_t i = 0; i < one; i++)
		under_way += readings[i].end > readings[one].begin + 6;
	return under_way >= SCAN_CANDIDATES;
}

/* By the rules of hello_scan.h, over all places at once. */
static struct verdict judge_slowly(void)
{
	static struct reading readings[STREAM_BYTES / 8];
	struct verdict verdict = {SCAN_NOTHING, {0}};
	size_t count = 0;

	for (size_t at = 0; at < stream.length; at++) {
		struct reading reading = read_from(at);

		if (!begins(at))
			continue;
		if (reading.fate == FATE_WHOLE && is_crowded(&reading))
			reading.fate = FATE_ODD;
		assert_true(count < sizeof(readings) / sizeof(readings[0]));
		readings[count++] = reading;
	}
	for (size_t i = 0; i < count; i++) {
		enum scan_state state = SCAN_SUSPECT;

		if (readings[i].fate == FATE_ODD || is_crowd(readings, i))
			state = SCAN_AMBIGUOUS;
		else if (readings[i].fate == FATE_WHOLE)
			state = compare(readings, count, i);
		if (state > verdict.state)
			verdict.state = state;
		if (readings[i].fate == FATE_WHOLE)
			memcpy(verdict.random, readings[i].random, 32);
	}
	return verdict;
}

/* ---- the scan ---- */

/* Pieces of up to `most` bytes by chance; 0: all at once. */
static struct verdict scan_stream(unsigned most)
{
	struct hello_scan scan = {0};
	struct verdict verdict = {SCAN_NOTHING, {0}};

	for (size_t at = 0; at < stream.length;) {
		size_t piece = most == 0 ? stream.length : 1 + chance(&seed, most);
		enum scan_state state;
		unsigned char *exact;

		if (piece > stream.length - at)
			piece = stream.length - at;
		exact = malloc(piece);
		assert_non_null(exact);
		memcpy(exact, stream.bytes + at, piece);
		state = hello_scan_feed(&scan, exact, piece);
		free(exact);
		expect(state >= verdict.state, "went back from %u to %u", verdict.state, state);
		verdict.state = state;
		at += piece;
	}
	memcpy(verdict.random, scan.random, 32);
	return verdict;
}

static bool has_random(const struct verdict *verdict)
{
	return verdict->state == SCAN_HELLO || verdict->state == SCAN_OVERLAPPED;
}

/* Once a hello of that random has passed. */
static bool is_found(const struct verdict *verdict, const unsigned char *random)
{
	return verdict->state == SCAN_AMBIGUOUS ||
	       (has_random(verdict) && memcmp(verdict->random, random, 32) == 0);
}

static bool same_verdict(const struct verdict *left, const struct verdict *right)
{
	return left->state == right->state &&
	       (left->state != SCAN_HELLO || memcmp(left->random, right->random, 32) == 0);
}

static void expect_scan(enum scan_state state, const unsigned char *random, const char *what)
{
	static const unsigned pieces[] = {0, 1, 2, 7, 100};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct verdict verdict = scan_stream(pieces[i]);

		expect(verdict.state == state &&
			       (state != SCAN_HELLO || memcmp(verdict.random, random, 32) == 0),
		       "%s, in pieces of %u: %u", what, pieces[i], verdict.state);
	}
}

/* ---- tests ---- */

static void add_text(const char *text)
{
	add(&stream, text, strlen(text));
}

static void finds_starttls(void **state)
{
	static const char talk[] = "EHLO client.example\r\nSTARTTLS\r\n";

	(void)state;
	make_hello(&message, 0, 0);
	stream.length = 0;
	add_text(talk);
	expect_scan(SCAN_NOTHING, NULL, "plain text");
	for (size_t size = 1; size < 2000; size += size < 60 ? 1 : 500) {
		struct verdict verdict;

		stream.length = 0;
		add_text(talk);
		add_records(&stream, message.bytes, message.length, size);
		verdict = scan_stream(100);
		expect(is_found(&verdict, random_of(&message)) &&
			       (size < 10 || verdict.state != SCAN_AMBIGUOUS) &&
			       (size < message.length || verdict.state == SCAN_HELLO),
		       "records of %zu: %u", size, verdict.state);
		stream.length--;
		verdict = scan_stream(100);
		expect(verdict.state == SCAN_SUSPECT ||
			       (size < 10 && verdict.state == SCAN_AMBIGUOUS),
		       "records of %zu but for the last byte: %u", size, verdict.state);
	}
	expectations_met();
}

static void sees_each_cut(void **state)
{
	(void)state;
	make_hello(&message, TLS1_2_VERSION, 0);
	stream.length = 0;
	add_text("STLS\r\n");
	add_records(&stream, message.bytes, message.length, 16384);
	for (size_t cut = 0; cut <= stream.length; cut++) {
		struct hello_scan scan = {0};
		enum scan_state first = hello_scan_feed(&scan, stream.bytes, cut);

		expect(first == (cut < 6 + 6           ? SCAN_NOTHING
				 : cut < stream.length ? SCAN_SUSPECT
						       : SCAN_HELLO),
		       "at %zu: %u", cut, first);
		hello_scan_feed(&scan, stream.bytes + cut, stream.length - cut);
		expect(scan.state == SCAN_HELLO &&
			       memcmp(scan.random, random_of(&message), 32) == 0,
		       "cut at %zu: %d", cut, scan.state);
	}
	expectations_met();
}

static void a_fake_begin_makes_it_ambiguous(void **state)
{
	static struct stream twin;

	(void)state;
	make_hello(&message, 0, 0);
	make_hello(&twin, 0, 0);
	stream.length = 0;
	add_text("\x16\x03\x01\x40\x01");
	expect_scan(SCAN_NOTHING, NULL, "a record too long");
	stream.length = 0;
	add(&stream, "\x16\x03\x01\x3f\xff\x01\0\x20\0\3\3", 11);
	for (unsigned i = 0; i < 32; i++)
		add(&stream, "R", 1);
	add(&stream, "\0\x10\0", 3); /* a cipher list of 4096 bytes swallows what follows */
	expect_scan(SCAN_SUSPECT, NULL, "a begin");
	add_records(&stream, message.bytes, message.length, 16384);
	expect_scan(SCAN_OVERLAPPED, random_of(&message), "a hello inside another's begin");
	stream.length = 0;
	add_records(&stream, twin.bytes, twin.length, 16384);
	add_text("QUIT\r\n");
	add_records(&stream, twin.bytes, twin.length, 16384);
	expect_scan(SCAN_HELLO, random_of(&twin), "the same hello once more");
	add_records(&stream, message.bytes, message.length, 16384);
	expect_scan(SCAN_AMBIGUOUS, NULL, "another hello behind the first");
	for (size_t shared = 1; shared < 6; shared++) {
		static const unsigned char begin[] = {22, 3, 1, 0, 64, 1};

		stream.length = 0;
		memcpy(twin.bytes + twin.length - shared, begin, shared);
		add_records(&stream, twin.bytes, twin.length, 16384);
		expect_scan(SCAN_HELLO, random_of(&twin), "a hello that ends as one begins");
		add(&stream, begin + shared, sizeof(begin) - shared);
		expect_scan(SCAN_OVERLAPPED, random_of(&twin), "a begin across a hello's end");
	}
	stream.length = 0;
	add_record(&stream, 22, 1, message.bytes, 50);
	add_record(&stream, 21, 1, "\1\x5a", 2);
	add_record(&stream, 22, 1, message.bytes + 50, message.length - 50);
	expect_scan(SCAN_AMBIGUOUS, NULL, "a warning inside the hello");
	expectations_met();
}

/* The begin of a hello by chance in a file that is sent in plain text. */
static void forgets_chance_begins(void **state)
{
	(void)state;
	make_hello(&message, 0, 0);
	stream.length = 0;
	add(&stream, "\x16\x03\x7f\x12\x34\x01", 6);
	for (unsigned i = 0; i < 100; i++)
		add(&stream, "\xff", 1);
	expect_scan(SCAN_SUSPECT, NULL, "a chance begin");
	add_records(&stream, message.bytes, message.length, 16384);
	expect_scan(SCAN_HELLO, random_of(&message), "a hello after a chance begin");
	expectations_met();
}

/* ---- an adversary ---- */

static void add_plain(void)
{
	static const char likely[] = "\x16\x03\x01\0\x16\x03\1\1\0\0\x01 A\r\n\xff";

	for (unsigned count = chance(&seed, 30); count > 0; count--)
		add(&stream, likely + chance(&seed, sizeof(likely) - 1), 1);
}

static void add_begin(void)
{
	const unsigned length = chance(&seed, 3) ? chance(&seed, 400) : chance(&seed, 17000);
	const unsigned total = chance(&seed, 2) ? 38 + chance(&seed, 300) : chance(&seed, 140000);
	const unsigned char begin[] = {22,
				       3,
				       (unsigned char)chance(&seed, 256),
				       (unsigned char)(length >> 8),
				       (unsigned char)length,
				       1,
				       (unsigned char)(total >> 16),
				       (unsigned char)(total >> 8),
				       (unsigned char)total};

	add(&stream, begin, 2 + chance(&seed, sizeof(begin) - 1));
	for (unsigned count = chance(&seed, 3) ? 0 : 34 + chance(&seed, 6); count > 0; count--)
		add(&stream, "\0", 1);
	if (chance(&seed, 2))
		add(&stream, "\0\0\x40\0\x20\0\x10", 1 + chance(&seed, 7));
}

/* A hello of our own: small, so that much fits beside it; what stands in its lists may look like a
 * begin. */
static void make_small(struct stream *hello)
{
	const unsigned ciphers = 2 * chance(&seed, 40), session = chance(&seed, 33);
	const bool has_extensions = chance(&seed, 2);
	size_t body_bytes;

	hello->length = 0;
	add(hello, "\1\0\0\0\3\3", 6);
	for (unsigned i = 0; i < 32 + session; i++) {
		if (i == 32)
			add(hello, &(const uint8_t){(uint8_t)session}, 1);
		add(hello, &"\x16\x03\x01\0\x40\1zyx"[chance(&seed, 9)], 1);
	}
	if (session == 0)
		add(hello, "", 1);
	add(hello, (const char[]){0, (char)ciphers}, 2);
	for (unsigned i = 0; i < ciphers; i++)
		add(hello, &"\x16\x03\x01\0\x40\1\0\0"[i % 8], 1);
	add(hello, "\1\0", 2);
	if (has_extensions)
		add(hello, "\0\4\x7f\x7f\0\0", 6);
	body_bytes = hello->length - 4;
	hello->bytes[2] = (unsigned char)(body_bytes >> 8);
	hello->bytes[3] = (unsigned char)body_bytes;
}

static void add_cut(const struct stream *hello)
{
	for (size_t at = 0; at < hello->length;) {
		size_t size = chance(&seed, 2) ? hello->length - at : chance(&seed, 50);

		if (size > hello->length - at)
			size = hello->length - at;
		add_record(&stream, 22, 1, hello->bytes + at, size);
		at += size;
		if (chance(&seed, 60) == 0)
			add_record(&stream, 20 + (int)chance(&seed, 4), 1, "\1\x5a", 2);
	}
}

/* Plain text as an attacker has it, then a true hello, then more; where the true hello begins. */
static size_t attack(struct stream *hello)
{
	size_t begin;

	stream.length = 0;
	for (unsigned parts = chance(&seed, 4); parts > 0; parts--) {
		switch (chance(&seed, 4)) {
		case 0:
			add_begin();
			break;
		case 1:
			make_small(hello);
			add_cut(hello);
			break;
		case 2:
			make_small(hello);
			add_record(&stream, 22, 1, hello->bytes,
				   1 + chance(&seed, (unsigned)hello->length));
			break;
		default:
			add_plain();
		}
	}
	make_small(hello);
	begin = stream.length;
	add_cut(hello);
	if (chance(&seed, 2)) {
		add_plain();
		if (chance(&seed, 2))
			add_begin();
		if (chance(&seed, 4) == 0)
			add_cut(hello);
	}
	return begin;
}

static void agrees_with_the_slow_reading(void **state)
{
	static struct stream hello;
	unsigned found = 0, overlapped = 0, ambiguous = 0;

	(void)state;
	for (unsigned round = 0; round < 60000; round++) {
		const size_t begin = attack(&hello);
		const struct reading truth = read_from(begin);
		const struct verdict slow = judge_slowly();
		const unsigned most = round % 4 == 0 ? 0 : round % 4 == 1 ? 1 : 40;
		const struct verdict fast = scan_stream(most);

		expect(same_verdict(&slow, &fast), "round %u, pieces of %u: %u, slowly %u", round,
		       most, fast.state, slow.state);
		if (truth.fate == FATE_WHOLE || truth.fate == FATE_ODD)
			expect(is_found(&fast, hello.bytes + 6),
			       "round %u: the true hello is missed: %u", round, fast.state);
		overlapped += fast.state == SCAN_OVERLAPPED;
		found += fast.state == SCAN_HELLO;
		ambiguous += fast.state == SCAN_AMBIGUOUS;
	}
	expect(found > 10000 && overlapped > 2000 && ambiguous > 10000,
	       "%u found, %u overlapped, %u ambiguous", found, overlapped, ambiguous);
	expectations_met();
}

/* A method that skips warnings between records. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static const SSL_METHOD *skips_warnings(void)
{
	return TLSv1_server_method();
}
#pragma GCC diagnostic pop

/* Wherever OpenSSL is made to begin, and with the method that skips warnings too. */
static void agrees_with_openssl(void **state)
{
	static struct stream hello;
	unsigned taken = 0;

	(void)state;
	for (unsigned round = 0; round < 8000; round++) {
		const size_t begin = attack(&hello);
		const SSL_METHOD *method = round % 2 ? TLS_server_method() : skips_warnings();
		struct opinion opinion;
		struct verdict verdict;

		ask_openssl(method, stream.bytes + begin, stream.length - begin, &opinion);
		verdict = scan_stream(50);
		if (!opinion.is_hello)
			continue;
		taken++;
		expect(is_found(&verdict, opinion.random),
		       "round %u: OpenSSL takes it, the scan says %u", round, verdict.state);
	}
	expect(taken > 4000, "%u taken", taken);
	expectations_met();
}

/* Real hellos hold a kilobyte of chance bytes: hardly one may look like two. */
static void real_hellos_are_clear(void **state)
{
	(void)state;
	make_hello(&message, 0, 1200);
	for (unsigned round = 0; round < 200000; round++) {
		struct hello_scan scan = {0};

		stream.length = 0;
		for (size_t i = message.length - 1200; i < message.length; i++)
			message.bytes[i] = (unsigned char)chance(&seed, 256);
		add_records(&stream, message.bytes, message.length, 16384);
		expect(hello_scan_feed(&scan, stream.bytes, stream.length) == SCAN_HELLO,
		       "round %u: %d", round, scan.state);
	}
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a hello behind STARTTLS is found, in records of any size", finds_starttls),
		TEST("it is suspect from its sixth byte and found with its last, wherever cut",
		     sees_each_cut),
		TEST("where two places could be the begin, no random is trusted",
		     a_fake_begin_makes_it_ambiguous),
		TEST("what began by chance and is no hello is forgotten", forgets_chance_begins),
		TEST("an attacker's sixty thousand streams are judged as a slow reading does",
		     agrees_with_the_slow_reading),
		TEST("none is missed that OpenSSL takes, wherever it begins to read",
		     agrees_with_openssl),
		TEST("two hundred thousand hellos of chance bytes are clear",
		     real_hellos_are_clear),
	};

	return RUN_TESTS("wire-finds-hellos", tests);
}
