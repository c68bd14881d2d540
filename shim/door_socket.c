/* door_socket.c - the endpoints of this process, and the connections that it accepts: from accept()
 * to close(), by whatever number. */
#include "guard.h"
#include "hooks.h"
#include "libc.h"
#include "serving.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

int listen(int descriptor, int backlog)
{
	int result = libc_originals()->listen(descriptor, backlog);
	int error_number = errno;

	if (result == 0) {
		endpoint_listens(descriptor);
		serving_listens(descriptor);
	}
	errno = error_number;
	return result;
}

static void note_bound(int descriptor, const struct sockaddr *address)
{
	/* enforces bound-for-datagrams */
	endpoint_binds(descriptor, address);
	/* enforces bound */
	guard_bound(descriptor);
}

int bind(int descriptor, const_address_argument address, socklen_t length)
{
	int result = libc_originals()->bind(descriptor, address, length);
	int error_number = errno;

	if (result == 0)
		note_bound(descriptor, ADDRESS_OF(address));
	errno = error_number;
	return result;
}

static int accepted(int descriptor)
{
	int error_number = errno;

	/* enforces accepted */
	if (descriptor >= 0)
		guard_accepted(descriptor);
	guard_standard(descriptor);
	errno = error_number;
	return descriptor;
}

int accept(int descriptor, address_argument address, socklen_t *length)
{
	return accepted(libc_originals()->accept(descriptor, address, length));
}

int accept4(int descriptor, address_argument address, socklen_t *length, int flags)
{
	return accepted(libc_originals()->accept4(descriptor, address, length, flags));
}

/* The child's table is its own, before it starts children of another kind. */
pid_t fork(void)
{
	pid_t child = libc_originals()->fork();

	/* enforces forked */
	if (child == 0)
		descriptor_is_own_table();
	return child;
}

/* Forgotten first: another thread may get the number at once. */
static void closing(int descriptor)
{
	guard_closing(descriptor);
	descriptor_forget(descriptor);
}

int close(int descriptor)
{
	closing(descriptor);
	return libc_originals()->close(descriptor);
}

int __close(int descriptor)
{
	if (LIBC_LACKS(__close))
		return -1;
	closing(descriptor);
	return libc_originals()->__close(descriptor);
}

int close_range(unsigned first, unsigned last, int flags)
{
	if (LIBC_LACKS(close_range))
		return -1;
	if ((flags & (int)CLOSE_RANGE_CLOEXEC) == 0)
		descriptor_forget_range(first, last);
	return libc_originals()->close_range(first, last, flags);
}

void closefrom(int first)
{
	descriptor_forget_range(first < 0 ? 0 : (unsigned)first, UINT_MAX);
	if (!LIBC_LACKS(closefrom)) {
		libc_originals()->closefrom(first);
		return;
	}
	for (long i = first < 0 ? 0 : first, end = sysconf(_SC_OPEN_MAX); i < end; i++)
		libc_originals()->close((int)i);
}

static int copied(int descriptor, int copy)
{
	int error_number = errno;

	/* enforces copied */
	if (copy >= 0 && copy != descriptor)
		descriptor_copied(descriptor, copy);
	/* enforces copied-to-standard */
	guard_standard(copy);
	errno = error_number;
	return copy;
}

int dup(int descriptor)
{
	return copied(descriptor, libc_originals()->dup(descriptor));
}

int dup2(int descriptor, int copy)
{
	return copied(descriptor, libc_originals()->dup2(descriptor, copy));
}

int __dup2(int descriptor, int copy)
{
	if (LIBC_LACKS(__dup2))
		return -1;
	return copied(descriptor, libc_originals()->__dup2(descriptor, copy));
}

int dup3(int descriptor, int copy, int flags)
{
	return copied(descriptor, libc_originals()->dup3(descriptor, copy, flags));
}

static int control(__typeof__(&fcntl) original, int descriptor, int command, void *argument)
{
	int result = original(descriptor, command, argument);

	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(descriptor, result)
								: result;
}

int fcntl(int descriptor, int command, ...)
{
	void *argument;
	va_list arguments;

	va_start(arguments, command);
	argument = va_arg(arguments, void *); /* of whatever type: it goes on as it came */
	va_end(arguments);
	return control(libc_originals()->fcntl, descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...)
{
	void *argument;
	va_list arguments;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (LIBC_LACKS(fcntl64))
		return -1;
	return control(libc_originals()->fcntl64, descriptor, command, argument);
}

int __fcntl(int descriptor, int command, ...)
{
	void *argument;
	va_list arguments;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (LIBC_LACKS(__fcntl))
		return -1;
	return control(libc_originals()->__fcntl, descriptor, command, argument);
}
