/* door_exec.c - the shim in the programs that the host executes: what of the environment keeps it
 * there is put back where the host has lost it, for the child alone.  What the host itself sees
 * stays as it left it, so do the array and the strings that it handed over.
 *
 * All of it but system() and popen() may run between vfork() and exec, and in a signal handler. */
#include "environment.h"
#include "hooks.h"
#include "libc.h"
#include "withhold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* ---- exec ---- */

/* How the program is named. */
struct target {
	enum { BY_PATH, BY_SEARCH, BY_DESCRIPTOR, BY_FOLDER } way;
	const char *name;
	int descriptor, flags;
};

static int original(const struct target *target, char *const *arguments, char *const *list)
{
	const struct libc *libc = libc_originals();

	switch (target->way) {
	case BY_SEARCH:
		return libc->execvpe(target->name, arguments, list);
	case BY_DESCRIPTOR:
		return libc->fexecve(target->descriptor, arguments, list);
	case BY_FOLDER:
		if (!LIBC_LACKS(execveat))
			return libc->execveat(target->descriptor, target->name, arguments, list,
					      target->flags);
		return (int)libc->syscall(SYS_execveat, target->descriptor, target->name, arguments,
					  list, target->flags);
	case BY_PATH:
	default:
		return libc->execve(target->name, arguments, list);
	}
}

/* Where execvp() looks; the default is that of musl, which holds that of glibc. */
static const char *search_path(void)
{
	for (size_t i = 0; environ != NULL && environ[i] != NULL; i++)
		if (strncmp(environ[i], "PATH=", 5) == 0)
			return environ[i] + 5;
	return "/usr/local/bin:/bin:/usr/bin";
}

static struct program_name name_of(const struct target *target)
{
	switch (target->way) {
	case BY_DESCRIPTOR:
		return (struct program_name){target->descriptor, "", NULL};
	case BY_FOLDER:
		return (struct program_name){target->descriptor, target->name, NULL};
	case BY_SEARCH:
		return (struct program_name){AT_FDCWD, target->name, search_path()};
	case BY_PATH:
	default:
		return (struct program_name){AT_FDCWD, target->name, NULL};
	}
}

static int execute_as_is(const struct target *target, char *const *arguments, char *const *list)
{
	const struct program_name name = name_of(target);
	struct withheld withheld;
	int result;

	withhold_begin(&withheld, &name);
	result = original(target, arguments, list);
	withhold_end(&withheld);
	return result;
}

/* Where what is put back makes it too long, the exec fails, as it would had the host kept it. */
static int execute(const struct target *target, char *const *arguments, char *const *given)
{
	struct environment environment;
	int result;

	if (environment_is_whole(given))
		return execute_as_is(target, arguments, given);
	if (!environment_begin(&environment, given))
		return -1;
	result = execute_as_is(target, arguments, environment.list);
	environment_end(&environment);
	return result;
}

int execve(const char *path, char *const arguments[], char *const given[])
{
	return execute(&(struct target){BY_PATH, path, -1, 0}, arguments, given);
}

int execv(const char *path, char *const arguments[])
{
	return execute(&(struct target){BY_PATH, path, -1, 0}, arguments, environ);
}

int execvp(const char *file, char *const arguments[])
{
	return execute(&(struct target){BY_SEARCH, file, -1, 0}, arguments, environ);
}

int execvpe(const char *file, char *const arguments[], char *const given[])
{
	return execute(&(struct target){BY_SEARCH, file, -1, 0}, arguments, given);
}

int fexecve(int descriptor, char *const arguments[], char *const given[])
{
	return execute(&(struct target){BY_DESCRIPTOR, NULL, descriptor, 0}, arguments, given);
}

int execveat(int folder, const char *path, char *const arguments[], char *const given[], int flags)
{
	return execute(&(struct target){BY_FOLDER, path, folder, flags}, arguments, given);
}

/* ---- exec of a list ---- */

/* As for an environment: a mapping where the room does not do. */
#define WORDS 256

struct words {
	char **list;
	char *const *given; /* the environment that follows them, or the host's */
	size_t mapped;      /* 0: it is `room` */
	char *room[WORDS];
};

/* The words of a call: `first`, then those of `rest` and the NULL that ends them.
 * NOLINTBEGIN(clang-analyzer-valist.Uninitialized): its callers have begun `rest` */
