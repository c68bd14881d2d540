/* Hellos of unusual form: in many pieces, in two records, behind something else; a second one that
 * asks for something else than the first. */
#include "attack.h"
#include "second_hello.h"
#include "test.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 5

/* ---- the host ---- */

/* Not the group that the client guesses, so that there is a second hello. */
static void want_another_group(SSL_CTX *context)
{
	char groups[] = "P-384";

	SSL_CTX_set1_groups_list(context, groups);
}

static int make_cookie(SSL *ssl, unsigned char *cookie, size_t *length)
{
	(void)ssl;
	*length = 16;
	memset(cookie, 0x5a, 16);
	return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, size_t length)
{
	(void)ssl;
	return length == 16 && cookie[0] == 0x5a;
}

static void take_cookies(SSL_CTX *context)
{
	SSL_CTX_set_stateless_cookie_generate_cb(context, make_cookie);
	SSL_CTX_set_stateless_cookie_verify_cb(context, check_cookie);
}

/* The first hello leaves nothing behind; what is between the two (a record of compatibility) takes
 * a call too. */
static void serve_statelessly(SSL *ssl)
{
	int result = 0;

	for (int i = 0; result != 1 && i < 3; i++)
		result = SSL_stateless(ssl);
	if (result == 1 && host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* ---- the first thing that the client sends, in another form ---- */

/* Writes what is sent instead of one record to `next`. */
typedef void (*form)(BIO *next, const unsigned char *record, size_t length);

static form form_of_first;

static int write_form(BIO *bio, const char *bytes, int length)
{
	form first = form_of_first;

	form_of_first = NULL;
	if (first == NULL)
		return BIO_write(BIO_next(bio), bytes, length);
	first(BIO_next(bio), (const unsigned char *)bytes, (size_t)length);
	return length;
}

static long control_form(BIO *bio, int command, long number, void *pointer)
{
	return BIO_ctrl(BIO_next(bio), command, number, pointer);
}

static void write_first_as(SSL *ssl, form chosen)
{
	static BIO_METHOD *method;
	BIO *wire = SSL_get_wbio(ssl), *filter;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "form");
		BIO_meth_set_write(method, write_form);
		BIO_meth_set_ctrl(method, control_form);
	}
	filter = BIO_new(method);
	BIO_set_init(filter, 1);
	BIO_up_ref(wire);
	SSL_set0_wbio(ssl, BIO_push(filter, wire));
	form_of_first = chosen;
}

/* One record of so many of the bytes. */
static void write_record(BIO *next, const unsigned char *header, const unsigned char *bytes,
			 size_t length)
{
	unsigned char copy[HEADER_BYTES];

	memcpy(copy, header, HEADER_BYTES);
	copy[3] = (unsigned char)(length >> 8);
	copy[4] = (unsigned char)length;
	BIO_write(next, copy, HEADER_BYTES);
	if (length > 0)
		BIO_write(next, bytes, (int)length);
}

static void write_by_bytes(BIO *next, const unsigned char *record, size_t length)
{
	for (size_t i = HEADER_BYTES; i < length; i++)
		write_record(next, record, record + i, 1);
}

static void write_behind_empty(BIO *next, const unsigned char *record, size_t length)
{
	for (int i = 0; i < 8; i++)
		write_record(next, record, NULL, 0);
	BIO_write(next, record, (int)length);
}

static void send_by_bytes(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	write_first_as(ssl, write_by_bytes);
}

static void send_behind_empty(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	write_first_as(ssl, write_behind_empty);
}

/* ---- large ---- */

enum { PROTOCOLS_BYTES = 20000 };

/* More names of protocols than one record holds. */
static void send_two_records(SSL_CTX *context, SSL *ssl)
{
	unsigned char *protocols = malloc(PROTOCOLS_BYTES);

	(void)context;
	if (protocols == NULL)
		abort();
	memset(protocols, 'x', PROTOCOLS_BYTES);
	for (size_t i = 0; i < PROTOCOLS_BYTES; i += 200)
		protocols[i] = 199;
	SSL_set_alpn_protos(ssl, protocols, PROTOCOLS_BYTES);
	free(protocols);
}

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
static void send_hybrid_share(SSL_CTX *context, SSL *ssl)
{
	char groups[] = "X25519MLKEM768";

	(void)context;
	SSL_set1_groups_list(ssl, groups);
}

