/* wire_bytes.h - for tests of what stands on the wire: streams, ClientHellos of OpenSSL's own
 * making, and OpenSSL's own opinion of a stream.
 */
#ifndef WIRE_BYTES_H
#define WIRE_BYTES_H

#include "test.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_BYTES (1u << 20)

struct stream {
	size_t length;
	unsigned char bytes[STREAM_BYTES];
};

/* xorshift32: the same numbers in every run. */
static inline unsigned chance(uint32_t *seed, unsigned below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return below > 0 ? *seed % below : 0;
}

static inline void add(struct stream *stream, const void *bytes, size_t count)
{
	assert_true(count <= STREAM_BYTES - stream->length);
	if (count > 0)
		memcpy(stream->bytes + stream->length, bytes, count);
	stream->length += count;
}

static inline void add_record(struct stream *stream, int type, int minor, const void *bytes,
			      size_t count)
{
	const unsigned char header[] = {(unsigned char)type, 3, (unsigned char)minor,
					(unsigned char)(count >> 8), (unsigned char)count};

	add(stream, header, sizeof(header));
	add(stream, bytes, count);
}

/* In records of `size` bytes. */
static inline void add_records(struct stream *stream, const unsigned char *message, size_t count,
			       size_t size)
{
	for (size_t at = 0; at < count; at += size)
		add_record(stream, 22, 1, message + at, count - at < size ? count - at : size);
}

/* The ClientHello's handshake message that OpenSSL makes for versions up to `version` (0: the
 * newest), with `extra` bytes of an extension that nobody knows. */
static inline int add_nothing(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
			      size_t *length, X509 *x509, size_t chain, int *alert, void *argument)
{
	(void)ssl;
	(void)type;
	(void)context;
	(void)x509;
	(void)chain;
	(void)alert;
	*out = calloc(1, *(size_t *)argument);
	*length = *(size_t *)argument;
	return *out != NULL;
}

static inline void free_nothing(SSL *ssl, unsigned type, unsigned context, const unsigned char *out,
				void *argument)
{
	(void)ssl;
	(void)type;
	(void)context;
	(void)argument;
	free((void *)(uintptr_t)out);
}

static inline void make_hello(struct stream *message, int version, size_t extra)
{
	char name[] = "shop.example";
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	static unsigned char sent[70000];
	SSL *ssl;
	int count;

	assert_int_equal(SSL_CTX_set_max_proto_version(context, version), 1);
	if (extra > 0)
		assert_int_equal(SSL_CTX_add_custom_ext(context, 4242, SSL_EXT_CLIENT_HELLO,
							add_nothing, free_nothing, &extra, NULL,
							NULL),
				 1);
	ssl = SSL_new(context);
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
	SSL_do_handshake(ssl);
	count = BIO_read(out, sent, sizeof(sent));
	message->length = 0;
	for (int at = 0; at < count; at += 5 + (sent[at + 3] << 8 | sent[at + 4]))
		add(message, sent + at + 5, (size_t)(sent[at + 3] << 8 | sent[at + 4]));
	assert_true(message->length > 38 + extra);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static inline const unsigned char *random_of(const struct stream *message)
{
	return message->bytes + 6;
}

/* What a server saw that read a stream from its begin. */
struct opinion {
	bool is_hello;
	unsigned char random[32];
};

static inline int remember(SSL *ssl, int *alert, void *argument)
{
	struct opinion *opinion = argument;
	const unsigned char *random;

	(void)alert;
	opinion->is_hello = SSL_client_hello_get0_random(ssl, &random) == 32;
	memcpy(opinion->random, random, sizeof(opinion->random));
	return SSL_CLIENT_HELLO_ERROR;
}

static inline void ask_openssl(const SSL_METHOD *method, const unsigned char *bytes, size_t count,
			       struct opinion *opinion)
{
	SSL_CTX *context = SSL_CTX_new(method);
	BIO *in = BIO_new_mem_buf(bytes, (int)count), *out = BIO_new(BIO_s_mem());
	SSL *ssl;

	memset(opinion, 0, sizeof(*opinion));
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_client_hello_cb(context, remember, opinion);
	ssl = SSL_new(context);
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, out);
	SSL_set_accept_state(ssl);
	SSL_do_handshake(ssl);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

#endif
