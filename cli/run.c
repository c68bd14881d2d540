/* run.c - `cfshim run [--policy FILE] [--] COMMAND...`: the command becomes the program, with the
 * shim in it. */
#include "arguments.h"
#include "executable.h"
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status refuse_obstacle(enum status status, const struct obstacle *obstacle)
{
	if (obstacle->script != NULL)
		return refuse(status, "run", "%s (the interpreter of %s); %s", obstacle->what,
			      obstacle->script, obstacle->instead);
	return refuse(status, "run", "%s; %s", obstacle->what, obstacle->instead);
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

static enum status preload(const char *library)
{
	char *list = preload_list(getenv("LD_PRELOAD"), library);
	const bool good = list != NULL && setenv("LD_PRELOAD", list, 1) == 0;

	free(list);
	return good ? STATUS_GOOD : refuse(STATUS_REFUSED, "run", "%s", strerror(errno));
}

/* Checked before anything is started: a loader that cannot preload starts the server all the same,
 * open. */
static enum status start(char **command)
{
	char library[PATH_MAX], path[PATH_MAX], program[PATH_MAX];
	struct obstacle obstacle = {.script = NULL};
	enum status status;

	library_find(library, sizeof(library));
	status = library_check(library, &obstacle);
	if (status == STATUS_GOOD)
		status = executable_find(command[0], path, sizeof(path), &obstacle);
	if (status == STATUS_GOOD)
		status = executable_check(path, library, program, &obstacle);
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