static bool was_hybrid(SSL *ssl)
{
	const char *group = SSL_get0_group_name(ssl);

	return group != NULL && strcmp(group, "X25519MLKEM768") == 0;
}
#endif

/* ---- a second hello ---- */

static const unsigned char first_protocol[] = "\x0a"
					      "acme-tls/1";
static const unsigned char second_protocol[] = "\x08"
					       "http/1.1";

static bool change_protocol(SSL *ssl)
{
	return SSL_set_alpn_protos(ssl, second_protocol, sizeof(second_protocol) - 1) == 0;
}

static void ask_for_another_name(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	second_hello_change_name(ssl, "shop.example");
}

static void ask_for_another_protocol(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_alpn_protos(ssl, first_protocol, sizeof(first_protocol) - 1);
	second_hello_begin(ssl, change_protocol);
}

static const struct attack attacks[] = {
	{
		.name = "a hello of one byte in each record",
		.source = "RFC 8446, 5.1",
		.client = {.prepare = send_by_bytes},
		.reason = "no-certificate",
		.edge_alike = true,
	},
	{
		.name = "a handshake of one byte in each segment",
		.source = "RFC 9293, 3.7",
		.client = {.segment_bytes = 1},
		.reason = "no-certificate",
		.edge_alike = true,
	},
	{
		.name = "a hello behind empty records",
		.source = "OpenSSL ssl/record/ssl3_record.c, ssl3_get_record()",
		.client = {.prepare = send_behind_empty},
		.reason = "no-certificate",
		.edge_alike = true,
	},
	{
		.name = "a hello that fills two records",
		.source = "RFC 8446, 4.1.2, 5.1",
		.client = {.prepare = send_two_records},
		.reason = "no-certificate",
		.edge_alike = true,
	},
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
	{
		.name = "a hello with a post-quantum key share",
		.source = "draft-ietf-tls-ecdhe-mlkem",
		.client = {.prepare = send_hybrid_share, .trick = was_hybrid},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.edge_alike = true,
	},
#endif
	{
		.name = "two hellos",
		.source = "RFC 8446, 2.1",
		.prepare = want_another_group,
		.client = {.prepare = second_hello_guess_wrongly},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.edge_alike = true,
	},
	{
		.name = "two hellos, to a host that keeps nothing of the first",
		.source = "RFC 8446, 4.2.2; SSL_stateless(3)",
		.prepare = take_cookies,
		.serve = serve_statelessly,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "another server name in the second hello",
		.source = "RFC 8446, 4.1.2",
		.prepare = want_another_group,
		.client = {.certificate = "edge",
			   .server_name = "open.example",
			   .prepare = ask_for_another_name,
			   .trick = second_hello_changed},
		.versions = ONLY_1_3,
		.reason = "server-name",
		.alert = 47,
	},
	{
		.name = "an open server name in the first hello, an enforced one in the second",
		.source = "RFC 8446, 4.1.2",
		.prepare = want_another_group,
		.client = {.server_name = "open.example",
			   .prepare = ask_for_another_name,
			   .trick = second_hello_changed},
		.sections = "[port {enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "hosts = names-only\n"
			    "[port {enforced} server open.example]\nverify = off\n",
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "the same, where requests are guarded by host",
		.source = "RFC 8446, 4.1.2",
		.prepare = want_another_group,
		.client = {.server_name = "open.example",
			   .prepare = ask_for_another_name,
			   .trick = second_hello_changed},
		.sections = "[port {enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced} server open.example]\nverify = off\n",
		.versions = ONLY_1_3,
		.reason = "server-name",
		.alert = 47,
	},
	{
		.name = "an enforced server name in the first hello, an open one in the second",
		.source = "RFC 8446, 4.1.2",
		.prepare = want_another_group,
		.client = {.server_name = "private.example",
			   .prepare = ask_for_another_name,
			   .trick = second_hello_changed},
		.sections = "[port {enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "hosts = names-only\n"
			    "[port {enforced} server shop.example]\nverify = off\n",
		.versions = ONLY_1_3,
		.reason = "server-name",
		.alert = 47,
	},
	{
		.name = "another protocol in the second hello",
		.source = "RFC 8446, 4.1.2; RFC 8737, 3",
		.prepare = want_another_group,
		.client = {.certificate = "edge",
			   .prepare = ask_for_another_protocol,
			   .trick = second_hello_changed},
		.versions = ONLY_1_3,
		.reason = "server-name",
		.alert = 47,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "hello_forms", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
