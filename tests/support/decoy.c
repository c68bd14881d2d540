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
	stpcpy((char *)bytes, head);
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

/* What a server says that asks for another hello: RFC 8446, 4.1.3 and 4.1.4. */
static const unsigned char retry[] = {
	2,    0,    0,    0,    3,    3,    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61,
	0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16,
	0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* In the record of a HelloRetryRequest. */
static void send_hello_in_retry(unsigned port, const void *hello, size_t length)
{
	const unsigned char header[RECORD_HEADER_BYTES] = {
		SSL3_RT_HANDSHAKE, 3, 1, (unsigned char)(length >> 8), (unsigned char)length};
	unsigned char message[16384];

	if (sizeof(retry) + sizeof(header) + length > sizeof(message))
		return;
	memcpy(message, retry, sizeof(retry));
	memcpy(message + sizeof(retry), header, sizeof(header));
	memcpy(message + sizeof(retry) + sizeof(header), hello, length);
	send_hello(port, "", "", 0);
	send_message("", message, sizeof(retry) + sizeof(header) + length);
}

static unsigned port_of_decoy;
static enum decoy_form form;

static void pass_on(int is_written, int version, int type, const void *bytes, size_t count,
		    SSL *ssl, void *argument)
{
	(void)version, (void)argument;
	if (type != SSL3_RT_HANDSHAKE)
		return;
	if (is_written && form == DECOY_IN_RETRY) {
		send_hello_in_retry(port_of_decoy, bytes, count);
		return;
	}
	if (is_written) {
		send_hello(port_of_decoy, form == DECOY_IN_REQUEST ? HEAD : "", bytes, count);
		return;
	}
	SSL_set_msg_callback(ssl, NULL);
	send_message("", bytes, count);
}

void decoy_of(SSL *ssl, unsigned port, enum decoy_form asked)
{
	port_of_decoy = port;
	form = asked;
	SSL_set_msg_callback(ssl, pass_on);
}

void decoy_end(void)
{
	if (descriptor >= 0)
		close(descriptor);
	descriptor = -1;
}
