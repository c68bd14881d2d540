#include "executable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
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

__attribute__((format(printf, 4, 5))) static enum status obstruct(struct obstacle *obstacle,
								  enum status status,
								  const char *instead,
								  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(obstacle->what, sizeof(obstacle->what), format, arguments);
	va_end(arguments);
	obstacle->instead = instead;
	obstacle->script = NULL;
	return status;
}

static enum status obstruct_by_errno(struct obstacle *obstacle, const char *path)
{
	const char *why = strerror(errno);

	if (errno == ENOENT || errno == ENOTDIR)
		return obstruct(obstacle, STATUS_NOT_FOUND, "check the name", "%s: %s", path, why);
	if (errno == EISDIR)
		return obstruct(obstacle, STATUS_REFUSED, "name a program", "%s: %s", path, why);
	return obstruct(obstacle, STATUS_REFUSED, "it must be a file that this user may execute",
			"%s: %s", path, why);
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

/* Of another word size only the beginning means anything; same_machine() finds that out. */
static bool read_header(int file, ElfW(Ehdr) * header)
{
	return pread(file, header, sizeof(*header), 0) == (ssize_t)sizeof(*header) &&
	       memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

static bool same_machine(const ElfW(Ehdr) * left, const ElfW(Ehdr) * right)
{
	return left->e_ident[EI_CLASS] == right->e_ident[EI_CLASS] &&
	       left->e_ident[EI_DATA] == right->e_ident[EI_DATA] &&
	       left->e_machine == right->e_machine;
}

/* Does it name a loader?  Only a loader reads LD_PRELOAD. */
static bool has_loader(int file, const ElfW(Ehdr) * header)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;
		off_t at = (off_t)header->e_phoff + (off_t)i * (off_t)header->e_phentsize;

		if (pread(file, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return false;
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
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

static enum status check_program(int file, const char *path, const ElfW(Ehdr) * header,
				 const char *library, struct obstacle *obstacle)
{
	ElfW(Ehdr) library_header;
	int library_file = open(library, O_RDONLY | O_CLOEXEC);
	bool fits = library_file >= 0 && read_header(library_file, &library_header) &&
		    same_machine(header, &library_header);
	struct stat found;

	if (library_file >= 0)
		close(library_file);
	if (fstat(file, &found) != 0)
		return obstruct_by_errno(obstacle, path);
	if (!fits)
		return obstruct(obstacle, STATUS_REFUSED,
				"install the libcfshim.so of that machine and word size",
				"%s is built for another machine or word size than %s", path,
				library);
	if (!has_loader(file, header))
		return obstruct(obstacle, STATUS_REFUSED,
				"use a dynamically linked build of it, or put a TLS proxy in front",
				"%s is statically linked, and no loader preloads into it", path);
	if (changes_id(file, &found))
		return obstruct(obstacle, STATUS_REFUSED,
				"start it as that user and group (User=, Group= of its unit), "
				"without the bit",
				"%s is setuid or setgid, and the loader preloads nothing into it",
				path);
	if (gains_capabilities(file))
		return obstruct(obstacle, STATUS_REFUSED,
				"remove them (setcap -r), and give them with AmbientCapabilities= "
				"of its unit",
				"%s has file capabilities, and the loader preloads nothing into it",
				path);
	return STATUS_GOOD;
}

/* The interpreter of "#! interpreter argument" into `path`; false where the file does not begin
 * like that. */
static bool read_interpreter(int file, char *path)
{
	char text[FIRST_LINE_BYTES];
	ssize_t got = pread(file, text, sizeof(text) - 1, 0);
	const char *start = text + 2;

	if (got < 2 || memcmp(text, "#!", 2) != 0)
		return false;
	text[got] = '\0';
	start += strspn(start, " \t");
	snprintf(path, FIRST_LINE_BYTES, "%.*s", (int)strcspn(start, " \t\n"), start);
	return *path != '\0';
}

/* What the kernel and execvp() would start in the place of `path`: itself, or what `interpreter`
 * has come to name. */
static enum status look_into(const char *path, const char *library, char *interpreter,
			     struct obstacle *obstacle)
{
	enum status status = STATUS_GOOD;
	ElfW(Ehdr) header;
	int file;

	if (!is_executable(path))
		return obstruct_by_errno(obstacle, path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return obstruct(obstacle, STATUS_REFUSED, "make it readable",
				"%s cannot be looked into", path);
	if (read_header(file, &header)) {
		*interpreter = '\0';
		status = check_program(file, path, &header, library, obstacle);
	} else if (!read_interpreter(file, interpreter)) {
		/* execvp() takes any other text for the shell's. */
		snprintf(interpreter, FIRST_LINE_BYTES, "/bin/sh");
	}
	close(file);
	return status;
}

enum status executable_check(const char *path, const char *library, struct obstacle *obstacle)
{
	char interpreter[FIRST_LINE_BYTES] = "", looked_into[FIRST_LINE_BYTES];
	enum status status = look_into(path, library, interpreter, obstacle);

	for (int scripts = 1; status == STATUS_GOOD && *interpreter; scripts++) {
		if (scripts > SCRIPTS_MOST)
			return obstruct(obstacle, STATUS_REFUSED, "name the program itself",
					"%s: a script of a script, and so on", path);
		memcpy(looked_into, interpreter, sizeof(looked_into));
		status = look_into(looked_into, library, interpreter, obstacle);
		if (status != STATUS_GOOD)
			obstacle->script = path;
	}
	return status;
}

enum status library_check(const char *library, struct obstacle *obstacle)
{
	ElfW(Ehdr) header;
	int file = open(library, O_RDONLY | O_CLOEXEC);
	bool is_library = file >= 0 && read_header(file, &header);

	if (file < 0)
		return obstruct(obstacle, STATUS_REFUSED,
				"install it there, or beside this command", "%s: %s", library,
				strerror(errno));
	close(file);
	if (!is_library || header.e_type != ET_DYN)
		return obstruct(obstacle, STATUS_REFUSED, "install it anew",
				"%s is not a shared library", library);
	/* ld.so(8): the list may be separated by colons or blanks, and there is no way to quote. */
	if (strpbrk(library, ": ") != NULL)
		return obstruct(obstacle, STATUS_REFUSED, "install it elsewhere",
				"%s: LD_PRELOAD cannot hold a path with a colon or a blank",
				library);
	return STATUS_GOOD;
}
