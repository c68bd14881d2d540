/* What a host writes: where a TLS server begins to speak, and whether it is TLS throughout. */
#include "wire/server_flight.h"
#include "wire_bytes.h"

#include <openssl/sha.h>

static struct stream stream;
static uint32_t seed = 20260103;

/* In TLS 1.3, as no certificate is there: a key that both have. */
static SSL_SESSION *key_of(SSL *ssl)
{
	static const unsigned char tls13_aes128gcmsha256[] = {0x13, 0x01}, key[32];
	SSL_SESSION *session = SSL_SESSION_new();

	SSL_SESSION_set1_master_key(session, key, sizeof(key));
	SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, tls13_aes128gcmsha256));
	SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
	return session;
}

static int find_key(SSL *ssl, const unsigned char *identity, size_t length, SSL_SESSION **session)
{
	(void)identity, (void)length;
	*session = key_of(ssl);
	return 1;
}

static int use_key(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *length,
		   SSL_SESSION **session)
{
	(void)digest;
	*session = key_of(ssl);
	*identity = (const unsigned char *)"key";
	*length = 3;
	return 1;
}

/* What OpenSSL's server says at once to a client of that version, and to its second hello where it
 * asks for another group; its random.  `warns`: of a name that it does not know, in TLS 1.2. */
struct flight {
	int version;
	bool retries, warns;
};

static int warn(SSL *ssl, int *alert, void *argument)
{
	(void)ssl, (void)argument;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_WARNING;
}

static void add_flight(struct stream *flights, const struct flight *flight,
		       unsigned char random[SERVER_RANDOM_BYTES])
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
	static unsigned char sent[20000];
	static char name[] = "a.example", group[] = "P-384";
	SSL *client, *server;
	int count;

	SSL_CTX_set_max_proto_version(context, flight->version);
	SSL_CTX_set_security_level(context, 0);
	assert_int_equal(SSL_CTX_set_cipher_list(context, "aNULL"), 1);
	assert_int_equal(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), 1);
	SSL_CTX_set_psk_find_session_callback(context, find_key);
	SSL_CTX_set_psk_use_session_callback(context, use_key);
	client = SSL_new(context);
	if (flight->warns)
		SSL_CTX_set_tlsext_servername_callback(context, warn);
	server = SSL_new(context);
	SSL_set_tlsext_host_name(client, name);
	if (flight->retries)
		assert_int_equal(SSL_set1_groups_list(server, group), 1);
	BIO_up_ref(to_server);
	BIO_up_ref(to_client);
	SSL_set_bio(client, to_client, to_server);
	SSL_set_bio(server, to_server, to_client);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int rounds = flight->retries ? 2 : 1; rounds > 0; rounds--) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
		count = (int)BIO_pending(to_client);
		assert_true(count >= 50 && count <= (int)sizeof(sent));
		BIO_read(to_client, sent, count);
		add(flights, sent, (size_t)count);
		BIO_write(to_client, sent, count);
	}
	SSL_get_server_random(server, random, SERVER_RANDOM_BYTES);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(context);
}

static void add_real_flight(struct stream *flights)
{
	unsigned char random[SERVER_RANDOM_BYTES];

	add_flight(flights, &(struct flight){.version = TLS1_2_VERSION}, random);
}

/* In two pieces, or in pieces of one byte where `cut` is 0: where the ServerHello begins. */
static size_t find(size_t cut)
{
	struct server_flight flight = {0};
	size_t place = SIZE_MAX;

	for (size_t at = 0; at < stream.length && place == SIZE_MAX;) {
		const size_t piece = cut == 0 ? 1 : at == 0 ? cut : stream.length - at;
		unsigned char *exact = malloc(piece);
		size_t begin, early;

		assert_non_null(exact);
		memcpy(exact, stream.bytes + at, piece);
		if (server_flight_feed(&flight, exact, piece, &begin, &early)) {
			expect(begin < piece && early <= at && early < SERVER_BEGIN_BYTES,
			       "at %zu: %zu, %zu", at, begin, early);
			place = at + begin - early;
		}
		free(exact);
		at += piece;
	}
	return place;
}

