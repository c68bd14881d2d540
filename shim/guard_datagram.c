/* guard_datagram.c - a datagram socket that is bound to a named, enforced port: what a hooked
 * OpenSSL reads through its datagram BIO is judged there, and nobody else gets a datagram.
 *
 * Who reads is told by the caller of the door: code of a libcrypto that is a library.  Inside a
 * program that holds OpenSSL itself the two cannot be told apart, so that one gets nothing.
 */
#include "guard_inside.h"

#include "libc.h"
#include "openssl.h"
#include "policy_in_force.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

/* ---- begin ---- */

/* A socket of every address is of those, too, that have sections of their own. */
static bool is_enforced(const struct policy *policy, const struct endpoint *endpoint)
{
	if (policy == NULL)
		return false;
	if (endpoint_is_any(endpoint) && policy_names_addresses(policy, endpoint->port))
		return true;
	return policy_names(policy, endpoint) &&
	       policy_match(policy, endpoint)->verify != VERIFY_OFF;
}

bool guard_withholds_datagrams(const struct endpoint *endpoint)
{
	struct policy_version *version = policy_in_force_hold();
	bool withholds = is_enforced(version->policy, endpoint);

	policy_in_force_release(version);
	return withholds;
}

void guard_bound(int descriptor)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(int);
	struct endpoint endpoint;
	struct stream *stream;
	int type = 0;

	if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM)
		return;
	length = sizeof(address);
	if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length) ||
	    endpoint.port == 0 || !guard_withholds_datagrams(&endpoint))
		return;
	stream = descriptor_track(descriptor);
	/* Without memory for it, nobody watches it. */
	if (stream == NULL) {
		shutdown(descriptor, SHUT_RDWR);
		return;
	}
	stream->endpoint = endpoint;
	stream->peer_known = stream->by_address = false;
	stream->answer = ANSWER_CLOSE;
	atomic_store(&stream->state, STREAM_DATAGRAMS);
	descriptor_release(stream);
}

static void watch_again(int descriptor)
{
	struct stream *stream = descriptor_hold(descriptor);

	if (stream == NULL)
		guard_bound(descriptor);
	else
		descriptor_release(stream);
}

void guard_datagrams_again(void)
{
	endpoint_each_socket(watch_again);
}

/* ---- reading ---- */

bool guard_reads_for_openssl(const void *caller)
{
	const struct openssl *openssl = caller ? openssl_around(caller) : NULL;
	const char *entry = (const char *)getauxval(AT_ENTRY); /* of the program */

	return openssl != NULL && ((const char *)openssl->crypto_home > entry ||
				   entry >= (const char *)openssl->crypto_end);
}

/* Once a second. */
static void tell_of_dropped(const struct stream *stream, const struct endpoint *peer)
{
	static _Atomic time_t last;
	struct timespec now;
	time_t before = atomic_load(&last);

	if (clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec + 1 != before &&
	    atomic_compare_exchange_strong(&last, &before, now.tv_sec + 1))
		guard_tell(stream, REASON_UNCOVERED_TLS, peer);
}

/* Those of `exempt` owe no certificate over datagrams either. */
static bool is_exempt(const struct stream *stream, const struct endpoint *peer)
{
	struct policy_version *version = policy_in_force_hold();
	const struct policy *policy = version->policy;
	bool exempt = policy != NULL && !endpoint_is_any(&stream->endpoint) &&
		      peers_contain(policy_match(policy, &stream->endpoint)->exempt, peer);

	policy_in_force_release(version);
	return exempt;
}

static void give_name(struct msghdr *message, const struct sockaddr_storage *from, socklen_t length)
{
	if (message->msg_name != NULL)
		memcpy(message->msg_name, from,
		       message->msg_namelen < length ? message->msg_namelen : length);
	message->msg_namelen = message->msg_name ? length : 0;
}

/* A peek tells from whom it is, and how long, which hosts ask before they hand the socket to
 * OpenSSL; not what. */
ssize_t guard_receive_datagram(struct stream *stream, int descriptor, struct msghdr *message,
			       int flags)
{
	for (;;) {
		struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
		struct msghdr own = *message;
		struct endpoint peer;
		ssize_t count;
		bool peer_known;

		own.msg_name = &from;
		own.msg_namelen = sizeof(from);
		count = libc_originals()->recvmsg(descriptor, &own, flags);
		if (count < 0)
			return count;
		peer_known =
			endpoint_from_sockaddr(&peer, (struct sockaddr *)&from, own.msg_namelen);
		/* enforces datagrams */
		if ((flags & MSG_ERRQUEUE) == 0 && !(peer_known && is_exempt(stream, &peer))) {
			guard_blot_out(message, 0, (size_t)count);
			if ((flags & MSG_PEEK) == 0) {
				tell_of_dropped(stream, peer_known ? &peer : NULL);
				continue;
			}
		}
		message->msg_controllen = own.msg_controllen;
		message->msg_flags = own.msg_flags;
		give_name(message, &from, own.msg_namelen);
		return count;
	}
}