static bool words_begin(struct words *words, const char *first, va_list rest,
			bool environment_follows)
{
	size_t count = 1;
	va_list counted;

	va_copy(counted, rest);
	for (const char *word = first; word != NULL; count++)
		word = va_arg(counted, const char *);
	va_end(counted);
	words->list = words->room;
	words->mapped = 0;
	if (count > WORDS) {
		void *mapping = mmap(NULL, count * sizeof(char *), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (mapping == MAP_FAILED)
			return false;
		words->list = mapping;
		words->mapped = count * sizeof(char *);
	}
	memcpy(words->list, &first, sizeof(first)); /* exec takes them as it got them: not const */
	for (size_t i = 0; words->list[i] != NULL; i++)
		words->list[i + 1] = va_arg(rest, char *);
	words->given = environment_follows ? va_arg(rest, char *const *) : environ;
	return true;
}
/* NOLINTEND(clang-analyzer-valist.Uninitialized) */

static void words_end(const struct words *words)
{
	int error_number = errno;

	if (words->mapped > 0)
		munmap(words->list, words->mapped);
	errno = error_number;
}

static int execute_list(const struct target *target, const char *first, va_list rest,
			bool environment_follows)
{
	struct words words;
	int result;

	if (!words_begin(&words, first, rest, environment_follows))
		return -1;
	result = execute(target, words.list, words.given);
	words_end(&words);
	return result;
}

int execl(const char *path, const char *first, ...)
{
	va_list rest;
	int result;

	va_start(rest, first);
	result = execute_list(&(struct target){BY_PATH, path, -1, 0}, first, rest, false);
	va_end(rest);
	return result;
}

int execlp(const char *file, const char *first, ...)
{
	va_list rest;
	int result;

	va_start(rest, first);
	result = execute_list(&(struct target){BY_SEARCH, file, -1, 0}, first, rest, false);
	va_end(rest);
	return result;
}

int execle(const char *path, const char *first, ...)
{
	va_list rest;
	int result;

	va_start(rest, first);
	result = execute_list(&(struct target){BY_PATH, path, -1, 0}, first, rest, true);
	va_end(rest);
	return result;
}

/* ---- spawn ---- */

typedef int (*spawn)(pid_t *pid, const char *name, const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attributes, char *const arguments[],
		     char *const given[]);

/* No door stands between the child's begin and its exec, so what it must not inherit is set to
 * close in this process, for as long as the call takes; what `actions` make a copy of, it inherits.
 */
static int start_as_is(spawn function, const struct target *target, pid_t *id,
		       const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const *arguments,
		       char *const *list)
{
	const struct program_name name = name_of(target);
	struct withheld withheld;
	int result;

	withhold_begin(&withheld, &name);
	result = function(id, target->name, actions, attributes, arguments, list);
	withhold_end(&withheld);
	return result;
}

/* These answer with an error number, and leave errno to chance. */
static int start(spawn function, const struct target *target, pid_t *id,
		 const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		 char *const *arguments, char *const *given)
{
	struct environment environment;
	int result;

	if (environment_is_whole(given))
		return start_as_is(function, target, id, actions, attributes, arguments, given);
	if (!environment_begin(&environment, given))
		return ENOMEM;
	result =
		start_as_is(function, target, id, actions, attributes, arguments, environment.list);
	environment_end(&environment);
	return result;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const arguments[], char *const given[])
{
	return start(libc_originals()->posix_spawn, &(struct target){BY_PATH, path, -1, 0}, pid,
		     actions, attributes, arguments, given);
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, char *const arguments[], char *const given[])
{
	return start(libc_originals()->posix_spawnp, &(struct target){BY_SEARCH, file, -1, 0}, pid,
		     actions, attributes, arguments, given);
}

int pidfd_spawn(int *pidfd, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const arguments[], char *const given[])
{
	if (LIBC_LACKS(pidfd_spawn))
		return ENOSYS;
	return start(libc_originals()->pidfd_spawn, &(struct target){BY_PATH, path, -1, 0}, pidfd,
		     actions, attributes, arguments, given);
}

int pidfd_spawnp(int *pidfd, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, char *const arguments[], char *const given[])
{
	if (LIBC_LACKS(pidfd_spawnp))
		return ENOSYS;
	return start(libc_originals()->pidfd_spawnp, &(struct target){BY_SEARCH, file, -1, 0},
		     pidfd, actions, attributes, arguments, given);
}

/* ---- a shell ----
 * glibc and musl execute it from within, with the environment as it is: no door stands there.  To
 * make it up here would be to make up again how they wait, block signals, end with a cancelled
 * thread and keep what pclose() needs; to change `environ` meanwhile would show it to the other
 * threads of the host.  So the originals run, with a command that first puts back what is lost and
 * then becomes the shell that would have run the host's command: the same process, the same command
 * line of the shell's own, the same $0. */

int system(const char *command)
{
	char *own;
	int result, error_number;

	if (command == NULL || environment_is_whole(environ))
		return libc_originals()->system(command);
	own = environment_command(environ, command);
	if (own == NULL)
		return -1;
	result = libc_originals()->system(own);
	error_number = errno;
	free(own);
	errno = error_number;
	return result;
}

FILE *popen(const char *command, const char *mode)
{
	char *own;
	FILE *result;
	int error_number;

	if (environment_is_whole(environ))
		return libc_originals()->popen(command, mode);
	own = environment_command(environ, command);
	if (own == NULL)
		return NULL;
	result = libc_originals()->popen(own, mode);
	error_number = errno;
	free(own);
	errno = error_number;
	return result;
}
