/* One SSL for many clients, copies of one, other methods, other library contexts: the handshake of
 * each is judged by itself. */
#include "attack.h"
#include "test.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* 1.1.1 does not take an SSL again in TLS 1.3. */
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define REUSABLE BOTH_VERSIONS
#else
#define REUSABLE ONLY_1_2
#endif

/* ---- one SSL for all clients ---- */

static SSL *kept;
static bool had_client;

static void converse(SSL *ssl)
{
	if (host_accept(ssl)) {
		had_client = true;
		if (host_read(ssl))
			host_answer(ssl);
	}
}

/* True where it had a client before; one that only connects (to see whether the host is there) is
 * none. */
static bool keep(SSL *ssl)
{
	if (kept == NULL)
		kept = SSL_new(SSL_get_SSL_CTX(ssl));
	return had_client;
}

static void converse_on(SSL *ssl, int descriptor)
{
	SSL_set_fd(ssl, descriptor);
	converse(ssl);
	SSL_shutdown(ssl);
}

static void clear_and_take_again(SSL *ssl)
{
	if (keep(ssl))
		SSL_clear(kept);
	SSL_set_accept_state(kept);
	converse_on(kept, SSL_get_fd(ssl));
}

static void take_again_by_state(SSL *ssl)
{
	if (keep(ssl))
		SSL_set_shutdown(kept, 0);
	SSL_set_accept_state(kept);
	converse_on(kept, SSL_get_fd(ssl));
}

/* What libssl knows of the early data of the handshake before has it answer at once. */
static void answer_before_hello(SSL *ssl)
{
	static const char answer[] = "x";
	char request[64];
	size_t count;

	if (keep(ssl)) {
		SSL_set_fd(kept, SSL_get_fd(ssl));
		SSL_set_accept_state(kept);
		if (SSL_write_early_data(kept, answer, 1, &count) == 1)
			host_is_in("answer");
		return;
	}
	SSL_set_accept_state(kept);
	SSL_set_fd(kept, SSL_get_fd(ssl));
	SSL_read_early_data(kept, request, sizeof(request), &count);
	converse_on(kept, SSL_get_fd(ssl));
}

/* libssl clears where the method is another. */
static void take_again_by_method(SSL *ssl)
{
	keep(ssl);
	SSL_set_ssl_method(kept, SSL_get_ssl_method(kept) == TLS_method() ? TLS_server_method()
									  : TLS_method());
	SSL_set_shutdown(kept, 0);
	SSL_set_accept_state(kept);
	converse_on(kept, SSL_get_fd(ssl));
}

static int succeed_at_hello(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)alert;
	(void)argument;
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* After the first client, whose hello the shim has seen.  The SSL gets a context of its own: the
 * host goes on with the one it has. */
static void take_again_unseen(SSL *ssl)
{
	if (keep(ssl)) {
		SSL_clear(kept);
		HOST_ORIGINAL(SSL_CTX_set_client_hello_cb)
		(SSL_get_SSL_CTX(kept), succeed_at_hello, NULL);
		HOST_ORIGINAL(SSL_set_verify)(kept, SSL_VERIFY_NONE, NULL);
	}
	SSL_set_accept_state(kept);
	converse_on(kept, SSL_get_fd(ssl));
}

/* It asks the first of its clients, and no other. */
static void ask_once(SSL_CTX *context)
{
	SSL_CTX_set_verify(
		context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_CLIENT_ONCE,
		NULL);
	if (SSL_CTX_load_verify_locations(context, host_file("ca"), NULL) != 1)
		abort();
}

static void after_the_edge(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	struct client first = *client;

	first.certificate = "edge";
	attack_run(victim, &first, outcome);
	outcome_clear(outcome);
	attack_run(victim, client, outcome);
}

/* ---- copies ---- */

static void converse_by_copy(SSL *ssl)
{
	SSL *copy = SSL_dup(ssl);

	converse_on(copy, SSL_get_fd(ssl));
	SSL_free(copy);
}

static void waive_before(SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
}

static void converse_by_copy_of_kept(SSL *ssl)
{
	SSL *copy;

	if (keep(ssl))
		SSL_clear(kept);
	SSL_set_accept_state(kept);
	copy = SSL_dup(kept);
	converse_on(kept, SSL_get_fd(ssl));
	SSL_free(copy);
}

static void copy_of_used(SSL *ssl)
{
	SSL *copy;

	if (!keep(ssl)) {
		SSL_set_accept_state(kept);
		converse_on(kept, SSL_get_fd(ssl));
		return;
	}
	SSL_clear(kept);
	SSL_set_accept_state(kept);
	copy = SSL_dup(kept);
	converse_on(copy, SSL_get_fd(ssl));
	SSL_free(copy);
}

static SSL *copied;

static int copy_in_between(SSL *ssl, void *argument)
{
	(void)argument;
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	SSL_free(copied);
	copied = SSL_dup(ssl);
	return 1;
}

static void copy_later(SSL_CTX *context)
{
	SSL_CTX_set_cert_cb(context, copy_in_between, NULL);
}

static void go_on_with_copy(SSL *ssl)
{
	host_accept(ssl);
	if (copied != NULL && host_read(copied))
		host_answer(copied);
}

static void answer_by_copy(SSL *ssl)
{
	SSL *copy;

	host_accept(ssl);
	copy = SSL_dup(ssl);
	if (host_read(copy))
		host_answer(copy);
	SSL_free(copy);
}

