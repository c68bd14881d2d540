/* Odd certificates that no lax host takes either, and odd ones that are right: what the client
 * sees, and what the line says. */
#include "credentials.h"
#include "enforcement.h"
#include "odd_certificates.h"
#include "scratch.h"
#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
#define CA_WORDS                              \
	"basicConstraints=critical,CA:TRUE\n" \
	"keyUsage=critical,keyCertSign\n"     \
	"subjectKeyIdentifier=hash\n"
#define CLIENT_WORDS                           \
	"basicConstraints=critical,CA:FALSE\n" \
	"keyUsage=critical,digitalSignature\n" \
	"extendedKeyUsage=clientAuth\n"
#define AUTHORITY    "authorityKeyIdentifier=keyid:always\n"
#define BIG_BYTES    (1 << 20)
#define LINE_MOST    2048
#define PATIENCE_MS  1000
#define SERIAL_BYTES 500

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- certificates ---- */

static void add_part(X509 *x509, const void *text, int length)
{
	X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_organizationalUnitName,
				   V_ASN1_UTF8STRING, text, length, -1, 0);
}

/* A NUL, line ends, commands of a terminal (one of them of eight bits), text that turns around, and
 * what has a meaning in the line. */
static void put_controls(X509 *x509)
{
	static const unsigned char text[] = {
		0,    '\r', '\n', '\t', 0x1b, ']',  '0',  ';',  'a', 0x07, 0x7f, ' ',
		0xc2, 0x9b, '3',  '1',  'm',  0xe2, 0x80, 0xae, '"', '\\', '=',  ' ',
	};

	add_part(x509, text, (int)sizeof(text));
}

static void put_line_of_log(X509 *x509)
{
	static const char text[] =
		"\ncfshim[1]: refused reason=no-certificate subject=- dropped=0\n";

	add_part(x509, text, (int)sizeof(text) - 1);
}

static void put_long_name(X509 *x509)
{
	char *text = OPENSSL_malloc(20000);

	memset(text, '\n', 20000);
	add_part(x509, text, 20000);
	OPENSSL_free(text);
}

/* As long as is printed, and each byte three for RFC 2253 and more for the line. */
static void put_swelling_name(X509 *x509)
{
	char text[450];

	memset(text, '\n', sizeof(text));
	add_part(x509, text, (int)sizeof(text));
}

static void set_negative_serial(X509 *x509)
{
	ASN1_INTEGER_set(X509_get_serialNumber(x509), -1);
}

static void set_huge_serial(X509 *x509)
{
	unsigned char bytes[SERIAL_BYTES];

	memset(bytes, 0x7f, sizeof(bytes));
	ASN1_STRING_set(X509_get_serialNumber(x509), bytes, (int)sizeof(bytes));
}

static void end_in_year_9999(X509 *x509)
{
	ASN1_TIME_set_string(X509_getm_notAfter(x509), "99991231235959Z");
}

static void add_big_extension(X509 *x509)
{
	unsigned char *bytes = OPENSSL_malloc(BIG_BYTES);

	memset(bytes, 0, BIG_BYTES);
	odd_extension(x509, "1.3.6.1.4.1.99999.2", 0, bytes, BIG_BYTES);
	OPENSSL_free(bytes);
}

static const struct odd_certificate odds[] = {
	{.name = "controls", .issuer = "other-ca", .touch = put_controls},
	{.name = "line-of-log", .issuer = "other-ca", .touch = put_line_of_log},
	{.name = "long-name", .issuer = "other-ca", .touch = put_long_name},
	{.name = "swelling-name", .issuer = "other-ca", .touch = put_swelling_name},
	{.name = "big", .issuer = "ca", .extensions = CLIENT_WORDS, .touch = add_big_extension},
	{.name = "negative-serial",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = set_negative_serial},
	{.name = "huge-serial",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = set_huge_serial},
	{.name = "year-9999",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = end_in_year_9999},
	{.name = "first", .issuer = "ca", .extensions = CA_WORDS},
	{.name = "second", .issuer = "first", .extensions = CA_WORDS},
	/* Issued by itself, with another key (RFC 5280 3.2): only the identifiers tell the two
	   apart. */
	{.name = "third",
	 .subject = "second",
	 .issuer = "second",
	 .extensions = CA_WORDS AUTHORITY},
	{.name = "in-order",
	 .issuer = "third",
	 .extensions = CLIENT_WORDS AUTHORITY,
	 .chain = "third second first ca"},
	{.name = "shuffled",
	 .issuer = "third",
	 .extensions = CLIENT_WORDS AUTHORITY,
	 .chain = "first other third impostor third second first"},
	{.name = "beside-its-twin",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .chain = "expired-ca"},
};

/* ---- served ---- */

static const char *const right[] = {"negative-serial", "huge-serial", "year-9999",
				    "in-order",        "shuffled",    "beside-its-twin"};

static struct server *start(struct log *log)
{
	struct server *server = server_new(&small_server, 1);

	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	*log = (struct log){.path = server->log};
	return server;
}

