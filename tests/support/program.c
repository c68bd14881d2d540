#include "program.h"

#include "scratch.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_LIMIT_MS 10000
#define END_LIMIT_MS 3000

static void set_variable(const char *name, const char *value)
{
	if (value != NULL)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* The environment of the tester must not decide what is tested. */
static void set_environment(const struct program *program, const char *library)
{
	static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
					      "all_proxy", "ALL_PROXY"};
	const char *first = getenv("PRELOAD_FIRST");
	char preload[2 * PATH_MAX];

	snprintf(preload, sizeof(preload), "%s%s%s", first ? first : "", first ? ":" : "", library);
	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		unsetenv(proxies[i]);
	set_variable("LC_ALL", "C");
	set_variable("LD_PRELOAD", program->shim ? preload : NULL);
	set_variable("CFSHIM_POLICY", program->policy);
	set_variable("CFSHIM_LOG", program->log);
}

static void redirect(int descriptor, const char *path, int flags)
{
	int opened = open(path ? path : "/dev/null", flags | O_CLOEXEC, 0644);

	if (opened < 0 || dup2(opened, descriptor) < 0)
		_exit(126);
}

static void become(const struct program *program, const char *library)
{
	char *words[PROGRAM_MAX_WORDS + 1] = {NULL};

	setsid();
	/* A test program that is killed takes its servers along. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (size_t i = 0; i < PROGRAM_MAX_WORDS && program->words[i] != NULL; i++)
		words[i] = strdup(program->words[i]);
	redirect(STDIN_FILENO, NULL, O_RDONLY);
	redirect(STDOUT_FILENO, program->output, O_WRONLY | O_CREAT | O_APPEND);
	redirect(STDERR_FILENO, program->errors, O_WRONLY | O_CREAT | O_APPEND);
	set_environment(program, library);
	if (words[0] != NULL && (program->directory == NULL || chdir(program->directory) == 0))
		execvp(words[0], words);
	dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

pid_t program_start(const struct program *program)
{
	static const char sbin[] = "/usr/local/sbin:/usr/sbin:/sbin";
	static bool path_is_set;
	char library[PATH_MAX] = "";
	pid_t pid;

	if (!path_is_set) {
		char path[2 * PATH_MAX];

		text_format(path, sizeof(path), "%s:%s", getenv("PATH"), sbin);
		setenv("PATH", path, 1);
		path_is_set = true;
	}
	if (program->shim)
		built_path(library, sizeof(library), "libcfshim.so");
	pid = fork();
	if (pid == 0)
		become(program, library);
	if (pid < 0)
		fail_msg("fork: %s", strerror(errno));
	return pid;
}

bool program_has_ended(pid_t pid, int *status)
{
	int raw;

	if (waitpid(pid, &raw, WNOHANG) != pid)
		return false;
	*status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
	return true;
}

void program_run(struct result *result, const struct program *program)
{
	struct program captured = *program;
	char output[PATH_MAX];
	char errors[PATH_MAX];
	long long start = clock_ms();
	pid_t pid;

	/* Always the same names: a program under test may print where its descriptors lead. */
	text_format(output, sizeof(output), "%s/output", scratch_dir());
	text_format(errors, sizeof(errors), "%s/errors", scratch_dir());
	unlink(output);
	unlink(errors);
	captured.output = output;
	captured.errors = errors;
	pid = program_start(&captured);
	while (!program_has_ended(pid, &result->status)) {
		if (clock_ms() - start > RUN_LIMIT_MS) {
			program_end(pid);
			fail_msg("%s did not end", program->words[0]);
		}
		clock_nap();
	}
	result->milliseconds = clock_ms() - start;
	program_end(pid);
	result->output = scratch_read(output);
	result->errors = scratch_read(errors);
}

void result_clear(struct result *result)
{
	free(result->output);
	free(result->errors);
}

/* The session of a living process; 0: it is not there, or dead.  A dead child of ours is waited for
 * on the way. */
static pid_t session_of(pid_t pid)
{
	char path[64];
	char line[512] = "";
	const char *rest;
	FILE *file;
	char state;
	int parent;
	int session;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	/* The name in parentheses may hold anything, even a parenthesis. */
	rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	if (rest == NULL || sscanf(rest, ") %c %d %*d %d", &state, &parent, &session) != 3)
		return 0;
	if (state == 'Z' && parent == getpid() && session != pid)
		waitpid(pid, NULL, WNOHANG);
	return state == 'Z' ? 0 : session;
}

size_t program_processes(pid_t pid, pid_t *processes, size_t size)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t count = 0;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		pid_t other = (pid_t)strtol(entry->d_name, NULL, 10);

		if (other > 0 && session_of(other) == pid && count++ < size)
			processes[count - 1] = other;
	}
	if (proc != NULL)
		closedir(proc);
	return count;
}

static bool is_gone_within(pid_t pid, long long limit)
{
	long long deadline = clock_ms() + limit;
	pid_t processes[64];

	while (program_processes(pid, processes, 64) > 0) {
		if (clock_ms() > deadline)
			return false;
		clock_nap();
	}
	return true;
}

static void signal_session(pid_t pid, int signal)
{
	pid_t processes[64];
	size_t count = program_processes(pid, processes, 64);

	for (size_t i = 0; i < count && i < 64; i++)
		kill(processes[i], signal);
}

/* The program itself may be gone, and its number another's: only its session counts. */
void program_end(pid_t pid)
{
	signal_session(pid, SIGTERM);
	if (!is_gone_within(pid, END_LIMIT_MS)) {
		signal_session(pid, SIGKILL);
		if (!is_gone_within(pid, END_LIMIT_MS))
			fprintf(stderr, "# processes of session %d do not end\n", pid);
	}
	waitpid(pid, NULL, WNOHANG);
}
