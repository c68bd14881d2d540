/* What a host has in its hands when a client comes: whatever function drives the handshake, and
 * whatever becomes of its result, a stranger gets nothing. */
#include "attack.h"
#include "test.h"

#include <openssl/bio.h>
#include <string.h>

static void see_nothing(const SSL *ssl, int where, int value)
{
	(void)ssl;
	(void)where;
	(void)value;
}

/* The demand undone, and of each step that follows the shim hears nothing. */
static int waive_and_shadow(SSL *ssl, void *argument)
{
	(void)argument;
	HOST_ORIGINAL(SSL_set_verify)(ssl, SSL_VERIFY_NONE, NULL);
	HOST_ORIGINAL(SSL_set_info_callback)(ssl, see_nothing);
	return 1;
}

/* The answer is the first that comes. */
static void give_no_tickets(SSL_CTX *context)
{
	SSL_CTX_set_num_tickets(context, 0);
}

static void later_waive_and_shadow(SSL_CTX *context)
{
	give_no_tickets(context);
	SSL_CTX_set_cert_cb(context, waive_and_shadow, NULL);
}

static void read_at_once(SSL *ssl)
{
	if (host_read(ssl))
		host_answer(ssl);
}

static void peek_at_once(SSL *ssl)
{
	char byte;

	if (SSL_peek(ssl, &byte, 1) == 1) {
		host_is_in("a look");
		read_at_once(ssl);
	}
}

static void greet_at_once(SSL *ssl)
{
	host_answer(ssl);
}

static void accept_unseen(SSL *ssl)
{
	if (HOST_ORIGINAL(SSL_accept)(ssl) == 1 && host_read(ssl))
		host_answer(ssl);
}

static void ignore_and_go_on(SSL *ssl)
{
	host_accept(ssl);
	host_read(ssl);
	host_answer(ssl);
}

/* A BIO that is TLS: no function of the SSL's name is called. */
static void converse_by_bio(SSL *ssl)
{
	BIO *bio = BIO_new(BIO_f_ssl());
	char request[4096];

	BIO_set_ssl(bio, ssl, BIO_NOCLOSE);
	if (BIO_do_handshake(bio) == 1 && BIO_read(bio, request, sizeof(request)) > 0) {
		host_is_in("request");
		host_answer(ssl);
	}
	BIO_free(bio);
}

static void in_a_fibre(SSL_CTX *context)
{
	SSL_CTX_set_mode(context, SSL_MODE_ASYNC);
}

static const struct attack attacks[] = {
	{
		.name = "a stranger at a host that reads at once",
		.source = "OpenSSL SSL_read(3)",
		.serve = read_at_once,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that peeks at once",
		.source = "OpenSSL SSL_peek(3)",
		.serve = peek_at_once,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that greets at once",
		.source = "OpenSSL SSL_write(3)",
		.prepare = give_no_tickets,
		.client = {.patience_ms = 1000},
		.serve = greet_at_once,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that accepts unseen",
		.source = "OpenSSL SSL_accept(3)",
		.serve = accept_unseen,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that goes on whatever SSL_accept() says",
		.source = "OpenSSL SSL_accept(3)",
		.serve = ignore_and_go_on,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that talks by a BIO",
		.source = "OpenSSL BIO_f_ssl(3)",
		.serve = converse_by_bio,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host whose handshakes are jobs",
		.source = "OpenSSL ASYNC_start_job(3)",
		.prepare = in_a_fibre,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where the info callback is replaced, and the host reads at "
			"once",
		.source = "OpenSSL SSL_set_info_callback(3)",
		.at_the_end = true,
		.edge_is_refused = true,
		.serve = read_at_once,
		.reason = "no-certificate",
		.prepare = later_waive_and_shadow,
	},
	{
		.name = "a stranger where the info callback is replaced, and the host greets at "
			"once",
		.source = "OpenSSL SSL_set_info_callback(3)",
		.at_the_end = true,
		.edge_is_refused = true,
		.client = {.patience_ms = 1000},
		.serve = greet_at_once,
		.reason = "no-certificate",
		.prepare = later_waive_and_shadow,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_drives", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
