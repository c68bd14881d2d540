#include "wire.h"

#include "scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_PAUSE_NS 100000

static int connect_to(const char *address, unsigned port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
	const struct sockaddr *peer = is_six ? (const void *)&six : (const void *)&four;
	int descriptor = socket(peer->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &four.sin_addr);
	if (descriptor < 0)
		return -1;
	/* Loopback: it works at once or not at all. */
	if (connect(descriptor, peer, is_six ? sizeof(six) : sizeof(four)) != 0) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

bool client_can_connect(const char *address, unsigned port)
{
	int descriptor = connect_to(address, port);

	if (descriptor >= 0)
		close(descriptor);
	return descriptor >= 0;
}

bool wire_adopt(struct wire *wire, int descriptor, long long deadline)
{
	int on = 1;

	wire->descriptor = descriptor;
	wire->deadline = deadline;
	if (wire->descriptor < 0)
		return false;
	setsockopt(wire->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return true;
}

bool wire_open(struct wire *wire, const char *address, unsigned port, long long deadline)
{
	return wire_adopt(wire, connect_to(address, port), deadline);
}

void wire_close(struct wire *wire)
{
	if (wire->descriptor >= 0)
		close(wire->descriptor);
}

unsigned wire_local_port(const struct wire *wire)
{
	struct sockaddr_in6 local = {0};
	socklen_t length = sizeof(local);

	/* The port stands at the same place in both families. */
	if (getsockname(wire->descriptor, (struct sockaddr *)&local, &length) != 0)
		return 0;
	return ntohs(local.sin6_port);
}

static bool is_readable_until(const struct wire *wire, long long deadline)
{
	struct pollfd waiting = {.fd = wire->descriptor, .events = POLLIN};
	long long left = deadline - clock_ms();

	return poll(&waiting, 1, left > 0 ? (int)left : 0) > 0;
}

/* How much of what is held back leaves now.  Before each small segment the reader gets the time to
 * see the one before it alone. */
static size_t next_segment(const struct wire *wire, size_t sent)
{
	const struct timespec moment = {.tv_nsec = SEGMENT_PAUSE_NS};
	size_t left = wire->held - sent;

	if (wire->segment_bytes == 0)
		return left;
	nanosleep(&moment, NULL);
	return left < wire->segment_bytes ? left : wire->segment_bytes;
}

static void flush(struct wire *wire)
{
	size_t sent = 0;

	while (sent < wire->held) {
		ssize_t count = send(wire->descriptor, wire->pending + sent,
				     next_segment(wire, sent), MSG_NOSIGNAL);

		if (count < 0) {
			/* The kernel tells of a RST once: to whoever comes first, and that was this
			 * call.  EPIPE is only the answer to a FIN; what the server said before may
			 * still be read. */
			if (errno == ECONNRESET)
				wire->ending = END_RESET;
			break;
		}
		sent += (size_t)count;
	}
	wire->held = 0;
}

/* At most `size` bytes; 0: the stream has ended, and wire->ending says how. */
static size_t receive(struct wire *wire, void *buffer, size_t size)
{
	ssize_t count;

	flush(wire);
	if (!is_readable_until(wire, wire->deadline)) {
		wire->ending = END_TIMEOUT;
		return 0;
	}
	count = recv(wire->descriptor, buffer, size, 0);
	if (count <= 0) {
		if (wire->ending == END_NONE)
			wire->ending = count < 0 && errno == ECONNRESET ? END_RESET : END_EOF;
		return 0;
	}
	if (wire->flight)
		wire->bytes_after_flight += (size_t)count;
	return (size_t)count;
}

void wire_wait(struct wire *wire, int patience_ms)
{
	flush(wire);
	is_readable_until(wire, clock_ms() + patience_ms);
}

void wire_half_close(struct wire *wire)
{
	flush(wire);
	shutdown(wire->descriptor, SHUT_WR);
}

void wire_wait_for_end(struct wire *wire)
{
	struct pollfd waiting = {.fd = wire->descriptor, .events = POLLRDHUP};
	long long left = wire->deadline - clock_ms();

	flush(wire);
	poll(&waiting, 1, left > 0 ? (int)left : 0);
}

void wire_drain(struct wire *wire)
{
	char buffer[4096];

	while (receive(wire, buffer, sizeof(buffer)) > 0)
		;
}

static int bio_write(BIO *bio, const char *data, int length)
{
	struct wire *wire = BIO_get_data(bio);
	size_t size = (size_t)length;

	if (size > sizeof(wire->pending) - wire->held)
		flush(wire);
	if (size > sizeof(wire->pending))
		return -1;
	memcpy(wire->pending + wire->held, data, size);
	wire->held += size;
	return length;
}

static int bio_read(BIO *bio, char *buffer, int size)
{
	return (int)receive(BIO_get_data(bio), buffer, (size_t)size);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

BIO *wire_bio(struct wire *wire)
{
	static BIO_METHOD *method;
	BIO *bio;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_ctrl(method, bio_control);
	}
	bio = BIO_new(method);
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	return bio;
}
