/* A covered program that does away with its environment, and executes another one: that one is
 * covered by the same policy, and gets what it would have got otherwise. */
#include "log.h"
#include "program.h"
#include "scratch.h"
#include "test.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHY "executed programs get back the shim, and not the sanitizer's library before it"

#define SOURCE "tests/process/servers/executing_host.c"

static char host[PATH_MAX], library[PATH_MAX], policy[PATH_MAX], log_path[PATH_MAX];

static void find_paths(void)
{
	built_path(host, sizeof(host), "tests/process/servers/executing_host");
	built_path(library, sizeof(library), "libcfshim.so");
	text_format(policy, sizeof(policy), "%s/it's a policy", scratch_dir());
	text_format(log_path, sizeof(log_path), "%s/log", scratch_dir());
}

/* ---- the environment, by every function ---- */

/* Puts `new`, which is not longer, wherever `old` stands in `output`; how often. */
static size_t replace(char *output, const char *old, const char *new)
{
	size_t count = 0, length = strlen(new);

	for (char *at = output; (at = strstr(at, old)) != NULL; at += length, count++) {
		memmove(at + length, at + strlen(old), strlen(at + strlen(old)) + 1);
		for (size_t i = 0; i < length; i++)
			at[i] = new[i];
	}
	return count;
}

/* The variables of the shim are there, once, and are taken out. */
static void take_out(char *output, const char *how)
{
	char line[PATH_MAX + 64];
	size_t count;

	text_format(line, sizeof(line), "LD_PRELOAD=%s:", library);
	count = replace(output, line, "LD_PRELOAD=");
	text_format(line, sizeof(line), "LD_PRELOAD=%s\n", library);
	count += replace(output, line, strcmp(how, "empty-preload") == 0 ? "LD_PRELOAD=\n" : "");
	expect(count == 1, "LD_PRELOAD %zu times", count);
	text_format(line, sizeof(line), "CFSHIM_POLICY=%s\n", policy);
	expect(replace(output, line, "") == 1, "not the policy");
	text_format(line, sizeof(line), "CFSHIM_LOG=%s\n", log_path);
	expect(strcmp(how, "empty-preload") == 0 || replace(output, line, "") == 1, "not the log");
	expect(replace(output, "it is covered\n", "it is bare\n") == 1, "not covered");
}

static void expect_same_environment(const char *program, const char *how, const char *way)
{
	struct program words = {.words = {program, how, way}};
	struct result bare, shimmed;

	program_run(&bare, &words);
	words.shim = true;
	words.policy = policy;
	words.log = log_path;
	program_run(&shimmed, &words);
	take_out(shimmed.output, how);
	expect(shimmed.status == bare.status && strcmp(shimmed.output, bare.output) == 0,
	       "%s, environment %s: status %d and\n%s\ninstead of %d and\n%s", way, how,
	       shimmed.status, shimmed.output, bare.status, bare.output);
	expect(strcmp(shimmed.errors, bare.errors) == 0, "complained: %s", shimmed.errors);
	result_clear(&bare);
	result_clear(&shimmed);
}

static void expect_ways(const char *program, const char *const *ways)
{
	static const char *const hows[] = {
		"kept", "cleared", "null", "own", "another-preload", "empty-preload", "many"};

	skip_under_sanitizer(WHY);
	find_paths();
	for (; *ways != NULL; ways++)
		for (size_t i = 0; i < sizeof(hows) / sizeof(*hows); i++)
			/* Of fexecve() alone, glibc wants an array. */
			if (strcmp(*ways, "fexecve") != 0 || strcmp(hows[i], "null") != 0)
				expect_same_environment(program, hows[i], *ways);
}

static const char *const ways_of_exec[] = {"execve", "execv",  "execvp",  "execvpe",  "execl",
					   "execlp", "execle", "fexecve", "execveat", "syscall",
					   "vfork",  "signal", NULL};
static const char *const ways_of_spawn[] = {"posix_spawn", "posix_spawnp", NULL};
static const char *const ways_of_shell[] = {"system", "popen", NULL};

static void run_exec(void **state)
{
	(void)state;
	expect_ways(host, ways_of_exec);
	expectations_met();
}

static void run_spawn(void **state)
{
	(void)state;
	expect_ways(host, ways_of_spawn);
	expectations_met();
}

static void run_shell(void **state)
{
	(void)state;
	expect_ways(host, ways_of_shell);
	expectations_met();
}

