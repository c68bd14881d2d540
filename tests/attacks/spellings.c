/* Hosts that know a server name in one spelling alone: whoever spells an open site's otherwise is
 * given their default site, which is none of the open ones. */
#include "attack.h"
#include "resuming.h"
#include "test.h"

#include <string.h>

#define OPEN_SITE "direct.example"
#define SECTIONS                                            \
	"[port {enforced}]\nca = {ca}\nrefuse = {answer}\n" \
	"hosts = names-only\n"                              \
	"[port {enforced} server " OPEN_SITE "]\nverify = off\n"

static bool asks_for_open_site;

static int choose_by_name(SSL *ssl, int *alert, void *argument)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert, (void)argument;
	asks_for_open_site = name != NULL && strcmp(name, OPEN_SITE) == 0;
	return SSL_TLSEXT_ERR_OK;
}

static void know_names(SSL_CTX *context)
{
	SSL_CTX_set_tlsext_servername_callback(context, choose_by_name);
}

/* The whole extension of the name, as it stands in the hello. */
static int choose_by_hello(SSL *ssl, int *alert, void *argument)
{
	static const unsigned char wanted[] = "\0\x11\0\0\x0e" OPEN_SITE;
	const unsigned char *bytes;
	size_t length;

	(void)alert, (void)argument;
	asks_for_open_site =
		SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) == 1 &&
		length == sizeof(wanted) - 1 && memcmp(bytes, wanted, length) == 0;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void know_hellos(SSL_CTX *context)
{
	SSL_CTX_set_client_hello_cb(context, choose_by_hello, NULL);
}

static void serve_site(SSL *ssl)
{
	char request[4096];

	if (!host_accept(ssl) || SSL_read(ssl, request, sizeof(request)) <= 0)
		return;
	if (!asks_for_open_site)
		host_is_in("the default site");
	host_answer(ssl);
}

/* In TLS 1.2 libssl tells the name of the session, as that was spelled. */
static void resume_by_name(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	struct client again = *client;

	again.server_name = OPEN_SITE;
	resume(victim, &again, session_of(victim, client, 0, NULL), outcome);
}

static const struct attack attacks[] = {
	{
		.name = "who spells an open site in capitals, at a host that compares bytes,",
		.source = "RFC 4343, 3",
		.client = {.server_name = "DIRECT.Example"},
		.prepare = know_names,
		.serve = serve_site,
		.sections = SECTIONS,
		.without_answer = true,
	},
	{
		.name = "who puts a dot behind the name of an open site",
		.source = "RFC 6066, 3",
		.client = {.server_name = OPEN_SITE "."},
		.prepare = know_names,
		.serve = serve_site,
		.sections = SECTIONS,
		.without_answer = true,
	},
	{
		.name = "who does so at a host that reads the hello itself",
		.source = "HAProxy src/ssl_clienthello.c, ssl_sock_switchctx_cbk()",
		.client = {.server_name = OPEN_SITE "."},
		.prepare = know_hellos,
		.serve = serve_site,
		.sections = SECTIONS,
		.without_answer = true,
	},
	{
		.name = "who resumes the session of an open site that was spelled in capitals",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_get_servername()",
		.client = {.server_name = "DIRECT.EXAMPLE"},
		.prepare = know_names,
		.serve = serve_site,
		.attack = resume_by_name,
		.versions = ONLY_1_2,
		.sections = SECTIONS,
		.without_answer = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "spellings", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
