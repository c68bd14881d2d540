/* listeners.h - what listens in the network namespace of a process: TCP, and UDP sockets that are
 * bound and speak with anybody.
 */
#ifndef CFSHIM_LISTENERS_H
#define CFSHIM_LISTENERS_H

#include "policy.h"
#include "process.h"

struct listener {
	struct endpoint here;
	bool datagrams;
	bool everywhere; /* on all addresses */
	uint64_t inode;
};

struct listeners {
	struct listener *list;
	size_t count;
};

/* Add those of the namespace that `process` is in; sorted by port. */
void listeners_read(struct listeners *listeners, const struct process *process);
void listeners_clear(struct listeners *listeners);

bool process_holds(const struct process *process, const struct listener *listener);

/* "127.0.0.1:443", "[::1]:443" */
#define LISTENER_TEXT_BYTES 64
const char *listener_text(const struct listener *listener, char text[LISTENER_TEXT_BYTES]);

/* On loopback only. */
bool listener_is_local(const struct listener *listener);

#endif
