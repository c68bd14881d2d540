/* A hello in the form of SSLv2, and behind it a whole handshake of TLS 1.2, by hand: no libssl of
 * today begins like that.  Suite NULL-SHA256: RSA's key exchange, no encryption. */
#include "attack.h"
#include "decoy.h"
#include "scratch.h"
#include "test.h"
#include "wire.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define REQUEST "GET / HTTP/1.0\r\n\r\n"

enum {
	RANDOM_BYTES = 32,
	SECRET_BYTES = 48,
	FINISHED_BYTES = 12,
	MAC_BYTES = 32,
	HEADER_BYTES = 5,
	MESSAGE_HEADER_BYTES = 4,
	RECORD_MAX = 16384 + 256,
};

struct handshake {
	BIO *wire;
	unsigned char said[16384]; /* all messages so far */
	size_t said_bytes;
	unsigned char randoms[2 * RANDOM_BYTES]; /* the client's, the server's */
	unsigned char master[SECRET_BYTES];
	unsigned char macs[2 * MAC_BYTES]; /* keys: the client's, the server's */
	unsigned long long sent;           /* records under the client's key */
	EVP_PKEY *key;                     /* the server's */
	bool done;                         /* ServerHelloDone */
};

/* ---- RFC 5246, 5 ---- */

static void make_bytes(const unsigned char *secret, const char *label, const unsigned char *seed,
		       size_t seed_bytes, unsigned char *out, size_t size)
{
	unsigned char a[MAC_BYTES + 256], block[MAC_BYTES];
	size_t length = (size_t)snprintf((char *)a + MAC_BYTES, sizeof(a) - MAC_BYTES, "%s", label);

	/* A(0); behind each further A, it is what that is hashed with. */
	memcpy(a + MAC_BYTES + length, seed, seed_bytes);
	length += seed_bytes;
	HMAC(EVP_sha256(), secret, SECRET_BYTES, a + MAC_BYTES, length, a, NULL);
	for (size_t made = 0; made < size; made += MAC_BYTES) {
		size_t left = size - made;

		HMAC(EVP_sha256(), secret, SECRET_BYTES, a, MAC_BYTES + length, block, NULL);
		memcpy(out + made, block, left < MAC_BYTES ? left : MAC_BYTES);
		HMAC(EVP_sha256(), secret, SECRET_BYTES, a, MAC_BYTES, block, NULL);
		memcpy(a, block, MAC_BYTES);
	}
}

/* ---- records ---- */

static void remember(struct handshake *handshake, const unsigned char *bytes, size_t length)
{
	if (length > sizeof(handshake->said) - handshake->said_bytes)
		return;
	memcpy(handshake->said + handshake->said_bytes, bytes, length);
	handshake->said_bytes += length;
}

static void write_record(struct handshake *handshake, int type, const unsigned char *bytes,
			 size_t length)
{
	const unsigned char header[HEADER_BYTES] = {
		(unsigned char)type, 3, 3, (unsigned char)(length >> 8), (unsigned char)length};

	BIO_write(handshake->wire, header, sizeof(header));
	BIO_write(handshake->wire, bytes, (int)length);
}

static void write_protected(struct handshake *handshake, int type, const void *bytes, size_t length)
{
	unsigned char counted[13 + 64] = {0}, record[64 + MAC_BYTES];

	counted[7] = (unsigned char)handshake->sent++;
	counted[8] = (unsigned char)type;
	counted[9] = counted[10] = 3;
	counted[12] = (unsigned char)length;
	memcpy(counted + 13, bytes, length);
	memcpy(record, bytes, length);
	HMAC(EVP_sha256(), handshake->macs, MAC_BYTES, counted, 13 + length, record + length, NULL);
	write_record(handshake, type, record, length + MAC_BYTES);
}

static bool read_all(BIO *wire, unsigned char *bytes, size_t length)
{
	for (size_t had = 0; had < length;) {
		int count = BIO_read(wire, bytes + had, (int)(length - had));

		if (count <= 0)
			return false;
		had += (size_t)count;
	}
	return true;
}

/* The type of the next; 0: the stream has ended. */
static int read_record(struct handshake *handshake, unsigned char *bytes, size_t *length)
{
	unsigned char header[HEADER_BYTES];

	if (!read_all(handshake->wire, header, sizeof(header)))
		return 0;
	*length = (size_t)header[3] << 8 | header[4];
	if (*length > RECORD_MAX || !read_all(handshake->wire, bytes, *length))
		return 0;
	return header[0];
}

/* ---- messages ---- */

