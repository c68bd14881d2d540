/* Hosts that choose a site by the server name and find another name than the policy: in a spelling
 * that they do not know, or that of a session.  Their default site is none of the open ones. */
#include "attack.h"
#include "resuming.h"
#include "test.h"

#include <string.h>

#define OPEN_SITE "direct.example"
#define LABEL(letter)                                                                              \
	letter letter letter letter letter letter letter letter letter letter letter letter letter \
		letter letter letter letter letter letter letter letter
#define LONG_LABEL(letter) LABEL(letter) LABEL(letter) LABEL(letter)
/* As long as a name can be: 253 bytes. */
#define LONG(letter)                                                                         \
	LONG_LABEL(letter)                                                                   \
	"." LONG_LABEL(letter) "." LONG_LABEL(letter) "." LABEL(letter) LABEL(letter)        \
		letter letter letter letter letter letter letter letter letter letter letter \
			letter letter letter letter letter letter letter letter
#define LONG_SITE LONG("a")
#define SECTIONS                                                 \
	"[port {enforced}]\nca = {ca}\nrefuse = {answer}\n"      \
	"hosts = names-only\n"                                   \
	"[port {enforced} server " OPEN_SITE "]\nverify = off\n" \
	"[port {enforced} server " LONG_SITE "]\nverify = off\n" \
	"[port *]\nverify = off\n"

static bool asks_for_open_site;

static bool is_open_site(const char *name, size_t length)
{
	return (length == strlen(OPEN_SITE) && memcmp(name, OPEN_SITE, length) == 0) ||
	       (length == strlen(LONG_SITE) && memcmp(name, LONG_SITE, length) == 0);
}

static void choose(const SSL *ssl)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	asks_for_open_site = name != NULL && is_open_site(name, strlen(name));
}

static int choose_by_name(SSL *ssl, int *alert, void *argument)
{
	(void)alert, (void)argument;
	choose(ssl);
	return SSL_TLSEXT_ERR_OK;
}

static void know_names(SSL_CTX *context)
{
	SSL_CTX_set_tlsext_servername_callback(context, choose_by_name);
}

/* A list of one name, in the extension of the hello. */
static int choose_by_hello(SSL *ssl, int *alert, void *argument)
{
	const unsigned char *bytes;
	size_t length;

	(void)alert, (void)argument;
	asks_for_open_site =
		SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) == 1 &&
		length > 5 && (size_t)(bytes[0] << 8 | bytes[1]) == length - 2 && bytes[2] == 0 &&
		(size_t)(bytes[3] << 8 | bytes[4]) == length - 5 &&
		is_open_site((const char *)bytes + 5, length - 5);
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

/* No callback for names: libssl puts none into a session. */
static void serve_site_of_name(SSL *ssl)
{
	char request[4096];

	if (!host_accept(ssl) || SSL_read(ssl, request, sizeof(request)) <= 0)
		return;
	choose(ssl);
	if (!asks_for_open_site)
		host_is_in("the default site");
	host_answer(ssl);
}

/* In TLS 1.2 libssl tells the name of the session. */
static void resume_by_name(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	struct client again = *client;

	again.server_name = OPEN_SITE;
	resume(victim, &again, session_of(victim, client, 0, NULL), outcome);
}

static void resume_from_open_port(struct victim *victim, const struct client *client,
				  struct outcome *outcome)
{
	struct client again = *client;

	again.server_name = OPEN_SITE;
	resume(victim, &again, session_of(victim, client, victim->server->ports[SECOND], NULL),
	       outcome);
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
		.name = "who spells the longest of names in capitals there",
		.source = "RFC 1035, 2.3.4; RFC 6066, 3",
		.client = {.server_name = LONG("A")},
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
	{
		.name = "who resumes, under an open name, a session of another name and an open "
			"port",
		.source = "RFC 6066, 3; OpenSSL ssl/statem/extensions_srvr.c, "
			  "tls_parse_ctos_server_name()",
		.client = {.server_name = "shop.example"},
		.prepare = know_names,
		.serve = serve_site,
		.attack = resume_from_open_port,
		.versions = ONLY_1_2,
		.sections = SECTIONS,
		.second = "verify = off",
		.without_answer = true,
	},
	{
		.name = "who resumes, under an open name, a session that has no name",
		.source = "OpenSSL ssl/statem/extensions.c, final_server_name()",
		.client = {.server_name = OPEN_SITE},
		.serve = serve_site_of_name,
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
