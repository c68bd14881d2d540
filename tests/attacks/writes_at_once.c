/* Two calls of libssl write at once, and never go on with the handshake first: one answers early
 * data, the other has the kernel send a file. */
#include "attack.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;
static bool answered;

/* ---- the host: an answer for early data ---- */

static void take_early_data(SSL_CTX *context)
{
	SSL_CTX_set_max_early_data(context, 1024);
}

static bool read_early_data(SSL *ssl)
{
	char request[1024];
	size_t count;
	int status;

	do
		status = SSL_read_early_data(ssl, request, sizeof(request), &count);
	while (status == SSL_READ_EARLY_DATA_SUCCESS);
	return status == SSL_READ_EARLY_DATA_FINISH;
}

static bool answer_early(SSL *ssl)
{
	size_t written;

	return SSL_write_early_data(ssl, answer, sizeof(answer) - 1, &written) == 1;
}

static void answer_whatever_was_said(SSL *ssl)
{
	if (!read_early_data(ssl))
		return;
	host_accept(ssl);
	if (answer_early(ssl))
		host_is_in("answer");
}

/* The flags of a refusal go with the part that the SSL plays. */
static void answer_in_the_other_part(SSL *ssl)
{
	if (!read_early_data(ssl))
		return;
	if (!host_accept(ssl))
		SSL_set_connect_state(ssl);
	if (answer_early(ssl))
		host_is_in("answer");
}

/* The client's second flight, once the server's has left. */
static bool is_second_flight(int is_ours, int type, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	return !is_ours && type == SSL3_RT_HANDSHAKE && length > 0 &&
	       bytes[0] != SSL3_MT_CLIENT_HELLO;
}

static void see_message(int is_ours, int version, int type, const void *data, size_t length,
			SSL *ssl, void *argument)
{
	(void)version, (void)argument;
	if (!answered && is_second_flight(is_ours, type, data, length))
		answered = answer_early(ssl);
}

static void call_for_messages(SSL *ssl)
{
	answered = false;
	SSL_set_msg_callback(ssl, see_message);
}

static void answer_unless_done(SSL *ssl)
{
	if (read_early_data(ssl) && host_accept(ssl) && host_read(ssl) && !answered)
		host_answer(ssl);
}

/* ---- the host: the last that its callback does is to write, so the call returns to libssl ---- */

static void see_message_and_write(int is_ours, int version, int type, const void *data,
				  size_t length, SSL *ssl, void *argument)
{
	(void)version, (void)argument;
	if (answered || !is_second_flight(is_ours, type, data, length))
		return;
	answered = true;
	SSL_write(ssl, answer, sizeof(answer) - 1);
}

static void call_to_write(SSL *ssl)
{
	answered = false;
	SSL_set_msg_callback(ssl, see_message_and_write);
}

/* ---- the host: an answer from within the reading of the client's second flight ---- */

static SSL *reading;
static int reads;

/* The first time there is nothing to read yet, and SSL_accept() returns. */
static int filter_read(BIO *bio, char *bytes, int size)
{
	BIO_clear_retry_flags(bio);
	if (SSL_get_state(reading) == TLS_ST_EARLY_DATA)
		reads++;
	if (reads == 1) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (reads == 2) {
		reads++;
		answered = SSL_write(reading, answer, sizeof(answer) - 1) > 0;
		if (answered)
			host_is_in("answer");
		BIO_set_retry_read(bio);
		return -1;
	}
	return BIO_read(BIO_next(bio), bytes, size);
}

static int filter_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static long filter_ctrl_next(BIO *bio, int command, long number, void *pointer)
{
	return BIO_ctrl(BIO_next(bio), command, number, pointer);
}

static void write_while_reading(SSL *ssl)
{
	static BIO_METHOD *method;
	BIO *filter;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "reading");
		BIO_meth_set_read(method, filter_read);
		BIO_meth_set_ctrl(method, filter_ctrl_next);
		BIO_meth_set_create(method, filter_create);
	}
	filter = BIO_new(method);
	BIO_up_ref(SSL_get_rbio(ssl));
	SSL_set0_rbio(ssl, BIO_push(filter, SSL_get_rbio(ssl)));
	reading = ssl;
	reads = 0;
	answered = false;
}

static void accept_twice(SSL *ssl)
{
	bool accepted = host_accept(ssl);

	if (!accepted)
		accepted = host_accept(ssl);
	if ((accepted || reads == 3) && host_read(ssl) && !answered)
		host_answer(ssl);
}

/* ---- the host: a file by the kernel ---- */

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

static bool by_kernel;

static int filter_write(BIO *bio, const char *bytes, int size)
{
	return BIO_write(BIO_next(bio), bytes, size);
}

/* As a socket's BIO says it where the kernel has the keys, which it has from the server's flight
 * on. */
static long filter_ctrl(BIO *bio, int command, long number, void *pointer)
{
	if (command == BIO_CTRL_GET_KTLS_SEND)
		return by_kernel;
	return filter_ctrl_next(bio, command, number, pointer);
}

static void send_file(SSL *ssl)
{
	char path[] = "/tmp/answer-XXXXXX";
	int file = mkstemp(path);

	unlink(path);
	by_kernel = true;
	if (write(file, answer, sizeof(answer) - 1) > 0 &&
	    SSL_sendfile(ssl, file, 0, sizeof(answer) - 1, 0) > 0)
		host_is_in("file");
	by_kernel = false;
	close(file);
}

static void see_message_for_file(int is_ours, int version, int type, const void *data,
				 size_t length, SSL *ssl, void *argument)
{
	(void)version, (void)argument;
	if (!answered && is_second_flight(is_ours, type, data, length)) {
		answered = true;
		send_file(ssl);
	}
}

static void call_for_file(SSL *ssl)
{
	static BIO_METHOD *method;
	BIO *filter;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "kernel");
		BIO_meth_set_write(method, filter_write);
		BIO_meth_set_ctrl(method, filter_ctrl);
		BIO_meth_set_create(method, filter_create);
	}
	filter = BIO_new(method);
	BIO_up_ref(SSL_get_wbio(ssl));
	SSL_set0_wbio(ssl, BIO_push(filter, SSL_get_wbio(ssl)));
	answered = false;
	SSL_set_msg_callback(ssl, see_message_for_file);
}

#endif

static const struct attack attacks[] = {
	{
		.name = "an answer for early data, when the handshake has failed",
		.source = "OpenSSL ssl/record/rec_layer_s3.c, SSL_EARLY_DATA_UNAUTH_WRITING",
		.prepare = take_early_data,
		.serve = answer_whatever_was_said,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.without_answer = true,
	},
	{
		.name = "an answer for early data, by an SSL that has become a client",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_connect_state()",
		.prepare = take_early_data,
		.serve = answer_in_the_other_part,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.without_answer = true,
	},
	{
		.name = "an answer for early data, from the message callback between the flights",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_write_early_data()",
		.prepare = take_early_data,
		.connect = call_for_messages,
		.serve = answer_unless_done,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer as the last that the message callback does",
		.source = "x86-64 psABI, a call in tail position is a jump",
		.connect = call_to_write,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer from within the reading of the second flight",
		.source = "OpenSSL ssl/record/rec_layer_s3.c, ossl_statem_get_in_handshake()",
		.connect = write_while_reading,
		.serve = accept_twice,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.without_answer = true,
	},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	{
		.name = "a file by the kernel, between the flights",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_sendfile()",
		.connect = call_for_file,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.without_answer = true,
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "writes_at_once", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
