#include "process.h"

#include "preload.h"
#include "tls_library.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DELETED " (deleted)"
/* An environment that is larger than the kernel allows by default is not looked at to its end. */
#define FILE_BYTES_MOST (16u << 20)

/* All of a file below /proc/PID, with a NUL behind it; NULL: it cannot be read. */
static char *read_file(const struct process *process, const char *name, size_t *length)
{
	const int file = openat(process->folder, name, O_RDONLY | O_CLOEXEC);
	size_t size = 4096;
	char *text = file >= 0 ? malloc(size) : NULL;
	ssize_t got = 0;

	*length = 0;
	while (text != NULL && (got = read(file, text + *length, size - *length - 1)) > 0) {
		*length += (size_t)got;
		if (*length + 1 == size) {
			char *grown = size < FILE_BYTES_MOST ? realloc(text, size * 2) : NULL;

			if (grown == NULL)
				break;
			text = grown;
			size *= 2;
		}
	}
	if (file >= 0)
		close(file);
	if (text != NULL)
		text[*length] = '\0';
	if (text != NULL && got < 0 && *length == 0) {
		free(text);
		return NULL;
	}
	return text;
}

bool process_read(const struct process *process, const char *name, char *line, size_t size)
{
	size_t length;
	char *text = read_file(process, name, &length);

	snprintf(line, size, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
	free(text);
	return text != NULL && *line != '\0';
}

const char *process_link(const struct process *process, const char *name, char *target, size_t size)
{
	const ssize_t got = readlinkat(process->folder, name, target, size - 1);

	target[got > 0 ? got : 0] = '\0';
	return target;
}

bool process_is_elsewhere(const struct process *process)
{
	char theirs[128], ours[128];
	const ssize_t got = readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1);

	ours[got > 0 ? got : 0] = '\0';
	process_link(process, "ns/mnt", theirs, sizeof(theirs));
	return *theirs != '\0' && strcmp(theirs, ours) != 0;
}

/* ---- what it has mapped ---- */

static bool is_library(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && strncmp(slash + 1, LIBRARY_NAME, strlen(LIBRARY_NAME)) == 0;
}

