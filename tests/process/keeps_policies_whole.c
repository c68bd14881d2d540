/* What cannot be taken up leaves in force what is: a broken, half-written or missing file, one of
 * another owner, one that the process may not read, and all that lies below another root directory.
 * One line says so, and no other until it changes. */
#include "changing.h"
#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

/* ---- files that are no policy ---- */

struct bad {
	const char *sentence;
	const char *policy; /* in place of the good one; NULL: it stays */
	const char *ca;     /* in place of its CA; NULL: it stays */
	const char *says;   /* the line */
};

#define HALF "[port 1]\nverify = off\n\n[port *]\nverify = of"

static const struct bad bads[] = {
	{"a key that it does not know", "[port *]\ncertify = off\n", NULL, "unknown key"},
	{"half a policy", HALF, NULL, "does not end with a newline"},
	{"nothing at all", "", NULL, "does not end with a newline"},
	{"a CA that is not there", "[port *]\nca = /nowhere/ca.pem\n", NULL, "no such file"},
	{"a CA file without a CA", NULL, "nothing\n", "no CA certificate in it"},
	{"half a CA file", NULL, "-----BEGIN CERTIFICATE-----\nMIIB", "policy-kept"},
};

static void keep(const struct server *server, const struct bad *bad, struct log *log)
{
	char text[4096];
	const size_t before = log_count(server->log, "policy-kept");

	if (bad->policy != NULL)
		change_by_rename(server, "policy.conf", bad->policy);
	if (bad->ca != NULL)
		change_by_rename(server, "ca.pem", bad->ca);
	wait_until_in_force();
	expect_edge_policy(server, log);
	expect(log_count(server->log, "policy-kept") == before + 1, "%s: %zu lines", bad->sentence,
	       log_count(server->log, "policy-kept") - before);
	expect(log_count(server->log, bad->says) > 0, "%s: no line says \"%s\"", bad->sentence,
	       bad->says);
	/* The same again is another change. */
	put_certificate(server, "ca.pem", "ca");
	edge_policy(server, text, sizeof(text), "");
	change_by_rename(server, "policy.conf", text);
	wait_until_in_force();
	expect_edge_policy(server, log);
	expect(log_count(server->log, "policy-kept") == before + 1, "%s: another line",
	       bad->sentence);
}

static void run_bad(void **state)
{
	struct server *server = changing_server(*state, "");
	struct log log = {.path = server->log};
	size_t changes = 0;

	server_start(server);
	expect_edge_policy(server, &log);
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		keep(server, &bads[i], &log);
		expect(log_count(server->log, "policy-changed") > changes,
		       "%s: the good one after it is not taken up", bads[i].sentence);
		changes = log_count(server->log, "policy-changed");
	}
	expectations_met();
	server_stop(server);
}

static void run_missing(void **state)
{
	struct server *server = changing_server(server_kind_named(*state), "");
	struct log log = {.path = server->log};
	char path[PATH_MAX + 64], text[4096];

	server_start(server);
	expect_edge_policy(server, &log);
	text_format(path, sizeof(path), "%s/policy.conf", server->directory);
	assert_int_equal(unlink(path), 0);
	wait_until_in_force();
	expect_edge_policy(server, &log);
	expect_line_of_each(server, "policy-kept", 1);
	other_policy(server, text, sizeof(text), "");
	change_in_place(server, "policy.conf", text);
	wait_until_in_force();
	expect_other_policy(server, &log);
	expectations_met();
	server_stop(server);
}

/* ---- files that are not to be believed ---- */

static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("# only root has a worker that gives up root\n");
	skip();
	return false;
}

static void run_unreadable(void **state)
{
	struct server *server = changing_server(server_kind_named(*state), "");
	struct log log = {.path = server->log};
	char path[PATH_MAX + 64], text[4096];

	if (!is_root())
		return;
	server_start(server);
	expect_edge_policy(server, &log);
	text_format(path, sizeof(path), "%s/renamed.conf", server->directory);
	other_policy(server, text, sizeof(text), "");
	change_in_place(server, "renamed.conf", text);
	assert_int_equal(chmod(path, 0600), 0);
	text_format(text, sizeof(text), "%s/policy.conf", server->directory);
	assert_int_equal(rename(path, text), 0);
	wait_until_in_force();
	expect_edge_policy(server, &log);
	expect_line_of_each(server, "permission denied", 1);
	expect_line_of_each(server, "policy-kept", 1);
	expectations_met();
	server_stop(server);
}

