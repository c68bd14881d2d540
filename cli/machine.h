/* machine.h - all processes that can be seen, what they listen on, and the table of it. */
#ifndef CFSHIM_MACHINE_H
#define CFSHIM_MACHINE_H

#include "coverage.h"

struct machine {
	struct process *processes;
	size_t count;
	size_t unseen; /* processes whose sockets could not be seen; and, once shown, listeners */
	struct known_policy *policies;
	const char *given; /* the policy that was named; NULL: none was */
	bool file_unseen;  /* a file that some process has mapped could not be read */
};

/* machine_end() in each case. */
void machine_begin(struct machine *machine, const char *given);
void machine_end(struct machine *machine);

/* NULL: it is not there. */
struct process *machine_find(struct machine *machine, pid_t pid);

/* Is it `ancestor`, or a child of it, or of one of these? */
bool machine_descends(struct machine *machine, const struct process *process, pid_t ancestor);

/* The listeners of each network namespace; of those that `of` or a process that descends from it
 * holds, or of all (0). One line each, then a finding for each kind that is not good.  How many
 * lines. */
size_t machine_show(struct machine *machine, struct findings *findings, pid_t of);

/* "nginx[4242]" */
#define PROCESS_TEXT_BYTES 160
const char *process_text(const struct process *process, char text[PROCESS_TEXT_BYTES]);

#endif
