/* However it is cut, the first ServerHello is found at its place, and TLS ends at the same byte. */
#include "wire/server_flight.h"

#include "pieces.h"

/* Where the first one begins; `size`: none. */
static size_t search(const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + SERVER_BEGIN_BYTES <= size; at++) {
		const unsigned length = (unsigned)bytes[at + 3] << 8 | bytes[at + 4];

		if (bytes[at] == 22 && bytes[at + 1] == 3 && bytes[at + 2] < 16 && length > 0 &&
		    length <= 16384 && bytes[at + 5] == 2 &&
		    (length < 6 ||
		     (bytes[at + 6] == 0 && bytes[at + 9] == 3 && bytes[at + 10] < 16)))
			return at;
	}
	return size;
}

static void check_flight(const uint8_t *bytes, size_t size, uint32_t chance)
{
	const size_t place = search(bytes, size);
	struct server_flight flight = {0};

	for (size_t at = 0; at < size;) {
		const size_t piece = piece_size(&chance, size - at);
		unsigned char *copy = piece_copy(bytes + at, piece);
		size_t begin, early;
		const bool found = server_flight_feed(&flight, copy, piece, &begin, &early);

		free(copy);
		DEMAND(begin < piece && early < SERVER_BEGIN_BYTES && (begin == 0 || early == 0));
		if (found) {
			DEMAND(at + begin - early == place);
			return;
		}
		at += piece;
	}
	DEMAND(place == size);
}

static void check_records(const uint8_t *bytes, size_t size, uint32_t chance)
{
	struct tls_records whole = {0}, cut = {0};
	const size_t fine = tls_records_feed(&whole, bytes, size);
	size_t total = 0;

	for (size_t at = 0; at < size;) {
		const size_t piece = piece_size(&chance, size - at);
		unsigned char *copy = piece_copy(bytes + at, piece);
		const size_t count = tls_records_feed(&cut, copy, piece);

		free(copy);
		DEMAND(count == piece || (count < piece && cut.is_broken));
		total += count;
		at += piece;
	}
	DEMAND(total == fine && whole.is_broken == (fine < size) &&
	       cut.is_broken == whole.is_broken);
	DEMAND(tls_records_at_boundary(&whole) == tls_records_at_boundary(&cut));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const uint32_t chance = take_chance(&input, &size);

	check_flight(input, size, chance);
	check_records(input, size, chance);
	return 0;
}
