/* guard_reply.c - is it the connection of the server that has read its hello?  Who knows a
 * connection by its hello alone may be shown another that has the same: the hello says nothing
 * secret.  What the server answers cannot be known before, so it tells them apart. */
#include "guard_inside.h"

#include <limits.h>
#include <string.h>

void guard_hear(struct stream *stream, bool brought_hello)
{
	enum reply due = REPLY_DUE;

	atomic_fetch_add(&stream->heard, 1);
	if (brought_hello) {
		stream->server_hello = (struct server_hello){.has_begun = false};
		atomic_store(&stream->reply, REPLY_DUE);
	} else {
		/* enforces reply-first */
		atomic_compare_exchange_strong(&stream->reply, &due, REPLY_LOST);
	}
}

/* After a HelloRetryRequest, which anybody can foretell: what has left until now tells nothing. */
void guard_asked_again(struct stream *stream)
{
	guard_hear(stream, true);
}

static bool feed(struct server_hello *hello, const struct msghdr *message, size_t count)
{
	bool is_whole = false;

	for (size_t i = 0; i < message->msg_iovlen && count > 0; i++) {
		const struct iovec *piece = &message->msg_iov[i];
		size_t length = piece->iov_len < count ? piece->iov_len : count;

		is_whole = server_hello_feed(hello, piece->iov_base, length);
		count -= length;
	}
	return is_whole;
}

/* Before they leave: who reads beside may have the client's answer before this call returns. */
struct said guard_say(struct stream *stream, const struct msghdr *message)
{
	struct said said = {.heard = atomic_load(&stream->heard)};
	enum reply due = REPLY_DUE;

	said.reply = atomic_load(&stream->reply);
	if (said.reply != REPLY_DUE)
		return said;
	said.before = stream->server_hello;
	if (feed(&stream->server_hello, message, SSIZE_MAX))
		atomic_compare_exchange_strong(&stream->reply, &due, REPLY_HELLO);
	return said;
}

static size_t length_of(const struct msghdr *message)
{
	size_t length = 0;

	for (size_t i = 0; i < message->msg_iovlen; i++)
		length += message->msg_iov[i].iov_len;
	return length;
}

/* Who reads beside has found a ServerHello that had not left, and saw not that it came first. */
void guard_take_back(struct stream *stream, const struct msghdr *message, const struct said *said,
		     ssize_t count)
{
	enum reply due = REPLY_DUE, replied = REPLY_HELLO;
	struct server_hello left = said->before;

	if (said->reply != REPLY_DUE || (count >= 0 && (size_t)count == length_of(message)))
		return;
	if (count > 0 && feed(&left, message, (size_t)count))
		return;
	stream->server_hello = left;
	atomic_compare_exchange_strong(&stream->reply, &replied, REPLY_DUE);
	if (atomic_load(&stream->heard) != said->heard) {
		/* enforces reply-first-beside */
		atomic_compare_exchange_strong(&stream->reply, &due, REPLY_LOST);
	}
}

bool guard_has_replied(const struct stream *stream, const unsigned char random[SERVER_RANDOM_BYTES])
{
	return stream != NULL && atomic_load(&stream->reply) == REPLY_HELLO &&
	       memcmp(server_hello_random(&stream->server_hello), random, SERVER_RANDOM_BYTES) == 0;
}
