/* enable.c - `cfshim enable UNIT`, `cfshim disable UNIT`, `cfshim drop-in UNIT`: a unit of systemd
 * starts under the shim, or not at all. */
#include "arguments.h"
#include "columns.h"
#include "drop_in.h"
#include "enter_root.h"
#include "executable.h"
#include "policy_file.h"
#include "trust/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DROP_IN_BYTES (1u << 20)
#define INDENT        4

struct request {
	const char *verb;
	char name[NAME_MAX + 1]; /* of the unit, with its ending */
	const char *policy, *root;
	bool of_user;
};

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	print_foldable(stdout, 0, INDENT, text != NULL ? text : "no memory");
	free(text);
}

/* What stands before a path below --root, as the caller sees it. */
static const char *root_of(const struct request *request)
{
	return request->root ? request->root : "";
}

/* ---- arguments ---- */

static enum status take_name(struct request *request, const char *text)
{
	static const char ending[] = ".service";
	static const char others[] = ".socket.target.timer.mount.path.slice.scope.device.swap.";
	const char *dot = strrchr(text, '.');
	char last[32];

	if (request->name[0] != '\0')
		return refuse_usage(request->verb, "one unit is enough: %s is too much", text);
	if (*text == '\0' || strchr(text, '/') != NULL || strspn(text, ".") == strlen(text) ||
	    strlen(text) + sizeof(ending) > sizeof(request->name))
		return refuse_usage(request->verb, "\"%s\" is no name of a unit", text);
	for (const char *at = text; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f)
			return refuse_usage(request->verb, "the name of a unit has no such byte");
	snprintf(last, sizeof(last), "%s.", dot ? dot : "");
	if (dot != NULL && strstr(others, last) != NULL)
		return refuse_usage(request->verb,
				    "%s is no service: name the service that it starts", text);
	snprintf(request->name, sizeof(request->name), "%s%s", text,
		 dot != NULL && strcmp(dot, ending) == 0 ? "" : ending);
	return STATUS_GOOD;
}

/* The options of one of the three. */
struct listed {
	const char *verb;
	enum option policy, user, root; /* OPTION_COUNT: it has none */
};
static const struct listed enable = {"enable", OPTION_enable_policy, OPTION_enable_user,
				     OPTION_enable_root};
static const struct listed drop_in = {"drop-in", OPTION_drop_in_policy, OPTION_drop_in_user,
				      OPTION_drop_in_root};
static const struct listed disable = {"disable", OPTION_COUNT, OPTION_disable_user,
				      OPTION_disable_root};

static enum status read_arguments(struct request *request, const struct listed *listed, int argc,
				  char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);

	*request = (struct request){.verb = listed->verb};
	if (status != STATUS_GOOD)
		return status;
	request->of_user = arguments.options[listed->user] != NULL;
	request->root = arguments.options[listed->root];
	if (listed->policy != OPTION_COUNT)
		request->policy = arguments.options[listed->policy];
	for (int i = 0; status == STATUS_GOOD && i < arguments.count; i++)
		status = take_name(request, arguments.operands[i]);
	if (status == STATUS_GOOD && request->name[0] == '\0')
		return refuse_usage(request->verb, "the unit is missing");
	if (status == STATUS_GOOD && request->root != NULL && request->of_user)
		return refuse_usage(request->verb, "--user and --root do not go together");
	if (status == STATUS_GOOD && request->policy != NULL && *request->policy != '/')
		return refuse_usage(request->verb, "--policy takes an absolute path, not %s",
				    request->policy);
	return status;
}

/* Inside of an image the command is where it gets installed, not where this one is. */
static enum status find_paths(const struct request *request, struct drop_in_paths *paths)
{
	char *command = realpath("/proc/self/exe", NULL);

	library_find(paths->library, sizeof(paths->library));
	snprintf(paths->command, sizeof(paths->command), "%s", command ? command : "");
	free(command);
	if (request->root == NULL)
		return STATUS_GOOD;
	if (!enter_root(request->root))
		return refuse(STATUS_BAD, request->verb,
			      "%s: %s; --root takes a directory, and works for root alone",
			      request->root, strerror(errno));
	snprintf(paths->library, sizeof(paths->library), "%s/libcfshim.so", CFSHIM_LIBDIR);
	snprintf(paths->command, sizeof(paths->command), "%s/cfshim", CFSHIM_BINDIR);
	return STATUS_GOOD;
}

/* ---- may it be? ---- */