/* What it returns, what stands in $0, and what the shell complains of. */
static void run_shell_transparency(void **state)
{
	static const char *const commands[] = {
		"exit 3",       "nosuchcommand", "kill -TERM $$", "echo \"$0\" $# '$0' \"it's\"",
		"echo 'no end", "; ;",           "# nothing",     "sleep 0 & wait; echo $?",
		"exec false",   "$*(",           ":\nfoo",
	};
	static const char *const ways[] = {"system", "popen"};

	(void)state;
	skip_under_sanitizer(WHY);
	find_paths();
	for (size_t i = 0; i < 2 * sizeof(commands) / sizeof(*commands); i++) {
		struct program words = {.words = {host, "cleared", ways[i % 2], commands[i / 2]}};
		struct result bare, shimmed;

		program_run(&bare, &words);
		words.shim = true;
		program_run(&shimmed, &words);
		expect(strcmp(bare.output, shimmed.output) == 0, "%s of %s: %s instead of %s",
		       ways[i % 2], commands[i / 2], shimmed.output, bare.output);
		expect(strcmp(bare.errors, shimmed.errors) == 0, "%s of %s: %s instead of %s",
		       ways[i % 2], commands[i / 2], shimmed.errors, bare.errors);
		result_clear(&bare);
		result_clear(&shimmed);
	}
	expectations_met();
}

static void expect_status(const char *how, const char *way, int status)
{
	struct result result;

	program_run(&result, &(struct program){.words = {host, how, way}, .shim = true});
	expect(result.status == status, "%s, environment %s: status %d: %s", way, how,
	       result.status, result.output);
	result_clear(&result);
}

static void run_long_list(void **state)
{
	(void)state;
	skip_under_sanitizer(WHY);
	find_paths();
	expect_status("cleared", "long-execle", 7);
	expectations_met();
}

static void run_threads(void **state)
{
	(void)state;
	skip_under_sanitizer(WHY);
	find_paths();
	expect_status("cleared", "threads", 0);
	expect_status("another-preload", "threads", 0);
	expect_status("many", "threads", 0);
	expectations_met();
}

/* ---- the library by other paths ---- */

static void run_relative(void **state)
{
	char directory[PATH_MAX], relative[PATH_MAX + 16], expected[PATH_MAX + 16];
	struct result result;

	(void)state;
	skip_under_sanitizer(WHY);
	find_paths();
	text_format(directory, sizeof(directory), "%s", library);
	*strrchr(directory, '/') = '\0';
	text_format(relative, sizeof(relative), "LD_PRELOAD=.%s", strrchr(library, '/'));
	program_run(&result, &(struct program){.words = {"env", relative, "sh", "-c",
							 "cd / && exec \"$0\" show", host},
					       .directory = directory});
	text_format(expected, sizeof(expected), "LD_PRELOAD=%s/.%s\n", directory,
		    strrchr(library, '/'));
	expect(strstr(result.output, expected) != NULL, "no %s in %s", expected, result.output);
	expect(strstr(result.output, "it is covered\n") != NULL, "not covered: %s", result.errors);
	result_clear(&result);
	expectations_met();
}

static void run_removed(void **state)
{
	char preload[PATH_MAX + 16], *copy = preload + strlen("LD_PRELOAD=");
	struct result result;

	(void)state;
	skip_under_sanitizer(WHY);
	find_paths();
	text_format(preload, sizeof(preload), "LD_PRELOAD=%s/copy.so", scratch_dir());
	program_run(&result, &(struct program){.words = {"cp", library, copy}});
	result_clear(&result);
	program_run(&result,
		    &(struct program){.words = {"env", preload, host, "removed", "execve"}});
	expect(access(copy, F_OK) != 0, "%s is there", copy);
	expect(strcmp(result.output, "host: 0 - - -, 0 sockets\nit is bare\n") == 0, "printed %s",
	       result.output);
	expect(strcmp(result.errors, "") == 0, "complained: %s", result.errors);
	result_clear(&result);
	expectations_met();
}

static void run_musl(void **state)
{
	char binary[PATH_MAX];
	struct result result;

	(void)state;
	skip_under_sanitizer(WHY);
	text_format(binary, sizeof(binary), "%s/musl", scratch_dir());
	program_run(&result, &(struct program){.words = {"musl-gcc", "-w", "-D_GNU_SOURCE", "-o",
							 binary, SOURCE}});
	if (result.status == 127 || access(SOURCE, R_OK) != 0) {
		fprintf(stderr, "# musl-gcc, or the source, is not there\n");
		result_clear(&result);
		skip();
	}
	expect(result.status == 0, "musl-gcc: %s", result.errors);
	result_clear(&result);
	expect_ways(binary, ways_of_exec);
	expect_ways(binary, ways_of_spawn);
	expect_ways(binary, ways_of_shell);
	expectations_met();
}

/* ---- sockets ---- */

/* The copy of the host at `path`, with another kind of linking, or privileges. */
static bool make_static(char *path)
{
	struct result result;
	bool made;

	text_format(path, PATH_MAX, "%s/static", scratch_dir());
	program_run(&result, &(struct program){.words = {"musl-gcc", "-static", "-w",
							 "-D_GNU_SOURCE", "-o", path, SOURCE}});
	made = result.status == 0;
	result_clear(&result);
	return made;
}

static bool make_setuid(char *path)
{
	struct result result;

	text_format(path, PATH_MAX, "%s/setuid", scratch_dir());
	program_run(&result, &(struct program){.words = {"cp", host, path}});
	result_clear(&result);
	return chown(path, 65534, 65534) == 0 && chmod(path, 04755) == 0;
}

