#include "executable.h"

#include "elf_file.h"
#include "preload.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The kernel gives up at a script of a script of a script of a script of a script, too. */
#define SCRIPTS_MOST 5
/* The kernel reads as much of a script's first line. */
#define FIRST_LINE_BYTES 256

__attribute__((format(printf, 5, 6))) static enum status
obstruct(struct obstacle *obstacle, enum status status, enum paragraph paragraph,
	 const char *instead, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(obstacle->what, sizeof(obstacle->what), format, arguments);
	va_end(arguments);
	obstacle->paragraph = paragraph;
	obstacle->instead = instead;
	obstacle->script = NULL;
	return status;
}

static enum status obstruct_by_errno(struct obstacle *obstacle, const char *path)
{
	const char *why = strerror(errno);

	if (errno == ENOENT || errno == ENOTDIR)
		return obstruct(obstacle, STATUS_NOT_FOUND, PARAGRAPH_PROGRAM, "check the name",
				"%s: %s", path, why);
	if (errno == EISDIR)
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_PROGRAM, "name a program",
				"%s: %s", path, why);
	return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_PROGRAM,
			"it must be a file that this user may execute", "%s: %s", path, why);
}

/* May it be executed at all?  errno says why not. */
static bool is_executable(const char *path)
{
	struct stat found;

	if (stat(path, &found) != 0)
		return false;
	if (!S_ISREG(found.st_mode)) {
		errno = S_ISDIR(found.st_mode) ? EISDIR : EACCES;
		return false;
	}
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* False, with errno, where the path does not fit: a part of it would be another one. */
__attribute__((format(printf, 3, 4))) static bool name_path(char *path, size_t size,
							    const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(path, size, format, arguments);
	va_end(arguments);
	errno = ENAMETOOLONG;
	return length >= 0 && (size_t)length < size;
}

/* As execvp() does: what may not be executed here may be so in a later folder, but then it was
 * found. */
static bool search_folders(const char *folders, const char *name, char *path, size_t size)
{
	int seen = ENOENT;

	while (folders != NULL && *name) {
		size_t length = strcspn(folders, ":");
		const char *slash = length > 0 ? "/" : "./";

		if (name_path(path, size, "%.*s%s%s", (int)length, folders, slash, name) &&
		    is_executable(path))
			return true;
		if (errno != ENOENT && errno != ENOTDIR)
			seen = errno;
		folders = folders[length] ? folders + length + 1 : NULL;
	}
	errno = seen;
	return false;
}

enum status executable_find(const char *name, char *path, size_t size, struct obstacle *obstacle)
{
	const char *folders = getenv("PATH");
	bool found;

	if (strchr(name, '/') != NULL)
		found = name_path(path, size, "%s", name) && is_executable(path);
	else
		found = search_folders(folders ? folders : "/bin:/usr/bin", name, path, size);
	return found ? STATUS_GOOD : obstruct_by_errno(obstacle, name);
}

/* The kernel starts a program in secure mode, where the loader ignores LD_PRELOAD, when its
 * effective ids are not the caller's real ones.  Where neither bit counts (nosuid, no_new_privs),
 * nothing changes. */
static bool changes_id(int file, const struct stat *found)
{
	struct statvfs mounted;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	    (fstatvfs(file, &mounted) == 0 && (mounted.f_flag & ST_NOSUID)))
		return false;
	return ((found->st_mode & S_ISUID) && found->st_uid != getuid()) ||
	       ((found->st_mode & S_ISGID) && (found->st_mode & S_IXGRP) &&
		found->st_gid != getgid());
}

/* Root has all capabilities anyway, and the kernel sees no reason for secure mode. */
static bool gains_capabilities(int file)
{
	struct statvfs mounted;

	if (getuid() == 0 || (fstatvfs(file, &mounted) == 0 && (mounted.f_flag & ST_NOSUID)))
		return false;
	return fgetxattr(file, "security.capability", NULL, 0) > 0;
}

/* Are both for one machine and word size?  Only the header of the library is looked at. */
static bool fits_library(const struct elf_file *elf, enum elf_kind kind, const char *library)
{
	const int file = open(library, O_RDONLY | O_CLOEXEC);
	struct elf_file other;
	bool fits = false;

	if (file < 0)
		return false;
	fits = elf_file_begin(&other, file) == ELF_READ && kind == ELF_READ &&
	       elf->header.e_machine == other.header.e_machine;
	elf_file_end(&other);
	close(file);
	return fits;
}

static enum status check_program(const char *path, const struct elf_file *elf, enum elf_kind kind,
				 const char *library, struct obstacle *obstacle)
{
	struct stat found;

	if (fstat(elf->file, &found) != 0)
		return obstruct_by_errno(obstacle, path);
	if (!fits_library(elf, kind, library))
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_MACHINE,
				"install the libcfshim.so of that machine and word size",
				"%s is built for another machine or word size than %s", path,
				library);
	/* Only a loader reads LD_PRELOAD. */
	if (elf->interpreter[0] == '\0')
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_STATIC,
				"use a dynamically linked build of it, or put a TLS proxy in front",
				"%s is statically linked, and no loader preloads into it", path);
	if (changes_id(elf->file, &found))
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_PRIVILEGES,
				"start it as that user and group (User=, Group= of its unit), "
				"without the bit",
				"%s is setuid or setgid, and the loader preloads nothing into it",
				path);
	if (gains_capabilities(elf->file))
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_PRIVILEGES,
				"remove them (setcap -r), and give them with AmbientCapabilities= "
				"of its unit",
				"%s has file capabilities, and the loader preloads nothing into it",
				path);
	return STATUS_GOOD;
}

