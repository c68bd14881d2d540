#include "raw_client.h"

#include "scratch.h"
#include "test.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 8000

size_t raw_hello(int version, unsigned char *bytes, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL *ssl = SSL_new(context);
	int count;

	SSL_set_min_proto_version(ssl, version);
	SSL_set_max_proto_version(ssl, version);
	SSL_set_bio(ssl, in, out);
	SSL_connect(ssl);
	count = BIO_read(out, bytes, (int)size);
	SSL_free(ssl);
	SSL_CTX_free(context);
	if (count <= 0)
		fail_msg("no hello");
	return (size_t)count;
}

int raw_connect(const char *address, unsigned port)
{
	struct sockaddr_in local = {.sin_family = AF_INET};
	struct sockaddr_in remote = {.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				     .sin_port = htons((uint16_t)port)};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (address != NULL) {
		inet_pton(AF_INET, address, &local.sin_addr);
		if (bind(descriptor, (struct sockaddr *)&local, sizeof(local)) != 0)
			fail_msg("%s: %s", address, strerror(errno));
	}
	if (connect(descriptor, (struct sockaddr *)&remote, sizeof(remote)) != 0)
		fail_msg("port %u: %s", port, strerror(errno));
	return descriptor;
}

size_t raw_exchange(int descriptor, const void *bytes, size_t size, enum ending *ending)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	size_t count;

	if (wire == NULL || !wire_adopt(wire, descriptor, clock_ms() + LIMIT_MS))
		abort();
	wire->flight = true; /* so that every byte counts */
	/* It may be refused before it has said anything. */
	if (size > 0 && send(descriptor, bytes, size, MSG_NOSIGNAL) < 0 && errno == ECONNRESET)
		wire->ending = END_RESET;
	wire_drain(wire);
	count = wire->bytes_after_flight;
	*ending = wire->ending;
	wire_close(wire);
	free(wire);
	return count;
}
