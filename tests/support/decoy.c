#include "decoy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n"

enum { HEAD_BYTES = sizeof(HEAD) - 1, RECORD_HEADER_BYTES = 5, READ_US = 300000 };

static int descriptor = -1;

void decoy_send(unsigned port, const void *hello, size_t length)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons((uint16_t)port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned char bytes[4096] = HEAD;
	const unsigned char header[RECORD_HEADER_BYTES] = {
		SSL3_RT_HANDSHAKE, 3, 1, (unsigned char)(length >> 8), (unsigned char)length};

	if (HEAD_BYTES + sizeof(header) + length > sizeof(bytes))
		return;
	memcpy(bytes + HEAD_BYTES, header, sizeof(header));
	memcpy(bytes + HEAD_BYTES + sizeof(header), hello, length);
	decoy_end();
	descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
		send(descriptor, bytes, HEAD_BYTES + sizeof(header) + length, MSG_NOSIGNAL);
	usleep(READ_US);
}

void decoy_end(void)
{
	if (descriptor >= 0)
		close(descriptor);
	descriptor = -1;
}
