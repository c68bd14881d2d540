/* client_socket.h - the socket below a connection, while the shim itself talks over it: it does not
 * block, waits with a bound, and cannot end the host.
 * Nothing here touches a descriptor that has become another's.
 */
#ifndef CFSHIM_CLIENT_SOCKET_H
#define CFSHIM_CLIENT_SOCKET_H

#include "openssl.h"

#include <signal.h>

struct client_socket {
	int descriptor;
	uint64_t cookie; /* which socket that is, for as long as the system runs; 0: none was found
			  */
};

/* The stream socket below `bio`. */
struct client_socket client_socket_of(const struct openssl *openssl, BIO *bio);

/* Is its descriptor still that socket's? */
bool client_socket_is(const struct client_socket *client);

/* Where it blocks, it does not from now on, and true is returned: then it is to block again. */
bool client_socket_never_block(const struct client_socket *client);
void client_socket_block_again(const struct client_socket *client);

/* Milliseconds that only grow. */
long long clock_ms(void);

/* Until something can be read, or written, or clock_ms() is `end`.  False: in vain. */
bool client_socket_wait(const struct client_socket *client, bool to_write, long long end);

/* A FIN; and what has come is thrown away, a little at most: left unread, it would turn a close()
 * into a reset. */
void client_socket_say_no_more(const struct client_socket *client);
void client_socket_drain(const struct client_socket *client);

/* The client sends no more, or has reset it. */
bool client_socket_is_gone(const struct client_socket *client);

/* In between a write to a client that has gone raises no SIGPIPE: not every host ignores it. */
struct signal_held {
	sigset_t before;
	bool held;
};
struct signal_held signal_hold(void);
void signal_let_go(const struct signal_held *signal_held);

#endif