static void write_hello(struct handshake *handshake)
{
	unsigned char hello[2 + 9 + 6 + RANDOM_BYTES] = {
		0x80,
		sizeof(hello) - 2,
		SSL2_MT_CLIENT_HELLO,
		3,
		3, /* TLS 1.2 */
		0,
		6, /* suites */
		0,
		0, /* no session */
		0,
		RANDOM_BYTES, /* challenge */
		0,
		0,
		0x3b, /* NULL-SHA256 */
		0,
		0,
		0xff, /* RFC 5746, 3.3 */
	};

	memcpy(hello + sizeof(hello) - RANDOM_BYTES, handshake->randoms, RANDOM_BYTES);
	BIO_write(handshake->wire, hello, sizeof(hello));
	remember(handshake, hello + 2, sizeof(hello) - 2);
}

static void take_certificate(struct handshake *handshake, const unsigned char *body)
{
	const unsigned char *first = body + 6; /* behind the lengths of the list and of itself */
	long length = (long)body[3] << 16 | (long)body[4] << 8 | body[5];
	X509 *certificate = d2i_X509(NULL, &first, length);

	handshake->key = X509_get_pubkey(certificate);
	X509_free(certificate);
}

/* Several may be in one record; none of these is in two. */
static void take_messages(struct handshake *handshake, const unsigned char *bytes, size_t length)
{
	remember(handshake, bytes, length);
	while (length >= MESSAGE_HEADER_BYTES) {
		size_t body = (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];

		if (bytes[0] == SSL3_MT_SERVER_HELLO)
			memcpy(handshake->randoms + RANDOM_BYTES, bytes + 6, RANDOM_BYTES);
		else if (bytes[0] == SSL3_MT_CERTIFICATE)
			take_certificate(handshake, bytes + MESSAGE_HEADER_BYTES);
		else if (bytes[0] == SSL3_MT_SERVER_DONE)
			handshake->done = true;
		if (MESSAGE_HEADER_BYTES + body > length)
			return;
		bytes += MESSAGE_HEADER_BYTES + body;
		length -= MESSAGE_HEADER_BYTES + body;
	}
}

