#include "withhold.h"

#include "endpoint.h"
#include "environment.h"
#include "journal.h"
#include "libc.h"
#include "open_descriptors.h"
#include "policy_in_force.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define SCRIPTS_MOST 5 /* as the kernel: a script's interpreter may be a script */
#define ROUNDS       65536

#define READ_ONLY (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* ---- the program ---- */

/* Does the kernel set AT_SECURE, with which the loader drops what the environment says? */
static bool raises_privileges(int file)
{
	struct stat status;
	uid_t user = geteuid();
	gid_t group = getegid();

	if (fstat(file, &status) != 0)
		return false;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return user != getuid() || group != getgid();
	if ((status.st_mode & S_ISUID) != 0)
		user = status.st_uid;
	if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0)
		group = status.st_gid;
	return user != getuid() || group != getgid() ||
	       (getuid() != 0 && fgetxattr(file, "security.capability", NULL, 0) > 0);
}

/* An ELF file of this machine without an interpreter, or of another. */
static bool lacks_loader(int file, const ElfW(Ehdr) * header)
{
	ElfW(Phdr) segment;

	if (header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    header->e_phentsize != sizeof(segment))
		return true;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		off_t at = (off_t)(header->e_phoff + i * sizeof(segment));

		if (pread(file, &segment, sizeof(segment), at) != sizeof(segment))
			return true;
		if (segment.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static int open_in_folder(int folder, const char *path)
{
	int file = openat(folder, path, READ_ONLY);

	return file < 0 && errno == EACCES ? openat(folder, path, O_PATH | O_CLOEXEC) : file;
}

/* The first file of that name in these folders that anybody may execute. */
static int search_program(const char *folders, const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	for (const char *at = folders; at != NULL;
	     at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int length = (int)strcspn(at, ":");

		snprintf(path, sizeof(path), "%.*s/%s", length ? length : 1, length ? at : ".",
			 name);
		if (stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
		    (status.st_mode & 0111) != 0)
			return open_in_folder(AT_FDCWD, path);
	}
	return -1;
}

static int open_program(const struct program_name *program)
{
	char path[64];

	if (*program->path == '\0') {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", program->folder);
		return open_in_folder(AT_FDCWD, path);
	}
	if (program->search_path != NULL && strchr(program->path, '/') == NULL)
		return search_program(program->search_path, program->path);
	return open_in_folder(program->folder, program->path);
}

/* The interpreter that the first line of a script names, opened; -1: it is none. */
static int open_interpreter(int file)
{
	char line[PATH_MAX];
	ssize_t length = pread(file, line, sizeof(line) - 1, 0);
	char *path = line + 2;

	if (length < 3 || memcmp(line, "#!", 2) != 0)
		return -1;
	line[length] = '\0';
	path += strspn(path, " \t");
	path[strcspn(path, " \t\n")] = '\0';
	return open(path, READ_ONLY);
}

static bool runs_without_shim(const struct program_name *program)
{
	bool without = !environment_reaches_library();
	int file = without ? -1 : open_program(program);

	for (int scripts = 0; file >= 0 && scripts < SCRIPTS_MOST; scripts++) {
		ElfW(Ehdr) header = {.e_phnum = 0};
		ssize_t length = pread(file, &header, sizeof(header), 0);
		bool is_elf =
			length == sizeof(header) && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0;
		int next = length < 0 || is_elf ? -1 : open_interpreter(file);

		/* One that may be executed and not read may be anything. */
		if (length < 0 || is_elf)
			without = length < 0 || raises_privileges(file) ||
				  lacks_loader(file, &header);
		libc_originals()->close(file);
		file = next;
	}
	if (file >= 0)
		libc_originals()->close(file);
	return without;
}

/* ---- the sockets ---- */

/* A socket of a port that must speak TLS, and would be inherited.  Where the policy is broken, of
 * any port; where it tells the addresses of the port apart, and the listener does not, too. */
static bool is_enforced(const struct policy *policy, int descriptor)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	static const uint8_t any[16], any_ipv4[16] = {[10] = 0xff, [11] = 0xff};
	socklen_t length = sizeof(address);
	struct endpoint endpoint;
	const struct rule *rule;
	int flags = libc_originals()->fcntl(descriptor, F_GETFD);

	if (flags < 0 || (flags & FD_CLOEXEC) != 0 ||
	    getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length))
		return false;
	if (policy == NULL)
		return true;
	if (policy_names_addresses(policy, endpoint.port) &&
	    (memcmp(endpoint.address, any, sizeof(any)) == 0 ||
	     memcmp(endpoint.address, any_ipv4, sizeof(any_ipv4)) == 0))
		return true;
	rule = policy_match(policy, &endpoint);
	/* What is only observed may be handed on: nobody is refused there.  Where plain text
	 * passes, it does so for some peers alone where `from` names them. */
	return rule_requires(rule, time(NULL)) && (!rule->allows_plaintext || rule->from != NULL);
}

struct enforced {
	const struct policy *policy;
	int *found;
	size_t count, most;
};

static bool take_enforced(int descriptor, void *argument)
{
	struct enforced *enforced = argument;

	if (is_enforced(enforced->policy, descriptor))
		enforced->found[enforced->count++] = descriptor;
	return enforced->count < enforced->most;
}

/* The enforced sockets, at most `most`. */
static size_t find_enforced(int *found, size_t most)
{
	struct policy_version *version = policy_in_force_hold();
	struct enforced enforced = {.policy = version->policy, .found = found, .most = most};

	open_descriptors_each(take_enforced, &enforced);
	policy_in_force_release(version);
	return enforced.count;
}

static void set_close_on_exec(const int *descriptors, size_t count, bool close_on_exec)
{
	for (size_t i = 0; i < count; i++)
		libc_originals()->fcntl(descriptors[i], F_SETFD, close_on_exec ? FD_CLOEXEC : 0);
}

/* Those that are more than can be remembered stay so, should the exec fail. */
static void close_all(const struct withheld *withheld)
{
	int further[16];
	size_t count;

	set_close_on_exec(withheld->descriptors, withheld->count, true);
	for (int i = 0; i < ROUNDS && (count = find_enforced(further, 16)) > 0; i++)
		set_close_on_exec(further, count, true);
}

void withhold_begin(struct withheld *withheld, const struct program_name *program)
{
	int error_number = errno;

	withheld->count = 0;
	if (program->path == NULL)
		return; /* which is for the kernel to say */
	withheld->count = find_enforced(withheld->descriptors, WITHHELD_MOST);
	if (withheld->count > 0 && !runs_without_shim(program))
		withheld->count = 0;
	if (withheld->count > 0) {
		/* enforces withheld-sockets */
		close_all(withheld);
		journal_uncovered(*program->path ? program->path : "-",
				  "this program runs without the shim: the sockets of enforced "
				  "ports are closed for it");
	}
	errno = error_number;
}

void withhold_end(const struct withheld *withheld)
{
	int error_number = errno;

	set_close_on_exec(withheld->descriptors, withheld->count, false);
	errno = error_number;
}
