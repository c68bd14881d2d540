/* door_in.c - what the host reads from a descriptor.  On one that is no accepted connection before
 * its verdict, straight to the original. */
#include "guard.h"
#include "hooks.h"
#include "libc.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static bool receive_pieces(int descriptor, const struct iovec *pieces, int count, int flags,
			   const void *caller, ssize_t *result)
{
	/* More pieces than the kernel takes are its to decline. */
	struct stream *stream = count >= 0 && count <= IOV_MAX ? descriptor_hold(descriptor) : NULL;
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
				 .msg_iovlen = (size_t)count};

	return stream != NULL && guard_receive(stream, descriptor, &message, flags, caller, result);
}

static bool receive_bytes(int descriptor, void *bytes, size_t size, int flags, const void *caller,
			  ssize_t *result)
{
	struct iovec piece = {.iov_base = bytes, .iov_len = size};

	return receive_pieces(descriptor, &piece, 1, flags, caller, result);
}

/* Apart, so that the way of all others is a few instructions. */
static __attribute__((noinline)) ssize_t read_watched(int descriptor, void *bytes, size_t size,
						      const void *caller)
{
	ssize_t result;

	if (receive_bytes(descriptor, bytes, size, 0, caller, &result))
		return result;
	return libc_originals()->read(descriptor, bytes, size);
}

/* This one and write() are those that OpenSSL reads and writes by. */
ssize_t read(int descriptor, void *bytes, size_t size)
{
	if (!descriptor_is_watched(descriptor))
		return libc_originals()->read(descriptor, bytes, size);
	return read_watched(descriptor, bytes, size, CALLER);
}

ssize_t __read(int descriptor, void *bytes, size_t size)
{
	ssize_t result;

	if (receive_bytes(descriptor, bytes, size, 0, CALLER, &result))
		return result;
	if (LIBC_LACKS(__read))
		return -1;
	return libc_originals()->__read(descriptor, bytes, size);
}

/* The names of _FORTIFY_SOURCE: a size beyond the room is libc's to punish. */

ssize_t __read_chk(int descriptor, void *bytes, size_t size, size_t room)
{
	ssize_t result;

	if (size <= room && receive_bytes(descriptor, bytes, size, 0, CALLER, &result))
		return result;
	if (LIBC_LACKS(__read_chk))
		return -1;
	return libc_originals()->__read_chk(descriptor, bytes, size, room);
}

ssize_t readv(int descriptor, const struct iovec *pieces, int count)
{
	ssize_t result;

	if (receive_pieces(descriptor, pieces, count, 0, CALLER, &result))
		return result;
	return libc_originals()->readv(descriptor, pieces, count);
}

/* On a socket an offset makes it fail, but for -1, which stands for none. */

ssize_t preadv2(int descriptor, const struct iovec *pieces, int count, off_t offset, int flags)
{
	ssize_t result;

	if (offset == -1 &&
	    receive_pieces(descriptor, pieces, count, (flags & RWF_NOWAIT) != 0 ? MSG_DONTWAIT : 0,
			   CALLER, &result))
		return result;
	if (LIBC_LACKS(preadv2))
		return -1;
	return libc_originals()->preadv2(descriptor, pieces, count, offset, flags);
}

ssize_t preadv64v2(int descriptor, const struct iovec *pieces, int count, off64_t offset, int flags)
{
	ssize_t result;

	if (offset == -1 &&
	    receive_pieces(descriptor, pieces, count, (flags & RWF_NOWAIT) != 0 ? MSG_DONTWAIT : 0,
			   CALLER, &result))
		return result;
	if (LIBC_LACKS(preadv64v2))
		return -1;
	return libc_originals()->preadv64v2(descriptor, pieces, count, offset, flags);
}

ssize_t recv(int descriptor, void *bytes, size_t size, int flags)
{
	ssize_t result;

	if (receive_bytes(descriptor, bytes, size, flags, CALLER, &result))
		return result;
	return libc_originals()->recv(descriptor, bytes, size, flags);
}

ssize_t __recv_chk(int descriptor, void *bytes, size_t size, size_t room, int flags)
{
	ssize_t result;

	if (size <= room && receive_bytes(descriptor, bytes, size, flags, CALLER, &result))
		return result;
	if (LIBC_LACKS(__recv_chk))
		return -1;
	return libc_originals()->__recv_chk(descriptor, bytes, size, room, flags);
}

static bool receive_from(int descriptor, void *bytes, size_t size, int flags,
			 struct sockaddr *address, socklen_t *length, const void *caller,
			 ssize_t *result)
{
	struct stream *stream = descriptor_hold(descriptor);
	struct iovec piece = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_name = address,
				 .msg_namelen = address && length ? *length : 0};

	if (stream == NULL || !guard_receive(stream, descriptor, &message, flags, caller, result))
		return false;
	if (address != NULL && length != NULL && *result >= 0)
		*length = message.msg_namelen;
	return true;
}

ssize_t recvfrom(int descriptor, void *bytes, size_t size, int flags, address_argument address,
		 socklen_t *length)
{
	ssize_t result;

	if (receive_from(descriptor, bytes, size, flags, ADDRESS_OF(address), length, CALLER,
			 &result))
		return result;
	return libc_originals()->recvfrom(descriptor, bytes, size, flags, address, length);
}

ssize_t __recvfrom_chk(int descriptor, void *bytes, size_t size, size_t room, int flags,
		       address_argument address, socklen_t *length)
{
	ssize_t result;

	if (size <= room && receive_from(descriptor, bytes, size, flags, ADDRESS_OF(address),
					 length, CALLER, &result))
		return result;
	if (LIBC_LACKS(__recvfrom_chk))
		return -1;
	return libc_originals()->__recvfrom_chk(descriptor, bytes, size, room, flags, address,
						length);
}

/* ---- messages, which may bring descriptors ---- */

static void look_for_descriptors(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
	     part = CMSG_NXTHDR(message, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int descriptor;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		/* enforces received-sockets */
		endpoint_received_sockets();
		for (size_t i = 0; i < count; i++) {
			memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
			/* enforces received-connections */
			guard_received(descriptor);
		}
	}
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags)
{
	struct stream *stream = descriptor_hold(descriptor);
	ssize_t result;
	int error_number;

	if (stream != NULL && guard_receive(stream, descriptor, message, flags, CALLER, &result))
		return result;
	result = libc_originals()->recvmsg(descriptor, message, flags);
	error_number = errno;
	if (result >= 0)
		look_for_descriptors(message);
	errno = error_number;
	return result;
}

/* One message at a time, where there is something to look at. */
int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags,
	     struct timespec *timeout)
{
	struct stream *stream = descriptor_hold(descriptor);
	ssize_t received;
	int result, error_number;

	if (stream != NULL && count > 0 &&
	    guard_receive(stream, descriptor, &messages[0].msg_hdr, flags & ~MSG_WAITFORONE, CALLER,
			  &received)) {
		if (received < 0)
			return -1;
		messages[0].msg_len = (unsigned)received;
		return 1;
	}
	result = libc_originals()->recvmmsg(descriptor, messages, count, flags, timeout);
	error_number = errno;
	for (int i = 0; i < result; i++)
		look_for_descriptors(&messages[i].msg_hdr);
	errno = error_number;
	return result;
}