/* ClientKeyExchange. */
static bool write_key(struct handshake *handshake)
{
	unsigned char secret[SECRET_BYTES] = {3, 3}, message[MESSAGE_HEADER_BYTES + 2 + 512];
	EVP_PKEY_CTX *encryption = EVP_PKEY_CTX_new(handshake->key, NULL);
	size_t length = sizeof(message) - MESSAGE_HEADER_BYTES - 2;
	bool good;

	RAND_bytes(secret + 2, sizeof(secret) - 2);
	good = EVP_PKEY_encrypt_init(encryption) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(encryption, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_encrypt(encryption, message + MESSAGE_HEADER_BYTES + 2, &length, secret,
				sizeof(secret)) == 1;
	EVP_PKEY_CTX_free(encryption);
	if (!good)
		return false;
	message[0] = SSL3_MT_CLIENT_KEY_EXCHANGE;
	message[1] = 0;
	message[2] = (unsigned char)((length + 2) >> 8);
	message[3] = (unsigned char)(length + 2);
	message[4] = (unsigned char)(length >> 8);
	message[5] = (unsigned char)length;
	write_record(handshake, SSL3_RT_HANDSHAKE, message, MESSAGE_HEADER_BYTES + 2 + length);
	remember(handshake, message, MESSAGE_HEADER_BYTES + 2 + length);
	make_bytes(secret, "master secret", handshake->randoms, sizeof(handshake->randoms),
		   handshake->master, SECRET_BYTES);
	return true;
}

static void write_finished(struct handshake *handshake)
{
	static const unsigned char change = 1;
	unsigned char turned[2 * RANDOM_BYTES], digest[MAC_BYTES];
	unsigned char message[MESSAGE_HEADER_BYTES + FINISHED_BYTES] = {SSL3_MT_FINISHED, 0, 0,
									FINISHED_BYTES};

	memcpy(turned, handshake->randoms + RANDOM_BYTES, RANDOM_BYTES);
	memcpy(turned + RANDOM_BYTES, handshake->randoms, RANDOM_BYTES);
	make_bytes(handshake->master, "key expansion", turned, sizeof(turned), handshake->macs,
		   sizeof(handshake->macs));
	EVP_Digest(handshake->said, handshake->said_bytes, digest, NULL, EVP_sha256(), NULL);
	make_bytes(handshake->master, "client finished", digest, sizeof(digest),
		   message + MESSAGE_HEADER_BYTES, FINISHED_BYTES);
	write_record(handshake, SSL3_RT_CHANGE_CIPHER_SPEC, &change, 1);
	write_protected(handshake, SSL3_RT_HANDSHAKE, message, sizeof(message));
}

/* A hello as it is read on connections, which has the challenge for its random. */
static void send_decoy(unsigned port, const unsigned char *challenge)
{
	unsigned char hello[MESSAGE_HEADER_BYTES + 2 + RANDOM_BYTES + 7] = {
		SSL3_MT_CLIENT_HELLO, 0, 0, sizeof(hello) - MESSAGE_HEADER_BYTES, 3, 3};
	static const unsigned char rest[] = {0 /* no session */, 0, 2, 0, 0x3b, 1, 0};

	memcpy(hello + MESSAGE_HEADER_BYTES + 2, challenge, RANDOM_BYTES);
	memcpy(hello + MESSAGE_HEADER_BYTES + 2 + RANDOM_BYTES, rest, sizeof(rest));
	decoy_send_in_request(port, hello, sizeof(hello));
}

/* ---- the attacker ---- */

static void take_record(struct outcome *outcome, int type, const unsigned char *bytes,
			size_t length)
{
	if (type == SSL3_RT_ALERT && length == 2 && bytes[1] != SSL3_AD_CLOSE_NOTIFY)
		outcome->alert = bytes[1];
	if (type != SSL3_RT_APPLICATION_DATA || length < MAC_BYTES ||
	    length - MAC_BYTES >= sizeof(outcome->application))
		return;
	outcome->application_bytes = length - MAC_BYTES;
	memcpy(outcome->application, bytes, outcome->application_bytes);
}

static void converse(struct handshake *handshake, struct outcome *outcome)
{
	static unsigned char bytes[RECORD_MAX];
	size_t length;
	int type;

	write_hello(handshake);
	while (!handshake->done && (type = read_record(handshake, bytes, &length)) != 0) {
		if (type == SSL3_RT_HANDSHAKE)
			take_messages(handshake, bytes, length);
		take_record(outcome, type, bytes, length);
	}
	if (!handshake->done || !write_key(handshake))
		return;
	write_finished(handshake);
	write_protected(handshake, SSL3_RT_APPLICATION_DATA, REQUEST, strlen(REQUEST));
	while ((type = read_record(handshake, bytes, &length)) != 0)
		take_record(outcome, type, bytes, length);
}

static void connect_by_hand(struct victim *victim, const struct client *client,
			    struct outcome *outcome)
{
	static struct wire wire;
	struct handshake handshake = {.wire = wire_bio(&wire)};

	(void)client;
	RAND_bytes(handshake.randoms, RANDOM_BYTES);
	if (victim->attack->second != NULL)
		send_decoy(victim->server->ports[SECOND], handshake.randoms);
	wire = (struct wire){.descriptor = -1};
	memset(outcome, 0, sizeof(*outcome));
	victim_watch(victim);
	outcome->connected =
		wire_open(&wire, "127.0.0.1", victim->server->ports[ENFORCED], clock_ms() + 5000);
	converse(&handshake, outcome);
	outcome->tricked = handshake.done;
	wire_drain(&wire);
	outcome->ending = wire.ending;
	wire_close(&wire);
	decoy_end();
	EVP_PKEY_free(handshake.key);
	BIO_free(handshake.wire);
	ERR_clear_error();
}

static void take_old_suites(SSL_CTX *context)
{
	SSL_CTX_set_cipher_list(context, "ALL:NULL-SHA256:@SECLEVEL=0");
	host_add_rsa_certificate(context);
}

static int host_beside_reader(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int client, listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);

	take_old_suites(context);
	host_read_on_port(words[2 + SECOND]);
	while ((client = accept(listener, NULL, NULL)) >= 0)
		host_serve(context, client);
	return 1;
}

static const struct attack attacks[] = {
	{
		.name = "a hello in the form of SSLv2",
		.source = "RFC 5246, E.2; OpenSSL ssl/record/ssl3_record.c, ssl3_get_record()",
		.prepare = take_old_suites,
		.attack = connect_by_hand,
		.versions = ONLY_1_2,
		.reason = "plaintext",
		.alert = NO_ALERT,
	},
	{
		.name = "the same, where plain text passes",
		.source = "RFC 5246, E.2; OpenSSL ssl/record/ssl3_record.c, ssl3_get_record()",
		.prepare = take_old_suites,
		.attack = connect_by_hand,
		.versions = ONLY_1_2,
		.rule = "ca = {ca}\nplaintext = allow",
		.reason = "plaintext",
		.alert = NO_ALERT,
	},
	{
		.name = "the same, with its challenge as the random of a hello to an open port",
		.source = "RFC 5246, E.2; OpenSSL ssl/statem/statem_srvr.c, "
			  "tls_process_client_hello()",
		.host = host_beside_reader,
		.serve = host_serve_by_memory,
		.attack = connect_by_hand,
		.versions = ONLY_1_2,
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "unknown-endpoint",
		.answer = "close",
		.at_the_end = true,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "sslv2_hello", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
