#include "record_begin.h"

#include <stdbool.h>
#include <string.h>

static bool is_begin(const uint8_t begin[RECORD_BEGIN_BYTES], const struct record_kind *kind)
{
	const unsigned length = (unsigned)begin[3] << 8 | begin[4];

	return begin[0] == RECORD_HANDSHAKE && begin[1] == 3 && begin[2] <= kind->max_minor &&
	       length > 0 && length <= RECORD_MAX_BYTES && begin[5] == kind->message_type;
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

size_t record_begin_find(const struct record_window *window, const struct record_kind *kind,
			 const unsigned char *bytes, size_t count, size_t from,
			 uint8_t begin[RECORD_BEGIN_BYTES])
{
	size_t last = from;

	for (; last < RECORD_BEGIN_BYTES - 1 && last < count; last++)
		if (collect(window, bytes, last, begin) && is_begin(begin, kind))
			return last;
	while (last < count) {
		const unsigned char *first = bytes + last + 1 - RECORD_BEGIN_BYTES;

		first = memchr(first, RECORD_HANDSHAKE, count - last);
		if (first == NULL)
			return count;
		last = (size_t)(first - bytes) + RECORD_BEGIN_BYTES - 1;
		if (is_begin(first, kind)) {
			memcpy(begin, first, RECORD_BEGIN_BYTES);
			return last;
		}
		last++;
	}
	return count;
}

void record_window_move(struct record_window *window, const unsigned char *bytes, size_t count)
{
	const size_t room = sizeof(window->bytes);
	size_t kept = window->count;

	if (count == 0)
		return;
	if (count > room) {
		bytes += count - room;
		count = room;
	}
	if (kept > room - count)
		kept = room - count;
	memmove(window->bytes, &window->bytes[window->count - kept], kept);
	memcpy(window->bytes + kept, bytes, count);
	window->count = (uint8_t)(kept + count);
}
