#include "endpoint.h"

#include "open_descriptors.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

/* A bound on BIO chains: TLS over TLS over a buffer is four. */
#define BIO_CHAIN_MAX 16

/* The endpoints listened on so far.  A place is claimed by counting up `claimed`, and valid once
 * `written` is set. */
static struct {
	struct endpoint endpoint;
	_Atomic bool written;
} listened[ENDPOINTS_MAX];
static _Atomic size_t claimed;
static _Atomic bool received;

/* A BIO chain without a descriptor answers 0 and leaves `descriptor` alone, so only a written value
 * counts. */
int endpoint_descriptor(const struct openssl *openssl, BIO *bio)
{
	for (int i = 0; bio != NULL && i < BIO_CHAIN_MAX; i++) {
		int descriptor = -1;

		if (openssl->crypto.BIO_ctrl(bio, BIO_C_GET_FD, 0, &descriptor) >= 0 &&
		    descriptor >= 0)
			return descriptor;
		bio = openssl->BIO_next(bio);
	}
	return -1;
}

/* The local endpoint of a connection, and its peer.  A listener is nobody's connection, whatever a
 * BIO says. */
static void find_ends(struct route *route)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int is_listener = 0;

	if (getpeername(route->descriptor, (struct sockaddr *)&address, &length) == 0) {
		route->peer_known =
			endpoint_from_sockaddr(&route->peer, (struct sockaddr *)&address, length);
	} else {
		length = sizeof(is_listener);
		if (getsockopt(route->descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listener,
			       &length) != 0 ||
		    is_listener)
			return;
	}
	length = sizeof(address);
	if (getsockname(route->descriptor, (struct sockaddr *)&address, &length) == 0)
		route->endpoint_known = endpoint_from_sockaddr(&route->endpoint,
							       (struct sockaddr *)&address, length);
}

/* Where what is read comes by one endpoint, and what is written leaves by another, it is neither's.
 */
static bool leaves_elsewhere(const struct openssl *openssl, const SSL *ssl,
			     const struct route *route)
{
	struct route out = {.descriptor = endpoint_descriptor(openssl, openssl->SSL_get_wbio(ssl))};

	if (out.descriptor < 0 || out.descriptor == route->descriptor)
		return false;
	find_ends(&out);
	return !out.endpoint_known ||
	       memcmp(&out.endpoint, &route->endpoint, sizeof(out.endpoint)) != 0;
}

struct route endpoint_route(const struct openssl *openssl, const SSL *ssl)
{
	struct route route = {.descriptor =
				      endpoint_descriptor(openssl, openssl->SSL_get_rbio(ssl))};

	route.is_datagram = openssl->SSL_is_dtls(ssl) != 0 || openssl_is_quic(openssl, ssl);
	if (route.descriptor < 0)
		return route;
	find_ends(&route);
	if (route.endpoint_known && leaves_elsewhere(openssl, ssl, &route))
		route.endpoint_known = false;
	return route;
}

void endpoint_listens(int descriptor)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	struct endpoint endpoint;
	size_t count = atomic_load(&claimed), place;

	if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length)) {
		endpoint_received_sockets(); /* a UNIX socket: its connections are of no port */
		return;
	}
	for (size_t i = 0; i < count && i < ENDPOINTS_MAX; i++)
		if (atomic_load(&listened[i].written) &&
		    memcmp(&listened[i].endpoint, &endpoint, sizeof(endpoint)) == 0)
			return;
	place = atomic_fetch_add(&claimed, 1);
	if (place >= ENDPOINTS_MAX) {
		endpoint_received_sockets(); /* more than can be told apart */
		return;
	}
	listened[place].endpoint = endpoint;
	atomic_store(&listened[place].written, true);
}

void endpoint_received_sockets(void)
{
	atomic_store(&received, true);
}

bool endpoint_is_listening(void)
{
	return atomic_load(&claimed) > 0;
}

static bool is_socket(int descriptor, void *argument)
{
	void (*const *found)(int descriptor) = argument;
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(address);

	if (getsockname(descriptor, (struct sockaddr *)&address, &length) == 0 &&
	    (address.ss_family == AF_INET || address.ss_family == AF_INET6))
		(*found)(descriptor);
	return true;
}

void endpoint_each_socket(void (*found)(int descriptor))
{
	open_descriptors_each(is_socket, &found);
}

static void (*inherited)(int descriptor);

static void tell_of_inherited(int descriptor)
{
	endpoint_received_sockets();
	inherited(descriptor);
}

void endpoint_look_at_inherited(void (*found)(int descriptor))
{
	inherited = found;
	endpoint_each_socket(tell_of_inherited);
}

size_t endpoint_candidates(struct endpoint *candidates, size_t most)
{
	size_t count = atomic_load(&claimed);

	if (atomic_load(&received) || count == 0 || count > most)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!atomic_load(&listened[i].written))
			return 0;
		candidates[i] = listened[i].endpoint;
	}
	return count;
}
