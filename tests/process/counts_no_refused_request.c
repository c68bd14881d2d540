/* The refused request never reaches the host: every kind of request, from every kind of stranger,
 * under every answer, and the host, who counts what comes to it, counts the edge's alone.
 *
 * REFUSED, where it is set, is how many there are in all.
 */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "test.h"
#include "web_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED   600
#define EDGE_EACH 100 /* after so many refusals the edge comes */

static const char *const answers[] = {"reject 403", "close", "close reset", "reject"};

/* ---- requests ---- */

#define HOST "Host: localhost\r\n"

static void ask_for_http2(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2\10http/1.1", 12);
}

/* The preface, SETTINGS, and HEADERS of GET / at once; and DATA behind HEADERS of POST /. */
#define HTTP2_OPENING "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

static bool get_over_http2(SSL *ssl)
{
	static const char frames[] =
		HTTP2_OPENING "\0\0\x0e\1\5\0\0\0\1\x82\x84\x87\x41\x09localhost";

	return SSL_write(ssl, frames, sizeof(frames) - 1) > 0;
}

static bool post_over_http2(SSL *ssl)
{
	static const char frames[] =
		HTTP2_OPENING "\0\0\x0e\1\4\0\0\0\1\x83\x84\x87\x41\x09localhost"
			      "\0\0\3\0\1\0\0\0\1a=b";

	return SSL_write(ssl, frames, sizeof(frames) - 1) > 0;
}

static bool in_many_records(SSL *ssl)
{
	static const char request[] = "GET /canary HTTP/1.1\r\n" HOST "\r\n";
	bool written = true;

	for (size_t i = 0; written && i < sizeof(request) - 1; i++)
		written = SSL_write(ssl, request + i, 1) == 1;
	return written;
}

static bool without_an_end(SSL *ssl)
{
	static char field[4096];

	memset(field, 'a', sizeof(field));
	SSL_write(ssl, "GET /canary HTTP/1.1\r\n" HOST "X: ", 42);
	for (unsigned i = 0; i < 8; i++)
		if (SSL_write(ssl, field, sizeof(field)) <= 0)
			return false;
	return true;
}

static bool new_keys_in_between(SSL *ssl)
{
	return SSL_version(ssl) == TLS1_3_VERSION && SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
}

/* A certificate that is shown too late, or anew: TLS 1.2 alone. */
static bool renegotiates(SSL *ssl)
{
	return SSL_version(ssl) == TLS1_2_VERSION && SSL_renegotiate(ssl);
}

struct request {
	const char *text; /* NULL: the trick sends all */
	void (*prepare)(SSL_CTX *context, SSL *ssl);
	bool (*trick)(SSL *ssl);
	size_t segment_bytes;
	bool half_close;
};

#define GET "GET /canary HTTP/1.1\r\n" HOST "\r\n"

