#include "early.h"

#include "attack.h"

#include <string.h>

#define EARLY_DATA "GET /early HTTP/1.0\r\n\r\n"

void take_early_data(SSL_CTX *context)
{
	SSL_CTX_set_max_early_data(context, 1024);
	SSL_CTX_set_recv_max_early_data(context, 1024);
	SSL_CTX_set_options(context, SSL_OP_NO_ANTI_REPLAY);
}

bool read_early_data(SSL *ssl)
{
	char request[1024];
	size_t count;
	int status;

	while ((status = SSL_read_early_data(ssl, request, sizeof(request), &count)) ==
	       SSL_READ_EARLY_DATA_SUCCESS)
		if (count > 0)
			host_is_in("early data");
	return status == SSL_READ_EARLY_DATA_FINISH;
}

void send_early_data(SSL_CTX *context, SSL *ssl)
{
	size_t written;

	(void)context;
	SSL_write_early_data(ssl, EARLY_DATA, strlen(EARLY_DATA), &written);
}

bool was_taken(SSL *ssl)
{
	return SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED;
}
