/* A policy that cannot be used refuses every connection at its hello, edge or not, and says once
 * where and why.  What is no TLS server goes on as if nothing were wrong. */
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <string.h>
#include <sys/stat.h>

/* A policy that is wrong, in the server's folder. */
struct fault {
	const char *policy;     /* text; NULL: there is no such file */
	const char *ca_content; /* what stands in the file ca.pem beside it; NULL: there is none */
	const char *where;      /* what stands in the log behind the path of the policy */
};

/* Writes the faulty policy and says where it is. */
static void write_fault(const struct fault *fault, const struct server *server, char *path,
			size_t size)
{
	text_format(path, size, "%s/faulty.conf", server->directory);
	if (fault->ca_content != NULL)
		server_file(server, "ca.pem", "%s", fault->ca_content);
	if (fault->policy != NULL) {
		char text[PATH_MAX + 256];
		const char *mark = strchr(fault->policy, '@');

		/* "@" stands for the folder. */
		if (mark != NULL)
			text_format(text, sizeof(text), "%.*s%s%s", (int)(mark - fault->policy),
				    fault->policy, server->directory, mark + 1);
		else
			text_format(text, sizeof(text), "%s", fault->policy);
		scratch_write(path, "%s", text);
	}
}

static void expect_refused_at_hello(const struct server *server)
{
	struct log log = {.path = server->log};

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client client = {
			.port = server->ports[0],
			.version = version,
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		expect_verdict(server, &client, &unready[0], "reject", &log);
		expect_verdict(server, &client, &unready[1], "reject", &log);
	}
}

static void run_fault(void **state)
{
	const struct fault *fault = *state;
	struct server *server = server_new(&small_server, 1);
	char path[PATH_MAX];
	char where[2 * PATH_MAX];

	write_fault(fault, server, path, sizeof(path));
	server_policy_file(server, path);
	server_start(server);
	expect_refused_at_hello(server);
	text_format(where, sizeof(where), "%s%s", path, fault->where);
	expect(log_count(server->log, ": policy-error ") == 1 && log_count(server->log, where) == 1,
	       "no line, or more than one, about %s", where);
	if (fault->policy != NULL && strstr(fault->policy, "@/ca.pem") != NULL)
		expect(log_count(server->log, "/ca.pem: ") == 1, "no line names the CA's file");
	expectations_met();
	server_stop(server);
}

static void run_nginx_fault(void **state)
{
	struct server *server = server_new(server_kind_named("nginx"), 1);

	(void)state;
	server_policy(server, "[port %u]\nverify = maybe\n", server->ports[0]);
	server_start(server);
	expect_refused_at_hello(server);
	expectations_met();
	server_stop(server);
}

/* Runs a program under a policy that does not parse; `words` of it end with NULL. */
static void expect_program_works(const struct server *server, const char *const *words)
{
	struct program program = {.shim = true};
	struct result result;
	char path[PATH_MAX];

	write_fault(&(struct fault){.policy = "[port 443]\nverify = maybe\n"}, server, path,
		    sizeof(path));
	program.policy = path;
	for (size_t i = 0; words[i] != NULL; i++)
		program.words[i] = words[i];
	program_run(&result, &program);
	expect(result.status == 0, "%s ended with %d", words[0], result.status);
	expect(strcmp(result.output, SERVER_ANSWER) == 0, "%s printed %s", words[0], result.output);
	expect(result.errors[0] == '\0', "%s complained: %s", words[0], result.errors);
	result_clear(&result);
}

static void run_curl(void **state)
{
	struct server *server;
	char url[64];

	(void)state;
	skip_under_sanitizer("curl hangs in that library, with or without the shim");
	server = server_new(&small_server, 1);
	server_start(server);
	text_format(url, sizeof(url), "https://127.0.0.1:%u/", server->ports[0]);
	expect_program_works(server, (const char *[]){"curl", "-sSk", url, NULL});
	expectations_met();
	server_stop(server);
}

static void run_echo(void **state)
{
	struct server *server = server_new(&small_server, 1);

	(void)state;
	expect_program_works(server, (const char *[]){"echo", "-n", SERVER_ANSWER, NULL});
	expectations_met();
	server_stop(server);
}

#define FAULT(sentence, ...) TEST_ROW(sentence, run_fault, struct fault, __VA_ARGS__)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT("a policy that does not parse refuses everybody",
		      "[port *]\n  verify = maybe\n", NULL, ":2:"),
		FAULT("a policy with a key it does not know refuses everybody",
		      "[port *]\nverify = off\nverifi = off\n", NULL, ":3:1:"),
		FAULT("a policy that would observe, and has a mistake, refuses everybody",
		      "[port *]\nverify = observe\nca = @/none.pem\n", NULL, ":3:6:"),
		FAULT("a policy that names a file of CIDRs that is not there refuses everybody",
		      "[port *]\nverify = off\nfrom = @/none.txt\n", NULL, ":3:8:"),
		FAULT("a policy that ends inside its section's name refuses everybody",
		      "log = off\n\n[port *", NULL, ":3:"),
		FAULT("a policy file that is not there refuses everybody", NULL, NULL, ""),
		FAULT("a CA file that is not there refuses everybody", "[port *]\nca = @/ca.pem\n",
		      NULL, ":2:6:"),
		FAULT("a CA file that is a folder refuses everybody", "[port *]\nca = @\n", NULL,
		      ":2:6:"),
		FAULT("a CA file that is empty refuses everybody", "[port *]\nca = @/ca.pem\n", "",
		      ":2:6:"),
		FAULT("a CA file without a certificate refuses everybody",
		      "[port *]\nca = @/ca.pem\n", "nothing that looks like PEM\n", ":2:6:"),
		FAULT("a CA file that is cut refuses everybody", "[port *]\nca = @/ca.pem\n",
		      "-----BEGIN CERTIFICATE-----\nMIIB\n", ":2:6:"),
		TEST("nginx starts under a policy that does not parse, and refuses everybody",
		     run_nginx_fault),
		TEST("curl, as a client, works under a policy that does not parse", run_curl),
		TEST("a program without TLS works under a policy that does not parse", run_echo),
	};

	return RUN_TESTS("refuses-under-broken-policy", tests);
}
