/* executing_host - a host that executes programs in every way there is, after it has done away with
 * its environment.
 *
 * executing_host HOW WAY [PROGRAM [WORD...]]
 *
 * HOW   what is left of the environment: see `hows`
 * WAY   by which function: see `ways`
 *
 * It prints what it sees of the environment itself.  Without a PROGRAM it executes itself, which
 * then prints each variable, in order, and whether the shim is there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COVERED 7
#define BARE    8

static char *program[64];
static char **given; /* what the functions get that take an environment */

/* ---- the child ---- */

/* Does somebody stand in front of libc? */
static bool is_covered(void)
{
	Dl_info own, libc;

	return dladdr(dlsym(RTLD_DEFAULT, "execve"), &own) != 0 &&
	       dladdr(dlsym(RTLD_DEFAULT, "puts"), &libc) != 0 && own.dli_fbase != libc.dli_fbase;
}

/* How many sockets of an IPv4 address a program would inherit. */
static size_t sockets(void)
{
	struct sockaddr_in address = {.sin_family = AF_UNSPEC};
	size_t count = 0;

	for (int i = 0; i < 64; i++) {
		socklen_t length = sizeof(address);

		count += getsockname(i, (struct sockaddr *)&address, &length) == 0 &&
			 address.sin_family == AF_INET && fcntl(i, F_GETFD) == 0;
	}
	return count;
}

static int show(int count, char **words)
{
	bool covered = is_covered();

	if (count > 2 && strcmp(words[2], "sockets") == 0) {
		printf("%zu sockets\n", sockets());
		return 0;
	}
	if (count > 2) /* one of many */
		return covered ? COVERED : BARE;
	for (size_t i = 0; environ != NULL && environ[i] != NULL; i++)
		puts(environ[i]);
	puts(covered ? "it is covered" : "it is bare");
	return 0;
}

/* ---- the ways: they return only where they failed, or with the child's status ---- */

static int wait_for(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int by_execve(void)
{
	return execve(program[0], program, given);
}

static int by_execv(void)
{
	return execv(program[0], program);
}

static int by_execvp(void)
{
	return execvp(program[0], program);
}

static int by_execvpe(void)
{
	return execvpe(program[0], program, given);
}

static int by_execl(void)
{
	return execl(program[0], program[0], program[1], program[2], NULL);
}

static int by_execlp(void)
{
	return execlp(program[0], program[0], program[1], program[2], NULL);
}

static int by_execle(void)
{
	return execle(program[0], program[0], program[1], NULL, given);
}

/* More words than the shim has room for without a mapping. */
static int by_long_execle(void)
{
#define TEN     "x", "x", "x", "x", "x", "x", "x", "x", "x", "x"
#define HUNDRED TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN

	return execle("/usr/bin/env", "env", program[0], "show", "status", HUNDRED, HUNDRED,
		      HUNDRED, HUNDRED, NULL, given);
}

static int by_fexecve(void)
{
	return fexecve(open(program[0], O_RDONLY | O_CLOEXEC), program, given);
}

static int by_execveat(void)
{
	int (*function)(int, const char *, char *const[], char *const[], int) = NULL;
	void *found = dlsym(RTLD_DEFAULT, "execveat");

	memcpy(&function, &found, sizeof(function));
	if (function == NULL)
		return by_execve();
	return function(open(program[0], O_RDONLY | O_CLOEXEC), "", program, given, 0x1000);
}

static int by_syscall(void)
{
	return (int)syscall(SYS_execve, program[0], program, given);
}

static int by_posix_spawn(void)
{
	pid_t pid;

	errno = posix_spawn(&pid, program[0], NULL, NULL, program, given);
	return errno == 0 ? wait_for(pid) : -1;
}

static int by_posix_spawnp(void)
{
	pid_t pid;

	errno = posix_spawnp(&pid, program[0], NULL, NULL, program, given);
	return errno == 0 ? wait_for(pid) : -1;
}

static int by_vfork(void)
{
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

	if (pid == 0) {
		execve(program[0], program, given);
		_exit(127);
	}
	return pid < 0 ? -1 : wait_for(pid);
}

static void execute_now(int number)
{
	(void)number;
	execve(program[0], program, given);
}

static int by_signal(void)
{
	signal(SIGUSR1, execute_now);
	raise(SIGUSR1);
	return -1;
}

static void *execute_too(void *wrong)
{
	for (size_t i = 0; i < 8; i++)
		if (by_vfork() != COVERED)
			__atomic_fetch_add((int *)wrong, 1, __ATOMIC_RELAXED);
	return NULL;
}

static int by_threads(void)
{
	static char quiet[] = "status";
	pthread_t threads[8];
	int wrong = 0;

	program[2] = quiet;

	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, execute_too, &wrong);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	return wrong == 0 ? 0 : -1;
}

