#include "guard_inside.h"

#include "counters.h"
#include "hangup.h"
#include "journal.h"
#include "policy_in_force.h"
#include "ring.h"
#include "serving.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

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

/* ---- begin ---- */

/* Which way it goes, by the rule of its endpoint; NULL: the policy cannot be used. */
static enum stream_state first_state(struct stream *stream, const struct rule *rule)
{
	const struct endpoint *peer = stream->peer_known ? &stream->peer : NULL;

	if (rule == NULL) {
		stream->allows_plaintext = !serving_has_context();
		return stream->allows_plaintext ? STREAM_PLAIN : STREAM_NEW;
	}
	stream->answer = rule->refuse;
	stream->is_exempt = rule_enforces(rule) && peers_contain(rule->exempt, peer);
	if (!rule_enforces(rule) || stream->is_exempt)
		return STREAM_OPEN;
	stream->in.expects_proxy = peers_contain(rule->proxy_protocol, peer);
	stream->is_observed = !rule_requires(rule, time(NULL));
	stream->in.must_be_tls = stream->is_observed && !rule->allows_plaintext;
	stream->allows_plaintext = stream->is_observed || rule->allows_plaintext;
	if (stream->is_observed || (rule->allows_plaintext && !stream->in.expects_proxy))
		return STREAM_PLAIN;
	return STREAM_NEW;
}

struct ends {
	struct endpoint endpoint, peer;
	bool peer_known;
};

static bool ends_of(int descriptor, struct ends *ends)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int type = 0;

	if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_from_sockaddr(&ends->endpoint, (struct sockaddr *)&address, length))
		return false;
	length = sizeof(type);
	if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM)
		return false;
	length = sizeof(address);
	ends->peer_known = getpeername(descriptor, (struct sockaddr *)&address, &length) == 0 &&
			   endpoint_from_sockaddr(&ends->peer, (struct sockaddr *)&address, length);
	return true;
}

static void refuse_peer(struct stream *stream, int descriptor)
{
	if (stream->is_observed)
		guard_observe(stream, REASON_PEER_ADDRESS);
	else
		guard_close(stream, descriptor, REASON_PEER_ADDRESS);
}

/* A new connection between these ends; `rule` NULL: the policy cannot be used. */
static void begin_stream(int descriptor, const struct ends *ends, const struct rule *rule)
{
	const struct endpoint *peer = ends->peer_known ? &ends->peer : NULL;
	struct stream *stream = descriptor_track(descriptor);
	enum stream_state state;

	if (stream == NULL) {
		/* enforces table-full */
		if (rule == NULL || rule_enforces(rule))
			shutdown(descriptor, SHUT_RDWR);
		return;
	}
	stream->endpoint = ends->endpoint;
	stream->peer = ends->peer;
	stream->peer_known = ends->peer_known;
	stream->answer = ANSWER_CLOSE;
	stream->by_address = rule != NULL && counters_are_by_address(rule);
	state = first_state(stream, rule);
	stream->in.is_plain = state != STREAM_NEW;
	stream->awaits_tls = state == STREAM_NEW || serving_has_context();
	atomic_store(&stream->state, state);
	/* Who serves no TLS is left alone. */
	if ((stream->awaits_tls || stream->in.must_be_tls) && state != STREAM_OPEN)
		ring_look();
	/* enforces from, as from-at-hello does */
	if (rule != NULL && !peers_contain(rule->exempt, peer) && !rule_admits_peer(rule, peer))
		refuse_peer(stream, descriptor);
	descriptor_release(stream);
}

void guard_look(void)
{
	if (policy_in_force_look())
		guard_datagrams_again();
	serving_looked();
}

void guard_accepted(int descriptor)
{
	struct policy_version *version;
	struct ends ends = {.peer_known = false};

	descriptor_forget(descriptor); /* closed unseen */
	if (!ends_of(descriptor, &ends))
		return;
	guard_look();
	version = policy_in_force_hold();
	begin_stream(descriptor, &ends,
		     version->policy ? policy_match(version->policy, &ends.endpoint) : NULL);
	policy_in_force_release(version);
}

/* Another descriptor of a socket that is known. */
static bool is_copy(int descriptor)
{
	struct stream *next;
	size_t place = 0;
	bool is_known = false;

	while (!is_known && (next = descriptor_next(&place)) != NULL) {
		is_known =
			atomic_load(&next->state) != STREAM_DONE && descriptor_is(descriptor, next);
		if (is_known)
			descriptor_join(next, descriptor);
		descriptor_release(next);
	}
	return is_known;
}

/* A connection that both sides have ended, or the peer has reset: the kernel tells no peer any
 * more, and what has come by it is still there to be read.  Neither a listener nor what was never
 * connected is shut for reading. */
static bool has_outlived_peer(int descriptor)
{
	struct pollfd look = {.fd = descriptor, .events = POLLRDHUP};

	return poll(&look, 1, 0) == 1 && (look.revents & POLLRDHUP) != 0;
}

void guard_received(int descriptor)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(address);
	bool is_connection;

	guard_bound(descriptor);
	/* Listeners are received too. */
	is_connection = getpeername(descriptor, (struct sockaddr *)&address, &length) == 0
				? address.ss_family == AF_INET || address.ss_family == AF_INET6
				: has_outlived_peer(descriptor);
	/* enforces outlived-peer */
	if (is_connection && !is_copy(descriptor))
		guard_accepted(descriptor);
	/* enforces inherited-as-standard */
	guard_standard(descriptor);
}

/* ---- what nobody can look at ---- */

/* From now on nobody can tell what has come. */
static void lose_sight(struct stream *stream)
{
	if (stream->in.must_be_tls || stream->in.expects_proxy)
		guard_observe(stream, guard_reason_unclaimed(stream));
	stream->in.expects_proxy = false;
	stream->in.scan.state = SCAN_AMBIGUOUS;
	atomic_store(&stream->has_random, false);
}

bool guard_passes(struct stream *stream, int descriptor)
{
	enum stream_state state = atomic_load(&stream->state);
	bool passes = true;

	if (guard_is_past(stream, descriptor)) {
		descriptor_forget(descriptor);
	} else if (state == STREAM_PLAIN || state == STREAM_OPEN) {
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
	enum stream_state claimed = STREAM_CLAIMED;

	if (stream != NULL)
		atomic_compare_exchange_strong(&stream->state, &claimed, STREAM_DONE);
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
