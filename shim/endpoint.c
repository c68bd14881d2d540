#include "endpoint.h"

#include "open_descriptors.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

/* A bound on BIO chains: TLS over TLS over a buffer is four. */
#define BIO_CHAIN_MAX 16

/* A place is claimed by counting up `claimed`, and valid once `written` is set. */
struct notes {
	struct {
		struct endpoint endpoint;
		_Atomic bool written;
	} places[ENDPOINTS_NOTED];
	_Atomic size_t claimed;
};

/* So far: listened on, and bound for datagrams. */
static struct notes listened, bound;
static _Atomic bool received;

/* There are datagram sockets of ports that the kernel chose, or of more than there are places.  Of
 * a port that a section names and enforces nobody gets datagrams by himself, so the rule of those
 * that none names is all that they add. */
static _Atomic bool bound_elsewhere;
static const struct endpoint elsewhere; /* no section names port 0 */

/* False: there is no place left. */
static bool note(struct notes *notes, const struct endpoint *endpoint)
{
	size_t count = atomic_load(&notes->claimed), place;

	for (size_t i = 0; i < count && i < ENDPOINTS_NOTED; i++)
		if (atomic_load(&notes->places[i].written) &&
		    memcmp(&notes->places[i].endpoint, endpoint, sizeof(*endpoint)) == 0)
			return true;
	if (count >= ENDPOINTS_NOTED)
		return false;
	place = atomic_fetch_add(&notes->claimed, 1);
	if (place >= ENDPOINTS_NOTED)
		return false;
	notes->places[place].endpoint = *endpoint;
	atomic_store(&notes->places[place].written, true);
	return true;
}

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
	route.is_split = route.endpoint_known && leaves_elsewhere(openssl, ssl, &route);
	if (route.is_split)
		route.endpoint_known = false;
	return route;
}

bool endpoint_is_any(const struct endpoint *endpoint)
{
	static const uint8_t ipv6[16], ipv4[16] = {[10] = 0xff, [11] = 0xff};

	return memcmp(endpoint->address, ipv6, sizeof(ipv6)) == 0 ||
	       memcmp(endpoint->address, ipv4, sizeof(ipv4)) == 0;
}

/* A host may connect its datagram socket in the midst of the handshake, as it has seen the cookie:
 * then the kernel tells the address.  What sections of single addresses say had counted before. */
bool endpoint_has_moved(const struct route *route, const struct endpoint *before)
{
	bool is_connected_now = route->is_datagram && endpoint_is_any(before) &&
				route->endpoint.port == before->port;
	bool moved = route->endpoint_known && !is_connected_now &&
		     memcmp(&route->endpoint, before, sizeof(*before)) != 0;

	/* enforces not-split-later */
	moved |= route->is_split;
	return moved;
}

void endpoint_listens(int descriptor)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	struct endpoint endpoint;

	/* A UNIX socket, whose connections are of no port; or more than can be told apart. */
	if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length) ||
	    !note(&listened, &endpoint))
		endpoint_received_sockets();
}

void endpoint_binds(int descriptor, const struct sockaddr *asked)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(int);
	struct endpoint endpoint;
	int type = 0;

	if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM)
		return;
	length = sizeof(address);
	if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length))
		return;
	/* Its place is that of sockaddr_in6, too. */
	if (((const struct sockaddr_in *)(const void *)asked)->sin_port == 0 ||
	    !note(&bound, &endpoint))
		atomic_store(&bound_elsewhere, true);
}

void endpoint_received_sockets(void)
{
	atomic_store(&received, true);
}

bool endpoint_is_listening(void)
{
	return atomic_load(&listened.claimed) > 0;
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

/* Behind those that are there; false where some cannot be told. */
static bool add_notes(const struct notes *notes, struct endpoint *candidates, size_t *count)
{
	size_t claimed = atomic_load(&notes->claimed);

	for (size_t i = 0; i < claimed && i < ENDPOINTS_NOTED; i++) {
		if (!atomic_load(&notes->places[i].written))
			return false;
		candidates[(*count)++] = notes->places[i].endpoint;
	}
	return true;
}

size_t endpoint_candidates(struct endpoint candidates[ENDPOINTS_MAX])
{
	size_t count = 0;

	if (atomic_load(&received) || !add_notes(&listened, candidates, &count) ||
	    !add_notes(&bound, candidates, &count))
		return 0;
	if (atomic_load(&bound_elsewhere))
		candidates[count++] = elsewhere;
	return count;
}