/* ---- library contexts ---- */

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static void change_library(SSL *ssl)
{
	static OSSL_LIB_CTX *other;

	(void)ssl;
	if (other == NULL)
		other = OSSL_LIB_CTX_new();
	OSSL_LIB_CTX_set0_default(other);
}

static int change_library_in_between(SSL *ssl, void *argument)
{
	(void)argument;
	change_library(ssl);
	return 1;
}

static int library_before(char **words)
{
	static const struct attack plain;

	change_library(NULL);
	return host_main(&plain, words);
}

static void library_afterwards(SSL_CTX *context)
{
	(void)context;
	change_library(NULL);
}

static void library_in_between(SSL_CTX *context)
{
	SSL_CTX_set_cert_cb(context, change_library_in_between, NULL);
}

/* One for each connection, gone when it ends. */
static void library_of_connection(SSL *ssl)
{
	OSSL_LIB_CTX *own = OSSL_LIB_CTX_new(), *before = OSSL_LIB_CTX_set0_default(own);
	SSL_CTX *context = SSL_CTX_new_ex(own, NULL, TLS_server_method());
	SSL *copy = SSL_new(context);

	if (SSL_use_certificate_file(copy, host_file("server"), SSL_FILETYPE_PEM) != 1 ||
	    SSL_use_PrivateKey(copy, SSL_get_privatekey(ssl)) != 1)
		abort();
	SSL_CTX_free(context);
	SSL_set_accept_state(copy);
	converse_on(copy, SSL_get_fd(ssl));
	SSL_free(copy);
	OSSL_LIB_CTX_set0_default(before);
	OSSL_LIB_CTX_free(own);
}
#endif

static const struct attack attacks[] = {
	{
		.name = "a stranger on an SSL that is cleared after the edge",
		.source = "OpenSSL SSL_clear(3)",
		.serve = clear_and_take_again,
		.reason = "no-certificate",
		.attack = after_the_edge,
		.versions = REUSABLE,
	},
	{
		.name = "a stranger on an SSL that accepts again after the edge",
		.source = "OpenSSL SSL_set_accept_state(3)",
		.serve = take_again_by_state,
		.versions = ONLY_1_2,
		.reason = "no-certificate",
		.attack = after_the_edge,
	},
	{
		.name = "a stranger answered before the hello, on an SSL that accepts again",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_write_early_data()",
		.serve = answer_before_hello,
		.versions = ONLY_1_3,
		.attack = after_the_edge,
		.goes_away = true,
		.edge_is_refused = true,
		.without_answer = true,
	},
	{
		.name = "a stranger on an SSL whose method changes after the edge",
		.source = "OpenSSL SSL_set_ssl_method(3)",
		.serve = take_again_by_method,
		.reason = "no-certificate",
		.attack = after_the_edge,
		.versions = REUSABLE,
	},
	{
		.name = "a stranger on an SSL whose hello callback changes after the edge, unseen",
		.source = "OpenSSL SSL_clear(3)",
		.serve = take_again_unseen,
		.at_the_end = true,
		.edge_is_refused = true,
		.reason = "uncovered-tls",
		.attack = after_the_edge,
		.versions = REUSABLE,
	},
	{
		.name = "a stranger on an SSL that asks once",
		.source = "OpenSSL ssl/statem/statem_srvr.c, send_certificate_request()",
		.prepare = ask_once,
		.serve = clear_and_take_again,
		.reason = "no-certificate",
		.attack = after_the_edge,
		.versions = REUSABLE,
	},
	{
		.name = "a stranger on a copy",
		.source = "OpenSSL SSL_dup(3)",
		.connect = waive_before,
		.serve = converse_by_copy,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger on the original of a copy",
		.source = "OpenSSL SSL_dup(3)",
		.serve = converse_by_copy_of_kept,
		.reason = "no-certificate",
		.attack = after_the_edge,
		.versions = REUSABLE,
	},
	{
		.name = "a stranger on a copy of what the edge had",
		.source = "OpenSSL SSL_dup(3)",
		.serve = copy_of_used,
		.reason = "no-certificate",
		.attack = after_the_edge,
		.versions = REUSABLE,
	},
	{
		.name = "a stranger on a copy of a handshake",
		.source = "OpenSSL SSL_dup(3)",
		.prepare = copy_later,
		.serve = go_on_with_copy,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger on a copy after the handshake",
		.source = "OpenSSL SSL_dup(3)",
		.serve = answer_by_copy,
		.reason = "no-certificate",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	{
		.name = "a stranger under another library context",
		.source = "OpenSSL OSSL_LIB_CTX_set0_default(3)",
		.host = library_before,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where the library context changes after the SSL_CTX",
		.source = "OpenSSL OSSL_LIB_CTX_set0_default(3)",
		.prepare = library_afterwards,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where it changes with each connection",
		.source = "OpenSSL OSSL_LIB_CTX_set0_default(3)",
		.connect = change_library,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where it changes within the handshake",
		.source = "OpenSSL OSSL_LIB_CTX_set0_default(3)",
		.prepare = library_in_between,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger in a library context of its own",
		.source = "OpenSSL OSSL_LIB_CTX_new(3)",
		.serve = library_of_connection,
		.reason = "no-certificate",
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_again", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
