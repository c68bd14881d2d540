/* A changed policy, and each file that it names, counts two seconds later, in every process of the
 * server, however it was changed. */
#include "changing.h"
#include "credentials.h"
#include "crl.h"
#include "odd_certificates.h"
#include "scratch.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct odd_certificate odds[] = {
	{.name = "colleague",
	 .subject = "colleague.test",
	 .issuer = "ca",
	 .extensions = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"},
};

struct trial {
	const char *kind;
	void (*change)(const struct server *server, const char *name, const char *text);
};

/* There and back: what is in force is what lies there, not what has lain there last. */
static void run_policy(void **state)
{
	const struct trial *trial = *state;
	struct server *server = changing_server(server_kind_named(trial->kind), "");
	struct log log = {.path = server->log};
	char text[4096];

	server_start(server);
	expect_edge_policy(server, &log);
	other_policy(server, text, sizeof(text), "");
	trial->change(server, "policy.conf", text);
	wait_until_in_force();
	expect_other_policy(server, &log);
	expect_line_of_each(server, " generation=2 note=-", 1);
	edge_policy(server, text, sizeof(text), "");
	trial->change(server, "policy.conf", text);
	wait_until_in_force();
	expect_edge_policy(server, &log);
	expect_line_of_each(server, " generation=3 note=-", 1);
	expect_lines(server, "policy-kept", 0);
	expectations_met();
	server_stop(server);
}

/* As the kubelet has it: policy.conf -> data/policy.conf, data -> folder, and data is replaced. */
static void change_by_swap(const struct server *server, const char *name, const char *text)
{
	static unsigned number;
	char script[4096], words[64];
	struct result result;

	server_file(server, "swapped", "%s", text);
	text_format(words, sizeof(words), "folder-%u", ++number);
	text_format(script, sizeof(script),
		    "cd %s && mkdir %s && mv swapped %s/%s && ln -s %s data.new && "
		    "mv -T data.new data && { [ -L %s ] || ln -sf data/%s %s; }",
		    server->directory, words, words, name, words, name, name, name);
	program_run(&result, &(struct program){.words = {"sh", "-c", script}});
	if (result.status != 0)
		fail_msg("cannot swap: %s", result.errors);
	result_clear(&result);
}

