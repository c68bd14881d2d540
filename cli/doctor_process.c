/* What a process is: is the library in it, what TLS did it find, and what does it listen on? */
#include "confinement.h"
#include "doctor.h"
#include "elf_file.h"
#include "executable.h"
#include "machine.h"
#include "preload.h"
#include "tls_library.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMES_BYTES 256
/* Two seconds. */
#define START_TURNS   40
#define START_TURN_NS 50000000

/* ---- why it has not the library ---- */

/* The entry of LD_PRELOAD that names it; false: none does. */
static bool named_library(const struct process *process, char *path, size_t size)
{
	const char *list = process_variable(process, "LD_PRELOAD");

	while (list != NULL && *list != '\0') {
		const size_t length = strcspn(list, ": ");
		const char *slash = memrchr(list, '/', length);
		const size_t folder = slash ? (size_t)(slash + 1 - list) : 0;

		if (strncmp(list + folder, LIBRARY_NAME, strlen(LIBRARY_NAME)) == 0) {
			snprintf(path, size, "%.*s", (int)length, list);
			return true;
		}
		list += length + (list[length] != '\0');
	}
	return false;
}

/* May the user of the process read the file?  Asked by a child that has become that user. */
static bool may_read(const struct process *process, const char *path)
{
	struct stat owner;
	int status = 0;
	pid_t child;

	if (geteuid() != 0 || fstatat(process->folder, "", &owner, AT_EMPTY_PATH) != 0)
		return access(path, R_OK) == 0;
	child = fork();
	if (child == 0) {
		const bool become = setgroups(0, NULL) == 0 && setegid(owner.st_gid) == 0 &&
				    seteuid(owner.st_uid) == 0;

		_exit(become && open(path, O_RDONLY | O_CLOEXEC) < 0);
	}
	return child < 0 || waitpid(child, &status, 0) < 0 || status == 0;
}

static bool is_static(const struct process *process)
{
	const int file = openat(process->folder, "exe", O_RDONLY | O_CLOEXEC);
	struct elf_file elf;
	bool without;

	if (file < 0)
		return false;
	without = elf_file_begin(&elf, file) == ELF_READ && elf.interpreter[0] == '\0';
	elf_file_end(&elf);
	close(file);
	return without;
}

static void find_unloaded(struct findings *findings, const struct process *process,
			  const char *library)
{
	char path[PATH_MAX + 32];
	struct stat found;

	/* Below the root that it has now; where that cannot be asked, below ours. */
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)process->pid, library);
	if (stat(path, &found) != 0 && errno == EACCES)
		snprintf(path, sizeof(path), "%s", library);
	if (stat(path, &found) != 0)
		find_bad(findings, PARAGRAPH_LOADED,
			 "LD_PRELOAD names %s, and there is no such file where the process looks "
			 "for "
			 "it: the loader passed over it; install it there, and restart",
			 library);
	else if (!may_read(process, library))
		find_bad(findings, PARAGRAPH_LOADED,
			 "LD_PRELOAD names %s, which the user of the process may not read: the "
			 "loader passed over it; make it and the folders above readable, and "
			 "restart",
			 library);
	else
		find_bad(findings, PARAGRAPH_LOADED,
			 "LD_PRELOAD names %s, and the loader passed over it: another machine or "
			 "word "
			 "size, or it was not there at the start; what it said is on the standard "
			 "error of the process",
			 library);
}