/* Workers need not see so much as that it has changed. */
static void run_hidden(void **state)
{
	struct server *server = server_new(server_kind_named(*state), 1);
	struct log log = {.path = server->log};
	char path[PATH_MAX + 64];

	if (!is_root())
		return;
	put_certificate(server, "ca.pem", "ca");
	text_format(path, sizeof(path), "%s/hidden", server->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	server_file(server, "hidden/policy.conf", "[port %u]\nca = %s/ca.pem\n", server->ports[0],
		    server->directory);
	text_format(path, sizeof(path), "%s/hidden/policy.conf", server->directory);
	server_policy_file(server, path);
	server_start(server);
	expect_edge_policy(server, &log);
	expect_line_of_each(server, "permission denied", 1);
	expectations_met();
	server_stop(server);
}

static void run_owner(void **state)
{
	struct server *server = changing_server(server_kind_named(*state), "");
	struct log log = {.path = server->log};
	char path[PATH_MAX + 64], text[4096];

	if (!is_root())
		return;
	server_start(server);
	expect_edge_policy(server, &log);
	other_policy(server, text, sizeof(text), "");
	change_in_place(server, "renamed.conf", text);
	text_format(path, sizeof(path), "%s/renamed.conf", server->directory);
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	text_format(text, sizeof(text), "%s/policy.conf", server->directory);
	assert_int_equal(rename(path, text), 0);
	wait_until_in_force();
	expect_edge_policy(server, &log);
	expect_line_of_each(server, "its owner is not the one of the start", 1);
	expectations_met();
	server_stop(server);
}

/* ---- another root directory ---- */

static char root_option[PATH_MAX + 64];

/* A root directory in which an attacker has laid a policy, and a CA, where the policy is. */
static void lay_policy(const struct server *server, const char *root)
{
	char script[4 * PATH_MAX];
	struct result result;

	text_format(script, sizeof(script),
		    "mkdir -p %s%s && printf '[port *]\\nverify = off\\n' >%s%s/policy.conf", root,
		    server->directory, root, server->directory);
	program_run(&result, &(struct program){.words = {"sh", "-c", script}});
	assert_int_equal(result.status, 0);
	result_clear(&result);
}

static void run_other_root(void **state)
{
	struct server *server = changing_server(&small_server, "");
	struct log log = {.path = server->log};
	char root[PATH_MAX], text[4096];

	if (!is_root())
		return;
	scratch_new_dir(root, sizeof(root), "root");
	lay_policy(server, root);
	text_format(root_option, sizeof(root_option), "%s chroot=%s", (const char *)*state, root);
	server->options = root_option;
	server_start(server);
	expect_edge_policy(server, &log);
	other_policy(server, text, sizeof(text), "");
	change_by_rename(server, "policy.conf", text);
	lay_policy(server, root);
	wait_until_in_force();
	expect_edge_policy(server, &log);
	expect_line_of_each(server, "another root directory", 1);
	expect_lines(server, "policy-changed", 0);
	expectations_met();
	server_stop(server);
}

/* ---- no policy at the start ---- */

/* Below an /etc of its own, which is reached by /proc/PID/root. */
static void prepare_own_etc(struct server *server)
{
	char command[PATH_MAX];

	small_server.prepare(server);
	text_format(command, sizeof(command), "%s", server->command);
	server_file(server, "start.sh",
		    "set -e\nmount -t tmpfs tmpfs %s/etc\nmkdir %s/etc/upper %s/etc/work\n"
		    "mount -t overlay -o lowerdir=/etc,upperdir=%s/etc/upper,workdir=%s/etc/work "
		    "overlay /etc\nexec %s\n",
		    server->directory, server->directory, server->directory, server->directory,
		    server->directory, command);
	server_command(server, "unshare -m sh start.sh");
}

static const struct server_kind own_etc = {.name = "small_server", .prepare = prepare_own_etc};

static bool has_own_mounts(void)
{
	struct result result;
	bool has;

	program_run(&result, &(struct program){.words = {"unshare", "-m", "true"}});
	has = result.status == 0;
	result_clear(&result);
	return has;
}

static void put_default(const struct server *server, const char *text, uid_t owner)
{
	char folder[PATH_MAX], path[PATH_MAX + 64], place[PATH_MAX + 64];

	text_format(folder, sizeof(folder), "/proc/%d/root/etc/cfshim", (int)server->pid);
	mkdir(folder, 0755);
	text_format(path, sizeof(path), "%s/new", folder);
	text_format(place, sizeof(place), "%s/policy.conf", folder);
	scratch_write(path, "%s", text);
	if (chown(path, owner, owner) != 0 || rename(path, place) != 0)
		fail_msg("cannot write %s", place);
}

static void run_default(void **state)
{
	struct server *server = server_new(&own_etc, 1);
	struct log log = {.path = server->log};
	char path[PATH_MAX + 64], text[4096];

	(void)state;
	if (!is_root())
		return;
	if (!has_own_mounts() || access("/etc/cfshim/policy.conf", F_OK) == 0) {
		print_message("# no mount namespace, or a policy of the machine\n");
		skip();
	}
	text_format(path, sizeof(path), "%s/etc", server->directory);
	assert_int_equal(mkdir(path, 0755), 0);
	put_certificate(server, "ca.pem", "ca");
	server_built_in_policy(server);
	server_start(server);
	edge_policy(server, text, sizeof(text), "");
	put_default(server, "[port *]\nverify = off\n", NOBODY);
	wait_until_in_force();
	expect_verdict(server,
		       &(struct client){.port = server->ports[0],
					.version = TLS1_3_VERSION,
					.request = "GET / HTTP/1.0\r\n\r\n"},
		       &stranger, "reject", &log);
	expect_line_of_each(server, "its owner is not the one of the start", 1);
	put_default(server, text, 0);
	wait_until_in_force();
	expect_edge_policy(server, &log);
	expect_lines(server, "policy-changed policy=/etc/cfshim/policy.conf", 1);
	expectations_met();
	server_stop(server);
}

#define OF(sentence, run, state)                                            \
	{                                                                   \
		(sentence), run, NULL, test_end, (void *)(uintptr_t)(state) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OF("what is no policy, or has no CA, changes nothing", run_bad, &small_server),
		OF("nginx: a policy that is gone counts on, and comes back", run_missing, "nginx"),
		OF("nginx: workers that may not read the new policy say so", run_unreadable,
		   "nginx"),
		OF("nginx: workers that may not see the policy say so", run_hidden, "nginx"),
		OF("nginx: a policy of another owner is not taken up", run_owner, "nginx"),
		OF("below another root directory no policy is believed", run_other_root, ""),
		OF("nor by its children", run_other_root, "prefork"),
		OF("without a policy at the start, root's counts when it comes", run_default, ""),
	};

	return RUN_TESTS("keeps-policies-whole", tests);
}
