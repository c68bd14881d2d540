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

/* In a record, and on the wire until the host has read it. */
static void send_message(const char *head, const void *message, size_t length)
{
	unsigned char bytes[16384];
	const size_t head_bytes = strlen(head);
	const unsigned char header[RECORD_HEADER_BYTES] = {
		SSL3_RT_HANDSHAKE, 3, 1, (unsigned char)(length >> 8), (unsigned char)length};

	if (head_bytes + sizeof(header) + length > sizeof(bytes))
		return;
	memcpy(bytes, head, head_bytes);
	memcpy(bytes + head_bytes, header, sizeof(header));
	memcpy(bytes + head_bytes + sizeof(header), message, length);
	send(descriptor, bytes, head_bytes + sizeof(header) + length, MSG_NOSIGNAL);
	usleep(READ_US);
}

static void send_hello(unsigned port, const char *head, const void *hello, size_t length)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons((uint16_t)port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	decoy_end();
	descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
		send_message(head, hello, length);
}

void decoy_send(unsigned port, const void *hello, size_t length)
{
	send_hello(port, "", hello, length);
}

void decoy_send_in_request(unsigned port, const void *hello, size_t length)
{
	send_hello(port, HEAD, hello, length);
}

static unsigned port_of_decoy;
static bool in_request;

static void pass_on(int is_written, int version, int type, const void *bytes, size_t count,
		    SSL *ssl, void *argument)
{
	(void)version, (void)argument;
	if (type != SSL3_RT_HANDSHAKE)
		return;
	if (is_written) {
		send_hello(port_of_decoy, in_request ? HEAD : "", bytes, count);
		return;
	}
	SSL_set_msg_callback(ssl, NULL);
	send_message("", bytes, count);
}

void decoy_of(SSL *ssl, unsigned port, bool is_in_request)
{
	port_of_decoy = port;
	in_request = is_in_request;
	SSL_set_msg_callback(ssl, pass_on);
}

void decoy_end(void)
{
	if (descriptor >= 0)
		close(descriptor);
	descriptor = -1;
}
