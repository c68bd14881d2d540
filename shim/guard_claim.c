/* guard_claim.c - which accepted connection is it whose hello a hooked OpenSSL reads? */
#include "guard_inside.h"

#include <string.h>

static bool is_open(const struct stream *stream, enum stream_state state)
{
	return state == STREAM_OPEN || state == STREAM_MATCHED || stream->is_observed;
}

/* Whoever comes with the descriptor in hand may come again.  `state_open`: what becomes of an open
 * one. */
static bool claim(struct stream *stream, enum stream_state state_open)
{
	enum stream_state before = atomic_load(&stream->state), after;

	do {
		if (before == STREAM_REFUSED && !atomic_load(&stream->abandoned))
			return false;
		if (before == STREAM_CLAIMED || before == STREAM_DONE)
			return true;
		after = is_open(stream, before) ? state_open : STREAM_CLAIMED;
		if (before == STREAM_PLAIN)
			stream->records = (struct tls_records){0};
	} while (!atomic_compare_exchange_weak(&stream->state, &before, after));
	return true;
}

/* Has it brought another hello than this one, or half a one? */
static bool contradicts(const struct stream *stream, const unsigned char *random)
{
	switch (atomic_load(&stream->state)) {
	case STREAM_NEW:
		return !stream->in.expects_proxy && stream->in.hello.bytes_taken > 0;
	case STREAM_PLAIN:
	case STREAM_OPEN:
	case STREAM_HELLO:
		return atomic_load(&stream->has_random) && !guard_is_of(stream, random);
	case STREAM_CLAIMED:
	case STREAM_MATCHED:
	case STREAM_DATAGRAMS:
	case STREAM_REFUSED:
	case STREAM_DONE:
		break;
	}
	return false;
}

static enum claim claim_descriptor(const struct route *route, const unsigned char *random,
				   struct stream **claimed)
{
	struct stream *stream = descriptor_hold(route->descriptor);

	if (stream == NULL)
		return CLAIM_NONE;
	if (guard_is_past(stream, route->descriptor) || !descriptor_is(route->descriptor, stream)) {
		descriptor_forget(route->descriptor);
		/* enforces foreign-descriptor */
	} else if (contradicts(stream, random) || !claim(stream, STREAM_DONE)) {
		descriptor_release(stream);
		return CLAIM_FOREIGN;
	} else {
		*claimed = stream;
		return CLAIM_MADE;
	}
	descriptor_release(stream);
	return CLAIM_NONE;
}

static bool waits(const struct stream *stream)
{
	enum stream_state state = atomic_load(&stream->state);

	return state == STREAM_HELLO || state == STREAM_PLAIN || state == STREAM_OPEN;
}

static void close_copy(struct stream *stream)
{
	int descriptor = atomic_load(&stream->descriptor);

	stream->answer = ANSWER_CLOSE;
	guard_close(stream, descriptor_is(descriptor, stream) ? descriptor : -1,
		    REASON_UNKNOWN_ENDPOINT);
}

static bool has_this_random(const struct stream *stream, const unsigned char *random)
{
	return atomic_load(&stream->has_random) && guard_is_of(stream, random);
}

static bool is_closed(const struct stream *stream)
{
	return atomic_load(&stream->state) == STREAM_REFUSED && !atomic_load(&stream->abandoned);
}

static enum claim claim_random(const unsigned char *random, struct stream **claimed)
{
	struct stream *found = NULL, *next;
	bool copied = false;
	size_t place = 0;

	while ((next = descriptor_next(&place)) != NULL) {
		if (has_this_random(next, random) && waits(next)) {
			if (found == NULL) {
				found = next;
				continue;
			}
			/* enforces copied-random */
			copied = true;
			close_copy(next);
		} else if (has_this_random(next, random)) {
			copied |= is_closed(next); /* by a thread that has found both */
		}
		descriptor_release(next);
	}
	if (found == NULL)
		return CLAIM_NONE;
	if (copied)
		close_copy(found);
	if (copied || !claim(found, STREAM_MATCHED)) {
		descriptor_release(found);
		return copied ? CLAIM_COPIED : CLAIM_NONE;
	}
	*claimed = found;
	return CLAIM_MATCHED;
}

enum claim guard_claim(struct route *route, const unsigned char *random, struct stream **claimed)
{
	enum claim result = claim_descriptor(route, random, claimed);

	/* An accepted connection that no door saw; else a descriptor of anything but a connection
	 * is none. */
	if (result != CLAIM_NONE || route->endpoint_known)
		return result;
	result = claim_random(random, claimed);
	if (result == CLAIM_MATCHED)
		guard_complete(route, *claimed);
	return result;
}

static void complete_ends(struct route *route, struct stream *stream)
{
	int descriptor = atomic_load(&stream->descriptor);
	struct stream *there = descriptor_hold(descriptor);

	if (there == stream && descriptor_is(descriptor, stream))
		route->descriptor = descriptor;
	if (there != NULL)
		descriptor_release(there);
	route->endpoint_known = true;
	route->endpoint = stream->endpoint;
	route->peer_known = stream->peer_known;
	route->peer = stream->peer;
}

void guard_complete(struct route *route, struct stream *stream)
{
	if (!route->endpoint_known)
		complete_ends(route, stream);
	if (stream->in.names_peer) {
		route->shown_known = true;
		route->shown = stream->in.peer;
	}
}

bool guard_is_of(const struct stream *stream, const unsigned char *random)
{
	return memcmp(stream->random, random, sizeof(stream->random)) == 0;
}
