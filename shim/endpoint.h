/* endpoint.h - where a connection arrived, and whose it is.
 *
 * The connection's own local address decides, not the listener's.  It is found through the
 * descriptor in the SSL's chain of BIOs (SSL_get_fd does not know custom BIOs that answer
 * BIO_C_GET_FD).  Where there is no descriptor, the rules of all endpoints that this process
 * listens on, or has bound datagram sockets to, apply together: they are noted at listen() and
 * bind().  Threads: any; the notes are lock-free.  Fork: children inherit the notes with the
 * sockets.
 */
#ifndef CFSHIM_ENDPOINT_H
#define CFSHIM_ENDPOINT_H

#include "openssl.h"
#include "policy.h"

#include <sys/socket.h>

/* What is known about one connection's socket. */
struct route {
	int descriptor;   /* -1: none found */
	bool is_datagram; /* DTLS or QUIC */
	bool is_split;    /* it comes by one endpoint, and leaves by another: neither is known */
	bool endpoint_known, peer_known;
	struct endpoint endpoint, peer;
	bool shown_known; /* of the peer, for logs: what a PROXY header says */
	struct endpoint shown;
};

/* The first descriptor in a chain of BIOs; -1: none. */
int endpoint_descriptor(const struct openssl *openssl, BIO *bio);

/* Look at the socket under `ssl` now. */
struct route endpoint_route(const struct openssl *openssl, const SSL *ssl);

/* Every address of the machine?  So is that of a datagram socket until it is connected. */
bool endpoint_is_any(const struct endpoint *endpoint);

/* Is that another connection's route than the one which had come by `before`? */
bool endpoint_has_moved(const struct route *route, const struct endpoint *before);

/* `descriptor` has begun to listen: remember its endpoint. */
void endpoint_listens(int descriptor);

/* bind() has given it an address, for what was asked; that of a datagram socket is remembered. */
void endpoint_binds(int descriptor, const struct sockaddr *asked);

/* This process holds sockets that it did not make (passed over a UNIX socket, or inherited at
 * exec): from now on a connection without a descriptor may have come from anywhere. */
void endpoint_received_sockets(void);

/* The IP sockets among the open descriptors are told of. */
void endpoint_each_socket(void (*found)(int descriptor));

/* At load: are there sockets already?  Each is told of. */
void endpoint_look_at_inherited(void (*found)(int descriptor));

/* Has this process begun to listen anywhere? */
bool endpoint_is_listening(void);

/* The endpoints a connection without a descriptor may have come from: TLS may come in the datagrams
 * of another protocol (OpenVPN, RADIUS), and DTLS in a stream (RFC 4571).  Returns their number; 0:
 * anywhere. */
#define ENDPOINTS_NOTED 64
#define ENDPOINTS_MAX   (2 * ENDPOINTS_NOTED + 1)
size_t endpoint_candidates(struct endpoint candidates[ENDPOINTS_MAX]);

#endif