static enum status check_unit(const struct request *request, const struct unit *unit)
{
	const char *verb = request->verb;

	if (unit->out_of_memory)
		return refuse(STATUS_BAD, verb, "no memory");
	if (!unit->found)
		return refuse(STATUS_BAD, verb, "there is no unit %s", unit->name);
	if (unit->masked)
		return refuse(STATUS_BAD, verb, "%s is masked", unit->name);
	if (unit->type != NULL && strcmp(unit->type, "oneshot") == 0)
		return refuse(STATUS_BAD, verb,
			      "%s is of Type=oneshot, and has no main process that could be looked "
			      "at; use `cfshim run` in its ExecStart=",
			      unit->name);
	if (unit->type != NULL && strcmp(unit->type, "forking") == 0 && !unit->guesses &&
	    unit->pid_file == NULL)
		return refuse(
			STATUS_BAD, verb,
			"%s says GuessMainPID=no and has no PIDFile=: systemd does not know its "
			"main process, which is to be looked at; set PIDFile= in a drop-in",
			unit->name);
	if (unit->root != NULL)
		return refuse(
			STATUS_BAD, verb,
			"%s has a root of its own, %s: the library and the policy must be in "
			"there; set LD_PRELOAD and CFSHIM_POLICY as they are seen from inside",
			unit->name, unit->root);
	if (unit->environment_file != NULL)
		return refuse(
			STATUS_BAD, verb,
			"its EnvironmentFile %s sets LD_PRELOAD or CFSHIM_POLICY, or cannot be "
			"read, and takes the place of what a drop-in says; take that out",
			unit->environment_file);
	if (unit->unsets)
		return refuse(STATUS_BAD, verb,
			      "it has UnsetEnvironment= for LD_PRELOAD or CFSHIM_POLICY; take that "
			      "out");
	return STATUS_GOOD;
}

static enum status check_program(const struct request *request, const struct unit *unit,
				 const char *library)
{
	char path[PATH_MAX], program[PATH_MAX];
	struct obstacle obstacle;

	if (library_check(library, &obstacle) != STATUS_GOOD)
		return refuse(STATUS_BAD, request->verb, "%s; %s", obstacle.what, obstacle.instead);
	/* Specifiers and variables are systemd's to resolve. */
	if (unit->program == NULL || strpbrk(unit->program, "%$") != NULL)
		return STATUS_GOOD;
	if (executable_find(unit->program, path, sizeof(path), &obstacle) != STATUS_GOOD ||
	    executable_check(path, library, program, &obstacle) != STATUS_GOOD)
		return refuse(STATUS_BAD, request->verb, "%s; %s", obstacle.what, obstacle.instead);
	return STATUS_GOOD;
}

/* The policy that the unit will have; it is named where there is a file. */
static enum status check_policy(const struct request *request, struct drop_in_paths *paths)
{
	struct policy_file file;
	enum status status = STATUS_GOOD;

	if (request->policy == NULL)
		unsetenv("CFSHIM_POLICY"); /* that of this command is not the unit's */
	policy_file_load(&file, request->policy);
	paths->policy = file.path;
	print_complaints(&file.complaints, SEVERITY_WARNING);
	if (!policy_file_is_good(&file))
		status = refuse(STATUS_BAD, request->verb,
				"the policy %s does not load: nothing was changed",
				file.path ? file.path : "built in");
	policy_file_clear(&file);
	return status;
}

/* ---- the file ---- */

static enum status name_file(const struct request *request, char *folder, char *file)
{
	char above[PATH_MAX];

	if (!unit_folder(above, sizeof(above), request->of_user))
		return refuse(STATUS_BAD, request->verb, "HOME is not set, or too long");
	if (snprintf(folder, PATH_MAX, "%s/%s.d", above, request->name) >= PATH_MAX ||
	    snprintf(file, PATH_MAX, "%s/" DROP_IN_NAME, folder) >= PATH_MAX)
		return refuse(STATUS_BAD, request->verb, "%s: %s", above, strerror(ENAMETOOLONG));
	return STATUS_GOOD;
}

