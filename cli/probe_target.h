/* probe_target.h - the server that is probed: what the arguments say of it.  One thread. */
#ifndef CFSHIM_PROBE_TARGET_H
#define CFSHIM_PROBE_TARGET_H

#include "arguments.h"

#include <netdb.h>
#include <stddef.h>

#define REQUEST_MAX_BYTES 65536

struct target {
	const char *spelling;    /* HOST:PORT, as it was given */
	char host[256];          /* without brackets */
	const char *server_name; /* NULL: HOST is an address, and none was given */
	struct addrinfo *addresses;
	char *request;
	size_t request_bytes;
};

/* Look HOST up, and read or make the request.  What is wrong is said on stderr.  The target is the
 * caller's (target_clear()), whatever comes of it. */
enum status target_read(struct target *target, const struct arguments *arguments);
void target_clear(struct target *target);

#endif
