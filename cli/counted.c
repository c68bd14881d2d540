#include "counted.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LIBRARY "libcfshim.so"

/* What the maps of one process say. */
struct mapped {
	bool is_covered;
	unsigned long long address, inode; /* of the counters; 0: there are none */
};

/* ---- one process ---- */

/* The device of all memfds and of shared anonymous memory.  A file system of somebody's own can
 * name a file like ours, and let who reads it wait for ever. */
static dev_t shared_memory(void)
{
	static dev_t device;
	struct stat status;
	int memfd = device == 0 ? memfd_create("cfshim-status", MFD_CLOEXEC) : -1;

	if (memfd >= 0 && fstat(memfd, &status) == 0)
		device = status.st_dev;
	if (memfd >= 0)
		close(memfd);
	return device;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_library(const char *path)
{
	return ends_with(path, "/" LIBRARY) || ends_with(path, "/" LIBRARY " (deleted)");
}

/* In a memfd, or where the host could have none, in anonymous memory. */
static bool may_be_counters(const char *path, unsigned long long size)
{
	const unsigned long long page = (unsigned long long)sysconf(_SC_PAGESIZE);

	return size == (sizeof(struct counters) + page - 1) / page * page &&
	       (strcmp(path, "/memfd:" COUNTERS_MEMFD " (deleted)") == 0 ||
		strcmp(path, "/dev/zero (deleted)") == 0);
}

static void take_line(const char *line, struct mapped *mapped)
{
	unsigned long long start, end, offset, inode;
	unsigned major_number, minor_number;
	char permissions[5];
	int at = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, permissions, &offset,
		   &major_number, &minor_number, &inode, &at) != 7 ||
	    at == 0)
		return;
	if (permissions[2] == 'x' && is_library(line + at))
		mapped->is_covered = true;
	if (mapped->address == 0 && strcmp(permissions, "rw-s") == 0 && offset == 0 &&
	    makedev(major_number, minor_number) == shared_memory() &&
	    may_be_counters(line + at, end - start)) {
		mapped->address = start;
		mapped->inode = inode;
	}
}

static FILE *open_of(pid_t process, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, name);
	return fopen(path, "re");
}

