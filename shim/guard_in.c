/* guard_in.c - what comes in on an accepted connection: looked at before it comes, where it must be
 * TLS; else as it passes. */
#include "guard_inside.h"

#include "libc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

/* So long a blocking read waits for another thread to claim the connection. */
#define CLAIM_WAIT_MS 5000

enum outlook { OUTLOOK_MORE, OUTLOOK_HELLO, OUTLOOK_PLAIN, OUTLOOK_NOT };

/* How many of these bytes may come in, and what they make of it. */
static size_t intake_piece(struct intake *in, bool allows_plaintext, const unsigned char *bytes,
			   size_t count, enum outlook *outlook)
{
	enum hello_state hello;
	enum proxy_state proxy;
	size_t taken = 0;

	if (in->expects_proxy) {
		taken = proxy_header_feed(&in->proxy, bytes, count, &proxy);
		*outlook = proxy == PROXY_NOT ? OUTLOOK_NOT : OUTLOOK_MORE;
		if (proxy != PROXY_WHOLE)
			return taken;
		*in = (struct intake){.is_plain = allows_plaintext,
				      .has_begun = true,
				      .must_be_tls = in->must_be_tls,
				      .names_peer = in->proxy.has_address,
				      .peer = in->proxy.source};
	}
	if (in->is_plain) {
		*outlook = OUTLOOK_PLAIN;
		hello_scan_feed(&in->scan, bytes + taken, count - taken);
		if (in->must_be_tls)
			client_hello_feed(&in->first, bytes + taken, count - taken, &hello);
		return count;
	}
	*outlook = OUTLOOK_MORE;
	if (taken == count)
		return taken;
	taken += client_hello_feed(&in->hello, bytes + taken, count - taken, &hello);
	if (hello != HELLO_MORE)
		*outlook = hello == HELLO_WHOLE ? OUTLOOK_HELLO : OUTLOOK_NOT;
	return taken;
}

static size_t intake_feed(struct intake *in, bool allows_plaintext, const struct msghdr *message,
			  size_t count, enum outlook *outlook)
{
	size_t allowed = 0;

	*outlook = OUTLOOK_MORE;
	for (size_t i = 0; i < message->msg_iovlen && count > 0; i++) {
		const struct iovec *piece = &message->msg_iov[i];
		size_t length = piece->iov_len < count ? piece->iov_len : count;
		size_t taken = intake_piece(in, allows_plaintext, piece->iov_base, length, outlook);

		allowed += taken;
		count -= length;
		if (taken < length || *outlook == OUTLOOK_HELLO)
			break;
	}
	return allowed;
}

void guard_blot_out(const struct msghdr *message, size_t from, size_t end)
{
	size_t at = 0;

	for (size_t i = 0; i < message->msg_iovlen && at < end; i++) {
		const struct iovec *piece = &message->msg_iov[i];
		size_t first = from > at ? from - at : 0, last = end - at;

		if (last > piece->iov_len)
			last = piece->iov_len;
		if (first < last)
			memset((char *)piece->iov_base + first, 0, last - first);
		at += piece->iov_len;
	}
}

static bool is_blocking(int descriptor, int flags)
{
	return (flags & MSG_DONTWAIT) == 0 &&
	       (libc_originals()->fcntl(descriptor, F_GETFL) & O_NONBLOCK) == 0;
}