/* 1: ours is there; 0: none is; -1: another's, or it cannot be read. */
static int whose_file(const char *path, char **text)
{
	size_t length;

	*text = file_bytes(path, DROP_IN_BYTES, &length, NULL);
	if (*text == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	return drop_in_is_ours(*text) ? 1 : -1;
}

/* ---- systemd ---- */

/* sd_booted(3) */
static bool is_booted(void)
{
	struct stat found;

	return lstat("/run/systemd/system", &found) == 0 && S_ISDIR(found.st_mode);
}

static bool run_systemctl(bool of_user)
{
	const pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (of_user)
			execlp("systemctl", "systemctl", "--user", "daemon-reload", (char *)NULL);
		else
			execlp("systemctl", "systemctl", "daemon-reload", (char *)NULL);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static enum status reload(const struct request *request, bool is_enabled)
{
	const char *user = request->of_user ? " --user" : "";

	if (request->root != NULL)
		return STATUS_GOOD; /* nothing runs in there */
	if (!is_booted()) {
		say("systemd does not run here, and was not reloaded");
	} else if (!run_systemctl(request->of_user)) {
		return refuse(STATUS_BAD, request->verb,
			      "systemctl%s daemon-reload failed: run it yourself", user);
	}
	say("%s is covered %s it starts anew: systemctl%s restart %s", request->name,
	    is_enabled ? "once" : "until", user, request->name);
	return STATUS_GOOD;
}

/* ---- the verbs ---- */

static enum status put_file(const struct request *request, const char *text)
{
	char folder[PATH_MAX], file[PATH_MAX], *before = NULL;
	enum status status = name_file(request, folder, file);
	int whose;

	if (status != STATUS_GOOD)
		return status;
	whose = whose_file(file, &before);
	if (whose < 0) {
		status = refuse(
			STATUS_BAD, request->verb,
			"%s is there already, and not made by `cfshim enable`; move it away", file);
	} else if (whose > 0 && strcmp(before, text) == 0) {
		say("unchanged: %s%s is there already, as it should be", root_of(request), file);
	} else if (!drop_in_write(folder, file, text)) {
		status = refuse(STATUS_BAD, request->verb, "%s: %s", file, strerror(errno));
	} else {
		say("%s %s%s", whose > 0 ? "made anew:" : "made:", root_of(request), file);
		status = reload(request, true);
	}
	free(before);
	return status;
}

static enum status make(struct request *request, bool writes)
{
	struct drop_in_paths paths = {.policy = NULL};
	struct unit unit = {.name = request->name, .of_user = request->of_user};
	enum status status = find_paths(request, &paths);
	char *text = NULL;

	unit.own = DROP_IN_NAME;
	if (status != STATUS_GOOD)
		return status;
	unit_read(&unit);
	status = check_unit(request, &unit);
	if (status == STATUS_GOOD)
		status = check_program(request, &unit, paths.library);
	if (status == STATUS_GOOD)
		status = check_policy(request, &paths);
	if (status == STATUS_GOOD) {
		text = drop_in_text(&unit, &paths);
		if (text == NULL)
			status = refuse(STATUS_BAD, request->verb, "no memory");
		else if (writes)
			status = put_file(request, text);
		else
			fputs(text, stdout);
	}
	free(text);
	unit_end(&unit);
	return status;
}

static enum status take_away(const struct request *request)
{
	char folder[PATH_MAX], file[PATH_MAX], *text = NULL;
	struct drop_in_paths paths;
	enum status status = find_paths(request, &paths);
	int whose;

	if (status == STATUS_GOOD)
		status = name_file(request, folder, file);
	if (status != STATUS_GOOD)
		return status;
	whose = whose_file(file, &text);
	free(text);
	if (whose < 0)
		return refuse(STATUS_BAD, request->verb,
			      "%s was not made by `cfshim enable`; remove it yourself", file);
	if (whose == 0) {
		say("%s is not enabled: there is no %s%s", request->name, root_of(request), file);
		return STATUS_GOOD;
	}
	if (unlink(file) != 0)
		return refuse(STATUS_BAD, request->verb, "%s: %s", file, strerror(errno));
	rmdir(folder); /* stays where others have drop-ins in it */
	say("removed: %s%s", root_of(request), file);
	return reload(request, false);
}

enum status enable_verb(int argc, char **argv)
{
	struct request request;
	const enum status status = read_arguments(&request, &enable, argc, argv);

	return status == STATUS_GOOD ? make(&request, true) : status;
}

enum status drop_in_verb(int argc, char **argv)
{
	struct request request;
	const enum status status = read_arguments(&request, &drop_in, argc, argv);

	return status == STATUS_GOOD ? make(&request, false) : status;
}

enum status disable_verb(int argc, char **argv)
{
	struct request request;
	const enum status status = read_arguments(&request, &disable, argc, argv);

	return status == STATUS_GOOD ? take_away(&request) : status;
}
