/* A host that waives before anybody came what it seems to demand: nothing is asked, or whatever
 * comes is taken. */
#include "attack.h"
#include "test.h"

#include <openssl/conf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEMANDED (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)

/* ---- verification that says yes ---- */

static int say_yes(int is_good, X509_STORE_CTX *store)
{
	(void)is_good;
	(void)store;
	return 1;
}

static int say_yes_and_clear(int is_good, X509_STORE_CTX *store)
{
	(void)is_good;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int believe(X509_STORE_CTX *store, void *argument)
{
	(void)store;
	(void)argument;
	return 1;
}

static void ask_for_nothing(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
}

/* The edge passes the host's own verification. */
static void trust_the_rules_ca(SSL_CTX *context)
{
	if (SSL_CTX_load_verify_locations(context, host_file("ca"), NULL) != 1)
		abort();
}

static void ask(SSL_CTX *context, int mode)
{
	SSL_CTX_set_verify(context, mode, NULL);
	trust_the_rules_ca(context);
}

static void ask_and_not_insist(SSL_CTX *context)
{
	ask(context, SSL_VERIFY_PEER);
}

static void accept_any(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, DEMANDED, say_yes);
}

static void accept_any_and_clear(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, DEMANDED, say_yes_and_clear);
}

static void accept_any_here(SSL *ssl)
{
	SSL_set_verify(ssl, DEMANDED, say_yes_and_clear);
}

static void insist(SSL_CTX *context)
{
	ask(context, DEMANDED);
}

static void accept_by_store_callback(SSL_CTX *context)
{
	insist(context);
	X509_STORE_set_verify_cb(SSL_CTX_get_cert_store(context), say_yes_and_clear);
}

static void verify_by_belief(SSL_CTX *context)
{
	insist(context);
	SSL_CTX_set_cert_verify_callback(context, believe, NULL);
}

static void verify_by_unseen_belief(SSL_CTX *context)
{
	insist(context);
	HOST_ORIGINAL(SSL_CTX_set_cert_verify_callback)(context, believe, NULL);
}

/* A stranger without a certificate is asked only when the host gets to it. */
static void ask_after_the_handshake(SSL_CTX *context)
{
	ask(context, DEMANDED | SSL_VERIFY_POST_HANDSHAKE);
}

/* ---- words of a configuration ---- */

static void command(SSL_CONF_CTX *words, const char *verify_mode)
{
	SSL_CONF_CTX_set_flags(words, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER |
					      SSL_CONF_FLAG_CERTIFICATE);
	if (SSL_CONF_cmd(words, "VerifyMode", verify_mode) <= 0 || SSL_CONF_CTX_finish(words) != 1)
		abort();
	SSL_CONF_CTX_free(words);
}

static void configured_to_request(SSL_CTX *context)
{
	SSL_CONF_CTX *words = SSL_CONF_CTX_new();

	insist(context);
	SSL_CONF_CTX_set_ssl_ctx(words, context);
	command(words, "-Require");
}

static void configured_to_wait(SSL_CTX *context)
{
	SSL_CONF_CTX *words = SSL_CONF_CTX_new();

	insist(context);
	SSL_CONF_CTX_set_ssl_ctx(words, context);
	command(words, "RequirePostHandshake");
}

static void configured_here(SSL *ssl)
{
	SSL_CONF_CTX *words = SSL_CONF_CTX_new();

	SSL_CONF_CTX_set_ssl(words, ssl);
	command(words, "-Request,-Require");
}

/* openssl.cnf: what each context is given at the very end of its making, after all of the shim's.
 */
static int configured_by_file(char **words)
{
	static const struct attack configured = {.prepare = trust_the_rules_ca};
	char path[PATH_MAX];
	FILE *file;

	OPENSSL_load_builtin_modules(); /* 1.1.1 */
	snprintf(path, sizeof(path), "%s.%d", host_file("configuration"), (int)getpid());
	file = fopen(path, "we");
	if (file == NULL ||
	    fputs("openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\n"
		  "system_default = lax\n[lax]\nVerifyMode = Request\n",
		  file) < 0 ||
	    fclose(file) != 0 || CONF_modules_load_file(path, NULL, 0) <= 0)
		abort();
	remove(path);
	return host_main(&configured, words);
}

/* ---- the ClientHello callback ---- */

static SSL_CTX *lax_context;

static void make_lax_context(SSL_CTX *context)
{
	lax_context = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate(lax_context, SSL_CTX_get0_certificate(context)) != 1 ||
	    SSL_CTX_use_PrivateKey(lax_context, SSL_CTX_get0_privatekey(context)) != 1)
		abort();
}

