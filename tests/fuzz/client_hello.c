/* However a stream is cut, it is the same hello, of the same bytes. */
#include "wire/client_hello.h"

#include "pieces.h"

static enum hello_state feed(struct client_hello *hello, const uint8_t *bytes, size_t size,
			     uint32_t chance, size_t *taken)
{
	enum hello_state state = HELLO_MORE;

	*taken = 0;
	for (size_t at = 0; at < size && state == HELLO_MORE;) {
		const size_t piece = piece_size(&chance, size - at);
		unsigned char *copy = piece_copy(bytes + at, piece);
		const size_t belongs = client_hello_feed(hello, copy, piece, &state);

		free(copy);
		DEMAND(belongs <= piece);
		DEMAND(state != HELLO_MORE || belongs == piece);
		*taken += belongs;
		at += piece;
	}
	DEMAND(hello->bytes_taken == *taken);
	DEMAND(state != HELLO_WHOLE || (hello->has_random && client_hello_left(hello) == 0));
	return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const uint32_t chance = take_chance(&input, &size);

	for (int strict = 0; strict < 2; strict++) {
		struct client_hello whole = {.is_strict = strict}, cut = whole;
		size_t taken, taken_cut;
		enum hello_state state, state_cut;

		state = HELLO_MORE;
		taken = client_hello_feed(&whole, input, size, &state);
		state_cut = feed(&cut, input, size, chance, &taken_cut);
		DEMAND(state == state_cut && taken == taken_cut);
		/* Whether it is SSLv2 is told only where three bytes are at hand. */
		if (whole.why != HELLO_SSLV2)
			DEMAND(whole.why == cut.why);
		DEMAND(whole.has_random == cut.has_random &&
		       memcmp(whole.random, cut.random, sizeof(whole.random)) == 0);
		DEMAND(client_hello_left(&whole) == client_hello_left(&cut));
	}
	return 0;
}
