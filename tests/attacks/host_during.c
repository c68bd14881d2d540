/* What a host changes while the handshake goes on: the demand, the context, the callbacks, or the
 * descriptor. */
#include "attack.h"
#include "test.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEMANDED (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)

/* ---- changes ---- */

static void waive(SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
}

static void see_nothing(const SSL *ssl, int where, int value)
{
	(void)ssl;
	(void)where;
	(void)value;
}

/* All that there is, by name. */
static void waive_all(SSL *ssl)
{
	waive(ssl);
	SSL_set_info_callback(ssl, see_nothing);
	SSL_CTX_set_info_callback(SSL_get_SSL_CTX(ssl), see_nothing);
	SSL_set_session_id_context(ssl, (const unsigned char *)"host", 4);
	SSL_set_not_resumable_session_callback(ssl, NULL);
	HOST_ORIGINAL(SSL_clear_options)(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_set_num_tickets(ssl, 2);
	SSL_set_shutdown(ssl, 0);
}

/* Of each step that follows the shim hears nothing. */
static void waive_and_shadow(SSL *ssl)
{
	HOST_ORIGINAL(SSL_set_verify)(ssl, SSL_VERIFY_NONE, NULL);
	HOST_ORIGINAL(SSL_set_info_callback)(ssl, see_nothing);
}

/* By the pointer that libssl's configuration holds to the SSL's own mode. */
static void configure(SSL *ssl)
{
	SSL_CONF_CTX *words = SSL_CONF_CTX_new();

	SSL_CONF_CTX_set_flags(words, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER);
	SSL_CONF_CTX_set_ssl(words, ssl);
	if (SSL_CONF_cmd(words, "VerifyMode", "-Request,-Require") <= 0)
		abort();
	SSL_CONF_CTX_free(words);
}

static void ask_afterwards(SSL *ssl)
{
	SSL_set_verify(ssl, DEMANDED | SSL_VERIFY_POST_HANDSHAKE, NULL);
}

static SSL_CTX *new_context(const SSL *ssl)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL || SSL_CTX_use_certificate(context, SSL_get_certificate(ssl)) != 1 ||
	    SSL_CTX_use_PrivateKey(context, SSL_get_privatekey(ssl)) != 1)
		abort();
	return context;
}

static void change_context(SSL *ssl)
{
	SSL_CTX *context = new_context(ssl);

	SSL_set_SSL_CTX(ssl, context);
	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), NULL);
	SSL_CTX_free(context);
}

static int believe(X509_STORE_CTX *store, void *argument)
{
	(void)store;
	(void)argument;
	return 1;
}

static int refuse_hello(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)alert;
	(void)argument;
	return SSL_CLIENT_HELLO_ERROR;
}

/* Where the hello has been, no other callback for it is asked. */
static void change_to_another_hello(SSL *ssl)
{
	SSL_CTX *context = new_context(ssl);

	SSL_CTX_set_client_hello_cb(context, refuse_hello, NULL);
	HOST_ORIGINAL(SSL_CTX_set_client_hello_cb)(context, refuse_hello, NULL);
	SSL_set_SSL_CTX(ssl, context);
	waive(ssl);
	SSL_CTX_free(context);
}

static void change_to_belief(SSL *ssl)
{
	SSL_CTX *context = new_context(ssl);

	SSL_CTX_set_cert_verify_callback(context, believe, NULL);
	SSL_set_SSL_CTX(ssl, context);
	SSL_CTX_free(context);
}

static void change_to_unseen_belief(SSL *ssl)
{
	SSL_CTX *context = new_context(ssl);

	HOST_ORIGINAL(SSL_CTX_set_cert_verify_callback)(context, believe, NULL);
	SSL_set_SSL_CTX(ssl, context);
	SSL_CTX_free(context);
}

/* ---- the certificate callback, in which a host does them ---- */

static void (*change)(SSL *ssl);

static int at_certificate(SSL *ssl, void *argument)
{
	(void)argument;
	change(ssl);
	return 1;
}

static void demand(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, DEMANDED, NULL);
	if (SSL_CTX_load_verify_locations(context, host_file("ca"), NULL) != 1)
		abort();
}

static void do_later(SSL_CTX *context, void (*what)(SSL *ssl))
{
	demand(context);
	change = what;
	SSL_CTX_set_cert_cb(context, at_certificate, NULL);
}

/* The same socket by another descriptor. */
static void duplicate(SSL *ssl)
{
	waive(ssl);
	SSL_set_fd(ssl, dup(SSL_get_fd(ssl)));
	(void)BIO_set_close(SSL_get_rbio(ssl), BIO_CLOSE);
}

static void later_waive(SSL_CTX *context)
{
	do_later(context, waive);
}

static void later_waive_all(SSL_CTX *context)
{
	do_later(context, waive_all);
}

static void later_configure(SSL_CTX *context)
{
	do_later(context, configure);
}

static void later_ask_afterwards(SSL_CTX *context)
{
	do_later(context, ask_afterwards);
}

static void later_waive_and_shadow(SSL_CTX *context)
{
	do_later(context, waive_and_shadow);
}

static void later_change_context(SSL_CTX *context)
{
	do_later(context, change_context);
}

static void later_change_to_another_hello(SSL_CTX *context)
{
	do_later(context, change_to_another_hello);
}

static void later_change_to_belief(SSL_CTX *context)
{
	do_later(context, change_to_belief);
}

