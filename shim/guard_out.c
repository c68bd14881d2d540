/* guard_out.c - what goes out on an accepted connection before it is admitted: the handshake of a
 * hooked OpenSSL. */
#include "guard_inside.h"

#include "libc.h"
#include "serving.h"

#include <errno.h>
#include <limits.h>

/* A plain alert: RFC 8446, 5.1 and 6. */
#define ALERT_BYTES 7

static ssize_t refuse_to_send(struct stream *stream, int descriptor, enum reason reason)
{
	guard_close(stream, descriptor, reason);
	errno = ECONNRESET;
	return -1;
}

/* A hooked OpenSSL that cannot so much as read a hello says so, before anybody could claim the
 * connection. */
static bool is_alert(const struct msghdr *message)
{
	const unsigned char *bytes = message->msg_iovlen == 1 ? message->msg_iov[0].iov_base : NULL;

	return bytes != NULL && message->msg_iov[0].iov_len == ALERT_BYTES && bytes[0] == 21 &&
	       bytes[1] == 3 && bytes[3] == 0 && bytes[4] == 2;
}

/* Why nobody who conducts TLS would have sent that. */
static enum reason reason_of(const struct stream *stream, const struct msghdr *message)
{
	return is_alert(message) ? REASON_UNCOVERED_TLS : guard_reason_unclaimed(stream);
}

static bool server_begins(struct server_flight *flight, const struct msghdr *message, size_t count)
{
	bool begins = false;

	for (size_t i = 0; i < message->msg_iovlen && count > 0; i++) {
		const struct iovec *piece = &message->msg_iov[i];
		size_t length = piece->iov_len < count ? piece->iov_len : count, place, early;

		begins |= server_flight_feed(flight, piece->iov_base, length, &place, &early);
		count -= length;
	}
	return begins;
}

/* Bytes that are no records: a ServerHello among them is packed into a protocol of the host's
 * (OpenVPN), whose streams cannot be told from plain text. */
static enum reason reason_of_strange(const struct msghdr *message)
{
	struct server_flight flight = {.count = 0};

	return server_begins(&flight, message, SSIZE_MAX) ? REASON_UNCOVERED_TLS : REASON_PLAINTEXT;
}

/* How many of them are TLS. */
static size_t records_of(struct tls_records *records, const struct msghdr *message, size_t count)
{
	size_t good = 0;

	for (size_t i = 0; i < message->msg_iovlen && count > 0; i++) {
		const struct iovec *piece = &message->msg_iov[i];
		size_t length = piece->iov_len < count ? piece->iov_len : count;
		size_t taken = tls_records_feed(records, piece->iov_base, length);

		good += taken;
		count -= length;
		if (taken < length)
			break;
	}
	return good;
}

/* As receive_as_asked() in guard_in.c. */
static ssize_t send_as_asked(int descriptor, const struct msghdr *message, int flags)
{
	const struct libc *libc = libc_originals();
	const struct iovec *piece = message->msg_iov;

	if (message->msg_name != NULL || message->msg_control != NULL)
		return libc->sendmsg(descriptor, message, flags);
	if (flags == 0)
		return message->msg_iovlen == 1
			       ? libc->write(descriptor, piece->iov_base, piece->iov_len)
			       : libc->writev(descriptor, piece, (int)message->msg_iovlen);
	return message->msg_iovlen == 1
		       ? libc->send(descriptor, piece->iov_base, piece->iov_len, flags)
		       : libc->sendmsg(descriptor, message, flags);
}

/* Of which it matters what leaves first. */
static ssize_t send_looked_at(struct stream *stream, int descriptor, const struct msghdr *message,
			      int flags)
{
	struct said said = guard_say(stream, message);
	ssize_t count = send_as_asked(descriptor, message, flags);

	guard_take_back(stream, message, &said, count);
	return count;
}

/* Of a connection that a hooked OpenSSL conducts. */
static ssize_t send_records(struct stream *stream, int descriptor, const struct msghdr *message,
			    int flags)
{
	struct tls_records records = stream->records;
	struct iovec pieces[PIECES_MAX];
	struct msghdr cut = guard_cut_short(message, pieces, SSIZE_MAX);
	size_t good = records_of(&records, &cut, SSIZE_MAX), whole = 0;
	ssize_t count;

	for (size_t i = 0; i < cut.msg_iovlen; i++)
		whole += pieces[i].iov_len;
	/* enforces records-only */
	if (good < whole)
		return refuse_to_send(stream, descriptor, reason_of_strange(message));
	count = send_looked_at(stream, descriptor, &cut, flags);
	if (count > 0)
		records_of(&stream->records, &cut, (size_t)count);
	return count;
}

/* Where plain text passes. */
static ssize_t send_plain(struct stream *stream, int descriptor, const struct msghdr *message,
			  int flags)
{
	struct server_flight flight = stream->flight;
	ssize_t count;

	/* enforces server-hello */
	if (guard_scanned(stream) != SCAN_NOTHING && server_begins(&flight, message, SSIZE_MAX) &&
	    descriptor_is(descriptor, stream))
		return refuse_to_send(stream, descriptor, REASON_UNCOVERED_TLS);
	count = send_looked_at(stream, descriptor, message, flags);
	if (count > 0 && (stream->in.must_be_tls || stream->in.expects_proxy) &&
	    !(serving_has_context() && is_alert(message)))
		guard_observe(stream, reason_of(stream, message));
	if (count > 0 && guard_scanned(stream) != SCAN_NOTHING)
		server_begins(&stream->flight, message, (size_t)count);
	return count;
}

static ssize_t try_to_send(struct stream *stream, int descriptor, const struct msghdr *message,
			   int flags)
{
	enum stream_state state = atomic_load(&stream->state);

	switch (state) {
	case STREAM_PLAIN:
		return send_plain(stream, descriptor, message, flags);
	case STREAM_CLAIMED:
		return send_records(stream, descriptor, message, flags);
	case STREAM_NEW:
	case STREAM_HELLO:
		if (serving_has_context() && is_alert(message))
			break;
		/* enforces unclaimed */
		return refuse_to_send(stream, descriptor, reason_of(stream, message));
	case STREAM_REFUSED:
		if (!atomic_load(&stream->finishes))
			return refuse_to_send(stream, descriptor, REASON_NONE);
		return send_records(stream, descriptor, message, flags);
	case STREAM_OPEN:
	case STREAM_MATCHED:
		return send_looked_at(stream, descriptor, message, flags);
	case STREAM_DATAGRAMS:
	case STREAM_DONE:
		break;
	}
	return send_as_asked(descriptor, message, flags);
}

bool guard_send(struct stream *stream, int descriptor, const struct msghdr *message, int flags,
		ssize_t *count)
{
	bool is_ours;

	if (atomic_load(&stream->state) == STREAM_DATAGRAMS) {
		descriptor_release(stream);
		return false;
	}
	/* Whoever listens to the host already goes on. */
	/* enforces first-byte-out */
	if (!atomic_load_explicit(&stream->has_spoken, memory_order_relaxed))
		guard_follow_policy(stream, descriptor);
	is_ours = !guard_is_past(stream, descriptor);
	if (is_ours) {
		*count = try_to_send(stream, descriptor, message, flags);
		is_ours = *count >= 0 || errno != ENOTSOCK;
		if (*count > 0)
			atomic_store_explicit(&stream->has_spoken, true, memory_order_relaxed);
	}
	if (!is_ours)
		descriptor_forget(descriptor);
	descriptor_release(stream);
	return is_ours;
}
