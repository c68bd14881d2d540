#include "record_begin.h"

#include <stdbool.h>
#include <string.h>

#define MESSAGE_CLIENT_HELLO 1

static bool is_begin(const uint8_t begin[RECORD_BEGIN_BYTES])
{
	const unsigned length = (unsigned)begin[3] << 8 | begin[4];

	return begin[0] == RECORD_HANDSHAKE && begin[1] == 3 && length > 0 &&
	       length <= RECORD_MAX_BYTES && begin[5] == MESSAGE_CLIENT_HELLO;
}

/* The six bytes that end at `last`, some of which may stand in the window. */
static bool collect(const struct record_window *window, const unsigned char *bytes, size_t last,
		    uint8_t begin[RECORD_BEGIN_BYTES])
{
	const size_t here = last < RECORD_BEGIN_BYTES ? last + 1 : RECORD_BEGIN_BYTES;
	const size_t before = RECORD_BEGIN_BYTES - here;

	if (before > window->count)
		return false;
	memcpy(begin, &window->bytes[window->count - before], before);
	memcpy(begin + before, bytes + last + 1 - here, here);
	return true;
}

size_t record_begin_find(const struct record_window *window, const unsigned char *bytes,
			 size_t count, size_t from, uint8_t begin[RECORD_BEGIN_BYTES])
{
	size_t last = from;

	for (; last < RECORD_BEGIN_BYTES - 1 && last < count; last++)
		if (collect(window, bytes, last, begin) && is_begin(begin))
			return last;
	while (last < count) {
		const unsigned char *first = bytes + last + 1 - RECORD_BEGIN_BYTES;

		first = memchr(first, RECORD_HANDSHAKE, count - last);
		if (first == NULL)
			return count;
		last = (size_t)(first - bytes) + RECORD_BEGIN_BYTES - 1;
		if (is_begin(first)) {
			memcpy(begin, first, RECORD_BEGIN_BYTES);
			return last;
		}
		last++;
	}
	return count;
}

size_t window_move(uint8_t *window, size_t size, size_t there, const unsigned char *bytes,
		   size_t count)
{
	const size_t more = count < size ? count : size;
	const size_t kept = there < size - more ? there : size - more;

	if (more == 0)
		return there;
	memmove(window, window + there - kept, kept);
	memcpy(window + kept, bytes + count - more, more);
	return kept + more;
}

void record_window_move(struct record_window *window, const unsigned char *bytes, size_t count)
{
	window->count = (uint8_t)window_move(window->bytes, sizeof(window->bytes), window->count,
					     bytes, count);
}
