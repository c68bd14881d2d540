/* However a stream is cut, the scan says the same, and misses no hello that a reading from some
 * place of the stream finds.
 *
 * Some bytes of the input stand for more: the begin of a record, small hellos, pieces of them.
 */
#include "wire/hello_scan.h"

#include "pieces.h"

static const uint8_t begin[] = {22, 3, 1, 0, 0, 1, 0, 0, 60, 3, 3};

static size_t add(uint8_t *stream, size_t at, size_t room, const void *bytes, size_t count)
{
	if (count > room - at)
		count = room - at;
	memcpy(stream + at, bytes, count);
	return at + count;
}

/* 43 bytes of message: random, no session id, one cipher, no extensions; records of `size`. */
static size_t add_hello(uint8_t *stream, size_t at, size_t room, uint8_t random, size_t size)
{
	static const uint8_t rest[] = {0, 0, 2, 0x13, 1, 1, 0, 0, 0};
	uint8_t message[47] = {1, 0, 0, 43, 3, 3};

	memset(message + 6, random, 32);
	memcpy(message + 38, rest, sizeof(rest));
	for (size_t done = 0; done < sizeof(message); done += size) {
		const size_t left = sizeof(message) - done, count = left < size ? left : size;

		at = add(stream, at, room, (const uint8_t[]){22, 3, 1, 0, (uint8_t)count}, 5);
		at = add(stream, at, room, message + done, count);
	}
	return at;
}

static size_t unfold(uint8_t *stream, size_t room, const uint8_t *input, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < size; i++) {
		const uint8_t next = i + 1 < size ? input[i + 1] : 0;

		if (input[i] == 0xf0) {
			at = add(stream, at, room, begin, 3);
			at = add(stream, at, room, (const uint8_t[]){next >> 5, next}, 2);
			at = add(stream, at, room, begin + 5, 6);
		} else if (input[i] == 0xf1) {
			at = add_hello(stream, at, room, next, 64);
		} else if (input[i] == 0xf2) {
			at = add_hello(stream, at, room, 1, 1 + next % 50);
		} else {
			at = add(stream, at, room, input + i, 1);
		}
	}
	return at;
}

static void check_places(const struct hello_scan *scan, const uint8_t *stream, size_t size)
{
	for (size_t at = 0; at < size; at++) {
		struct client_hello hello = {.is_strict = true};
		enum hello_state state = HELLO_MORE;

		if (stream[at] != 22)
			continue;
		client_hello_feed(&hello, stream + at, size - at, &state);
		if (state == HELLO_WHOLE)
			DEMAND(scan->state == SCAN_AMBIGUOUS ||
			       (scan->state >= SCAN_HELLO &&
				memcmp(scan->random, hello.random, 32) == 0));
		if (state == HELLO_NOT_TLS && hello.why == HELLO_CROWDED)
			DEMAND(scan->state == SCAN_AMBIGUOUS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static uint8_t stream[1 << 14];
	uint32_t chance = take_chance(&input, &size);
	const size_t count = unfold(stream, sizeof(stream), input, size);
	struct hello_scan whole = {0}, cut = {0};

	hello_scan_feed(&whole, stream, count);
	for (size_t at = 0; at < count;) {
		const size_t piece = piece_size(&chance, count - at);
		const enum scan_state before = (enum scan_state)cut.state;
		unsigned char *copy = piece_copy(stream + at, piece);

		DEMAND(hello_scan_feed(&cut, copy, piece) >= before);
		free(copy);
		at += piece;
	}
	DEMAND(whole.state == cut.state);
	DEMAND(whole.state < SCAN_HELLO || whole.state == SCAN_AMBIGUOUS ||
	       memcmp(whole.random, cut.random, sizeof(whole.random)) == 0);
	check_places(&whole, stream, count);
	return 0;
}
