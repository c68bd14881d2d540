#include "hello_scan.h"

#include <string.h>

static void say(struct hello_scan *scan, enum scan_state state)
{
	if (state > scan->state)
		scan->state = (uint8_t)state;
}

/* One hello has passed whole. */
static void conclude(struct hello_scan *scan, const struct client_hello *hello)
{
	if (scan->state >= SCAN_HELLO &&
	    memcmp(scan->random, hello->random, sizeof(scan->random)) != 0)
		say(scan, SCAN_AMBIGUOUS);
	memcpy(scan->random, hello->random, sizeof(scan->random));
	say(scan, SCAN_HELLO);
}

/* OpenSSL may go on where a hello was crowded or interrupted. */
static bool is_doubtful(const struct client_hello *hello)
{
	return hello->state == HELLO_NOT_TLS &&
	       (hello->why == HELLO_CROWDED || hello->why == HELLO_INTERRUPTED);
}

/* Feed all candidates; those that are no hello leave.  What another candidate was at the moment
 * when one became whole is told by how many bytes each took. */
static void feed_candidates(struct hello_scan *scan, const unsigned char *bytes, size_t count)
{
	size_t taken[SCAN_CANDIDATES], kept = 0;
	size_t since = scan->bytes_since_hello + count;
	enum hello_state state;

	for (size_t i = 0; i < scan->candidate_count; i++) {
		taken[i] = client_hello_feed(&scan->candidates[i], bytes, count, &state);
		if (is_doubtful(&scan->candidates[i]))
			say(scan, SCAN_AMBIGUOUS);
	}
	for (size_t i = 0; i < scan->candidate_count; i++) {
		if (scan->candidates[i].state != HELLO_WHOLE)
			continue;
		conclude(scan, &scan->candidates[i]);
		for (size_t j = 0; j < scan->candidate_count; j++)
			if (j != i && taken[j] >= taken[i])
				say(scan, SCAN_OVERLAPPED);
		since = count - taken[i];
	}
	scan->bytes_since_hello =
		(uint8_t)(since < RECORD_BEGIN_BYTES ? since : RECORD_BEGIN_BYTES);
	for (size_t i = 0; i < scan->candidate_count; i++)
		if (scan->candidates[i].state == HELLO_MORE)
			scan->candidates[kept++] = scan->candidates[i];
	scan->candidate_count = (uint8_t)kept;
}

static void begin_candidate(struct hello_scan *scan, const uint8_t begin[RECORD_BEGIN_BYTES])
{
	struct client_hello *candidate;
	enum hello_state state;

	if (scan->candidate_count == SCAN_CANDIDATES) {
		say(scan, SCAN_AMBIGUOUS);
		return;
	}
	/* It began inside a hello that has ended meanwhile. */
	if (scan->state >= SCAN_HELLO && scan->bytes_since_hello < RECORD_BEGIN_BYTES)
		say(scan, SCAN_OVERLAPPED);
	candidate = &scan->candidates[scan->candidate_count++];
	*candidate = (struct client_hello){.is_strict = true};
	client_hello_feed(candidate, begin, RECORD_BEGIN_BYTES, &state);
	say(scan, SCAN_SUSPECT);
}

enum scan_state hello_scan_feed(struct hello_scan *scan, const unsigned char *bytes, size_t count)
{
	uint8_t begin[RECORD_BEGIN_BYTES];
	size_t at = 0;

	while (at < count && scan->state != SCAN_AMBIGUOUS) {
		const size_t last = record_begin_find(&scan->window, bytes, count, at, begin);
		const size_t end = last < count ? last + 1 : count;

		feed_candidates(scan, bytes + at, end - at);
		if (last < count)
			begin_candidate(scan, begin);
		at = end;
	}
	record_window_move(&scan->window, bytes, count);
	return (enum scan_state)scan->state;
}
