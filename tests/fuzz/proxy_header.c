/* However it is cut, it is the same header, of the same bytes; and a whole one ends where the
 * specification says.
 */
#include "wire/proxy_header.h"

#include "pieces.h"

static void check_end(const struct proxy_header *header, const uint8_t *bytes, size_t taken)
{
	if (header->version == 1) {
		DEMAND(taken >= 15 && taken <= PROXY_TEXT_BYTES);
		DEMAND(memcmp(bytes, "PROXY ", 6) == 0);
		DEMAND(memcmp(bytes + taken - 2, "\r\n", 2) == 0);
		DEMAND(memchr(bytes, '\n', taken) == bytes + taken - 1);
		DEMAND(header->has_address == (memcmp(bytes + 6, "TCP", 3) == 0));
	} else {
		DEMAND(header->version == 2);
		DEMAND(memcmp(bytes, "\r\n\r\n\0\r\nQUIT\n", 12) == 0);
		DEMAND(taken == 16u + ((unsigned)bytes[14] << 8 | bytes[15]));
		DEMAND(!header->has_address || (bytes[12] == 0x21 && taken >= 28));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	uint32_t chance = take_chance(&input, &size);
	struct proxy_header whole = {0}, cut = {0};
	enum proxy_state state = PROXY_MORE, state_cut = PROXY_MORE;
	const size_t taken = proxy_header_feed(&whole, input, size, &state);
	size_t total = 0;

	DEMAND(taken <= size && (state != PROXY_MORE || taken == size));
	for (size_t at = 0; at < size && state_cut == PROXY_MORE;) {
		const size_t piece = piece_size(&chance, size - at);
		unsigned char *copy = piece_copy(input + at, piece);

		total += proxy_header_feed(&cut, copy, piece, &state_cut);
		free(copy);
		at += piece;
	}
	DEMAND(state == state_cut && taken == total);
	DEMAND(whole.has_address == cut.has_address && whole.version == cut.version);
	DEMAND(whole.source.port == cut.source.port &&
	       memcmp(whole.source.address, cut.source.address, 16) == 0);
	if (state == PROXY_WHOLE)
		check_end(&whole, input, taken);
	return 0;
}
