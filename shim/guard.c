#include "guard_inside.h"

#include "counters.h"
#include "hangup.h"
#include "journal.h"
#include "policy_in_force.h"

#include <errno.h>

/* ---- refuse ---- */

static void tell(const struct stream *stream, enum reason reason, const struct endpoint *peer,
		 bool is_observed)
{
	struct refusal refusal = {
		.is_observed = is_observed,
		.reason = policy_in_force_is_usable() ? reason : REASON_POLICY_ERROR,
		.answer = stream->answer,
		.endpoint_known = true,
		.endpoint = stream->endpoint,
		.peer_known = peer != NULL,
	};

	if (peer != NULL)
		refusal.peer = *peer;
	descriptor_count(stream, is_observed ? VERDICT_OBSERVED : VERDICT_REFUSED, refusal.reason,
			 peer);
	journal_refused(&refusal);
}

void guard_tell(const struct stream *stream, enum reason reason, const struct endpoint *peer)
{
	tell(stream, reason, peer, false);
}

static const struct endpoint *shown_peer(const struct stream *stream)
{
	if (stream->in.names_peer)
		return &stream->in.peer;
	return stream->peer_known ? &stream->peer : NULL;
}

void guard_observe(struct stream *stream, enum reason reason)
{
	stream->in.must_be_tls = false;
	atomic_store(&stream->counted, true);
	if (!atomic_exchange(&stream->told, true))
		tell(stream, reason, shown_peer(stream), true);
}

bool guard_has_told(const struct stream *stream)
{
	return stream != NULL && atomic_load(&stream->told);
}

void guard_close(struct stream *stream, int descriptor, enum reason reason)
{
	int error_number = errno;

	enum stream_state before = atomic_load(&stream->state);

	do {
		if (before == STREAM_REFUSED || before == STREAM_DONE)
			return;
	} while (!atomic_compare_exchange_weak(&stream->state, &before, STREAM_REFUSED));
	atomic_store(&stream->counted, true);
	guard_tell(stream, reason, shown_peer(stream));
	hangup(descriptor, stream->answer, true);
	errno = error_number;
}

/* Is it none of ours: done with, or closed and opened again, unseen?  Asked of the kernel only
 * before something is withheld. */
bool guard_is_past(const struct stream *stream, int descriptor)
{
	switch (atomic_load(&stream->state)) {
	case STREAM_DONE:
		return true;
	case STREAM_OPEN:
	case STREAM_PLAIN:
	case STREAM_MATCHED:
		return false;
	case STREAM_DATAGRAMS:
		if (!guard_withholds_datagrams(&stream->endpoint))
			return true;
		break;
	case STREAM_NEW:
	case STREAM_HELLO:
	case STREAM_CLAIMED:
	case STREAM_REFUSED:
		break;
	}
	return !descriptor_is(descriptor, stream);
}

enum reason guard_reason_unclaimed(const struct stream *stream)
{
	const struct intake *in = &stream->in;
	const struct client_hello *hello = in->is_plain ? &in->first : &in->hello;
	bool began = !in->expects_proxy && hello->bytes_taken > 0;

	return began ? REASON_UNCOVERED_TLS : REASON_PLAINTEXT;
}

/* `message` for no more than `most` bytes. */
struct msghdr guard_cut_short(const struct msghdr *message, struct iovec pieces[PIECES_MAX],
			      size_t most)
{
	struct msghdr cut = *message;

	cut.msg_iov = pieces;
	cut.msg_iovlen = 0;
	for (size_t i = 0; i < message->msg_iovlen && i < PIECES_MAX && most > 0; i++) {
		pieces[i] = message->msg_iov[i];
		if (pieces[i].iov_len > most)
			pieces[i].iov_len = most;
		most -= pieces[i].iov_len;
		cut.msg_iovlen = i + 1;
	}
	return cut;
}

/* ---- what nobody can look at ---- */

/* From now on nobody can tell what has come. */
static void lose_sight(struct stream *stream)
{
	if (stream->in.must_be_tls || stream->in.expects_proxy)
		guard_observe(stream, guard_reason_unclaimed(stream));
	stream->in.expects_proxy = false;
	stream->in.has_begun = true;
	stream->in.scan.state = SCAN_AMBIGUOUS;
	atomic_store(&stream->has_random, false);
	atomic_store(&stream->reply, REPLY_LOST);
}

bool guard_passes(struct stream *stream, int descriptor)
{
	enum stream_state state;
	bool passes = true;

	/* enforces first-byte-unseen */
	guard_follow_policy(stream, descriptor);
	state = atomic_load(&stream->state);
	if (guard_is_past(stream, descriptor)) {
		descriptor_forget(descriptor);
	} else if (state == STREAM_PLAIN || state == STREAM_OPEN || state == STREAM_MATCHED) {
		lose_sight(stream);
	} else {
		/* enforces unseen-bytes */
		passes = false;
	}
	if (!passes && atomic_load(&stream->state) == STREAM_DATAGRAMS)
		guard_tell(stream, REASON_UNCOVERED_TLS, NULL);
	else if (!passes)
		guard_close(stream, descriptor, guard_reason_unclaimed(stream));
	descriptor_release(stream);
	return passes;
}

/* ---- the verdict ---- */

void guard_admit(struct stream *stream)
{
	enum stream_state claimed = STREAM_CLAIMED, matched = STREAM_MATCHED;

	if (stream == NULL)
		return;
	atomic_compare_exchange_strong(&stream->state, &claimed, STREAM_DONE);
	atomic_compare_exchange_strong(&stream->state, &matched, STREAM_DONE);
}

void guard_refuse(struct stream *stream, enum answer answer)
{
	if (stream == NULL)
		return;
	/* What TLS has to say may still stand in a buffer of the host's. */
	atomic_store(&stream->abandoned, false);
	atomic_store(&stream->finishes, answer == ANSWER_REJECT);
	/* enforces refused-socket */
	atomic_store(&stream->state, STREAM_REFUSED);
}

void guard_answer(struct stream *stream)
{
	if (stream != NULL)
		atomic_store(&stream->answered, true);
}

/* Of a refused client that is told why: what it has sent meanwhile would make the host's close() a
 * reset, which overtakes what was said. */
void guard_closing(int descriptor)
{
	struct stream *stream = descriptor_hold(descriptor);
	int error_number = errno;

	if (stream == NULL)
		return;
	if ((atomic_load(&stream->finishes) || atomic_load(&stream->answered)) &&
	    !atomic_load(&stream->abandoned) && atomic_load(&stream->descriptors) == 1 &&
	    descriptor_is_own_table() && !guard_is_past(stream, descriptor))
		hangup(descriptor, ANSWER_REJECT, true);
	descriptor_release(stream);
	errno = error_number;
}

void guard_abandon(struct stream *stream)
{
	enum stream_state claimed = STREAM_CLAIMED;

	if (stream == NULL || atomic_load(&stream->state) != STREAM_CLAIMED)
		return;
	atomic_store(&stream->abandoned, true);
	atomic_store(&stream->finishes, true);
	/* enforces abandoned-socket */
	atomic_compare_exchange_strong(&stream->state, &claimed, STREAM_REFUSED);
}

void guard_let_go(struct stream *stream)
{
	if (stream != NULL)
		descriptor_release(stream);
}
