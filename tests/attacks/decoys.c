/* A hello that comes twice: where it belongs, in a protocol of the host's own in which nobody
 * recognises TLS, and to the open port beside it, in plain sight.  It is no secret, so it does not
 * tell whose connection it is. */
#include "attack.h"
#include "changing.h"
#include "decoy.h"
#include "early.h"
#include "inside.h"
#include "open_port.h"
#include "test.h"
#include "veil.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the host ---- */

/* `serve` is what is to be done over the stream inside. */
static void serve_inside(SSL *ssl, void (*serve)(SSL *ssl))
{
	int inside = inside_mask(dup(SSL_get_fd(ssl)));

	SSL_set_fd(ssl, inside);
	serve(ssl);
	SSL_shutdown(ssl);
	close(inside);
}

static void serve_masked(SSL *ssl)
{
	serve_inside(ssl, host_serve_by_memory);
}

/* The calls for early data, over a BIO that knows no descriptor. */
static void serve_early(SSL *ssl)
{
	veil_set(ssl, -1, VEIL_SEEN);
	if (read_early_data(ssl) && host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

static void serve_masked_early(SSL *ssl)
{
	serve_inside(ssl, serve_early);
}

static void answer_early(SSL *ssl)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;
	size_t written;

	veil_set(ssl, -1, VEIL_SEEN);
	if (!read_early_data(ssl))
		return;
	if (SSL_write_early_data(ssl, answer, sizeof(answer) - 1, &written) == 1)
		host_accept(ssl);
	else if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

static void answer_masked_early(SSL *ssl)
{
	serve_inside(ssl, answer_early);
}

/* Between the two flights: what a BIO writes comes by no door, and keys may be a login. */
static void act_between_flights(const SSL *ssl, int where, int value)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;
	unsigned char key[32];
	SSL *own = (SSL *)(uintptr_t)ssl;
	BIO *bio;

	(void)value;
	if (where != SSL_CB_ACCEPT_LOOP || SSL_get_state(ssl) != TLS_ST_EARLY_DATA)
		return;
	if (SSL_export_keying_material(own, key, sizeof(key), "k", 1, NULL, 0, 0) == 1)
		host_is_in("keys");
	bio = BIO_new(BIO_f_ssl());
	BIO_set_ssl(bio, own, BIO_NOCLOSE);
	if (BIO_write(bio, answer, sizeof(answer) - 1) > 0)
		(void)BIO_flush(bio);
	BIO_free(bio);
}

static void serve_between_flights(SSL *ssl)
{
	veil_set(ssl, -1, VEIL_SEEN);
	SSL_set_info_callback(ssl, act_between_flights);
	if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

static void serve_masked_between_flights(SSL *ssl)
{
	serve_inside(ssl, serve_between_flights);
}

/* One SSL for all: over the descriptor of the open port, and inside of what comes to the other. */
static int host_with_one_ssl(char **words)
{
	const struct timeval soon = {.tv_usec = 100000};
	SSL *ssl = SSL_new(host_context(TLS_server_method(), words));
	struct pollfd ports[] = {
		{.fd = -1, .events = POLLIN},
		{.fd = host_socket(SOCK_STREAM, words[2 + SECOND]), .events = POLLIN}};
	int client, listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);

	while ((ports[0].fd = accept(listener, NULL, NULL)) >= 0) {
		while (poll(ports, 2, -1) > 0 && ports[0].revents == 0) {
			client = accept(ports[1].fd, NULL, NULL);
			setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
			SSL_clear(ssl);
			SSL_set_fd(ssl, client);
			SSL_accept(ssl);
			close(client);
		}
		SSL_clear(ssl);
		SSL_set_fd(ssl, ports[0].fd);
		SSL_set_accept_state(ssl);
		serve_masked(ssl);
		close(ports[0].fd);
	}
	return 1;
}

/* ---- the attacker ---- */

static void connect_masked(const struct client *client, struct outcome *outcome)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons((uint16_t)client->port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct client masked = *client;
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(outcome, 0, sizeof(*outcome));
	if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		close(descriptor);
		return;
	}
	masked.descriptor = inside_mask(descriptor);
	client_run(&masked, outcome);
}

static unsigned decoy_port;

static void prepare_decoy(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	decoy_of(ssl, decoy_port, DECOY_PLAIN);
}

static void prepare_decoy_in_request(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	decoy_of(ssl, decoy_port, DECOY_IN_REQUEST);
}

static void prepare_decoy_in_retry(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	decoy_of(ssl, decoy_port, DECOY_IN_RETRY);
}

/* Masked, it is the begin of a hello that another record breaks off: of plain text with that in it
 * nobody can tell what it is. */
static const unsigned char broken_off[] = {16,   0x43, 0x56, 0x54, 0x55, 0x5f, 0x54, 0x55, 0x54,
					   0x55, 0x56, 0x56, 0x34, 0x34, 0x34, 0x34, 0x2d};

static const struct server *changing;

static void prepare_decoy_and_change(SSL_CTX *context, SSL *ssl)
{
	prepare_decoy_in_request(context, ssl);
	SSL_set_alpn_protos(ssl, broken_off, sizeof(broken_off));
	change_amid_handshake(changing, ssl);
}

