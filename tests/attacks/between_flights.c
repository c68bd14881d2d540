/* Hosts that write from within a callback, between the flight of the server and that of the client.
 */
#include "attack.h"
#include "early.h"
#include "test.h"

/* ---- a host that writes from within its info callback ---- */

static bool answered;

static void answer_once(SSL *ssl)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;

	if (!answered)
		answered = SSL_write(ssl, answer, sizeof(answer) - 1) > 0;
}

/* The same by a BIO, whose writes are no SSL_write(). */
static void answer_once_by_bio(SSL *ssl)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n" SERVER_ANSWER;
	BIO *bio = BIO_new(BIO_f_ssl());

	BIO_set_ssl(bio, ssl, BIO_NOCLOSE);
	if (!answered)
		answered = BIO_write(bio, answer, sizeof(answer) - 1) > 0;
	BIO_free(bio);
}

/* Behind the server's flight, and before the client's second. */
static void answer_between_flights(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where == SSL_CB_ACCEPT_LOOP && SSL_get_state(ssl) == TLS_ST_EARLY_DATA)
		answer_once((SSL *)(uintptr_t)ssl);
}

static void answer_between_flights_by_bio(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where == SSL_CB_ACCEPT_LOOP && SSL_get_state(ssl) == TLS_ST_EARLY_DATA)
		answer_once_by_bio((SSL *)(uintptr_t)ssl);
}

/* Nothing is to stop it: what says that the connection was shut down is taken off first. */
static void insist_between_flights_by_bio(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where == SSL_CB_ACCEPT_LOOP && SSL_get_state(ssl) == TLS_ST_EARLY_DATA) {
		SSL_set_shutdown((SSL *)(uintptr_t)ssl, 0);
		answer_once_by_bio((SSL *)(uintptr_t)ssl);
	}
}

static void answer_when_done(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where == SSL_CB_HANDSHAKE_DONE)
		answer_once((SSL *)(uintptr_t)ssl);
}

static void call_between_flights(SSL *ssl)
{
	answered = false;
	SSL_set_info_callback(ssl, answer_between_flights);
}

static void call_between_flights_for_bio(SSL *ssl)
{
	answered = false;
	SSL_set_info_callback(ssl, answer_between_flights_by_bio);
}

static void call_between_flights_to_insist(SSL *ssl)
{
	answered = false;
	SSL_set_info_callback(ssl, insist_between_flights_by_bio);
}

static void call_when_done(SSL *ssl)
{
	answered = false;
	SSL_set_info_callback(ssl, answer_when_done);
}

static void answer_unless_done(SSL *ssl)
{
	if (host_accept(ssl) && host_read(ssl) && !answered)
		host_answer(ssl);
}

static void answer_unless_done_early(SSL *ssl)
{
	if (read_early_data(ssl))
		answer_unless_done(ssl);
}

/* Which of the server's messages this is does not matter: it is the last before the client's. */
static void see_message(int is_ours, int version, int type, const void *data, size_t length,
			SSL *ssl, void *argument)
{
	const unsigned char *bytes = data;

	(void)version, (void)argument;
	if (!is_ours && type == SSL3_RT_HANDSHAKE && length > 0 && bytes[0] != SSL3_MT_CLIENT_HELLO)
		answer_once(ssl);
}

static void call_for_messages(SSL *ssl)
{
	answered = false;
	SSL_set_msg_callback(ssl, see_message);
}

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "an answer from the info callback between the flights",
		.source = "OpenSSL ssl/record/rec_layer_s3.c, ssl3_write_bytes()",
		.connect = call_between_flights,
		.serve = answer_unless_done,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer from the info callback between the flights, by a BIO",
		.source = "OpenSSL ssl/bio_ssl.c, ssl_write()",
		.connect = call_between_flights_for_bio,
		.serve = answer_unless_done,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer between the flights, by a BIO, of a host that takes flags off",
		.source = "SSL_set_shutdown(3); OpenSSL ssl/bio_ssl.c, ssl_write()",
		.connect = call_between_flights_to_insist,
		.serve = answer_unless_done,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer from the message callback between the flights",
		.source = "OpenSSL ssl/record/rec_layer_s3.c, ssl3_write_bytes()",
		.connect = call_for_messages,
		.serve = answer_unless_done,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "an answer from the info callback, when early data has ended",
		.source = "OpenSSL ssl/statem/statem_srvr.c, ossl_statem_server_pre_work()",
		.prepare = take_early_data,
		.connect = call_when_done,
		.serve = answer_unless_done_early,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "between_flights", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
