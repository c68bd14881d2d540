/* guard_standard.c - stdin, stdout and stderr, where their descriptor is a connection that must
 * speak TLS.
 *
 * stdio reads and writes by calls within libc, past every door.  Where such a connection is copied
 * onto descriptor 0, 1 or 2 (an own handler of the host), or is inherited there (inetd, or a child
 * that runs a program), what they print would go out in the clear.  So the three streams
 * become streams whose every read and write comes by the guard.  The old ones, of which somebody
 * may have kept the address (iostream does), find no descriptor while that lasts.
 *
 * In musl the three are constants, and nothing is done: SECURITY.md says so.
 */
#include "guard_inside.h"

#include "libc.h"

#ifdef __GLIBC__

#include <errno.h>
#include <gnu/libc-version.h>
#include <stdint.h>

/* Built with glibc's headers, the shim is loaded into programs of musl too. */
#pragma weak gnu_get_libc_version

#define STANDARD_STREAMS 3

static struct {
	_Atomic(FILE *) old, guarded;
} standard[STANDARD_STREAMS];

static struct msghdr message_of(struct iovec *piece)
{
	return (struct msghdr){.msg_iov = piece, .msg_iovlen = 1};
}

static ssize_t read_guarded(void *cookie, char *bytes, size_t size)
{
	int descriptor = (int)(intptr_t)cookie;
	struct stream *stream = descriptor_hold(descriptor);
	struct iovec piece = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = message_of(&piece);
	ssize_t count;

	if (stream != NULL && guard_receive(stream, descriptor, &message, 0, NULL, &count))
		return count;
	return libc_originals()->read(descriptor, bytes, size);
}

/* An error is 0 here. */
static ssize_t write_guarded(void *cookie, const char *bytes, size_t size)
{
	int descriptor = (int)(intptr_t)cookie;
	struct stream *stream = descriptor_hold(descriptor);
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr message = message_of(&piece);
	ssize_t count;

	/* enforces standard-streams */
	if (stream != NULL && guard_send(stream, descriptor, &message, 0, &count))
		return count > 0 ? count : 0;
	count = libc_originals()->write(descriptor, bytes, size);
	return count > 0 ? count : 0;
}

static int close_guarded(void *cookie)
{
	int descriptor = (int)(intptr_t)cookie;

	atomic_store(&standard[descriptor].guarded, NULL);
	descriptor_forget(descriptor);
	return libc_originals()->close(descriptor);
}

static FILE **variable_of(int descriptor)
{
	FILE **const variables[STANDARD_STREAMS] = {&stdin, &stdout, &stderr};

	return variables[descriptor];
}

static FILE *make_guarded(int descriptor)
{
	const cookie_io_functions_t functions = {
		.read = read_guarded, .write = write_guarded, .close = close_guarded};
	FILE *made =
		fopencookie((void *)(intptr_t)descriptor, descriptor == 0 ? "r" : "w", functions);

	if (made == NULL)
		return NULL;
	made->_fileno = descriptor; /* fileno() tells it */
	if (descriptor == STDERR_FILENO)
		setvbuf(made, NULL, _IONBF, 0);
	return made;
}

/* The stream that the program began with. */
static FILE *old_of(int descriptor)
{
	FILE *old = NULL, *now = *variable_of(descriptor);

	if (!atomic_compare_exchange_strong(&standard[descriptor].old, &old, now))
		return old;
	return now;
}

static void take(int descriptor)
{
	FILE *old = old_of(descriptor);
	FILE *guarded = atomic_load(&standard[descriptor].guarded);

	if (guarded == NULL)
		guarded = make_guarded(descriptor);
	if (old != NULL && old->_fileno == descriptor)
		old->_fileno = -1;
	/* Where there is no memory, there is no stream either. */
	if (guarded != NULL)
		*variable_of(descriptor) = guarded;
	atomic_store(&standard[descriptor].guarded, guarded);
}

/* Another file has that number now. */
static void give_back(int descriptor)
{
	FILE *old = atomic_load(&standard[descriptor].old);

	if (old != NULL && old->_fileno == -1)
		old->_fileno = descriptor;
}

static bool must_speak_tls(const struct stream *stream)
{
	switch (atomic_load(&stream->state)) {
	case STREAM_NEW:
	case STREAM_HELLO:
	case STREAM_CLAIMED:
	case STREAM_REFUSED:
		return true;
	case STREAM_PLAIN:
	case STREAM_OPEN:
	case STREAM_MATCHED:
	case STREAM_DATAGRAMS:
	case STREAM_DONE:
		break;
	}
	return false;
}

void guard_standard(int descriptor)
{
	int error_number = errno;
	struct stream *stream;

	if (descriptor < 0 || descriptor >= STANDARD_STREAMS || gnu_get_libc_version == NULL ||
	    !descriptor_is_own_table())
		return;
	stream = descriptor_hold(descriptor);
	if (stream != NULL && must_speak_tls(stream))
		take(descriptor);
	else
		give_back(descriptor);
	if (stream != NULL)
		descriptor_release(stream);
	errno = error_number;
}

#else

void guard_standard(int descriptor)
{
	(void)descriptor;
}

#endif