/* False: the caller may not look.  A kernel thread has none. */
static bool read_maps(pid_t process, struct mapped *mapped)
{
	FILE *maps = open_of(process, "maps");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	*mapped = (struct mapped){.is_covered = false};
	if (maps == NULL)
		return errno != EACCES && errno != EPERM;
	errno = 0;
	while ((length = getline(&line, &room, maps)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		take_line(line, mapped);
	}
	free(line);
	fclose(maps);
	return errno != EACCES && errno != EPERM;
}

static void read_name(pid_t process, char *name, size_t size)
{
	FILE *file = open_of(process, "comm");

	if (file == NULL || fgets(name, (int)size, file) == NULL)
		snprintf(name, size, "-");
	name[strcspn(name, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
}

/* ---- its counters ---- */

/* Whatever was read, every text ends. */
static void end_texts(struct counters *block)
{
#define END(text) (text)[sizeof(text) - 1] = '\0'
	END(block->version);
	END(block->program);
	END(block->policy);
	END(block->why_stale);
	for (size_t i = 0; i < COUNTERS_REASONS; i++)
		END(block->reasons[i]);
	for (size_t i = 0; i < COUNTERS_OPENSSLS; i++)
		END(block->openssls[i].version);
	for (size_t i = 0; i < COUNTERS_ROWS; i++) {
		END(block->rows[i].port);
		END(block->rows[i].server);
	}
	for (size_t i = 0; i < COUNTERS_NAMES; i++)
		END(block->names[i].name);
#undef END
}

/* NULL, and why. */
static struct counters *read_block(pid_t process, unsigned long long address, const char **why)
{
	struct counters *block = calloc(1, sizeof(*block));
	char path[64];
	ssize_t count;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)process);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	count = memory >= 0 && block != NULL ? pread(memory, block, sizeof(*block), (off_t)address)
					     : -1;
	if (memory >= 0)
		close(memory);
	*why = NULL;
	if (count != (ssize_t)sizeof(*block))
		*why = "its memory may not be read by this user";
	else if (memcmp(block->magic, COUNTERS_MAGIC, sizeof(block->magic)) != 0)
		*why = "it has no counters";
	else if (block->layout != COUNTERS_LAYOUT || block->size != sizeof(*block))
		*why = "its library is of another version than this command";
	if (*why == NULL) {
		end_texts(block);
		return block;
	}
	free(block);
	return NULL;
}

/* ---- all processes ---- */

static struct counted_group *group_of(struct counted_all *all, const struct mapped *mapped)
{
	struct counted_group *grown;

	for (size_t i = 0; mapped->inode != 0 && i < all->count; i++)
		if (all->groups[i].inode == mapped->inode)
			return &all->groups[i];
	grown = realloc(all->groups, (all->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return NULL;
	all->groups = grown;
	grown[all->count] = (struct counted_group){
		.inode = mapped->inode,
		.why = "no TLS is served, or no shared memory is to be had",
	};
	return &grown[all->count++];
}

bool counted_add(struct counted_all *all, pid_t process)
{
	struct counted_group *group;
	struct mapped mapped;
	pid_t *grown;

	if (!read_maps(process, &mapped)) {
		all->unseen++;
		return true;
	}
	if (!mapped.is_covered)
		return true;
	group = group_of(all, &mapped);
	if (group == NULL)
		return false;
	grown = realloc(group->processes, (group->process_count + 1) * sizeof(pid_t));
	if (grown == NULL)
		return false;
	group->processes = grown;
	if (group->process_count == 0)
		read_name(process, group->name, sizeof(group->name));
	grown[group->process_count++] = process;
	/* Any of them will do: some may not be read. */
	if (group->block == NULL && mapped.address != 0)
		group->block = read_block(process, mapped.address, &group->why);
	return true;
}

static bool read_all(struct counted_all *all)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	bool good = processes != NULL;

	while (good && (entry = readdir(processes)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
		char *end;
		long number = strtol(entry->d_name, &end, 10);

		if (isdigit((unsigned char)*entry->d_name) && *end == '\0')
			good = counted_add(all, (pid_t)number);
	}
	if (processes != NULL)
		closedir(processes);
	return good;
}

static int compare_groups(const void *left_group, const void *right_group)
{
	const struct counted_group *left = left_group, *right = right_group;
	int order = strcmp(counted_program(left), counted_program(right));

	if (order != 0)
		return order;
	return (left->processes[0] > right->processes[0]) -
	       (left->processes[0] < right->processes[0]);
}

static void group_clear(struct counted_group *group)
{
	free(group->processes);
	free(group->block);
}

static bool group_has(const struct counted_group *group, pid_t process)
{
	for (size_t i = 0; i < group->process_count; i++)
		if (group->processes[i] == process)
			return true;
	return false;
}

/* Only the group of `process` stays. */
static void keep_only(struct counted_all *all, pid_t process)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (group_has(&all->groups[i], process))
			all->groups[kept++] = all->groups[i];
		else
			group_clear(&all->groups[i]);
	}
	all->count = kept;
	if (kept > 0) /* the others do not matter */
		all->unseen = 0;
}

bool counted_read(struct counted_all *all, pid_t only)
{
	*all = (struct counted_all){.count = 0};
	if (!read_all(all)) {
		counted_clear(all);
		return false;
	}
	if (only != 0)
		keep_only(all, only);
	if (all->count > 1)
		qsort(all->groups, all->count, sizeof(*all->groups), compare_groups);
	return true;
}

void counted_clear(struct counted_all *all)
{
	for (size_t i = 0; i < all->count; i++)
		group_clear(&all->groups[i]);
	free(all->groups);
	*all = (struct counted_all){.count = 0};
}

bool counted_policy(pid_t process, char path[PATH_MAX])
{
	struct counted_all all = {.count = 0};
	const struct counters *block = NULL;
	bool known = false;

	if (counted_add(&all, process) && all.count > 0)
		block = all.groups[0].block;
	*path = '\0';
	if (block != NULL)
		known = *block->policy == '/' || strcmp(block->policy, "built-in") == 0;
	if (known && *block->policy == '/')
		snprintf(path, PATH_MAX, "%s", block->policy);
	counted_clear(&all);
	return known;
}