/* Another thread may be about to claim it. */
static bool wait_for_claim(const struct stream *stream)
{
	for (int waited = 0; waited < CLAIM_WAIT_MS; waited++) {
		if (atomic_load(&stream->state) != STREAM_HELLO)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

/* A host that does not block asks again at once, for as long as there is something. */
static bool has_asked_long(struct stream *stream)
{
	struct timespec clock;
	long long now, since = 0;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	now = clock.tv_sec * 1000LL + clock.tv_nsec / 1000000 + 1;
	if (atomic_compare_exchange_strong(&stream->withheld_since, &since, now))
		return false;
	return now - since > CLAIM_WAIT_MS;
}

/* Of what is only observed: the bytes of an expected header that is none, and of a hello that is
 * none, have passed. */
static void observe(struct stream *stream, const struct msghdr *message, size_t count,
		    enum outlook *outlook)
{
	struct intake *in = &stream->in;

	if (*outlook == OUTLOOK_NOT) {
		guard_observe(stream, REASON_PLAINTEXT);
		*in = (struct intake){.is_plain = true};
		(void)intake_feed(in, true, message, count, outlook);
	}
	if (in->must_be_tls && in->first.state == HELLO_NOT_TLS)
		guard_observe(stream, REASON_PLAINTEXT);
}

/* The host has got them. */
static void take_in(struct stream *stream, const struct msghdr *message, size_t count)
{
	enum stream_state from = STREAM_NEW;
	struct intake *in = &stream->in;
	enum outlook outlook;
	const uint8_t *random = NULL;
	bool is_new = false;

	(void)intake_feed(in, stream->allows_plaintext, message, count, &outlook);
	in->has_begun = true;
	if (stream->is_observed)
		observe(stream, message, count, &outlook);
	if (outlook == OUTLOOK_HELLO)
		random = in->hello.random;
	else if (outlook == OUTLOOK_PLAIN &&
		 (in->scan.state == SCAN_HELLO || in->scan.state == SCAN_OVERLAPPED))
		random = in->scan.random;
	if (random != NULL) {
		is_new = !atomic_load(&stream->has_random) || !guard_is_of(stream, random);
		memcpy(stream->random, random, sizeof(stream->random));
	}
	guard_hear(stream, is_new);
	atomic_store(&stream->has_random, random != NULL);
	if (outlook == OUTLOOK_HELLO)
		atomic_compare_exchange_strong(&stream->state, &from, STREAM_HELLO);
	else if (outlook == OUTLOOK_PLAIN)
		atomic_compare_exchange_strong(&stream->state, &from, STREAM_PLAIN);
}

/* By the system call that the host makes, or the plainest that does: a host in a sandbox (sshd's
 * child before it knows the user) may have no other. */
static ssize_t receive_as_asked(int descriptor, struct msghdr *message, int flags)
{
	const struct libc *libc = libc_originals();
	const struct iovec *piece = message->msg_iov;
	ssize_t count;

	if (message->msg_name != NULL || message->msg_control != NULL)
		return libc->recvmsg(descriptor, message, flags);
	if (flags == 0)
		count = message->msg_iovlen == 1
				? libc->read(descriptor, piece->iov_base, piece->iov_len)
				: libc->readv(descriptor, piece, (int)message->msg_iovlen);
	else if (message->msg_iovlen == 1)
		count = libc->recv(descriptor, piece->iov_base, piece->iov_len, flags);
	else
		return libc->recvmsg(descriptor, message, flags);
	message->msg_controllen = 0;
	message->msg_flags = 0;
	return count;
}

/* What the kernel has said of `read`, which the host did not see. */
static void tell_lengths(struct msghdr *message, const struct msghdr *read)
{
	message->msg_namelen = read->msg_namelen;
	message->msg_controllen = read->msg_controllen;
	message->msg_flags = read->msg_flags;
}

/* On a connection that must speak TLS, and which nobody conducts yet: what may come is known
 * before it comes.  False: it is no longer so. */
static bool receive_new(struct stream *stream, int descriptor, struct msghdr *message, int flags,
			ssize_t *count)
{
	const struct libc *libc = libc_originals();
	struct msghdr look = *message, cut;
	struct iovec pieces[PIECES_MAX];
	struct intake in;
	enum outlook outlook;
	size_t allowed;

	look.msg_control = NULL;
	look.msg_controllen = 0;
	*count = libc->recvmsg(descriptor, &look, flags | MSG_PEEK);
	if (*count == 0)
		tell_lengths(message, &look);
	if (*count <= 0)
		return true;
	guard_follow_policy(stream, descriptor); /* it may have waited */
	in = stream->in;
	allowed = intake_feed(&in, stream->allows_plaintext, message, (size_t)*count, &outlook);
	guard_blot_out(message, allowed, (size_t)*count);
	if (atomic_load(&stream->state) != STREAM_NEW)
		return false;
	if (outlook == OUTLOOK_NOT && in.names_peer)
		stream->in = in; /* for the log */
	/* enforces plaintext */
	if (outlook == OUTLOOK_NOT) {
		guard_close(stream, descriptor, REASON_PLAINTEXT);
		*count = 0;
		tell_lengths(message, &look);
		return true;
	}
	*count = (ssize_t)allowed;
	if ((flags & MSG_PEEK) != 0) {
		tell_lengths(message, &look);
		return true;
	}
	cut = guard_cut_short(message, pieces, allowed);
	*count = libc->recvmsg(descriptor, &cut, flags);
	tell_lengths(message, &cut);
	if (*count > 0)
		take_in(stream, message, (size_t)*count);
	return true;
}

/* The host has the hello, nobody has claimed it, and the client says more: that has to wait, but
 * not for ever.  False: somebody has, by now. */
static bool receive_after_hello(struct stream *stream, int descriptor, int flags, ssize_t *count)
{
	bool is_late;
	char byte;

	*count = libc_originals()->recv(descriptor, &byte, 1, flags | MSG_PEEK);
	if (*count <= 0)
		return atomic_load(&stream->state) == STREAM_HELLO;
	if (is_blocking(descriptor, flags) && wait_for_claim(stream))
		return false;
	is_late = is_blocking(descriptor, flags) || has_asked_long(stream);
	/* enforces claimed-in-time */
	if (is_late)
		guard_close(stream, descriptor, REASON_UNCOVERED_TLS);
	*count = is_late ? 0 : -1;
	errno = EAGAIN;
	return true;
}

/* The read had begun, and waited, under a policy by which it was nobody's business; by the one in
 * force these bytes are.  What came behind a hello cannot be put back.  False: to be peeked at
 * again. */
static bool receive_late(struct stream *stream, int descriptor, struct msghdr *message, int flags,
			 ssize_t *count)
{
	struct intake in = stream->in;
	enum outlook outlook = OUTLOOK_NOT;
	size_t came = (size_t)*count, allowed = 0;

	if ((flags & (MSG_PEEK | MSG_OOB | MSG_TRUNC)) == 0)
		allowed = intake_feed(&in, stream->allows_plaintext, message, came, &outlook);
	if (atomic_load(&stream->state) == STREAM_NEW && allowed == came && outlook != OUTLOOK_NOT)
		return true;
	if ((flags & MSG_TRUNC) == 0) /* with it, nothing was written there */
		guard_blot_out(message, 0, came);
	if ((flags & MSG_PEEK) != 0)
		return false;
	if (outlook == OUTLOOK_NOT && in.names_peer)
		stream->in = in; /* for the log */
	guard_close(stream, descriptor,
		    outlook == OUTLOOK_NOT ? REASON_PLAINTEXT : REASON_UNCOVERED_TLS);
	*count = 0;
	return true;
}

static bool receive_plain(struct stream *stream, int descriptor, struct msghdr *message, int flags,
			  ssize_t *count)
{
	enum stream_state state;

	*count = receive_as_asked(descriptor, message, flags);
	if (*count <= 0 || (flags & MSG_ERRQUEUE) != 0)
		return true;
	guard_follow_policy(stream, descriptor);
	state = atomic_load(&stream->state);
	/* enforces first-byte-late */
	if ((state == STREAM_NEW || state == STREAM_REFUSED) &&
	    !receive_late(stream, descriptor, message, flags, count))
		return false;
	if (*count > 0 && (flags & (MSG_PEEK | MSG_OOB | MSG_TRUNC)) == 0)
		take_in(stream, message, (size_t)*count);
	return true;
}

static bool try_to_receive(struct stream *stream, int descriptor, struct msghdr *message, int flags,
			   const void *caller, ssize_t *count)
{
	enum stream_state state = atomic_load(&stream->state);

	if (state == STREAM_REFUSED &&
	    !(atomic_load(&stream->abandoned) && guard_reads_for_openssl(caller))) {
		*count = 0;
		return true;
	}
	if ((state == STREAM_NEW || state == STREAM_HELLO) && (flags & MSG_ERRQUEUE) == 0) {
		if ((flags & (MSG_OOB | MSG_TRUNC)) != 0) {
			errno = EINVAL;
			*count = -1;
			return true;
		}
		if (state == STREAM_NEW)
			return receive_new(stream, descriptor, message, flags, count);
		/* enforces nothing-behind-the-hello */
		return receive_after_hello(stream, descriptor, flags, count);
	}
	if (state == STREAM_PLAIN || state == STREAM_OPEN)
		return receive_plain(stream, descriptor, message, flags, count);
	*count = receive_as_asked(descriptor, message, flags);
	if (*count > 0 && (flags & MSG_ERRQUEUE) == 0)
		guard_hear(stream, false);
	return true;
}

/* False: an OpenSSL reads, and sees to it itself. */
static bool receive_datagram(struct stream *stream, int descriptor, struct msghdr *message,
			     int flags, const void *caller, ssize_t *count)
{
	bool is_ours = !guard_reads_for_openssl(caller);

	if (is_ours && guard_is_past(stream, descriptor)) {
		is_ours = false;
		descriptor_forget(descriptor);
	} else if (is_ours) {
		*count = guard_receive_datagram(stream, descriptor, message, flags);
	}
	descriptor_release(stream);
	return is_ours;
}

bool guard_receive(struct stream *stream, int descriptor, struct msghdr *message, int flags,
		   const void *caller, ssize_t *count)
{
	bool is_ours = true;

	if (atomic_load(&stream->state) == STREAM_DATAGRAMS)
		return receive_datagram(stream, descriptor, message, flags, caller, count);

	atomic_store_explicit(&stream->asked, true, memory_order_relaxed);
	do {
		guard_follow_policy(stream, descriptor);
		if (guard_is_past(stream, descriptor)) {
			is_ours = false;
			break;
		}
	} while (!try_to_receive(stream, descriptor, message, flags, caller, count));
	if (is_ours && *count < 0 && errno == ENOTSOCK)
		is_ours = false;
	if (!is_ours)
		descriptor_forget(descriptor);
	descriptor_release(stream);
	return is_ours;
}
