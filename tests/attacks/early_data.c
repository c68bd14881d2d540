/* Bytes before the client's second flight: early data (0-RTT), answers to nobody in particular
 * (0.5-RTT), keys that are exported too soon. */
#include "attack.h"
#include "early.h"
#include "preshared.h"
#include "scratch.h"
#include "test.h"
#include "wire.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

/* ---- the host ---- */

static void take_early_data_by_key(SSL_CTX *context)
{
	take_early_data(context);
	SSL_CTX_set_psk_find_session_callback(context, preshared_find);
}

static int allow_early_data(SSL *ssl, void *argument)
{
	(void)ssl, (void)argument;
	return 1;
}

static int put_back_early_data(const SSL *ssl, const SSL_CTX *context, int operation, int bits,
			       int nid, void *other, void *argument)
{
	(void)context, (void)operation, (void)bits, (void)nid, (void)other, (void)argument;
	if (ssl != NULL) {
		SSL_set_psk_find_session_callback((SSL *)(uintptr_t)ssl, preshared_find);
		SSL_set_allow_early_data_cb((SSL *)(uintptr_t)ssl, allow_early_data, NULL);
	}
	return 1;
}

static void hear_nothing(const SSL *ssl, int where, int value)
{
	(void)ssl, (void)where, (void)value;
}

static void put_back_on_level(SSL_CTX *context)
{
	take_early_data_by_key(context);
	SSL_CTX_set_security_callback(context, put_back_early_data);
}

/* Nor does anybody else hear of it. */
static int put_back_unseen(const SSL *ssl, const SSL_CTX *context, int operation, int bits, int nid,
			   void *other, void *argument)
{
	if (ssl != NULL)
		HOST_ORIGINAL(SSL_set_info_callback)((SSL *)(uintptr_t)ssl, hear_nothing);
	return put_back_early_data(ssl, context, operation, bits, nid, other, argument);
}

static void put_back_unseen_on_level(SSL_CTX *context)
{
	take_early_data_by_key(context);
	SSL_CTX_set_security_callback(context, put_back_unseen);
}

