/* door_unseen.c - what moves bytes that nobody can look at: from file to socket, through a pipe, by
 * stdio, by the number of the system call.  On an accepted connection before its verdict it moves
 * none. */
#include "guard.h"
#include "hooks.h"
#include "libc.h"
#include "ring.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <sys/syscall.h>

static bool passes(int descriptor)
{
	struct stream *stream = descriptor_hold(descriptor);

	if (stream == NULL || guard_passes(stream, descriptor))
		return true;
	errno = ECONNRESET;
	return false;
}

/* To a pipe it is splice() by another name. */
ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
	return passes(out) && passes(in) ? libc_originals()->sendfile(out, in, offset, count) : -1;
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
	if (LIBC_LACKS(sendfile64))
		return -1;
	return passes(out) && passes(in) ? libc_originals()->sendfile64(out, in, offset, count)
					 : -1;
}

ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t count,
	       unsigned flags)
{
	if (!passes(in) || !passes(out))
		return -1;
	return libc_originals()->splice(in, in_offset, out, out_offset, count, flags);
}

int aio_read(struct aiocb *request)
{
	if (LIBC_LACKS(aio_read))
		return -1;
	return passes(request->aio_fildes) ? libc_originals()->aio_read(request) : -1;
}

int aio_read64(struct aiocb64 *request)
{
	if (LIBC_LACKS(aio_read64))
		return -1;
	return passes(request->aio_fildes) ? libc_originals()->aio_read64(request) : -1;
}

int aio_write(struct aiocb *request)
{
	if (LIBC_LACKS(aio_write))
		return -1;
	return passes(request->aio_fildes) ? libc_originals()->aio_write(request) : -1;
}

int aio_write64(struct aiocb64 *request)
{
	if (LIBC_LACKS(aio_write64))
		return -1;
	return passes(request->aio_fildes) ? libc_originals()->aio_write64(request) : -1;
}

int lio_listio(int mode, struct aiocb *const requests[restrict], int count,
	       struct sigevent *restrict event)
{
	for (int i = 0; i < count; i++)
		if (requests[i] != NULL && !passes(requests[i]->aio_fildes))
			return -1;
	if (LIBC_LACKS(lio_listio))
		return -1;
	return libc_originals()->lio_listio(mode, requests, count, event);
}

int lio_listio64(int mode, struct aiocb64 *const requests[restrict], int count,
		 struct sigevent *restrict event)
{
	for (int i = 0; i < count; i++)
		if (requests[i] != NULL && !passes(requests[i]->aio_fildes))
			return -1;
	if (LIBC_LACKS(lio_listio64))
		return -1;
	return libc_originals()->lio_listio64(mode, requests, count, event);
}

/* stdio reads and writes by calls within libc. */
FILE *fdopen(int descriptor, const char *mode)
{
	return passes(descriptor) ? libc_originals()->fdopen(descriptor, mode) : NULL;
}

FILE *_IO_fdopen(int descriptor, const char *mode)
{
	if (LIBC_LACKS(_IO_fdopen))
		return NULL;
	return passes(descriptor) ? libc_originals()->_IO_fdopen(descriptor, mode) : NULL;
}

int vdprintf(int descriptor, const char *format, va_list arguments)
{
	return passes(descriptor) ? libc_originals()->vdprintf(descriptor, format, arguments) : -1;
}

int dprintf(int descriptor, const char *format, ...)
{
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = vdprintf(descriptor, format, arguments);
	va_end(arguments);
	return count;
}

int __vdprintf_chk(int descriptor, int flag, const char *format, va_list arguments)
{
	if (LIBC_LACKS(__vdprintf_chk))
		return -1;
	return passes(descriptor)
		       ? libc_originals()->__vdprintf_chk(descriptor, flag, format, arguments)
		       : -1;
}

int __dprintf_chk(int descriptor, int flag, const char *format, ...)
{
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = __vdprintf_chk(descriptor, flag, format, arguments);
	va_end(arguments);
	return count;
}