static int change_at_hello(SSL *ssl, int *alert, void *argument)
{
	(void)alert;
	(void)argument;
	SSL_set_SSL_CTX(ssl, lax_context);
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void change_context_at_hello(SSL_CTX *context)
{
	insist(context);
	make_lax_context(context);
	SSL_CTX_set_client_hello_cb(context, change_at_hello, NULL);
}

/* As one that has to look something up: the same hello comes by several times. */
static int ask_again(SSL *ssl, int *alert, void *argument)
{
	static unsigned times;

	(void)argument;
	if (times++ % 3 < 2)
		return SSL_CLIENT_HELLO_RETRY;
	return change_at_hello(ssl, alert, NULL);
}

static void retry_at_hello(SSL_CTX *context)
{
	change_context_at_hello(context);
	SSL_CTX_set_client_hello_cb(context, ask_again, NULL);
}

static void accept_again_and_again(SSL *ssl)
{
	int result;

	while ((result = SSL_accept(ssl)) != 1 &&
	       SSL_get_error(ssl, result) == SSL_ERROR_WANT_CLIENT_HELLO_CB)
		;
	if (result == 1 && host_read(ssl))
		host_answer(ssl);
}

static int succeed_at_hello(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)alert;
	(void)argument;
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* Over the shim's own, which then sees no hello, and can tell the edge from nobody. */
static void unseen_hello_callback(SSL_CTX *context)
{
	HOST_ORIGINAL(SSL_CTX_set_client_hello_cb)(context, succeed_at_hello, NULL);
}

/* Of both, one is enough. */
static void see_nothing(const SSL *ssl, int where, int value)
{
	(void)ssl;
	(void)where;
	(void)value;
}

static void unseen_info_callback(SSL_CTX *context)
{
	HOST_ORIGINAL(SSL_CTX_set_info_callback)(context, see_nothing);
}

static void unseen_callbacks(SSL_CTX *context)
{
	unseen_hello_callback(context);
	unseen_info_callback(context);
	verify_by_unseen_belief(context);
	ask_for_nothing(context);
}

static const struct attack attacks[] = {
	{
		.name = "a stranger at a host that asks for no certificate",
		.source = "OpenSSL SSL_CTX_set_verify(3), SSL_VERIFY_NONE",
		.prepare = ask_for_nothing,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that asks for a certificate, and does not insist",
		.source = "OpenSSL SSL_CTX_set_verify(3), SSL_VERIFY_PEER",
		.prepare = ask_and_not_insist,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that means to ask after the handshake",
		.source = "OpenSSL ssl/statem/statem_srvr.c, send_certificate_request()",
		.prepare = ask_after_the_handshake,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a foreign certificate at a host whose verify callback says yes",
		.source = "OpenSSL SSL_CTX_set_verify(3)",
		.prepare = accept_any,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host whose verify callback clears the error",
		.source = "OpenSSL SSL_CTX_set_verify(3)",
		.prepare = accept_any_and_clear,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host whose connection has such a callback",
		.source = "OpenSSL SSL_set_verify(3)",
		.connect = accept_any_here,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "an expired certificate at a host whose verify callback clears the error",
		.source = "OpenSSL SSL_CTX_set_verify(3)",
		.prepare = accept_any_and_clear,
		.client = {.certificate = "expired"},
		.reason = "expired",
	},
	{
		.name = "a self-signed certificate at a host that verifies by belief",
		.source = "OpenSSL SSL_CTX_set_cert_verify_callback(3)",
		.prepare = verify_by_belief,
		.client = {.certificate = "self-signed"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host that verifies by belief, unseen",
		.source = "OpenSSL ssl/ssl_cert.c, ssl_verify_cert_chain()",
		.prepare = verify_by_unseen_belief,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
		.at_the_end = true,
	},
	{
		.name = "a certificate of another purpose at a host that verifies by belief, "
			"unseen",
		.source = "OpenSSL ssl/ssl_cert.c, ssl_verify_cert_chain()",
		.prepare = verify_by_unseen_belief,
		.client = {.certificate = "wrong-purpose"},
		.reason = "wrong-purpose",
		.at_the_end = true,
	},
	{
		.name = "a foreign certificate at a host whose store says yes to errors",
		.source = "OpenSSL X509_STORE_set_verify_cb(3)",
		.prepare = accept_by_store_callback,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a stranger at a host whose configuration takes the demand back",
		.source = "OpenSSL ssl/ssl_conf.c, cmd_VerifyMode()",
		.prepare = configured_to_request,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host whose configuration puts the demand off",
		.source = "OpenSSL ssl/ssl_conf.c, cmd_VerifyMode()",
		.prepare = configured_to_wait,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that configures each connection",
		.source = "OpenSSL ssl/ssl_conf.c, SSL_CONF_CTX_set_ssl()",
		.prepare = insist,
		.connect = configured_here,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that openssl.cnf configures",
		.source = "OpenSSL ssl/ssl_mcnf.c, ssl_ctx_system_config()",
		.host = configured_by_file,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that changes the context at the ClientHello",
		.source = "HAProxy src/ssl_sock.c, ssl_sock_switchctx_cbk()",
		.prepare = change_context_at_hello,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that has the ClientHello come by again",
		.source = "OpenSSL SSL_CTX_set_client_hello_cb(3), SSL_CLIENT_HELLO_RETRY",
		.prepare = retry_at_hello,
		.serve = accept_again_and_again,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host with a ClientHello callback of its own, unseen",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_early_post_process_client_hello()",
		.prepare = unseen_hello_callback,
		.reason = "uncovered-tls",
		.at_the_end = true,
		.edge_is_refused = true,
	},
	{
		.name = "a stranger at a host with an info callback of its own, unseen",
		.source = "OpenSSL SSL_CTX_set_info_callback(3)",
		.prepare = unseen_info_callback,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host with all callbacks of its own, unseen",
		.source = "OpenSSL SSL_CTX_set_client_hello_cb(3)",
		.prepare = unseen_callbacks,
		.reason = "uncovered-tls",
		.at_the_end = true,
		.edge_is_refused = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_says_yes", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