static void serve_early_data(SSL *ssl)
{
	if (read_early_data(ssl) && host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* The answer leaves before the handshake's end; where that cannot be, after the request. */
static void answer_early(SSL *ssl)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;
	size_t written;

	if (!read_early_data(ssl))
		return;
	if (SSL_write_early_data(ssl, answer, sizeof(answer) - 1, &written) == 1)
		host_accept(ssl);
	else if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* The same by a function of libssl itself. */
static void answer_early_unseen(SSL *ssl)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;
	size_t written;

	if (HOST_ORIGINAL(SSL_write_early_data)(ssl, answer, sizeof(answer) - 1, &written) == 1)
		host_accept(ssl);
	else if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

static void read_and_answer_early_unseen(SSL *ssl)
{
	if (read_early_data(ssl))
		answer_early_unseen(ssl);
}

/* A host that does not wait tries in between whether the client's second flight is there. */
static void try_and_answer_early_unseen(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl), flags = fcntl(descriptor, F_GETFL);

	if (!read_early_data(ssl))
		return;
	fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
	host_accept(ssl);
	fcntl(descriptor, F_SETFL, flags);
	answer_early_unseen(ssl);
}

static void take_keys(SSL *ssl)
{
	static const char label[] = "EXPORTER-login";
	unsigned char keys[32];

	if (SSL_export_keying_material_early(ssl, keys, sizeof(keys), label, sizeof(label) - 1,
					     NULL, 0) == 1)
		host_is_in("early keys");
}

static void export_early(SSL *ssl)
{
	if (!read_early_data(ssl))
		return;
	take_keys(ssl);
	if (host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* Whatever it was that came. */
static void export_at_once(SSL *ssl)
{
	char request[1024];
	size_t count;
	int status = SSL_read_early_data(ssl, request, sizeof(request), &count);

	take_keys(ssl);
	if (status == SSL_READ_EARLY_DATA_FINISH && host_accept(ssl) && host_read(ssl))
		host_answer(ssl);
}

/* ---- the attacker ---- */

static void send_early_data_by_key(SSL_CTX *context, SSL *ssl)
{
	preshared_offer_early(ssl);
	send_early_data(context, ssl);
}

/* The client's second flight takes its time. */
static void wait_behind_flight(const SSL *ssl, int where, int value)
{
	const struct timespec moment = {.tv_nsec = 200000000};

	(void)value;
	if (where == SSL_CB_CONNECT_LOOP && strcmp(SSL_state_string(ssl), "TRFIN") == 0)
		nanosleep(&moment, NULL);
}

static void come_late(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_info_callback(ssl, wait_behind_flight);
}

static SSL_SESSION *session_of_second_port(struct victim *victim, const struct client *client)
{
	struct client giver = *client;

	giver.port = victim->server->ports[SECOND];
	giver.prepare = NULL;
	giver.trick = NULL;
	return attack_session(victim, &giver);
}

static void resume_across_ports(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	struct client taker = *client;

	taker.session = session_of_second_port(victim, client);
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(taker.session);
}

/* The first flight of somebody who may have early data taken: what an eavesdropper has of it. */
static size_t first_flight(SSL_SESSION *session, unsigned char *bytes, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *out = BIO_new(BIO_s_mem());
	int count;

	SSL_set_bio(ssl, BIO_new(BIO_s_null()), out);
	SSL_set_session(ssl, session);
	send_early_data(context, ssl);
	count = BIO_read(out, bytes, (int)size);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return count > 0 ? (size_t)count : 0;
}

static void send_flight(const struct victim *victim, const unsigned char *bytes, size_t length,
			struct outcome *outcome)
{
	static struct wire wire;
	BIO *bio = wire_bio(&wire);

	wire = (struct wire){.descriptor = -1};
	memset(outcome, 0, sizeof(*outcome));
	outcome->connected =
		wire_open(&wire, "127.0.0.1", victim->server->ports[ENFORCED], clock_ms() + 5000);
	BIO_write(bio, bytes, (int)length);
	wire_half_close(&wire);
	wire_drain(&wire);
	outcome->ending = wire.ending;
	wire_close(&wire);
	BIO_free(bio);
}

static void replay_session(struct victim *victim, SSL_SESSION *session, struct outcome *outcome)
{
	unsigned char bytes[4096];
	size_t length = first_flight(session, bytes, sizeof(bytes));

	send_flight(victim, bytes, length, outcome);
	victim_watch(victim);
	send_flight(victim, bytes, length, outcome);
	SSL_SESSION_free(session);
}

static void replay(struct victim *victim, const struct client *client, struct outcome *outcome)
{
	replay_session(victim, session_of_second_port(victim, client), outcome);
}

/* What was the edge's to send once: the session may be resumed, by who has its key. */
static void replay_of_edge(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	struct client giver = *client;

	giver.certificate = "edge";
	replay_session(victim, attack_session(victim, &giver), outcome);
}

/* Its own session, with its certificate at hand. */
static void resume_of_edge(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	struct client giver = *client, taker = *client;

	giver.prepare = NULL;
	giver.trick = NULL;
	taker.session = attack_session(victim, &giver);
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(taker.session);
}

static const struct attack attacks[] = {
	{
		.name = "early data of a session of an open port",
		.source = "RFC 8446, 2.3; SSL_read_early_data(3)",
		.prepare = take_early_data,
		.serve = serve_early_data,
		.attack = resume_across_ports,
		.client = {.prepare = send_early_data, .trick = was_taken},
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "early data under a shared key",
		.source = "RFC 8446, 4.2.10; SSL_CTX_set_psk_find_session_callback(3)",
		.prepare = take_early_data_by_key,
		.serve = serve_early_data,
		.client = {.prepare = send_early_data_by_key, .trick = was_taken},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "early data sent once more by an eavesdropper",
		.source = "RFC 8446, 8",
		.prepare = take_early_data,
		.serve = serve_early_data,
		.attack = replay,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.goes_away = true,
		.without_answer = true,
	},
	{
		.name = "the edge's early data sent once more, where its session may be resumed",
		.source = "RFC 8446, 8; RFC 8470, 3",
		.prepare = take_early_data,
		.serve = serve_early_data,
		.attack = replay_of_edge,
		.versions = ONLY_1_3,
		.rule = "ca = {ca}\nresumption = on",
		.goes_away = true,
		.without_answer = true,
	},
	{
		.name = "early data of the edge's own, where its session may be resumed",
		.source = "RFC 8470, 3; SSL_set_allow_early_data_cb(3)",
		.prepare = take_early_data,
		.serve = serve_early_data,
		.attack = resume_of_edge,
		.client = {.certificate = "edge", .prepare = send_early_data, .trick = was_taken},
		.versions = ONLY_1_3,
		.rule = "ca = {ca}\nresumption = on",
	},
	{
		.name = "early data under a shared key, put back by the security callback",
		.source = "RFC 8446, 4.2.10; SSL_set_allow_early_data_cb(3)",
		.prepare = put_back_on_level,
		.serve = serve_early_data,
		.client = {.prepare = send_early_data_by_key, .trick = was_taken},
		.versions = ONLY_1_3,
		.reason = "resumed-unverified",
		.at_the_end = true,
		.alert = NO_ALERT,
	},
	{
		.name = "early data under a shared key, put back unseen",
		.source = "RFC 8446, 4.2.10; SSL_set_allow_early_data_cb(3); dlsym(3)",
		.prepare = put_back_unseen_on_level,
		.serve = serve_early_data,
		.client = {.prepare = send_early_data_by_key, .trick = was_taken},
		.versions = ONLY_1_3,
		.goes_away = true,
	},
	{
		.name = "an answer before the client's second flight",
		.source = "RFC 8446, 4.4.4; SSL_write_early_data(3)",
		.prepare = take_early_data,
		.serve = answer_early,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer before the client's second flight, unseen",
		.source = "RFC 8446, 4.4.4; dlsym(3)",
		.prepare = take_early_data,
		.serve = read_and_answer_early_unseen,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer before the client's second flight, unseen, after a look for it",
		.source = "RFC 8446, 4.4.4; dlsym(3)",
		.prepare = take_early_data,
		.serve = try_and_answer_early_unseen,
		.client = {.prepare = come_late},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an exporter before the handshake's end",
		.source = "RFC 8446, 7.5; SSL_export_keying_material_early(3)",
		.prepare = take_early_data,
		.serve = export_early,
		.attack = resume_across_ports,
		.client = {.prepare = send_early_data, .trick = was_taken},
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "an exporter for the edge's first flight, sent once more",
		.source = "RFC 8446, 7.5; RFC 8446, 8",
		.prepare = take_early_data,
		.serve = export_at_once,
		.attack = replay_of_edge,
		.versions = ONLY_1_3,
		.rule = "ca = {ca}\nresumption = on",
		.goes_away = true,
		.without_answer = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "early_data", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
