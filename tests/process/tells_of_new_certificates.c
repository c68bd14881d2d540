/* Where a rule observes, each client certificate has a line when it comes for the first time, in
 * whichever process of the server; and strangers with ever new ones make no flood of them, nor hide
 * the edge's. */
#include "credentials.h"
#include "enforcement.h"
#include "odd_certificates.h"
#include "scratch.h"
#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the ten lines that one second may have. */
#define FLOOD 30

#define LINE "new-certificate "

static struct odd_certificate strangers[FLOOD];

static struct server *start_server(const struct server_kind *kind)
{
	struct server *server = server_new(kind, 1);

	server_policy(server, "[port %u]\nca = %s\nverify = observe\n", server->ports[0],
		      certificate_file("ca"));
	server_start(server);
	return server;
}

static void visit(const struct server *server, const char *certificate)
{
	struct outcome outcome;

	client_run(
		&(struct client){
			.port = server->ports[0],
			.version = TLS1_3_VERSION,
			.certificate = certificate,
			.request = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
			.server_name = "shop.example",
		},
		&outcome);
	expect(strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0, "%s is not served: alert %d",
	       certificate, outcome.alert);
	outcome_clear(&outcome);
}

/* The line that holds `text`, as soon as it is there; "" where it does not come. */
static void find_line(const struct server *server, const char *text, char *line, size_t size)
{
	long long deadline = clock_ms() + 1500;

	line[0] = '\0';
	do {
		char *all = scratch_read(server->log), *found = strstr(all, text);

		if (found != NULL && strchr(found, '\n') != NULL)
			snprintf(line, size, "%.*s", (int)strcspn(found, "\n"), found);
		free(all);
		clock_nap();
	} while (line[0] == '\0' && clock_ms() < deadline);
}

/* What openssl says of it. */
static void describe(const char *certificate, char *text, size_t size)
{
	FILE *file = fopen(certificate_file(certificate), "re");
	X509 *x509 = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	BIGNUM *serial = x509 ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL) : NULL;
	char *number = serial ? BN_bn2hex(serial) : NULL, hex[2 * 32 + 1] = "", when[32];
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	struct tm end;

	if (number == NULL || X509_digest(x509, EVP_sha256(), digest, NULL) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(x509), &end) != 1)
		fail_msg("cannot read %s", certificate);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	for (char *at = number; *at != '\0'; at++)
		*at = (char)(*at >= 'A' ? *at - 'A' + 'a' : *at);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &end);
	text_format(text, size, "serial=%s not-after=%s eku=%s chain=%d sha256=%s dropped=0",
		    number, when, strcmp(certificate, "edge-no-eku") == 0 ? "-" : "clientAuth",
		    strcmp(certificate, "edge-chain") == 0 ? 2 : 1, hex);
	OPENSSL_free(number);
	BN_free(serial);
	X509_free(x509);
	fclose(file);
}

static void expect_one_line(const struct server *server, const char *certificate,
			    const char *reason, const char *issuer)
{
	char expected[512], line[2048], start[128], subject[128];

	describe(certificate, expected, sizeof(expected));
	find_line(server, expected, line, sizeof(line));
	expect(line[0] != '\0', "%s: no line with %s", certificate, expected);
	expect(log_count(server->log, expected) == 1, "%s: %zu lines", certificate,
	       log_count(server->log, expected));
	text_format(start, sizeof(start), LINE "reason=%s port=%u peer=127.0.0.1:", reason,
		    server->ports[0]);
	text_format(subject, sizeof(subject),
		    " network=other server-name=shop.example subject=\"CN=edge.test\" "
		    "issuer=\"CN=%s\" serial=",
		    issuer);
	expect(log_count(server->log, start) > 0, "%s: no line with %s", certificate, start);
	expect(log_count(server->log, subject) > 0, "%s: no line with %s", certificate, subject);
}

static void each_has_one_line(void **state)
{
	struct server *server = start_server(server_kind_named(*state));

	for (size_t i = 0; i < 8; i++) {
		visit(server, "edge");
		visit(server, "edge-no-eku");
		visit(server, "edge-chain");
		visit(server, "other");
		visit(server, "expired");
	}
	visit(server, NULL);
	expect_one_line(server, "edge", "-", "cfshim test CA");
	expect_one_line(server, "edge-no-eku", "-", "cfshim test CA");
	expect_one_line(server, "edge-chain", "-", "cfshim test intermediate CA");
	expect_one_line(server, "other", "untrusted-issuer", "cfshim other CA");
	expect_one_line(server, "expired", "expired", "cfshim test CA");
	expect(log_count(server->log, LINE) == 5, "%zu lines", log_count(server->log, LINE));
	expectations_met();
	server_stop(server);
}

static void strangers_make_no_flood(void **state)
{
	struct server *server = start_server(&small_server);
	long long begin = clock_ms(), seconds;
	char line[2048];
	size_t lines;

	(void)state;
	for (size_t i = 0; i < FLOOD; i++)
		visit(server, strangers[i].name);
	visit(server, "edge");
	seconds = (clock_ms() - begin) / 1000 + 2;
	find_line(server, LINE "reason=- ", line, sizeof(line));
	expect(line[0] != '\0', "the edge has no line");
	lines = log_count(server->log, LINE "reason=untrusted-issuer ");
	expect(lines > 0 && lines <= (size_t)(10 * seconds), "%zu lines in %lld s", lines, seconds);
	/* Those that were left out come when there is room; those that were not have had theirs. */
	while (clock_ms() / 1000 <= (begin + seconds * 1000) / 1000)
		clock_nap();
	for (size_t i = 0; i < FLOOD; i++)
		visit(server, strangers[i].name);
	lines = log_count(server->log, LINE "reason=untrusted-issuer ");
	expect(lines <= FLOOD, "%zu lines for %d certificates", lines, FLOOD);
	expectations_met();
	server_stop(server);
}

static void none_where_it_requires(void **state)
{
	struct server *server = server_new(&small_server, 1);

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	visit(server, "edge");
	expect(log_count(server->log, "new-certificate") == 0, "a line");
	expectations_met();
	server_stop(server);
}

int main(void)
{
	static char names[FLOOD][32];
	const struct CMUnitTest tests[] = {
		{"each certificate has one line, in nginx with its workers", each_has_one_line,
		 NULL, test_end, (void *)(uintptr_t) "nginx"},
		{"and in Apache with its children", each_has_one_line, NULL, test_end,
		 (void *)(uintptr_t) "Apache prefork"},
		TEST("strangers with ever new ones make no flood, and do not hide the edge's",
		     strangers_make_no_flood),
		TEST("where the rule requires there is no such line", none_where_it_requires),
	};

	for (size_t i = 0; i < FLOOD; i++) {
		snprintf(names[i], sizeof(names[i]), "stranger-%zu", i);
		strangers[i].name = names[i];
	}
	odd_certificates_use(strangers, FLOOD);
	return RUN_TESTS("tells-of-new-certificates", tests);
}