/* "55d0-55d1 r-xp 00001000 08:01 1234    /usr/sbin/nginx": what is executed, each file once. */
static void add_mapping(struct process *process, char *line)
{
	char permissions[8], range[64];
	unsigned long long inode = 0;
	struct mapped *grown;
	int at = 0;

	if (sscanf(line, "%63s %7s %*s %*s %llu %n", range, permissions, &inode, &at) < 3 ||
	    strchr(permissions, 'x') == NULL || inode == 0 || line[at] != '/')
		return;
	for (size_t i = 0; i < process->file_count; i++)
		if (process->files[i].inode == inode &&
		    strncmp(process->files[i].path, line + at, strlen(process->files[i].path)) == 0)
			return;
	grown = realloc(process->files, (process->file_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return;
	process->files = grown;
	grown += process->file_count;
	*grown = (struct mapped){.path = strdup(line + at), .inode = inode};
	memcpy(grown->range, range, sizeof(range));
	if (grown->path != NULL) {
		char *end = grown->path + strlen(grown->path);

		grown->deleted = end - grown->path > (ptrdiff_t)strlen(DELETED) &&
				 strcmp(end - strlen(DELETED), DELETED) == 0;
		if (grown->deleted)
			end[-(ptrdiff_t)strlen(DELETED)] = '\0';
		process->file_count++;
	}
}

static void read_maps(struct process *process)
{
	size_t length;
	char *text = read_file(process, "maps", &length), *rest = text, *line;

	process->saw_maps = text != NULL && (length > 0 || process->is_kernel);
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		add_mapping(process, line);
	free(text);
	for (size_t i = 0; i < process->file_count; i++)
		if (is_library(process->files[i].path))
			process->library = &process->files[i];
}

/* map_files has the very file, and takes a capability; the path is the same file where the inode
 * is. */
int process_open_mapped(const struct process *process, const struct mapped *file)
{
	char name[PATH_MAX];
	struct stat found;
	int opened;

	snprintf(name, sizeof(name), "map_files/%s", file->range);
	opened = openat(process->folder, name, O_RDONLY | O_CLOEXEC);
	if (opened >= 0)
		return opened;
	if (snprintf(name, sizeof(name), "root%s", file->path) >= (int)sizeof(name))
		return -1;
	opened = openat(process->folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (opened >= 0 && fstat(opened, &found) == 0 && found.st_ino == file->inode)
		return opened;
	if (opened >= 0)
		close(opened);
	return -1;
}

/* The same libraries are in many processes. */
static struct seen_file {
	uint64_t device, inode;
	int64_t size, changed;
	unsigned kinds;
} * seen_files;
static size_t seen_count;

static unsigned kinds_of(int opened)
{
	struct seen_file *grown, now;
	struct elf_file elf;
	struct stat found;

	if (fstat(opened, &found) != 0)
		return 0;
	now = (struct seen_file){found.st_dev, found.st_ino, found.st_size, found.st_ctime, 0};
	for (size_t i = 0; i < seen_count; i++)
		if (seen_files[i].device == now.device && seen_files[i].inode == now.inode &&
		    seen_files[i].size == now.size && seen_files[i].changed == now.changed)
			return seen_files[i].kinds;
	if (elf_file_begin(&elf, opened) == ELF_READ)
		now.kinds = tls_of_file(&elf);
	elf_file_end(&elf);
	grown = realloc(seen_files, (seen_count + 1) * sizeof(*grown));
	if (grown != NULL) {
		seen_files = grown;
		seen_files[seen_count++] = now;
	}
	return now.kinds;
}

void process_look_for_tls(struct process *process, bool *unseen)
{
	struct stat program;
	const bool found = fstatat(process->folder, "exe", &program, 0) == 0;

	for (size_t i = 0; i < process->file_count; i++) {
		struct mapped *file = &process->files[i];
		int opened;

		if (file == process->library)
			continue;
		opened = process_open_mapped(process, file);
		if (opened < 0) {
			*unseen = true;
			continue;
		}
		file->kinds = kinds_of(opened);
		process->kinds |= file->kinds;
		if (file->kinds & TLS_GO && found && program.st_ino == file->inode)
			process->is_go = true;
		close(opened);
	}
	/* Of a library of Go in a program with OpenSSL nobody can tell which of them serves. */
	if ((process->kinds & TLS_GO) != 0 && (process->kinds & TLS_OPENSSL) == 0)
		process->is_go = true;
}

/* ---- the rest of it ---- */

static void read_sockets(struct process *process)
{
	const int descriptors = openat(process->folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = descriptors >= 0 ? fdopendir(descriptors) : NULL;
	const struct dirent *entry;

	process->saw_sockets = folder != NULL;
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char target[64];
		unsigned long long inode;
		const ssize_t got =
			readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		uint64_t *grown;

		target[got > 0 ? got : 0] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) != 1)
			continue;
		grown = realloc(process->sockets, (process->socket_count + 1) * sizeof(*grown));
		if (grown == NULL)
			break;
		process->sockets = grown;
		process->sockets[process->socket_count++] = inode;
	}
	if (folder != NULL)
		closedir(folder);
}

/* Programs that write their title there overwrite it: then nothing of it is believed. */
static void read_environment(struct process *process)
{
	process->environment = read_file(process, "environ", &process->environment_size);
	process->saw_environment =
		process->environment != NULL &&
		memchr(process->environment, '=', process->environment_size) != NULL &&
		*process->environment != '\0';
}

const char *process_variable(const struct process *process, const char *name)
{
	const size_t length = strlen(name);
	const char *end = process->environment + process->environment_size;

	for (const char *at = process->environment; process->saw_environment && at < end;
	     at += strlen(at) + 1)
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return at + length + 1;
	return NULL;
}

static void read_auxiliary(struct process *process)
{
	size_t length;
	char *bytes = read_file(process, "auxv", &length);
	ElfW(auxv_t) entry;

	for (size_t at = 0; bytes != NULL && at + sizeof(entry) <= length; at += sizeof(entry)) {
		memcpy(&entry, bytes + at, sizeof(entry));
		if (entry.a_type == AT_SECURE)
			process->secure = entry.a_un.a_val != 0;
	}
	free(bytes);
}

/* "1234 (name, which may hold anything) S 1 ...": the kernel's threads are children of 2. */
static bool read_stat(struct process *process)
{
	char line[512];
	const char *end;
	int parent;
	char state;

	/* Which may be empty. */
	process_read(process, "comm", process->name, sizeof(process->name));
	if (!process_read(process, "stat", line, sizeof(line)))
		return false;
	end = strrchr(line, ')');
	if (end == NULL || sscanf(end + 1, " %c %d", &state, &parent) != 2)
		return false;
	process->parent = parent;
	process->is_kernel = process->pid == 2 || parent == 2;
	return state != 'Z' && state != 'X';
}

bool process_begin(struct process *process, pid_t pid)
{
	char path[64];

	*process = (struct process){.pid = pid};
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	process->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process->folder < 0 || !read_stat(process))
		return false;
	read_maps(process);
	read_sockets(process);
	read_environment(process);
	read_auxiliary(process);
	return true;
}

bool process_is_there(const struct process *process)
{
	return faccessat(process->folder, "stat", F_OK, 0) == 0;
}

void process_end(struct process *process)
{
	for (size_t i = 0; i < process->file_count; i++)
		free(process->files[i].path);
	free(process->files);
	free(process->sockets);
	free(process->environment);
	if (process->folder >= 0)
		close(process->folder);
}

pid_t *process_numbers(size_t *count)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	pid_t *numbers = NULL;

	*count = 0;
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		const long number = strtol(entry->d_name, NULL, 10);
		pid_t *grown;

		if (number <= 0)
			continue;
		grown = realloc(numbers, (*count + 1) * sizeof(*grown));
		if (grown == NULL)
			break;
		numbers = grown;
		numbers[(*count)++] = (pid_t)number;
	}
	if (folder != NULL)
		closedir(folder);
	return numbers;
}