static const struct request requests[] = {
	{.text = GET},
	{.text = "GET /canary HTTP/1.0\r\n\r\n"},
	{.text = "GET /canary\r\n"},
	{.text = "HEAD /canary HTTP/1.1\r\n" HOST "\r\n"},
	{.text = "DELETE /canary HTTP/1.1\r\n" HOST "\r\n"},
	{.text = "POST /canary HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na=b"},
	{.text = "POST /canary HTTP/1.1\r\n" HOST
		 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"},
	{.text = "POST /canary HTTP/1.1\r\n" HOST
		 "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n" GET},
	{.text = GET GET GET GET},
	{.text = "GET /canary HTTP/1.1\r\n" HOST
		 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"},
	{.text = "CONNECT localhost:443 HTTP/1.1\r\n" HOST "\r\n" GET},
	{.text = "\r\n\r\n" GET},
	{.text = "GET /canary HTTP/1.1\r\n" HOST},
	{.text = "nonsense\r\n\r\n"},
	{.text = GET, .segment_bytes = 7},
	{.text = GET, .half_close = true},
	{.text = GET, .trick = new_keys_in_between},
	{.text = GET, .trick = renegotiates},
	{.text = GET, .prepare = ask_for_http2},
	{.trick = get_over_http2, .prepare = ask_for_http2},
	{.trick = post_over_http2, .prepare = ask_for_http2},
	{.trick = in_many_records},
	{.trick = without_an_end},
};
#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

/* ---- strangers ---- */

static const char *const certificates[] = {
	NULL, "self-signed", "other", "impostor", "expired", "not-yet-valid", "wrong-purpose", "ca",
};
#define CERTIFICATES (sizeof(certificates) / sizeof(certificates[0]))

/* One of them, by its number: each request is sent over both versions, with each certificate, in
 * the segment of the client's Finished and by who looks at the answer late. */
static void refuse(const struct server *server, unsigned number)
{
	const struct request *request = &requests[number % REQUESTS];
	const unsigned rest = number / REQUESTS;
	const struct client client = {
		.port = server->ports[0],
		.version = rest % 2 ? TLS1_3_VERSION : TLS1_2_VERSION,
		.certificate = certificates[rest / 2 % CERTIFICATES],
		.request = request->text,
		.prepare = request->prepare,
		.trick = request->trick,
		.segment_bytes = request->segment_bytes,
		.half_close = request->half_close,
		.timeout_ms = 500,
	};
	struct outcome outcome;

	client_run(&client, &outcome);
	expect(outcome.connected && strstr(outcome.application, SERVER_ANSWER) == NULL,
	       "request %u, %s: \"%s\"", number,
	       client.certificate ? client.certificate : "no certificate", outcome.application);
	outcome_clear(&outcome);
}

static void refuse_plain_text(const struct server *server)
{
	enum ending ending;

	expect(raw_exchange(raw_connect(NULL, server->ports[0]), GET, sizeof(GET) - 1, &ending) ==
		       0,
	       "an answer to plain text");
}

static size_t serve_edge(const struct server *server, size_t counted)
{
	const struct client client = {.port = server->ports[0],
				      .version = TLS1_3_VERSION,
				      .certificate = "edge",
				      .request = "GET /canary HTTP/1.0\r\n\r\n",
				      .timeout_ms = 15000};
	struct outcome outcome;
	size_t after;

	client_run(&client, &outcome);
	expect(outcome.http_status == 200, "the edge is not served: %s",
	       ending_word(outcome.ending));
	outcome_clear(&outcome);
	after = web_host_requests(server);
	expect(after == counted + 1, "the host has counted %zu requests instead of %zu", after,
	       counted + 1);
	return after;
}

static void counts_the_edge_alone(void **state)
{
	const struct server_kind *kind = *state;
	const char *wanted = getenv("REFUSED");
	const unsigned long all = wanted ? strtoul(wanted, NULL, 10) : REFUSED;
	const unsigned each = (unsigned)(all / 8 + 1); /* two hosts, four answers */

	for (size_t i = 0; i < 4; i++) {
		struct server *server = server_new(kind, 1);
		size_t counted = 0;

		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), answers[i]);
		server_start(server);
		for (unsigned j = 0; j < each; j++) {
			refuse(server, j);
			if (j % REQUESTS == 0)
				refuse_plain_text(server);
			if (j % EDGE_EACH == 0)
				counted = serve_edge(server, counted);
		}
		serve_edge(server, counted);
		fprintf(stderr, "# %s, %s: %u refused, %zu requests counted\n", kind->name,
			answers[i], each, web_host_requests(server));
		expectations_met();
		server_stop(server);
	}
}

#define WITH(sentence, kind)                                                                       \
	{                                                                                          \
		.name = (sentence), .test_func = counts_the_edge_alone, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH("nginx with HTTP/2 counts the edge's requests, and no stranger's",
		     &nginx_http2),
		WITH("asyncio counts the edge's requests, and no stranger's", &python_asyncio),
	};

	return RUN_TESTS("counts-no-refused-request", tests);
}
