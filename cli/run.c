/* run.c - `cfshim run [--policy FILE] [--] COMMAND...`: the command becomes the program, with the
 * shim in it. */
#include "arguments.h"
#include "executable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY_NAME "libcfshim.so"

static enum status refuse_obstacle(enum status status, const struct obstacle *obstacle)
{
	if (obstacle->script != NULL)
		return refuse(status, "run", "%s (the interpreter of %s); %s", obstacle->what,
			      obstacle->script, obstacle->instead);
	return refuse(status, "run", "%s; %s", obstacle->what, obstacle->instead);
}

/* Beside this command, so that a build runs where it was made; in the libdir below the same prefix,
 * so that a package runs where it was unpacked; else where `make install` puts it. */
static void find_library(char *path, size_t size)
{
	static const char *const places[] = {"/", "/../lib/" CFSHIM_MULTIARCH "/", "/../lib/"};
	char *command = realpath("/proc/self/exe", NULL);
	int folder = command ? (int)(strrchr(command, '/') - command) : 0;
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, "%.*s%s%s", folder, command ? command : "", places[i],
			 LIBRARY_NAME);
		found = access(path, F_OK) == 0;
	}
	free(command);
	if (!found)
		snprintf(path, size, "%s/%s", CFSHIM_LIBDIR, LIBRARY_NAME);
}

/* Not resolved further: a policy that is a symbolic link may be replaced by setting it to another
 * file. */
static bool make_absolute(const char *file, char *path, size_t size)
{
	char folder[PATH_MAX] = "";
	int needed;

	if (file[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
		return false;
	needed = snprintf(path, size, "%s%s%s", folder, *folder ? "/" : "", file);
	if (needed >= 0 && (size_t)needed < size)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

/* What it says is the shim's to judge: with a policy that it cannot use it refuses every client. */
static enum status use_policy(const char *file)
{
	char path[PATH_MAX];
	struct stat found;
	int policy;

	if (!make_absolute(file, path, sizeof(path)))
		return refuse(STATUS_REFUSED, "run", "the policy %s: %s", file, strerror(errno));
	policy = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (policy < 0)
		return refuse(STATUS_REFUSED, "run",
			      "the policy %s: %s; --policy takes a readable file", path,
			      strerror(errno));
	if (fstat(policy, &found) != 0 || !S_ISREG(found.st_mode)) {
		close(policy);
		return refuse(STATUS_REFUSED, "run",
			      "the policy %s is not a regular file; --policy takes a readable file",
			      path);
	}
	close(policy);
	if (setenv("CFSHIM_POLICY", path, 1) != 0)
		return refuse(STATUS_REFUSED, "run", "%s", strerror(errno));
	return STATUS_GOOD;
}

/* Does the list begin with a sanitizer's runtime?  It ends the program unless it comes first,
 * before us too. */
static bool begins_with_sanitizer(const char *list)
{
	static const char *const names[] = {"libasan.", "libtsan.", "libubsan.", "libclang_rt."};
	size_t length = strcspn(list, ": ");
	const char *slash = memrchr(list, '/', length);
	const char *name = slash ? slash + 1 : list;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Before what is preloaded already: the first in the list hides the later ones' functions of the
 * same name. */
static enum status preload(const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	size_t first = before && begins_with_sanitizer(before) ? strcspn(before, ": ") : 0;
	char *list = NULL;
	bool good;

	before = before ? before : "";
	good = asprintf(&list, "%.*s%s%s%s%s", (int)first, before, first > 0 ? ":" : "", library,
			before[first] && first == 0 ? ":" : "", before + first) >= 0 &&
	       setenv("LD_PRELOAD", list, 1) == 0;
	free(good ? list : NULL);
	return good ? STATUS_GOOD : refuse(STATUS_REFUSED, "run", "%s", strerror(errno));
}

/* Checked before anything is started: a loader that cannot preload starts the server all the same,
 * open. */
static enum status start(char **command)
{
	char library[PATH_MAX], path[PATH_MAX];
	struct obstacle obstacle = {.script = NULL};
	enum status status;

	find_library(library, sizeof(library));
	status = library_check(library, &obstacle);
	if (status == STATUS_GOOD)
		status = executable_find(command[0], path, sizeof(path), &obstacle);
	if (status == STATUS_GOOD)
		status = executable_check(path, library, &obstacle);
	if (status != STATUS_GOOD)
		return refuse_obstacle(status, &obstacle);
	status = preload(library);
	if (status != STATUS_GOOD)
		return status;
	execvp(path, command);
	return refuse(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_REFUSED, "run", "%s: %s", path,
		      strerror(errno));
}

enum status run_verb(int argc, char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_IN_FRONT);
	const char *policy = arguments.options[OPTION_run_policy];

	if (status != STATUS_GOOD)
		return status;
	if (arguments.count == 0)
		return refuse_usage("run", "the command to run is missing");
	if (policy != NULL && use_policy(policy) != STATUS_GOOD)
		return STATUS_REFUSED;
	return start(arguments.operands);
}