static void finds_server_hellos(void **state)
{
	static const char talk[] = "220 mail.example\r\n220 ready for TLS\r\n";
	const size_t before[] = {0, 1, 5, sizeof(talk) - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		stream.length = 0;
		add(&stream, talk, before[i]);
		add_real_flight(&stream);
		for (size_t cut = 0; cut <= stream.length; cut++)
			expect(find(cut) == before[i], "%zu bytes before, cut at %zu: %zu",
			       before[i], cut, find(cut));
	}
	expectations_met();
}

static void tells_others_apart(void **state)
{
	static const struct {
		const char *bytes;
		size_t count, place;
	} cases[] = {
#define MESSAGE "\0\0\x28\3\3"
		{"\x16\x03\x03\0\x2c\2" MESSAGE, 11, 0},
		{"\x16\x03\x00\x40\0\2" MESSAGE, 11, 0},
		{"\x16\x03\x16\x03\x03\0\x2c\2" MESSAGE, 13, 2},
		{"\x16\x16\x03\x03\0\x2c\2" MESSAGE, 12, 1},
		{"\x16\x03\x03\0\1\2\x16\x03\x03\0\1", 11, 0}, /* a byte in each record */
		{"\x16\x03\x03\0\x2c\2\0\x16\x03\x03\0\x2c\2" MESSAGE, 18, 0},
		{"\x16\x03\x03\0\0\2" MESSAGE, 11, SIZE_MAX},
		{"\x16\x03\x03\x40\1\2" MESSAGE, 11, SIZE_MAX},
		{"\x16\x03\x10\0\x2c\2" MESSAGE, 11, SIZE_MAX},
		{"\x16\x03\x03\0\x2c\1" MESSAGE, 11, SIZE_MAX},
		{"\x15\x03\x03\0\2\2" MESSAGE, 11, SIZE_MAX},
		/* As chance has it. */
		{"\x16\x03\x03\0\x2c\2\1\0\x28\3\3", 11, SIZE_MAX},
		{"\x16\x03\x03\0\x2c\2\0\0\x28\2\3", 11, SIZE_MAX},
		{"\x16\x03\x03\0\x2c\2\0\0\x28\3\x10", 11, SIZE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stream.length = 0;
		add(&stream, cases[i].bytes, cases[i].count);
		for (size_t cut = 0; cut <= stream.length; cut++)
			expect(find(cut) == cases[i].place, "case %zu, cut at %zu: %zu", i, cut,
			       find(cut));
	}
	expectations_met();
}

/* In two pieces, or in pieces of one byte where `cut` is 0.  The random; NULL: there is none. */
static const uint8_t *first_random(size_t cut)
{
	static struct server_hello hello;
	bool is_whole = false;

	memset(&hello, 0, sizeof(hello));
	for (size_t at = 0; at < stream.length;) {
		const size_t piece = cut == 0 ? 1 : at == 0 ? cut : stream.length - at;
		unsigned char *exact = malloc(piece);

		assert_non_null(exact);
		memcpy(exact, stream.bytes + at, piece);
		is_whole = server_hello_feed(&hello, exact, piece);
		free(exact);
		at += piece;
	}
	return is_whole ? server_hello_random(&hello) : NULL;
}

static void reads_randoms(void **state)
{
	static const struct {
		struct flight flight;
		const char *before; /* what else is written */
	} cases[] = {
		{{.version = TLS1_2_VERSION}, ""},
		{{.version = TLS1_2_VERSION, .warns = true}, ""},
		{{.version = TLS1_3_VERSION}, ""},
		{{.version = TLS1_3_VERSION}, "220 ready\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char random[SERVER_RANDOM_BYTES];

		stream.length = 0;
		add(&stream, cases[i].before, strlen(cases[i].before));
		add_flight(&stream, &cases[i].flight, random);
		for (size_t cut = 0; cut <= stream.length; cut++) {
			const uint8_t *found = first_random(cut);

			expect(found != NULL && memcmp(found, random, sizeof(random)) == 0,
			       "flight %zu, cut at %zu: %s", i, cut, found ? "another" : "none");
		}
	}
	expectations_met();
}

/* RFC 8446, 4.1.3: who asks for another hello says so by its random. */
static void reads_no_other_random(void **state)
{
	unsigned char random[SERVER_RANDOM_BYTES], retry[SHA256_DIGEST_LENGTH];
	static const char word[] = "HelloRetryRequest";
	const struct flight flight = {.version = TLS1_3_VERSION, .retries = true};
	const uint8_t *found;

	(void)state;
	SHA256((const unsigned char *)word, sizeof(word) - 1, retry);
	stream.length = 0;
	add_flight(&stream, &flight, random);
	found = first_random(1);
	expect(found != NULL && memcmp(found, retry, sizeof(retry)) == 0, "not that of the first");
	stream.length = SERVER_BEGIN_BYTES + SERVER_RANDOM_BYTES - 1;
	expect(first_random(1) == NULL, "whole before its end");
	expectations_met();
}

/* Slowly. */
static bool is_begin(const unsigned char *at)
{
	const bool is_short = at[3] == 0 && at[4] < 6;

	return memcmp(at, "\x16\x03", 2) == 0 && at[2] < 16 && (at[3] > 0 || at[4] > 0) &&
	       at[3] < 0x40 && at[5] == 2 &&
	       (is_short || (at[6] == 0 && at[9] == 3 && at[10] < 16));
}

static void finds_it_in_chance_bytes(void **state)
{
	unsigned found = 0;

	(void)state;
	for (unsigned round = 0; round < 50000; round++) {
		size_t first = SIZE_MAX, place;

		stream.length = 0;
		for (unsigned i = 0; i < 60; i++)
			add(&stream, &"\x16\x03\x03\0\2\x16\x07"[chance(&seed, 7)], 1);
		for (size_t at = 0; at + SERVER_BEGIN_BYTES <= stream.length && first == SIZE_MAX;
		     at++)
			if (is_begin(stream.bytes + at))
				first = at;
		place = find(chance(&seed, 60));
		expect(place == first, "round %u: %zu, slowly %zu", round, place, first);
		found += first != SIZE_MAX;
	}
	expect(found > 1000, "%u found", found);
	expectations_met();
}

/* How much of the stream is TLS, in pieces by chance. */
static size_t count_tls(struct tls_records *records)
{
	size_t total = 0;

	memset(records, 0, sizeof(*records));
	for (size_t at = 0; at < stream.length;) {
		size_t piece = 1 + chance(&seed, chance(&seed, 2) ? 4 : 20000);

		if (piece > stream.length - at)
			piece = stream.length - at;
		total += tls_records_feed(records, stream.bytes + at, piece);
		at += piece;
	}
	return total;
}

static void counts_tls(void **state)
{
	static const unsigned char body[TLS_RECORDS_MAX_BODY + 1];
	static const struct {
		const char *bytes;
		size_t count, fine;
	} ends[] = {
		{"HTTP/1.1 400", 12, 0},      {"\x13\x03\x03\0\1", 5, 0},
		{"\x18\x03\x03\0\1", 5, 0},   {"\x17\x02\x03\0\1", 5, 1},
		{"\x17\x04\x03\0\1", 5, 1},   {"\x17\x03\x03\x48\1", 5, 4},
		{"\x17\x03\x03\x49\0", 5, 3}, {"\x17\x03\x03\xff\0", 5, 3},
	};
	struct tls_records records;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		size_t good;

		stream.length = 0;
		add_real_flight(&stream);
		add_record(&stream, 23, 3, body, TLS_RECORDS_MAX_BODY);
		add_record(&stream, 21, 3, "\1\0", 2);
		add_record(&stream, 20, 3, "\1", 1);
		add_record(&stream, 23, 3, "", 0);
		good = stream.length;
		expect(count_tls(&records) == good && tls_records_at_boundary(&records),
		       "round %u: TLS is not", round);
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			stream.length = good;
			add(&stream, ends[i].bytes, ends[i].count);
			expect(count_tls(&records) == good + ends[i].fine && records.is_broken &&
				       !tls_records_at_boundary(&records),
			       "round %u, end %zu: %zu of %zu", round, i, count_tls(&records),
			       good + ends[i].fine);
		}
	}
	stream.length = 3;
	expect(count_tls(&records) == 3 && !tls_records_at_boundary(&records), "half a header");
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a ServerHello is found behind plain text, wherever cut", finds_server_hellos),
		TEST("its eleven bytes are told from others", tells_others_apart),
		TEST("in fifty thousand streams of chance bytes the first is found",
		     finds_it_in_chance_bytes),
		TEST("the random of the first ServerHello is read, wherever cut", reads_randoms),
		TEST("it is that of the first, and whole", reads_no_other_random),
		TEST("records are TLS up to the first byte that does not fit", counts_tls),
	};

	return RUN_TESTS("wire-watches-servers", tests);
}