static void find_uncovered(struct findings *findings, const struct process *process)
{
	char library[PATH_MAX];

	if (is_static(process))
		find_bad(findings, PARAGRAPH_STATIC,
			 "the program is statically linked, and no loader preloads into it; use a "
			 "dynamically linked build, or put a TLS proxy in front");
	else if (process->secure)
		find_bad(findings, PARAGRAPH_PRIVILEGES,
			 "it was started in secure mode (setuid, file capabilities, or another "
			 "domain "
			 "of SELinux or AppArmor), where the loader ignores LD_PRELOAD; give it "
			 "User= and AmbientCapabilities= in its unit instead");
	else if (named_library(process, library, sizeof(library)))
		find_unloaded(findings, process, library);
	else if (process->saw_environment)
		find_bad(findings, PARAGRAPH_LOADED,
			 "it was started without the library: LD_PRELOAD in its environment does "
			 "not "
			 "name it; restart it with `cfshim run`, or `cfshim enable UNIT`");
	else
		find_bad(findings, PARAGRAPH_LOADED,
			 "the library is not in it; whether it was to be could not be seen, as its "
			 "environment cannot be read or was overwritten");
}

/* ---- what it has ---- */

static void find_mapped(struct findings *findings, const struct process *process)
{
	char target[PATH_MAX], path[PATH_MAX + 32];
	struct stat found;

	find_good("the library is in it: %s", process->library->path);
	if (process->library->deleted) {
		snprintf(path, sizeof(path), "/proc/%d/root%s", (int)process->pid,
			 process->library->path);
		find_note(
			findings, PARAGRAPH_REPLACED,
			stat(path, &found) == 0
				? "%s was replaced since: it has the old one until it is restarted"
				: "%s was deleted since: programs that it executes start without "
				  "it, and so will it itself, when it is restarted",
			process->library->path);
	}
	process_link(process, "root", target, sizeof(target));
	if (strcmp(target, "/") != 0 && *target != '\0')
		find_good("its root is %s", target);
	if (process_is_elsewhere(process))
		find_good("it has a mount namespace of its own: files are looked for there");
}

static void find_instances(struct findings *findings, const struct process *process)
{
	char names[NAMES_BYTES];

	for (size_t i = 0; i < process->file_count; i++) {
		const struct mapped *file = &process->files[i];

		if (file->kinds & TLS_OPENSSL && process->library != NULL)
			find_good("covered: the OpenSSL in %s", file->path);
		else if (file->kinds & TLS_OPENSSL)
			find_bad(findings, PARAGRAPH_LOADED, "not covered: the OpenSSL in %s",
				 file->path);
		else if (file->kinds & TLS_INSIDE)
			find_note(findings, PARAGRAPH_INSIDE,
				  "an OpenSSL inside %s, whose functions are not exported",
				  file->path);
		else if (file->kinds & TLS_OTHERS)
			find_note(findings, PARAGRAPH_OTHER_TLS, "%s, which cannot be hooked: %s",
				  tls_names(names, sizeof(names), file->kinds), file->path);
	}
	if (!(process->kinds & TLS_ANY))
		find_note(findings, PARAGRAPH_MODULES, "no TLS is loaded in it, so far");
}

static void find_policy(struct machine *machine, struct findings *findings,
			const struct process *process)
{
	const char *said_by;
	const struct known_policy *known =
		policy_of_process(&machine->policies, process, machine->given, &said_by);

	if (known == NULL)
		return;
	print_labelled("policy", "%s (%s)", known->shown, said_by);
	if (strcmp(said_by, POLICY_NOT_SAID) == 0 && machine->given == NULL)
		find_note(findings, PARAGRAPH_UNSEEN,
			  "its environment cannot be read or was overwritten: which policy it was "
			  "started with could not be seen; --policy names another");
	if (known->policy == NULL)
		find_bad(
			findings, PARAGRAPH_POLICY,
			"%s does not load: a process that starts with it refuses every client, and "
			"one that runs keeps what it had; see `cfshim check`",
			known->shown);
}