static void prepare_decoy_and_early_data(SSL_CTX *context, SSL *ssl)
{
	decoy_of(ssl, decoy_port, DECOY_IN_REQUEST);
	send_early_data(context, ssl);
}

static void come_behind_decoy(struct victim *victim, const struct client *client,
			      struct outcome *outcome)
{
	decoy_port = victim->server->ports[SECOND];
	attack_run(victim, client, outcome);
	decoy_end();
}

static void come_over_change(struct victim *victim, const struct client *client,
			     struct outcome *outcome)
{
	changing = victim->server;
	come_behind_decoy(victim, client, outcome);
}

/* With a session of the open port. */
static void come_again_behind_decoy(struct victim *victim, const struct client *client,
				    struct outcome *outcome)
{
	struct client again = *client;
	const struct client first = {.port = victim->server->ports[SECOND],
				     .version = client->version};
	struct outcome before;

	client_run(&first, &before);
	again.session = before.session;
	come_behind_decoy(victim, &again, outcome);
	outcome_clear(&before);
}

/* ---- the table ---- */

/* Members of all of them. */
#define MASKED                                                           \
	.visit = connect_masked, .rule = "ca = {ca}\nplaintext = allow", \
	.reason = "unknown-endpoint", .answer = "close", .at_the_end = true

static const struct attack attacks[] = {
	{
		.name = "a stranger whose hello has come to the open port, too",
		.source = "RFC 8446, 4.1.2; OpenVPN's packets over TCP",
		.host = host_beside_reader,
		.serve = serve_masked,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy_in_request},
		.second = "verify = off",
	},
	{
		.name = "a client of the other port's CA whose hello has come to that port, too",
		.source = "RFC 8446, 4.1.2; OpenVPN's packets over TCP",
		.host = host_beside_reader,
		.serve = serve_masked,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy, .certificate = "other"},
		.second = "ca = {other-ca}",
		.edge_is_refused = true, /* it could be of either port */
	},
	{
		.name = "a client by a name that its port does not take, whose hello has come to "
			"the other port, too",
		.source = "RFC 6066, 3; OpenVPN's packets over TCP",
		.host = host_beside_reader,
		.serve = serve_masked,
		.visit = connect_masked,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy,
			   .certificate = "edge",
			   .server_name = "other.example"},
		.rule = "ca = {ca}\nplaintext = allow\nonly-names = shop.example",
		.second = "ca = {ca}\nplaintext = allow",
		.edge_is_refused = true, /* he comes by no name */
		.reason = "server-name",
		.answer = "close",
		.at_the_end = true,
	},
	{
		.name = "a stranger who has the open port say what the server has said",
		.source = "RFC 862; RFC 8446, 4.1.3",
		.host = host_beside_echo,
		.serve = serve_masked,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy_in_request},
		.second = "verify = off",
	},
	{
		.name = "the same, behind a request for another hello that it says first",
		.source = "RFC 862; RFC 8446, 4.1.4",
		.host = host_beside_echo,
		.serve = serve_masked,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy_in_retry},
		.second = "verify = off",
	},
	{
		.name = "a stranger who has it say that, while it tries to say more than he takes",
		.source = "RFC 862; SO_SNDTIMEO in socket(7)",
		.host = host_beside_writer,
		.serve = serve_masked,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy_in_request},
		.second = "verify = off",
	},
	{
		.name = "an answer and keys between the flights, behind a hello that has come to "
			"the open port, too",
		.source = "BIO_f_ssl(3); RFC 8446, 4.4.4 and 7.5",
		.host = host_beside_reader,
		.serve = serve_masked_between_flights,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy_in_request},
		.versions = ONLY_1_3,
		.second = "verify = off",
	},
	{
		.name = "a stranger whose hello has come before, over the host's only SSL, to the "
			"open port",
		.source = "SSL_clear(3); RFC 8446, 4.1.2",
		.host = host_with_one_ssl,
		.versions = ONLY_1_2, /* 1.1.1 does not use an SSL again after TLS 1.3 */
		.visit = connect_masked,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy},
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "no-certificate",
		.answer = "close",
		.at_the_end = true,
	},
	{
		.name = "a stranger over a change of the policy, in plain text that nobody can "
			"tell from a hello",
		.source = "RFC 8446, 4.1.2; OpenVPN's packets over TCP",
		.host = host_beside_reader,
		.serve = serve_masked,
		MASKED,
		.attack = come_over_change,
		.client = {.prepare = prepare_decoy_and_change},
		.second = "verify = off",
	},
	{
		.name = "early data behind a hello that has come to the open port, too",
		.source = "RFC 8446, 2.3",
		.host = host_beside_both,
		.serve = serve_masked_early,
		MASKED,
		.attack = come_again_behind_decoy,
		.client = {.prepare = prepare_decoy_and_early_data, .trick = was_taken},
		.versions = ONLY_1_3,
		.second = "verify = off",
	},
	{
		.name = "an early answer behind a hello that has come to the open port, too",
		.source = "RFC 8446, 4.4.4; OpenSSL ssl/ssl_lib.c, SSL_write_early_data()",
		.host = host_beside_both,
		.serve = answer_masked_early,
		MASKED,
		.attack = come_behind_decoy,
		.client = {.prepare = prepare_decoy_in_request},
		.versions = ONLY_1_3,
		.second = "verify = off",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "decoys", attacks, sizeof(attacks) / sizeof(attacks[0]));
}