/* By all processes of a server. */
static void expect_of_each(const struct server *server, const struct visitor *const *all,
			   struct log *log)
{
	for (size_t i = 0; i < 12; i++) {
		const struct client client = {
			.port = server->ports[0],
			.version = i % 2 ? TLS1_3_VERSION : TLS1_2_VERSION,
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		usleep(50000);
		expect_verdict(server, &client, all[i % 3], "reject", log);
	}
}

static void rotate_ca(void **state)
{
	static const struct visitor other_edge = {.certificate = "other"};
	static const struct visitor lost_edge = {"edge", "untrusted-issuer", 48, 48};
	const struct visitor *const all[] = {&other_edge, &lost_edge, &stranger};
	struct server *server = server_new(server_kind_named(*state), 1);
	struct log log = {.path = server->log};

	put_certificate(server, "rotated.pem", "ca");
	server_policy(server, "[port %u]\nca = %s/rotated.pem\n", server->ports[0],
		      server->directory);
	server_start(server);
	expect_edge_policy(server, &log);
	put_certificate(server, "rotated.pem", "other-ca");
	wait_until_in_force();
	expect_of_each(server, all, &log);
	expect_line_of_each(server, "policy-changed", 1);
	expectations_met();
	server_stop(server);
}

static void renew_list(void **state)
{
	static const struct visitor welcome = {.certificate = "colleague"};
	static const struct visitor revoked = {"colleague", "revoked", 44, 44};
	const struct visitor *const before[] = {&edge, &welcome, &stranger};
	const struct visitor *const after[] = {&edge, &revoked, &stranger};
	struct server *server = server_new(server_kind_named(*state), 1);
	struct log log = {.path = server->log};
	char path[PATH_MAX + 64], renewed[PATH_MAX + 64];

	text_format(path, sizeof(path), "%s/list.pem", server->directory);
	text_format(renewed, sizeof(renewed), "%s/list.new", server->directory);
	crl_write(path, &(struct crl){.issuer = "ca"}, 1);
	put_certificate(server, "ca.pem", "ca");
	server_policy(server, "[port %u]\nca = %s/ca.pem\ncrl = %s\n", server->ports[0],
		      server->directory, path);
	server_start(server);
	expect_of_each(server, before, &log);
	crl_write(renewed, &(struct crl){.issuer = "ca", .revoked = "colleague"}, 1);
	assert_int_equal(rename(renewed, path), 0);
	wait_until_in_force();
	expect_of_each(server, after, &log);
	expectations_met();
	server_stop(server);
}

static void change_addresses(void **state)
{
	struct server *server = server_new(server_kind_named(*state), 1);
	struct outcome outcome;
	const char *const files[] = {"127.0.0.0/8\n", "192.0.2.0/24\n", "127.0.0.1\n"};

	change_by_rename(server, "peers", files[0]);
	put_certificate(server, "ca.pem", "ca");
	server_policy(server, "[port %u]\nca = %s/ca.pem\nfrom = %s/peers\n", server->ports[0],
		      server->directory, server->directory);
	server_start(server);
	for (size_t i = 0; i < 3; i++) {
		if (i > 0) {
			change_by_rename(server, "peers", files[i]);
			wait_until_in_force();
		}
		for (int j = 0; j < 8; j++) {
			client_run(&(struct client){.port = server->ports[0],
						    .version = TLS1_3_VERSION,
						    .certificate = "edge",
						    .request = "GET / HTTP/1.0\r\n\r\n"},
				   &outcome);
			expect((outcome.application_bytes > 0) == (i != 1),
			       "file %zu: %zu bytes of the application", i,
			       outcome.application_bytes);
			outcome_clear(&outcome);
		}
	}
	expectations_met();
	server_stop(server);
}

/* In parts, each of which ends with a newline, and of which the first would open the port. */
static void rewrite_in_parts(void **state)
{
	struct server *server = changing_server(server_kind_named(*state), "");
	struct log log = {.path = server->log};
	char text[4096], whole[4096];

	server_start(server);
	expect_edge_policy(server, &log);
	other_policy(server, text, sizeof(text), "");
	text_format(whole, sizeof(whole), "[port *]\nverify = off\n\n");
	for (int part = 0; part < 10; part++) {
		size_t used = strlen(whole);
		struct outcome outcome;

		text_format(whole + used, sizeof(whole) - used, "# part %d\n%s", part,
			    part == 9 ? text : "");
		change_in_place(server, "policy.conf", whole);
		for (int j = 0; j < 2; j++) {
			usleep(100000);
			client_run(&(struct client){.port = server->ports[0],
						    .version = TLS1_3_VERSION,
						    .request = "GET / HTTP/1.0\r\n\r\n"},
				   &outcome);
			expect(outcome.application_bytes == 0, "a stranger came in at part %d",
			       part);
			outcome_clear(&outcome);
		}
	}
	expect_lines(server, "policy-changed", 0);
	wait_until_in_force();
	expect_other_policy(server, NULL);
	expect_line_of_each(server, "policy-changed", 1);
	expectations_met();
	server_stop(server);
}

static void broken_start_is_mended(void **state)
{
	struct server *server = server_new(server_kind_named(*state), 1);
	char text[4096];

	put_certificate(server, "other-ca.pem", "other-ca");
	server_policy(server, "[port %u]\nca = nonsense\n", server->ports[0]);
	server_start(server);
	for (int i = 0; i < 2; i++)
		expect_verdict(server,
			       &(struct client){.port = server->ports[0],
						.version = TLS1_3_VERSION,
						.request = "GET / HTTP/1.0\r\n\r\n"},
			       &unready[1], "reject", NULL);
	other_policy(server, text, sizeof(text), "");
	change_by_rename(server, "policy.conf", text);
	wait_until_in_force();
	expect_other_policy(server, NULL);
	expectations_met();
	server_stop(server);
}

#define TRIAL(sentence, ...) TEST_ROW(sentence, run_policy, struct trial, __VA_ARGS__)
#define OF(sentence, run, kind)                                            \
	{                                                                  \
		(sentence), run, NULL, test_end, (void *)(uintptr_t)(kind) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRIAL("nginx: a policy that is renamed over the old one", "nginx",
		      change_by_rename),
		TRIAL("nginx: a policy that is rewritten", "nginx", change_in_place),
		TRIAL("nginx: a policy behind a symbolic link that is swapped", "nginx",
		      change_by_swap),
		TRIAL("Apache prefork: a policy that is renamed over the old one", "Apache prefork",
		      change_by_rename),
		TRIAL("Apache event, which gives libssl memory: a policy that is rewritten",
		      "Apache event", change_in_place),
		TRIAL("Apache event, which gives libssl memory: a policy behind a link that is "
		      "swapped",
		      "Apache event", change_by_swap),
		OF("nginx: a CA whose file is replaced", rotate_ca, "nginx"),
		OF("Apache event: a CA whose file is replaced", rotate_ca, "Apache event"),
		OF("nginx: a list of revoked certificates that is renewed", renew_list, "nginx"),
		OF("nginx: a file of addresses", change_addresses, "nginx"),
		OF("nginx: of a policy that is written in parts none is in force", rewrite_in_parts,
		   "nginx"),
		OF("nginx: a policy that was broken at the start is mended", broken_start_is_mended,
		   "nginx"),
	};

	odd_certificates_use(odds, sizeof(odds) / sizeof(odds[0]));
	return RUN_TESTS("takes-up-changes", tests);
}
