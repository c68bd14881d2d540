/* What strangers may put on an enforced port with hostile certificates: at most twice the work of
 * refusing one that signed its own.  In instructions of the host's SSL_accept(), which are the same
 * each time. */
#include "attack.h"
#include "credentials.h"
#include "hostile.h"
#include "odd_certificates.h"
#include "scratch.h"
#include "test.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TIMES     2
#define WARM_UPS       3
#define COUNT_LIMIT_MS 10000

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- the host ---- */

/* By this name callgrind knows what to count. */
static void measured(SSL *ssl)
{
	SSL_accept(ssl);
}

static const struct attack plain = {.serve = measured};

static void prepare_host(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/costs_little");
	server_command(server,
		       "valgrind --tool=callgrind --toggle-collect=measured --dump-after=measured "
		       "--callgrind-out-file=%s/counts %s host %s %s %u",
		       server->directory, command, certificate_file("server"),
		       certificate_key("server"), server->ports[0]);
}

static const struct server_kind counted_host = {.name = "counted", .prepare = prepare_host};

/* What the next connection cost: callgrind numbers its files. */
static unsigned long long next_count(const struct server *server)
{
	static unsigned number;
	long long deadline = clock_ms() + COUNT_LIMIT_MS;
	char path[PATH_MAX + 64];
	unsigned long long count = 0;

	text_format(path, sizeof(path), "%s/counts.%u", server->directory, ++number);
	while (count == 0) {
		char *text = scratch_read(path);
		const char *total = strstr(text, "\ntotals: ");

		if (total != NULL)
			count = strtoull(total + strlen("\ntotals: "), NULL, 10);
		free(text);
		if (clock_ms() > deadline)
			fail_msg("callgrind leaves no count in %s", path);
		clock_nap();
	}
	return count;
}

/* ---- strangers ---- */

/* In place of the client's own certificate, whose key it needs. */
static const char *hostile_leaf;

static void swap_leaf(SSL_CTX *context, SSL *ssl)
{
	X509 *own = SSL_get_certificate(ssl);
	FILE *file = fopen(certificate_file(hostile_leaf), "re");
	char *name = NULL, *header = NULL;
	unsigned char *bytes = NULL;
	const unsigned char *start;
	long length = 0;

	(void)context;
	if (file == NULL || PEM_read(file, &name, &header, &bytes, &length) != 1)
		fail_msg("cannot read the certificate %s", hostile_leaf);
	start = bytes;
	if (d2i_X509(&own, &start, length) == NULL)
		fail_msg("the certificate %s cannot even be read", hostile_leaf);
	fclose(file);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(bytes);
}

static unsigned long long cost_of(const struct server *server, int version, const char *certificate,
				  const char *leaf)
{
	const struct client client = {
		.port = server->ports[0],
		.version = version,
		.certificate = certificate,
		.prepare = leaf ? swap_leaf : NULL,
		.timeout_ms = 30000,
	};
	struct outcome outcome;

	hostile_leaf = leaf;
	client_run(&client, &outcome);
	expect(outcome.application_bytes == 0 && outcome.ending != END_TIMEOUT,
	       "%s: %zu bytes, ended with %s", leaf ? leaf : certificate, outcome.application_bytes,
	       ending_word(outcome.ending));
	outcome_clear(&outcome);
	return next_count(server);
}

static void run(void **state)
{
	struct server *server = server_new(&counted_host, 1);
	unsigned long long limit[2];

	(void)state;
	skip_under_sanitizer("valgrind runs no sanitized program");
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	next_count(server); /* server_start() knocked */
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j <= WARM_UPS; j++)
			limit[i] = MOST_TIMES * cost_of(server, versions[i], "self-signed", NULL);
	fprintf(stderr, "# %-46s %12s %12s\n", "instructions of the host", "TLS 1.2", "TLS 1.3");
	fprintf(stderr, "# %-46s %12llu %12llu\n", "a self-signed certificate, twice", limit[0],
		limit[1]);
	for (const struct hostile *one = hostiles; one->what != NULL; one++) {
		unsigned long long cost[2];

		for (size_t i = 0; i < 2; i++)
			cost[i] = cost_of(server, versions[i],
					  one->leaf ? "self-signed" : one->certificate, one->leaf);
		fprintf(stderr, "# %-46s %12llu %12llu\n", one->what, cost[0], cost[1]);
		for (size_t i = 0; i < 2; i++)
			expect(cost[i] <= limit[i], "%s: %.1f times a self-signed one, TLS %s",
			       one->what, MOST_TIMES * (double)cost[i] / (double)limit[i],
			       version_word(versions[i]));
	}
	server_stop(server);
	expectations_met();
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		TEST("a hostile certificate costs at most twice a self-signed one", run),
	};

	if (count > 3 && strcmp(words[1], "host") == 0)
		return host_main(&plain, words + 2);
	hostiles_use();
	return RUN_TESTS("costs", tests);
}
