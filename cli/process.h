/* process.h - what /proc tells of one process.  Names, paths and environments are others' to write:
 * they are shown by printable() alone.  The folder is held open, so that a number that becomes
 * another process's is noticed: what is read from it then is nothing.
 */
#ifndef CFSHIM_PROCESS_H
#define CFSHIM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file of which a part is mapped to be executed. */
struct mapped {
	char *path;
	char range[64]; /* as maps has it, and map_files too */
	uint64_t inode;
	bool deleted;
	unsigned kinds; /* enum tls, once process_look_for_tls() has been there */
};

struct process {
	pid_t pid, parent;
	int folder; /* /proc/PID */
	char name[32];
	bool saw_maps, saw_sockets, saw_environment;
	bool secure; /* the loader ignored LD_PRELOAD */
	bool is_kernel;
	bool is_go; /* it makes its system calls past libc; once process_look_for_tls() was there */
	struct mapped *files;
	size_t file_count;
	const struct mapped *library; /* libcfshim.so; NULL: it is not mapped */
	unsigned kinds;               /* enum tls, of all files */
	uint64_t *sockets;            /* inodes */
	size_t socket_count;
	char *environment; /* with a NUL behind it */
	size_t environment_size;
};

/* False: there is no such process (any more).  process_end() in each case. */
bool process_begin(struct process *process, pid_t pid);
void process_end(struct process *process);

/* Is it still the one that process_begin() found under its number? */
bool process_is_there(const struct process *process);

/* Its value in the environment that it was started with; NULL: it has none, or that is not seen. */
const char *process_variable(const struct process *process, const char *name);

/* Open a file that it has mapped, even where it has another root or the file was deleted; -1. */
int process_open_mapped(const struct process *process, const struct mapped *file);

/* Which TLS stands in the files that it has mapped; where one cannot be read, `unseen` says so. */
void process_look_for_tls(struct process *process, bool *unseen);

/* Does it see other files than this command does? */
bool process_is_elsewhere(const struct process *process);

/* A line of one of its files, as "attr/current"; false: it cannot be read. */
bool process_read(const struct process *process, const char *name, char *line, size_t size);

/* A link of its, as "exe" and "ns/net"; "" where it cannot be read.  Returns `target`. */
const char *process_link(const struct process *process, const char *name, char *target,
			 size_t size);

/* All numbers of processes, allocated; NULL: no memory, or no /proc. */
pid_t *process_numbers(size_t *count);

#endif