static void serves_right_ones(void **state)
{
	struct log log;
	struct server *server = start(&log);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(right) / sizeof(right[0]); i++) {
		const struct client client = {
			.port = server->ports[0],
			.version = versions[i % 2],
			.request = REQUEST,
		};
		const struct visitor visitor = {.certificate = right[i / 2]};

		expect_verdict(server, &client, &visitor, "reject", &log);
	}
	server_stop(server);
	expectations_met();
}

/* ---- the line ---- */

static void expect_one_clean_line(const char *name, const struct refusal_line *line)
{
	size_t length = strlen(line->text);

	expect(strcmp(line->reason, "untrusted-issuer") == 0, "%s: reason=%s", name, line->reason);
	expect(length < LINE_MOST, "%s: a line of %zu bytes", name, length);
	expect(strstr(line->text, " dropped=") != NULL, "%s: the line is cut: %s", name,
	       line->text);
	for (size_t i = 0; i < length; i++)
		expect(line->text[i] >= ' ' && line->text[i] <= '~', "%s: byte %02x in the line",
		       name, (unsigned)(unsigned char)line->text[i]);
}

static void writes_clean_lines(void **state)
{
	static const char *const names[] = {"controls", "line-of-log", "long-name",
					    "swelling-name"};
	struct log log;
	struct server *server = start(&log);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct client client = {
			.port = server->ports[0],
			.version = TLS1_3_VERSION,
			.certificate = names[i],
			.request = REQUEST,
			.patience_ms = PATIENCE_MS,
		};
		struct refusal_line line = {.text = ""};
		struct outcome outcome;

		client_run(&client, &outcome);
		expect(outcome.application_bytes == 0, "%s is served", names[i]);
		outcome_clear(&outcome);
		expect(log_next_refusal(&log, &line, false), "%s: no line", names[i]);
		expect_one_clean_line(names[i], &line);
	}
	expect(log_count(server->log, "refused") == sizeof(names) / sizeof(names[0]),
	       "a line that nobody wrote");
	server_stop(server);
	expectations_met();
}

/* ---- refused, also by hosts that take anything ---- */

/* The edge's own certificate, without its key: one that was made with ours gets the edge's public
 * key afterwards, and so, byte for byte, becomes the edge's. */
static void take_certificate(SSL *ssl, const char *name)
{
	FILE *file = fopen(certificate_file(name), "re");
	X509 *stolen = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	X509 *twin = stolen ? X509_dup(stolen) : NULL;
	EVP_PKEY *key, *theirs = stolen ? X509_get_pubkey(stolen) : NULL;
	FILE *key_file = fopen(certificate_key("other"), "re");

	key = key_file ? PEM_read_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
	assert_true(twin != NULL && key != NULL && X509_set_pubkey(twin, key) == 1 &&
		    SSL_use_certificate(ssl, twin) == 1 && SSL_use_PrivateKey(ssl, key) == 1 &&
		    X509_set_pubkey(twin, theirs) == 1);
	X509_free(twin);
	X509_free(stolen);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(key);
	fclose(key_file);
	fclose(file);
}

static void take_that_of_edge(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	take_certificate(ssl, "edge");
}

static void take_that_of_server(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	take_certificate(ssl, "server");
}

static const struct refused_case {
	const char *who;
	const char *certificate;
	void (*prepare)(SSL_CTX *context, SSL *ssl);
	const char *reason;
	int alert; /* 0: it may be lost: the host closes while the client still sends */
} wrong[] = {
	{"the edge's certificate without its key", "other", take_that_of_edge, "bad-signature",
	 SSL_AD_DECRYPT_ERROR},
	{"the server's certificate without its key", "other", take_that_of_server,
	 "untrusted-issuer", SSL_AD_UNKNOWN_CA},
	{"a certificate of a MiB", "big", NULL, "bad-certificate", 0},
};

static void expect_refused(struct server *server, const struct refused_case *one, int version,
			   struct log *log)
{
	const struct client client = {
		.port = server->ports[0],
		.version = version,
		.certificate = one->certificate,
		.prepare = one->prepare,
		.request = REQUEST,
		.patience_ms = PATIENCE_MS,
	};
	struct refusal_line line = {.text = ""};
	struct outcome outcome;

	client_run(&client, &outcome);
	expect(outcome.application_bytes == 0, "%s is served", one->who);
	expect(one->alert == 0 || outcome.alert == one->alert, "%s: alert %d", one->who,
	       outcome.alert);
	expect(log_next_refusal(log, &line, false) && strcmp(line.reason, one->reason) == 0,
	       "%s: reason=%s", one->who, line.reason);
	outcome_clear(&outcome);
}

static void refuses_wrong_ones(void **state)
{
	struct log log;
	struct server *server = start(&log);

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		for (size_t j = 0; j < 2; j++)
			expect_refused(server, &wrong[i], versions[j], &log);
	server_stop(server);
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("certificates that are odd and right are served", serves_right_ones),
		TEST("no subject breaks the line", writes_clean_lines),
		TEST("a certificate without its key, or a very large one, is refused",
		     refuses_wrong_ones),
	};

	odd_certificates_use(odds, sizeof(odds) / sizeof(odds[0]));
	return RUN_TESTS("odd certificates", tests);
}