/* Without a listener of their own they are what such children are. */
static void find_children(struct machine *machine, struct findings *findings,
			  const struct process *process)
{
	char text[PROCESS_TEXT_BYTES];

	for (size_t i = 0; i < machine->count; i++) {
		const struct process *child = &machine->processes[i];

		if (child->pid == process->pid || child->pid == getpid() ||
		    child->library != NULL || !machine_descends(machine, child, process->pid))
			continue;
		if (!child->saw_maps)
			find_note(findings, PARAGRAPH_UNSEEN,
				  "whether %s, which it started, has the library could not be seen",
				  process_text(child, text));
		else
			find_note(findings, PARAGRAPH_CHILDREN,
				  "%s, which it started, has lost the library%s",
				  process_text(child, text),
				  child->secure ? ": it runs in secure mode" : "");
	}
}

static void find_label(struct machine *machine, struct findings *findings,
		       const struct process *process)
{
	const struct known_policy *known =
		policy_of_process(&machine->policies, process, machine->given, NULL);
	char label[256], library[PATH_MAX];

	library_find(library, sizeof(library));
	if (process_read(process, "attr/current", label, sizeof(label)))
		find_confinement(
			findings,
			&(struct confined){NULL, label,
					   process->library ? process->library->path : library,
					   known ? known->path : NULL});
}

static enum status examine(struct machine *machine, struct process *process)
{
	struct findings findings = {.bad = 0};
	char target[PATH_MAX], text[PROCESS_TEXT_BYTES];
	bool unseen = false;

	print_labelled("process", "%s %s", process_text(process, text),
		       process_link(process, "exe", target, sizeof(target)));
	if (!process->saw_maps) {
		find_bad(
			&findings, PARAGRAPH_UNSEEN,
			"the process is another user's, and could not be looked into: ask as root");
		return STATUS_BAD;
	}
	process_look_for_tls(process, &unseen);
	if (process->library != NULL)
		find_mapped(&findings, process);
	if (process->is_go)
		find_bad(&findings, PARAGRAPH_GO,
			 "a program of Go: nothing of it can be hooked or refused; put a TLS proxy "
			 "in front");
	else if (process->library == NULL)
		find_uncovered(&findings, process);
	find_instances(&findings, process);
	if (unseen)
		find_note(&findings, PARAGRAPH_UNSEEN,
			  "not every library that it has mapped could be read: other TLS may be in "
			  "them");
	if (process->library != NULL)
		find_policy(machine, &findings, process);
	find_label(machine, &findings, process);
	machine_show(machine, &findings, process->pid);
	if (process->library != NULL)
		find_children(machine, &findings, process);
	find_verdict(findings.bad == 0, findings.bad > 0 ? "not covered" : "covered");
	return findings.bad > 0 ? STATUS_BAD : STATUS_GOOD;
}

/* Has it not yet become the program, or has the loader not come so far?  systemd starts what looks
 * at a unit of Type=simple at once. */
static bool is_starting(const struct process *process)
{
	char exe[PATH_MAX], manager[PATH_MAX], path[PATH_MAX];
	const ssize_t got = readlink("/proc/1/exe", manager, sizeof(manager) - 1);

	manager[got > 0 ? got : 0] = '\0';
	if (process->pid != 1 && *process->name == '(' &&
	    strcmp(process_link(process, "exe", exe, sizeof(exe)), manager) == 0)
		return true;
	return process->library == NULL && !process->secure && !is_static(process) &&
	       named_library(process, path, sizeof(path));
}

static void await_start(pid_t pid)
{
	const struct timespec turn = {.tv_nsec = START_TURN_NS};
	bool starting = true;

	for (int turns = 0; starting && turns < START_TURNS; turns++) {
		struct process process;

		starting = process_begin(&process, pid) && is_starting(&process);
		process_end(&process);
		if (starting)
			nanosleep(&turn, NULL);
	}
}

enum status doctor_process(pid_t pid, const char *policy)
{
	struct machine machine;
	struct process *process;
	enum status status;

	await_start(pid);
	machine_begin(&machine, policy);
	process = machine_find(&machine, pid);
	if (process == NULL)
		status = refuse(STATUS_BAD, "doctor", "there is no process %d", (int)pid);
	else
		status = examine(&machine, process);
	machine_end(&machine);
	return status;
}
