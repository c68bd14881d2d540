/* guard_begin.c - which way an accepted connection goes, by the policy in force: when it is
 * accepted, and again when its first byte comes or goes, where that has changed meanwhile. */
#include "guard_inside.h"

#include "counters.h"
#include "policy_in_force.h"
#include "ring.h"
#include "serving.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

/* Which way it goes, by the rule of its endpoint; NULL: the policy cannot be used. */
static enum stream_state first_state(struct stream *stream, const struct rule *rule)
{
	const struct endpoint *peer = stream->peer_known ? &stream->peer : NULL;

	stream->is_exempt = stream->is_observed = false;
	stream->in = (struct intake){.has_begun = false};
	if (rule == NULL) {
		stream->answer = ANSWER_CLOSE;
		stream->allows_plaintext = !serving_has_context();
		return stream->allows_plaintext ? STREAM_PLAIN : STREAM_NEW;
	}
	stream->answer = rule->refuse;
	stream->allows_plaintext = rule->allows_plaintext;
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

/* Nothing has come yet; `rule` NULL: the policy cannot be used. */
static void judge_ends(struct stream *stream, int descriptor, const struct rule *rule)
{
	const struct endpoint *peer = stream->peer_known ? &stream->peer : NULL;
	enum stream_state before = atomic_load(&stream->state), state;

	stream->by_address = rule != NULL && counters_are_by_address(rule);
	state = first_state(stream, rule);
	stream->in.is_plain = state != STREAM_NEW;
	stream->awaits_tls = state == STREAM_NEW || serving_has_context();
	atomic_compare_exchange_strong(&stream->state, &before, state);
	/* Who serves no TLS is left alone. */
	if ((stream->awaits_tls || stream->in.must_be_tls) && state != STREAM_OPEN)
		ring_look();
	/* enforces from, as from-at-hello does */
	if (rule != NULL && !peers_contain(rule->exempt, peer) && !rule_admits_peer(rule, peer))
		refuse_peer(stream, descriptor);
}

static const struct rule *rule_of(const struct policy_version *version,
				  const struct endpoint *endpoint)
{
	return version->policy ? policy_match(version->policy, endpoint) : NULL;
}

/* There is no memory to watch it, so what it must not pass would pass. */
static void refuse_unwatched(struct stream *stream, int descriptor)
{
	/* enforces table-full */
	if (atomic_load(&stream->state) != STREAM_OPEN && !stream->is_observed)
		guard_close(stream, descriptor, REASON_INTERNAL);
}

/* A new connection between these ends. */
static void begin_stream(int descriptor, const struct ends *ends)
{
	unsigned long generation = policy_in_force_generation();
	struct policy_version *version = policy_in_force_hold();
	struct stream unwatched = {.state = STREAM_NEW}, *watched = descriptor_track(descriptor);
	struct stream *stream = watched ? watched : &unwatched;

	stream->endpoint = ends->endpoint;
	stream->peer = ends->peer;
	stream->peer_known = ends->peer_known;
	atomic_store(&stream->generation, generation);
	judge_ends(stream, descriptor, rule_of(version, &ends->endpoint));
	if (watched != NULL)
		descriptor_release(watched);
	else
		refuse_unwatched(stream, descriptor);
	policy_in_force_release(version);
}

void guard_look(void)
{
	if (policy_in_force_look())
		guard_datagrams_again();
	serving_looked();
}

void guard_accepted(int descriptor)
{
	struct ends ends = {.peer_known = false};

	descriptor_forget(descriptor); /* closed unseen */
	if (!ends_of(descriptor, &ends))
		return;
	guard_look();
	begin_stream(descriptor, &ends);
}

static bool has_begun(const struct stream *stream)
{
	switch (atomic_load(&stream->state)) {
	case STREAM_NEW:
	case STREAM_PLAIN:
	case STREAM_OPEN:
		return stream->in.has_begun;
	case STREAM_HELLO:
	case STREAM_CLAIMED:
	case STREAM_MATCHED:
	case STREAM_DATAGRAMS:
	case STREAM_REFUSED:
	case STREAM_DONE:
		break;
	}
	return true;
}

static void judge_again(struct stream *stream, int descriptor)
{
	unsigned long before = atomic_load(&stream->generation);
	unsigned long now = policy_in_force_generation();
	struct policy_version *version;

	if (before == now || !descriptor_is(descriptor, stream) ||
	    !atomic_compare_exchange_strong(&stream->generation, &before, now))
		return;
	version = policy_in_force_hold();
	/* enforces first-byte */
	judge_ends(stream, descriptor, rule_of(version, &stream->endpoint));
	policy_in_force_release(version);
}

void guard_follow_policy(struct stream *stream, int descriptor)
{
	int error_number = errno;

	if (has_begun(stream))
		return;
	/* A child may live in a sandbox by now, where whoever opens a file is ended. */
	if (atomic_load(&stream->accepted_here))
		guard_look();
	judge_again(stream, descriptor);
	errno = error_number;
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
