/* What strangers may put on an enforced port with hostile certificates: a hostile encoding costs at
 * most two refusals of a certificate that signed its own, and of whatever a list costs the shim's
 * part is at most one.  What libssl spends before it asks anybody, parsing
 * the list, is the other part: that of a host that refuses everybody unseen.  In instructions of
 * the host's SSL_accept(), which are nearly the same each time. */
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

#define WARM_UPS       3
#define COUNT_LIMIT_MS 10000

/* ---- the host ---- */

/* By this name callgrind knows what to count. */
static void measured(SSL *ssl)
{
	SSL_accept(ssl);
}

static int refuse_unseen(X509_STORE_CTX *context, void *argument)
{
	(void)context, (void)argument;
	return 0;
}

static void refuse_everybody(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(context, refuse_unseen, NULL);
	SSL_CTX_set_max_cert_list(context, 32 << 10); /* as the shim's */
}

static const struct attack covered = {.serve = measured};
static const struct attack bare = {.serve = measured, .prepare = refuse_everybody};

static void prepare_host(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/costs_little");
	server_command(server,
		       "valgrind --tool=callgrind --toggle-collect=measured --dump-after=measured "
		       "--callgrind-out-file=%s/counts %s %s %s %s %u",
		       server->directory, command, server->shim ? "covered" : "bare",
		       certificate_file("server"), certificate_key("server"), server->ports[0]);
}

static const struct server_kind counted_host = {.name = "counted", .prepare = prepare_host};

/* A host, and how many connections it has had. */
struct counted {
	struct server *server;
	unsigned connections;
};

/* What the next connection cost: callgrind numbers its files. */
static unsigned long long next_count(struct counted *host)
{
	long long deadline = clock_ms() + COUNT_LIMIT_MS;
	char path[PATH_MAX + 64];
	unsigned long long count = 0;

	text_format(path, sizeof(path), "%s/counts.%u", host->server->directory,
		    ++host->connections);
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

static unsigned long long cost_of(struct counted *host, const char *certificate, const char *leaf)
{
	const struct client client = {
		.port = host->server->ports[0],
		.version = TLS1_3_VERSION,
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
	return next_count(host);
}

static struct counted start_host(bool shim)
{
	struct counted host = {.server = server_new(&counted_host, 1)};

	if (shim)
		server_policy(host.server, "[port %u]\nca = %s\n", host.server->ports[0],
			      certificate_file("ca"));
	server_start(host.server);
	next_count(&host); /* server_start() knocked */
	for (size_t i = 0; i < WARM_UPS; i++)
		cost_of(&host, "self-signed", NULL);
	return host;
}

static void run(void **state)
{
	struct counted covered_host, bare_host;
	unsigned long long limit;

	(void)state;
	skip_under_sanitizer("valgrind runs no sanitized program");
	covered_host = start_host(true);
	bare_host = start_host(false);
	limit = cost_of(&covered_host, "self-signed", NULL);
	fprintf(stderr, "# %-40s %12s %12s %12s\n", "instructions of a refusal", "in all",
		"of libssl", "of the shim");
	for (const struct hostile *one = hostiles; one->what != NULL; one++) {
		const char *certificate = one->leaf ? "self-signed" : one->certificate;
		unsigned long long all = cost_of(&covered_host, certificate, one->leaf);
		unsigned long long libssl = cost_of(&bare_host, certificate, one->leaf);

		fprintf(stderr, "# %-40s %12llu %12llu %12lld\n", one->what, all, libssl,
			(long long)(all - libssl));
		expect(all <= libssl + limit, "%s: the shim's part is above %llu", one->what,
		       limit);
		expect(!one->encoding || all <= 2 * limit, "%s: above two refusals", one->what);
	}
	server_stop(covered_host.server);
	server_stop(bare_host.server);
	expectations_met();
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		TEST("what the shim adds to a hostile certificate is no more than one refusal",
		     run),
	};

	if (count > 3)
		return host_main(strcmp(words[1], "bare") == 0 ? &bare : &covered, words + 2);
	hostiles_use();
	return RUN_TESTS("costs", tests);
}
