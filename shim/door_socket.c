/* door_socket.c - the endpoints of this process: what it listens on, and whether it is handed
 * sockets by others. */
#include "endpoint.h"
#include "hooks.h"
#include "libc.h"
#include "serving.h"

#include <errno.h>
#include <sys/socket.h>

int listen(int descriptor, int backlog)
{
	int result = libc_originals()->listen(descriptor, backlog);
	int error_number = errno;

	if (result == 0) {
		endpoint_listens(descriptor);
		serving_listens();
	}
	errno = error_number;
	return result;
}

static void look_for_descriptors(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
	     part = CMSG_NXTHDR(message, part))
		/* enforces received-sockets */
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
			endpoint_received_sockets();
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags)
{
	ssize_t result = libc_originals()->recvmsg(descriptor, message, flags);

	if (result >= 0)
		look_for_descriptors(message);
	return result;
}

int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned int count, int flags,
	     struct timespec *timeout)
{
	int result = libc_originals()->recvmmsg(descriptor, messages, count, flags, timeout);

	for (int i = 0; i < result; i++)
		look_for_descriptors(&messages[i].msg_hdr);
	return result;
}