/* The number of a call that has a door here, and its descriptor is watched: by that door. */
static bool call_by_door(long number, const long *given, long *result)
{
	struct stream *stream = descriptor_hold((int)given[0]);

	if (stream == NULL)
		return false;
	descriptor_release(stream);
	switch (number) {
	case SYS_read:
		*result = read((int)given[0], (void *)given[1], (size_t)given[2]);
		return true;
	case SYS_write:
		*result = write((int)given[0], (void *)given[1], (size_t)given[2]);
		return true;
	case SYS_readv:
		*result = readv((int)given[0], (void *)given[1], (int)given[2]);
		return true;
	case SYS_writev:
		*result = writev((int)given[0], (void *)given[1], (int)given[2]);
		return true;
	case SYS_recvfrom:
		*result = recvfrom((int)given[0], (void *)given[1], (size_t)given[2], (int)given[3],
				   (address_argument){(void *)given[4]}, (void *)given[5]);
		return true;
	case SYS_sendto:
		*result = sendto((int)given[0], (void *)given[1], (size_t)given[2], (int)given[3],
				 (const_address_argument){(void *)given[4]}, (socklen_t)given[5]);
		return true;
	case SYS_recvmsg:
		*result = recvmsg((int)given[0], (void *)given[1], (int)given[2]);
		return true;
	case SYS_sendmsg:
		*result = sendmsg((int)given[0], (void *)given[1], (int)given[2]);
		return true;
	case SYS_recvmmsg:
		*result = recvmmsg((int)given[0], (void *)given[1], (unsigned)given[2],
				   (int)given[3], (void *)given[4]);
		return true;
	case SYS_sendmmsg:
		*result = sendmmsg((int)given[0], (void *)given[1], (unsigned)given[2],
				   (int)given[3]);
		return true;
	case SYS_dup:
		*result = dup((int)given[0]);
		return true;
#ifdef SYS_dup2 /* not on arm64 */
	case SYS_dup2:
		*result = dup2((int)given[0], (int)given[1]);
		return true;
#endif
	case SYS_fcntl:
		*result = fcntl((int)given[0], (int)given[1], (void *)given[2]);
		return true;
	case SYS_dup3:
		*result = dup3((int)given[0], (int)given[1], (int)given[2]);
		return true;
	case SYS_close:
		*result = close((int)given[0]);
		return true;
	case SYS_preadv2:
	case SYS_pwritev2:
		if (passes((int)given[0]))
			return false;
		*result = -1;
		return true;
	default:
		return false;
	}
}

/* The kernel's own aio. */
static bool all_pass(struct iocb *const *requests, long count)
{
	for (long i = 0; i < count; i++)
		if (!passes((int)requests[i]->aio_fildes))
			return false;
	return true;
}

long syscall(long number, ...)
{
	long given[6], result;
	va_list arguments;

	va_start(arguments, number);
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++)
		given[i] = va_arg(arguments, long);
	va_end(arguments);
	switch (number) {
	case SYS_accept4:
		return accept4((int)given[0], (address_argument){(void *)given[1]},
			       (void *)given[2], (int)given[3]);
	case SYS_accept:
		return accept((int)given[0], (address_argument){(void *)given[1]},
			      (void *)given[2]);
	case SYS_execve:
		return execve((void *)given[0], (void *)given[1], (void *)given[2]);
	case SYS_execveat:
		return execveat((int)given[0], (void *)given[1], (void *)given[2], (void *)given[3],
				(int)given[4]);
	case SYS_io_uring_setup:
		ring_was_made();
		break;
	case SYS_bind:
		return bind((int)given[0], (const_address_argument){(void *)given[1]},
			    (socklen_t)given[2]);
	case SYS_splice:
		if (!passes((int)given[0]) || !passes((int)given[2]))
			return -1;
		break;
	case SYS_sendfile:
		if (!passes((int)given[0]) || !passes((int)given[1]))
			return -1;
		break;
	case SYS_io_submit:
		if (!all_pass((struct iocb **)given[2], given[1]))
			return -1;
		break;
	default:
		if (call_by_door(number, given, &result))
			return result;
	}
	return libc_originals()->syscall(number, given[0], given[1], given[2], given[3], given[4],
					 given[5]);
}