static void later_change_to_unseen_belief(SSL_CTX *context)
{
	do_later(context, change_to_unseen_belief);
}

static void later_duplicate(SSL_CTX *context)
{
	do_later(context, duplicate);
}

/* ---- descriptors ---- */

#define RECORD_HEADER 5
#define RECORD_LIMIT  (RECORD_HEADER + (1 << 14))

static int descriptor_of_later;

static void go_on_with_descriptor(SSL *ssl)
{
	waive(ssl);
	SSL_set_fd(ssl, descriptor_of_later);
}

static void later_descriptor(SSL_CTX *context)
{
	do_later(context, go_on_with_descriptor);
}

/* The hello is read by the host itself, and handed over in memory (Traffic Server). */
static void hello_from_memory(SSL *ssl)
{
	unsigned char record[RECORD_LIMIT];
	size_t length = RECORD_HEADER;
	BIO *memory = BIO_new(BIO_s_mem());

	descriptor_of_later = SSL_get_fd(ssl);
	if (recv(descriptor_of_later, record, length, MSG_WAITALL) == (ssize_t)length)
		length += (size_t)record[3] << 8 | record[4];
	if (length > RECORD_HEADER && length <= RECORD_LIMIT &&
	    recv(descriptor_of_later, record + RECORD_HEADER, length - RECORD_HEADER,
		 MSG_WAITALL) == (ssize_t)(length - RECORD_HEADER))
		BIO_write(memory, record, (int)length);
	SSL_set0_rbio(ssl, memory);
}

/* ---- silence ---- */

static void at_step(const SSL *ssl, int where, int value)
{
	(void)where;
	(void)value;
	SSL_set_shutdown((SSL *)(uintptr_t)ssl, 0);
}

static void unmute_at_each_step(SSL_CTX *context)
{
	SSL_CTX_set_info_callback(context, at_step);
}

static void at_step_unseen(const SSL *ssl, int where, int value)
{
	(void)where;
	(void)value;
	HOST_ORIGINAL(SSL_set_shutdown)((SSL *)(uintptr_t)ssl, 0);
}

static void unmute_unseen(SSL_CTX *context)
{
	SSL_CTX_set_info_callback(context, at_step_unseen);
}

static const struct attack attacks[] = {
	{
		.name = "a stranger whom the certificate callback waives",
		.source = "OpenSSL SSL_CTX_set_cert_cb(3)",
		.reason = "no-certificate",
		.prepare = later_waive,
	},
	{
		.name = "a stranger for whom the certificate callback undoes all settings",
		.source = "OpenSSL SSL_CTX_set_cert_cb(3)",
		.reason = "no-certificate",
		.prepare = later_waive_all,
	},
	{
		.name = "a stranger for whom a word of configuration undoes the demand",
		.source = "OpenSSL ssl/ssl_conf.c, SSL_CONF_CTX_set_ssl()",
		.reason = "no-certificate",
		.prepare = later_configure,
	},
	{
		.name = "a stranger for whom the demand is put off in between",
		.source = "OpenSSL SSL_set_verify(3), SSL_VERIFY_POST_HANDSHAKE",
		.versions = ONLY_1_3,
		.reason = "no-certificate",
		.prepare = later_ask_afterwards,
	},
	{
		.name = "a stranger where the info callback is replaced in between, unseen",
		.source = "OpenSSL SSL_set_info_callback(3)",
		.at_the_end = true,
		.edge_is_refused = true,
		.reason = "no-certificate",
		.prepare = later_waive_and_shadow,
	},
	{
		.name = "a stranger whom another context awaits",
		.source = "nginx src/http/ngx_http_request.c, ngx_http_ssl_servername()",
		.reason = "no-certificate",
		.prepare = later_change_context,
	},
	{
		.name = "a stranger whom a context with another ClientHello callback awaits",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_SSL_CTX()",
		.reason = "no-certificate",
		.prepare = later_change_to_another_hello,
	},
	{
		.name = "a foreign certificate at a context that verifies by belief",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_SSL_CTX()",
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
		.prepare = later_change_to_belief,
	},
	{
		.name = "a foreign certificate at a context that verifies by belief, unseen",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_set_SSL_CTX()",
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
		.at_the_end = true,
		.prepare = later_change_to_unseen_belief,
	},
	{
		.name = "a stranger on a descriptor that is changed in between",
		.source = "OpenSSL SSL_set_fd(3)",
		.reason = "no-certificate",
		.prepare = later_duplicate,
	},
	{
		.name = "a stranger whose hello is read by the host itself",
		.source = "Traffic Server iocore/net/SSLNetVConnection.cc, read_raw_data()",
		.prepare = later_descriptor,
		.connect = hello_from_memory,
		.reason = "no-certificate",
	},
	{
		.name = "the same beside an open port",
		.source = "Traffic Server iocore/net/SSLNetVConnection.cc, read_raw_data()",
		.prepare = later_descriptor,
		.connect = hello_from_memory,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose alert the info callback would let out",
		.source = "OpenSSL ssl/s3_msg.c, ssl3_send_alert()",
		.prepare = unmute_at_each_step,
		.reason = "no-certificate",
	},
	{
		.name = "the same, unseen",
		.source = "OpenSSL ssl/s3_msg.c, ssl3_send_alert()",
		.prepare = unmute_unseen,
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_during", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
