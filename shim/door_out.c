/* door_out.c - what the host writes to a descriptor.  On one that is no accepted connection before
 * its verdict, straight to the original. */
#include "guard.h"
#include "hooks.h"
#include "libc.h"

#include <errno.h>
#include <limits.h>

static bool send_pieces(int descriptor, const struct iovec *pieces, int count, int flags,
			ssize_t *result)
{
	struct stream *stream = count >= 0 && count <= IOV_MAX ? descriptor_hold(descriptor) : NULL;
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
				 .msg_iovlen = (size_t)count};

	return stream != NULL && guard_send(stream, descriptor, &message, flags, result);
}

static bool send_bytes(int descriptor, const void *bytes, size_t size, int flags, ssize_t *result)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};

	return send_pieces(descriptor, &piece, 1, flags, result);
}

static __attribute__((noinline)) ssize_t write_watched(int descriptor, const void *bytes,
						       size_t size)
{
	ssize_t result;

	if (send_bytes(descriptor, bytes, size, 0, &result))
		return result;
	return libc_originals()->write(descriptor, bytes, size);
}

ssize_t write(int descriptor, const void *bytes, size_t size)
{
	if (!descriptor_is_watched(descriptor))
		return libc_originals()->write(descriptor, bytes, size);
	return write_watched(descriptor, bytes, size);
}

ssize_t __write(int descriptor, const void *bytes, size_t size)
{
	ssize_t result;

	if (send_bytes(descriptor, bytes, size, 0, &result))
		return result;
	if (LIBC_LACKS(__write))
		return -1;
	return libc_originals()->__write(descriptor, bytes, size);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
	ssize_t result;

	if (send_pieces(descriptor, pieces, count, 0, &result))
		return result;
	return libc_originals()->writev(descriptor, pieces, count);
}

ssize_t pwritev2(int descriptor, const struct iovec *pieces, int count, off_t offset, int flags)
{
	ssize_t result;

	if (offset == -1 && send_pieces(descriptor, pieces, count,
					(flags & RWF_NOWAIT) != 0 ? MSG_DONTWAIT : 0, &result))
		return result;
	if (LIBC_LACKS(pwritev2))
		return -1;
	return libc_originals()->pwritev2(descriptor, pieces, count, offset, flags);
}

ssize_t pwritev64v2(int descriptor, const struct iovec *pieces, int count, off64_t offset,
		    int flags)
{
	ssize_t result;

	if (offset == -1 && send_pieces(descriptor, pieces, count,
					(flags & RWF_NOWAIT) != 0 ? MSG_DONTWAIT : 0, &result))
		return result;
	if (LIBC_LACKS(pwritev64v2))
		return -1;
	return libc_originals()->pwritev64v2(descriptor, pieces, count, offset, flags);
}

ssize_t send(int descriptor, const void *bytes, size_t size, int flags)
{
	ssize_t result;

	if (send_bytes(descriptor, bytes, size, flags, &result))
		return result;
	return libc_originals()->send(descriptor, bytes, size, flags);
}

ssize_t __send(int descriptor, const void *bytes, size_t size, int flags)
{
	ssize_t result;

	if (send_bytes(descriptor, bytes, size, flags, &result))
		return result;
	if (LIBC_LACKS(__send))
		return -1;
	return libc_originals()->__send(descriptor, bytes, size, flags);
}

/* On a connection the address counts for nothing. */
ssize_t sendto(int descriptor, const void *bytes, size_t size, int flags,
	       const_address_argument address, socklen_t length)
{
	ssize_t result;

	if (send_bytes(descriptor, bytes, size, flags, &result))
		return result;
	return libc_originals()->sendto(descriptor, bytes, size, flags, address, length);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
	struct stream *stream = descriptor_hold(descriptor);
	ssize_t result;

	if (stream != NULL && guard_send(stream, descriptor, message, flags, &result))
		return result;
	return libc_originals()->sendmsg(descriptor, message, flags);
}

/* One message at a time, where there is something to look at. */
int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags)
{
	struct stream *stream = descriptor_hold(descriptor);
	ssize_t sent;

	if (stream != NULL && count > 0 &&
	    guard_send(stream, descriptor, &messages[0].msg_hdr, flags, &sent)) {
		if (sent < 0)
			return -1;
		messages[0].msg_len = (unsigned)sent;
		return 1;
	}
	return libc_originals()->sendmmsg(descriptor, messages, count, flags);
}