/* The words with blanks between them. */
static const char *command(void)
{
	static char text[4096];

	size_t length = 0;

	for (size_t i = 0; program[i] != NULL && length < sizeof(text); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s ", program[i]);
	return text;
}

static int by_system(void)
{
	int status = system(command()); /* NOLINT(cert-env33-c) */

	return status == -1 ? -1 : WEXITSTATUS(status);
}

static int by_popen(void)
{
	FILE *pipe = popen(command(), "r"); /* NOLINT(cert-env33-c) */
	int byte, status;

	while (pipe != NULL && (byte = fgetc(pipe)) != EOF)
		putchar(byte);
	status = pipe ? pclose(pipe) : -1;
	return status == -1 ? -1 : WEXITSTATUS(status);
}

static const struct way {
	const char *name;
	int (*go)(void);
} ways[] = {
	{"execve", by_execve},
	{"execv", by_execv},
	{"execvp", by_execvp},
	{"execvpe", by_execvpe},
	{"execl", by_execl},
	{"execlp", by_execlp},
	{"execle", by_execle},
	{"long-execle", by_long_execle},
	{"fexecve", by_fexecve},
	{"execveat", by_execveat},
	{"syscall", by_syscall},
	{"posix_spawn", by_posix_spawn},
	{"posix_spawnp", by_posix_spawnp},
	{"vfork", by_vfork},
	{"signal", by_signal},
	{"threads", by_threads},
	{"system", by_system},
	{"popen", by_popen},
	{NULL, NULL},
};

/* ---- what is left of the environment ---- */

static void leave(const char *const *lines)
{
	static char *list[8];

	for (size_t i = 0; lines[i] != NULL; i++)
		list[i] = strdup(lines[i]);
	environ = given = list;
}

static void keep(void)
{
	given = environ;
}

static void clear(void)
{
	static char *nothing[] = {NULL};

	clearenv();
	given = nothing;
}

/* And the library with it. */
static void remove_library(void)
{
	const char *path = getenv("LD_PRELOAD");

	if (path != NULL)
		unlink(path);
	clear();
}

static void null(void)
{
	environ = NULL;
	given = NULL;
}

static void replace(void)
{
	leave((const char *[]){"A=1", "B='$(exit 3)'\"`\\\n=2", "", "C", NULL});
}

static void preload_another(void)
{
	leave((const char *[]){"A=1", "LD_PRELOAD=libm.so.6", "B=2", NULL});
}

static void preload_nothing(void)
{
	leave((const char *[]){"LD_PRELOAD=", "CFSHIM_LOG=off", "A=1", NULL});
}

/* More than the shim has room for without a mapping. */
static void replace_by_many(void)
{
	static char text[1000][16], *many[1001];

	for (size_t i = 0; i < 1000; i++) {
		snprintf(text[i], sizeof(text[i]), "V%zu=%zu", i, i);
		many[i] = text[i];
	}
	environ = given = many;
}

static const struct how {
	const char *name;
	void (*leave)(void);
} hows[] = {
	{"kept", keep},
	{"cleared", clear},
	{"null", null},
	{"own", replace},
	{"another-preload", preload_another},
	{"empty-preload", preload_nothing},
	{"many", replace_by_many},
	{"removed", remove_library},
	{NULL, NULL},
};

static void show_own_view(void)
{
	static const char *const names[] = {"LD_PRELOAD", "CFSHIM_POLICY", "CFSHIM_LOG"};
	size_t count = 0;

	while (environ != NULL && environ[count] != NULL)
		count++;
	printf("host: %zu", count);
	for (size_t i = 0; i < 3; i++)
		printf(" %s", getenv(names[i]) ? getenv(names[i]) : "-");
	printf(", %zu sockets\n", sockets());
	fflush(stdout);
}

int main(int count, char **words)
{
	static char own_path[PATH_MAX], show_it[] = "show";
	const struct how *how = hows;
	const struct way *way = ways;
	bool kept;
	int result;

	if (count > 1 && strcmp(words[1], "show") == 0)
		return show(count, words);
	while (how->name != NULL && (count < 3 || strcmp(how->name, words[1]) != 0))
		how++;
	while (way->name != NULL && (count < 3 || strcmp(way->name, words[2]) != 0))
		way++;
	if (how->name == NULL || way->name == NULL || realpath(words[0], own_path) == NULL)
		return 2;
	program[0] = own_path;
	program[1] = show_it;
	for (int i = 3; i < count && i < 63; i++) {
		program[i - 3] = words[i];
		program[i - 2] = NULL;
	}
	kept = how->leave == keep;
	how->leave();
	if (!kept)
		show_own_view();
	result = way->go();
	if (result < 0)
		printf("failed: %d\n", errno);
	else
		printf("status: %d\n", result);
	if (!kept)
		show_own_view();
	return result < 0;
}
