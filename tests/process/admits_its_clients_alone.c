/* client-cert and crl: a certificate of the right CA that is not one of those that the section
 * names, or that was revoked, is refused as a stranger is. */
#include "credentials.h"
#include "crl.h"
#include "enforcement.h"
#include "odd_certificates.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static const struct odd_certificate odds[] = {
	{.name = "colleague",
	 .subject = "colleague.test",
	 .issuer = "ca",
	 .extensions = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"
		       "subjectAltName=DNS:colleague.test\n"},
};

/* libssl has no error that makes access_denied: certificate_unknown. */
static const struct visitor colleague = {"colleague", "client-mismatch", 46, 46};

static const struct visitor revoked = {"colleague", "revoked", 44, 44};
static const struct visitor unlisted_edge = {"edge", "no-crl", 46, 46};

struct trial {
	const char *kind; /* NULL: small_server */
	const char *answer;
	void (*visit)(struct server *server, const char *answer);
};

static void expect_each(struct server *server, const char *answer,
			const struct visitor *const *visitors_here, size_t count)
{
	struct log log = {.path = server->log};

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		const struct client client = {
			.port = server->ports[0],
			.version = version,
			.request = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
		};

		for (size_t i = 0; i < count; i++)
			expect_verdict(server, &client, visitors_here[i], answer, &log);
	}
}

static void visit_pinned(struct server *server, const char *answer)
{
	const struct visitor *const all[] = {&edge, &colleague, &stranger, &foreigner};

	server_policy(server,
		      "[port %u]\nca = %s\nrefuse = %s\n"
		      "client-cert = cn:edge.test\nclient-cert = dns:edge.test\n",
		      server->ports[0], certificate_file("ca"), answer);
	server_start(server);
	expect_each(server, answer, all, 4);
}

/* Without the key, the same certificate is served. */
static void visit_unpinned(struct server *server, const char *answer)
{
	static const struct visitor welcome = {.certificate = "colleague"};
	const struct visitor *const all[] = {&welcome, &edge};

	server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
		      certificate_file("ca"), answer);
	server_start(server);
	expect_each(server, answer, all, 2);
}

static void start_with_list(struct server *server, const char *answer, const struct crl *list)
{
	char path[1024];

	text_format(path, sizeof(path), "%s/list-%u.pem", scratch_dir(), server->ports[0]);
	crl_write(path, list, 1);
	server_policy(server, "[port %u]\nca = %s\ncrl = %s\nrefuse = %s\n", server->ports[0],
		      certificate_file("ca"), path, answer);
	server_start(server);
}

static void visit_listed(struct server *server, const char *answer)
{
	const struct visitor *const all[] = {&edge, &revoked, &stranger, &foreigner};
	const struct crl list = {.issuer = "ca", .revoked = "colleague"};

	start_with_list(server, answer, &list);
	expect_each(server, answer, all, 4);
}

static void visit_unlisted(struct server *server, const char *answer)
{
	const struct visitor *const all[] = {&unlisted_edge, &stranger, &foreigner};
	const struct crl list = {.issuer = "ca", .from_days = -30, .until_days = -1};

	start_with_list(server, answer, &list);
	expect_each(server, answer, all, 3);
}

static void run_trial(void **state)
{
	const struct trial *trial = *state;
	struct server *server =
		server_new(trial->kind ? server_kind_named(trial->kind) : &small_server, 1);

	trial->visit(server, trial->answer);
	expectations_met();
	server_stop(server);
}

#define TRIAL(sentence, ...) TEST_ROW(sentence, run_trial, struct trial, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRIAL("nginx serves any client of the CA where client-cert names none", "nginx",
		      "reject", visit_unpinned),
		TRIAL("nginx under reject serves those that client-cert names alone", "nginx",
		      "reject", visit_pinned),
		TRIAL("Apache, whose libssl sees no socket, serves those alone", "Apache event",
		      "reject", visit_pinned),
		TRIAL("a small server under close serves those alone", NULL, "close", visit_pinned),
		TRIAL("nginx under reject refuses what a list has", "nginx", "reject",
		      visit_listed),
		TRIAL("nginx under reject refuses everybody under an old list", "nginx", "reject",
		      visit_unlisted),
		TRIAL("Apache, whose libssl sees no socket, refuses what a list has",
		      "Apache event", "reject", visit_listed),
		TRIAL("a small server under close refuses what a list has", NULL, "close",
		      visit_listed),
	};

	odd_certificates_use(odds, sizeof(odds) / sizeof(*odds));
	return RUN_TESTS("admits-its-clients-alone", tests);
}
