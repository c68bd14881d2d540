/* What is no TLS server cannot tell that the shim is there: same output, same status, nothing on
 * stderr, no descriptor more. */
#include "scratch.h"
#include "server.h"
#include "test.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CURL_HANGS "curl hangs in that library, with or without the shim"

struct row {
	const char *name;
	const char *words[8];
	int status;
};

static const struct row rows[] = {
	{"/bin/true is true", {"/bin/true"}, 0},
	{"ls lists the same", {"ls", "-l", "/usr"}, 0},
	{"a shell's exit status arrives", {"bash", "-c", "exit 3"}, 3},
	{"a shell's death by a signal arrives", {"bash", "-c", "kill -KILL $$"}, 137},
	{"a pipeline gives the same", {"bash", "-c", "ls /usr | sort -r | head -n 3"}, 0},
	{"git tells its version", {"git", "--version"}, 0},
	{"curl tells its version", {"curl", "--version"}, 0},
	{"openssl tells its version", {"openssl", "version", "-a"}, 0},
	{"openssl computes the same", {"openssl", "dgst", "-sha256", "/etc/passwd"}, 0},
	{"Python starts and ends", {"/usr/bin/python3", "-c", "pass"}, 0},
	{"Python's ssl makes contexts of both kinds",
	 {"/usr/bin/python3", "-c",
	  "import ssl\n"
	  "for side in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):\n"
	  "    print(ssl.SSLContext(side).verify_mode)"},
	 0},
	{"a program has the same descriptors",
	 {"bash", "-c",
	  "ls /proc/self/fd; readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2"},
	 0},
	{"a program with libssl has the same descriptors",
	 {"/usr/bin/python3", "-c",
	  "import os, ssl\n"
	  "context = ssl.create_default_context()\n"
	  "print(sorted(os.listdir('/proc/self/fd')))"},
	 0},
	{"a program whose standard descriptors are closed finds them free",
	 {"bash", "-c", "exec 3>&1; ls /proc/self/fd <&- 2>&- >&3"},
	 0},
};

/* The environment differs in LD_PRELOAD alone; no CFSHIM_POLICY, no CFSHIM_LOG. */
static void run_twice(const char *const *words, struct result *bare, struct result *shimmed)
{
	struct program program = {.shim = false};

	memcpy(program.words, words, 8 * sizeof(words[0]));
	program_run(bare, &program);
	program.shim = true;
	program_run(shimmed, &program);
}

static void expect_same(const struct result *bare, const struct result *shimmed)
{
	expect(shimmed->status == bare->status, "status %d instead of %d", shimmed->status,
	       bare->status);
	expect(strcmp(shimmed->output, bare->output) == 0, "printed\n%s\ninstead of\n%s",
	       shimmed->output, bare->output);
	expect(shimmed->errors[0] == '\0', "complained: %s", shimmed->errors);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct result bare;
	struct result shimmed;

	if (strcmp(row->words[0], "curl") == 0)
		skip_under_sanitizer(CURL_HANGS);
	run_twice(row->words, &bare, &shimmed);
	expect(bare.status == row->status, "without the shim, status %d: %s", bare.status,
	       bare.errors);
	expect_same(&bare, &shimmed);
	result_clear(&bare);
	result_clear(&shimmed);
	expectations_met();
}

/* The shell waits until nobody holds the pipe any more: a descriptor that the shim kept of the
 * daemon's, when it gave up its own, would hold it up. */
static void run_daemon(void **state)
{
	static const char script[] = "import os, ssl, time\n"
				     "ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
				     "print('begun', flush=True)\n"
				     "if os.fork() == 0:\n"
				     "    null = os.open('/dev/null', os.O_RDWR)\n"
				     "    for descriptor in range(3):\n"
				     "        os.dup2(null, descriptor)\n"
				     "    time.sleep(8)\n";
	const char *const words[8] = {"bash", "-c",
				      "x=$(/usr/bin/python3 -c \"$0\" 2>&1); echo \"$x\"", script};
	struct result bare;
	struct result shimmed;

	(void)state;
	run_twice(words, &bare, &shimmed);
	expect_same(&bare, &shimmed);
	expect(strcmp(shimmed.output, "begun\n") == 0, "printed %s", shimmed.output);
	expect(shimmed.milliseconds < 4000, "returned after %lld ms", shimmed.milliseconds);
	result_clear(&bare);
	result_clear(&shimmed);
	expectations_met();
}

/* Outgoing connections are none of the shim's: a client of each kind, to a server that is not the
 * shim's. */
static void expect_client_works(const char *const *words)
{
	struct server *server = server_new(&small_server, 1);
	const char *all[8] = {NULL};
	char url[64];
	struct result bare;
	struct result shimmed;
	size_t count = 0;

	server_start(server);
	text_format(url, sizeof(url), "https://127.0.0.1:%u/", server->ports[0]);
	for (; words[count] != NULL; count++)
		all[count] = words[count];
	all[count] = url;
	run_twice(all, &bare, &shimmed);
	expect_same(&bare, &shimmed);
	expect(strcmp(shimmed.output, SERVER_ANSWER) == 0, "printed %s", shimmed.output);
	result_clear(&bare);
	result_clear(&shimmed);
	expectations_met();
	server_stop(server);
}

static void run_curl(void **state)
{
	(void)state;
	skip_under_sanitizer(CURL_HANGS);
	expect_client_works((const char *[]){"curl", "-sSk", NULL});
}

static void run_python_client(void **state)
{
	(void)state;
	expect_client_works(
		(const char *[]){"/usr/bin/python3", "-c",
				 "import ssl, sys, urllib.request\n"
				 "context = ssl._create_unverified_context()\n"
				 "answer = urllib.request.urlopen(sys.argv[1], context=context)\n"
				 "sys.stdout.write(answer.read().decode())",
				 NULL});
}