const char *executable_raises(const char *path)
{
	struct stat found;

	if (stat(path, &found) != 0)
		return NULL;
	if (found.st_mode & S_ISUID)
		return "setuid";
	if ((found.st_mode & S_ISGID) && (found.st_mode & S_IXGRP))
		return "setgid";
	return getxattr(path, "security.capability", NULL, 0) > 0 ? "with file capabilities" : NULL;
}

static bool is_env(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, "env") == 0;
}

/* The next word of a line, into `word` of FIRST_LINE_BYTES; false: there is none. */
static bool take_word(const char **line, char *word)
{
	size_t length;

	*line += strspn(*line, " \t");
	length = strcspn(*line, " \t\n");
	snprintf(word, FIRST_LINE_BYTES, "%.*s", (int)length, *line);
	*line += length;
	return *word != '\0';
}

/* "#! interpreter argument" names the first; env(1) executes the first of its arguments that is
 * neither an option nor a variable. */
static bool read_interpreter(int file, char *path)
{
	char text[FIRST_LINE_BYTES], word[FIRST_LINE_BYTES], found[PATH_MAX];
	const ssize_t got = pread(file, text, sizeof(text) - 1, 0);
	const char *line = text + 2;

	if (got < 2 || memcmp(text, "#!", 2) != 0)
		return false;
	text[got] = '\0';
	if (!take_word(&line, path))
		return false;
	while (is_env(path) && take_word(&line, word))
		if (*word != '-' && strchr(word, '=') == NULL) {
			if (search_folders(getenv("PATH"), word, found, sizeof(found)))
				snprintf(path, FIRST_LINE_BYTES, "%.*s", FIRST_LINE_BYTES - 1,
					 found);
			break;
		}
	return true;
}

/* What the kernel and execvp() would start in the place of `path`: itself, or what `interpreter`
 * has come to name. */
static enum status look_into(const char *path, const char *library, char *interpreter,
			     struct obstacle *obstacle)
{
	enum status status = STATUS_GOOD;
	struct elf_file elf;
	enum elf_kind kind;
	int file;

	if (!is_executable(path))
		return obstruct_by_errno(obstacle, path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_UNSEEN, "make it readable",
				"%s cannot be looked into", path);
	kind = elf_file_begin(&elf, file);
	if (kind != ELF_NONE) {
		*interpreter = '\0';
		status = check_program(path, &elf, kind, library, obstacle);
	} else if (!read_interpreter(file, interpreter)) {
		/* execvp() takes any other text for the shell's. */
		snprintf(interpreter, FIRST_LINE_BYTES, "/bin/sh");
	}
	elf_file_end(&elf);
	close(file);
	return status;
}

enum status executable_check(const char *path, const char *library, char *program,
			     struct obstacle *obstacle)
{
	char interpreter[FIRST_LINE_BYTES] = "";
	enum status status;

	snprintf(program, PATH_MAX, "%s", path);
	status = look_into(path, library, interpreter, obstacle);
	for (int scripts = 1; status == STATUS_GOOD && *interpreter; scripts++) {
		if (scripts > SCRIPTS_MOST)
			return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_PROGRAM,
					"name the program itself",
					"%s: a script of a script, and so on", path);
		snprintf(program, PATH_MAX, "%s", interpreter);
		status = look_into(program, library, interpreter, obstacle);
		if (status != STATUS_GOOD)
			obstacle->script = path;
	}
	return status;
}

/* How much of the path names the directory above what the first bytes of it name. */
static int above(const char *path, int length)
{
	while (length > 0 && path[--length] != '/')
		;
	return length;
}

void library_find(char *path, size_t size)
{
	static const char *const places[] = {"/", "/lib/" CFSHIM_MULTIARCH "/", "/lib/"};
	char *command = realpath("/proc/self/exe", NULL);
	const int folder = command ? above(command, (int)strlen(command)) : 0;
	bool found = false;

	for (size_t i = 0; command != NULL && !found && i < sizeof(places) / sizeof(places[0]);
	     i++) {
		snprintf(path, size, "%.*s%s%s", i == 0 ? folder : above(command, folder), command,
			 places[i], LIBRARY_NAME);
		found = access(path, F_OK) == 0;
	}
	free(command);
	if (!found)
		snprintf(path, size, "%s/%s", CFSHIM_LIBDIR, LIBRARY_NAME);
}

enum status library_check(const char *library, struct obstacle *obstacle)
{
	const int file = open(library, O_RDONLY | O_CLOEXEC);
	bool is_library = false;
	struct elf_file elf;

	if (file < 0)
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_LOADED,
				"install it there, or beside this command", "%s: %s", library,
				strerror(errno));
	is_library = elf_file_begin(&elf, file) == ELF_READ && elf.header.e_type == ET_DYN;
	elf_file_end(&elf);
	close(file);
	if (!is_library)
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_LOADED, "install it anew",
				"%s is not a shared library", library);
	/* ld.so(8): the list may be separated by colons or blanks, and there is no way to quote. */
	if (strpbrk(library, ": ") != NULL)
		return obstruct(obstacle, STATUS_REFUSED, PARAGRAPH_LOADED, "install it elsewhere",
				"%s: LD_PRELOAD cannot hold a path with a colon or a blank",
				library);
	return STATUS_GOOD;
}