/* Of one listener on `port`, what does `program` inherit, which a covered host executes? */
static void expect_sockets(const char *program, const char *way, const char *const *rule,
			   unsigned port, size_t count)
{
	struct program words = {.words = {host, "cleared", way, program, "show", "sockets"},
				.policy = policy,
				.log = log_path,
				.shim = true};
	char expected[64];
	struct result result;

	unlink(log_path);
	scratch_write(policy, "%s%u%s", rule[0], port, rule[1]);
	program_run(&result, &words);
	text_format(expected, sizeof(expected), "\n%zu sockets\n", count);
	expect(strstr(result.output, expected) != NULL, "%s of %s under %s%u%s: %s", way, program,
	       rule[0], port, rule[1], result.output);
	expect(log_count(log_path, "uncovered library=") == (count == 0), "%zu lines",
	       log_count(log_path, "uncovered library="));
	expect(result.errors[0] == '\0', "complained: %s", result.errors);
	result_clear(&result);
}

static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0); /* for programs to inherit */

	*port = port_pick();
	address.sin_port = htons((uint16_t)*port);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 1) != 0)
		fail_msg("cannot listen on port %u", *port);
	return listener;
}

static void run_sockets(void **state)
{
	/* Before the port, and after it. */
	static const char *const enforced[][2] = {
		{"[port ", "]\n"},
		{"[port ", "]\nno such key = 1\n"},
		{"[port 127.0.0.1:", "]\n[port *]\nverify = off\n"}};
	static const char *const open[][2] = {
		{"[port ", "]\nverify = off\n"}, {"[port *]\n#", "\n"}, {"[port 1]\n#", "\n"}};
	char uncovered[PATH_MAX];
	unsigned port;
	int listener;

	skip_under_sanitizer(WHY);
	find_paths();
	if (!(strcmp(*state, "static") == 0 ? make_static : make_setuid)(uncovered)) {
		fprintf(stderr, "# musl-gcc, the source, or root's privileges are not there\n");
		skip();
	}
	listener = listen_somewhere(&port);
	for (size_t i = 0; i < 3; i++) {
		expect_sockets(uncovered, "execve", enforced[i], port, 0);
		expect_sockets(host, "execve", enforced[i], port, 1);
		expect_sockets(uncovered, "execve", open[i], port, 1);
	}
	expect_sockets(uncovered, "fexecve", enforced[0], port, 0);
	expect_sockets(uncovered, "execveat", enforced[0], port, 0);
	expect_sockets(uncovered, "syscall", enforced[0], port, 0);
	expect_sockets(uncovered, "execvp", enforced[0], port, 0);
	expect_sockets(uncovered, "vfork", enforced[0], port, 0);
	expect_sockets(uncovered, "system", enforced[0], port, 0);
	expect_sockets(uncovered, "posix_spawn", enforced[0], port, 0);
	expect_sockets(uncovered, "posix_spawnp", enforced[0], port, 0);
	expect_sockets(host, "posix_spawn", enforced[0], port, 1);
	close(listener);
	expectations_met();
}

/* A host whose exec failed has what it had. */
static void run_failed(void **state)
{
	char uncovered[PATH_MAX];
	struct result result;
	unsigned port;
	int listener;

	(void)state;
	skip_under_sanitizer(WHY);
	find_paths();
	if (!make_static(uncovered)) {
		fprintf(stderr, "# musl-gcc, or the source, is not there\n");
		skip();
	}
	chmod(uncovered, 0644);
	listener = listen_somewhere(&port);
	scratch_write(policy, "[port %u]\n", port);
	program_run(&result, &(struct program){.words = {host, "cleared", "execve", uncovered},
					       .policy = policy,
					       .log = log_path,
					       .shim = true});
	expect(strcmp(result.output, "host: 0 - - -, 1 sockets\nfailed: 13\n"
				     "host: 0 - - -, 1 sockets\n") == 0,
	       "printed %s", result.output);
	result_clear(&result);
	close(listener);
	expectations_met();
}

#define SOCKETS(sentence, kind)                                                          \
	{                                                                                \
		.name = (sentence), .test_func = run_sockets, .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(kind)                               \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("what is executed gets the host's environment and what the shim needs",
		     run_exec),
		TEST("so does what is spawned", run_spawn),
		TEST("so does what system() and popen() start", run_shell),
		TEST("and their shells cannot tell", run_shell_transparency),
		TEST("a list of four hundred words arrives", run_long_list),
		TEST("threads may execute at once", run_threads),
		TEST("a library that was preloaded by a relative path is found in another folder",
		     run_relative),
		TEST("a library that is there no more is not asked for", run_removed),
		TEST("a host that is linked to musl executes likewise", run_musl),
		SOCKETS("a static program inherits no socket of an enforced port", "static"),
		SOCKETS("nor does one with raised privileges", "setuid"),
		TEST("and where it cannot be executed, the host keeps its socket", run_failed),
	};

	return RUN_TESTS("keeps-programs-covered", tests);
}