/* ---- a client that sets an info callback on its SSL, this program's second part ---- */

static void ignore_info(const SSL *ssl, int where, int value)
{
	(void)ssl, (void)where, (void)value;
}

static int client_main(const char *url)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	char *address = strdup(url + strlen("https://")), answer[4096];
	BIO *socket;
	int length = 0, count = 0;

	address[strcspn(address, "/")] = '\0';
	socket = BIO_new_connect(address);
	SSL_set_info_callback(ssl, ignore_info);
	SSL_set_bio(ssl, socket, socket);
	if (SSL_connect(ssl) == 1 && SSL_write(ssl, "GET / HTTP/1.0\r\n\r\n", 18) == 18)
		while ((count = SSL_read(ssl, answer + length, (int)sizeof(answer) - 1 - length)) >
		       0)
			length += count;
	answer[length] = '\0';
	SSL_free(ssl);
	SSL_CTX_free(context);
	free(address);
	fputs(strstr(answer, "\r\n\r\n") ? strstr(answer, "\r\n\r\n") + 4 : "no answer\n", stdout);
	return count < 0;
}

static void run_client_with_info_callback(void **state)
{
	char command[PATH_MAX];

	(void)state;
	built_path(command, sizeof(command), "tests/process/leaves_programs_alone");
	expect_client_works((const char *[]){command, NULL});
}

/* The linker's own library: it is there wherever the loader is, and loaded by nobody else. */
static void run_forking_host(void **state)
{
	struct result bare, shimmed;
	char command[PATH_MAX];

	(void)state;
	built_path(command, sizeof(command), "tests/process/servers/forking_host");
	run_twice((const char *const[8]){command, "libthread_db.so.1"}, &bare, &shimmed);
	expect(strcmp(bare.output, "0\n") == 0, "bare: %s", bare.output);
	expect_same(&bare, &shimmed);
	result_clear(&bare);
	result_clear(&shimmed);
	expectations_met();
}

/* Whoever looks up a name that the library exports and musl lacks finds one that fails. */
#define MUSL_PROGRAM                                                                              \
	"#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <errno.h>\n#include <stdio.h>\n"       \
	"int main(void)\n{\n"                                                                     \
	"\tconst char *names[] = {\"__read\", \"__write\", \"__send\", \"__close\", \"__dup2\", " \
	"\"__fcntl\", \"__read_chk\", \"__recv_chk\", \"__recvfrom_chk\", \"__vdprintf_chk\", "   \
	"\"preadv64v2\", \"pwritev64v2\", \"close_range\"};\n"                                    \
	"\tfor (int i = 0; i < sizeof(names) / sizeof(*names); i++) {\n"                          \
	"\t\tint (*f)(long, long, long, long, long) = dlsym(RTLD_DEFAULT, names[i]);\n"           \
	"\t\terrno = 0;\n"                                                                        \
	"\t\tif (f == NULL || f(-1, 0, 0, 0, 0) != -1 || errno != ENOSYS)\n"                      \
	"\t\t\tputs(names[i]);\n"                                                                 \
	"\t}\n\tputs(\"musl\");\n\treturn 4;\n}\n"

static void run_musl(void **state)
{
	char source[PATH_MAX];
	char binary[PATH_MAX];
	struct result result;

	(void)state;
	skip_under_sanitizer("its library needs glibc");
	text_format(source, sizeof(source), "%s/musl.c", scratch_dir());
	text_format(binary, sizeof(binary), "%s/musl", scratch_dir());
	scratch_write(source, MUSL_PROGRAM);
	program_run(&result,
		    &(struct program){.words = {"musl-gcc", "-O1", "-w", "-o", binary, source}});
	if (result.status == 127) {
		fprintf(stderr, "# musl-gcc is not installed\n");
		result_clear(&result);
		skip();
	}
	expect(result.status == 0, "musl-gcc: %s", result.errors);
	result_clear(&result);
	program_run(&result, &(struct program){.words = {binary}, .shim = true});
	expect(result.status == 4 && strcmp(result.output, "musl\n") == 0, "status %d, %s, %s",
	       result.status, result.output, result.errors);
	expect(result.errors[0] == '\0', "complained: %s", result.errors);
	result_clear(&result);
	expectations_met();
}

int main(int count, char **words)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	static struct CMUnitTest tests[ROWS + 6];

	if (count > 1)
		return client_main(words[1]);
	for (size_t i = 0; i < ROWS; i++) {
		tests[i] = (struct CMUnitTest)TEST(rows[i].name, run_row);
		tests[i].initial_state = (void *)(uintptr_t)&rows[i];
	}
	tests[ROWS] = (struct CMUnitTest)TEST(
		"a shell that captures the output of a daemon returns at once", run_daemon);
	tests[ROWS + 1] = (struct CMUnitTest)TEST("curl reaches a TLS server", run_curl);
	tests[ROWS + 2] = (struct CMUnitTest)TEST("Python reaches a TLS server", run_python_client);
	tests[ROWS + 3] = (struct CMUnitTest)TEST(
		"a program linked to musl starts, and names that musl lacks fail", run_musl);
	tests[ROWS + 4] = (struct CMUnitTest)TEST(
		"a client with an info callback of its own reaches a TLS server",
		run_client_with_info_callback);
	tests[ROWS + 5] = (struct CMUnitTest)TEST(
		"children of a threaded host free what they have of OpenSSL", run_forking_host);
	return RUN_TESTS("leaves-programs-alone", tests);
}
