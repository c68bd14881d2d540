/* What listens: every port of the machine, whose it is, and whether it is covered. */
#include "doctor.h"
#include "executable.h"
#include "machine.h"

#include <stdio.h>
#include <unistd.h>

/* Those that some process listens by; and that which holds where none is named. */
static void find_policies(struct machine *machine, struct findings *findings)
{
	policy_of_process(&machine->policies, NULL, machine->given, NULL);
	for (const struct known_policy *known = machine->policies; known != NULL;
	     known = known->next) {
		print_labelled("policy", "%s", known->shown);
		if (known->policy == NULL)
			find_bad(findings, PARAGRAPH_POLICY,
				 "%s does not load: a process that starts with it refuses every "
				 "client, and "
				 "one that runs keeps what it had; see `cfshim check`",
				 known->shown);
		else
			find_unused(findings, known);
	}
}

static void find_library(struct findings *findings)
{
	struct obstacle obstacle;
	char library[PATH_MAX];

	library_find(library, sizeof(library));
	print_labelled("library", "%s", library);
	if (library_check(library, &obstacle) != STATUS_GOOD)
		find_bad(findings, obstacle.paragraph, "%s; %s", obstacle.what, obstacle.instead);
}

enum status doctor_all(const char *policy)
{
	struct findings findings = {.bad = 0};
	struct machine machine;
	size_t shown, processes;
	bool bad;

	machine_begin(&machine, policy);
	find_library(&findings);
	processes = machine.unseen;
	shown = machine_show(&machine, &findings, 0);
	if (shown == 0 && machine.unseen == 0)
		find_good("nothing listens that could be seen");
	find_policies(&machine, &findings);
	if (processes > 0)
		find_note(&findings, PARAGRAPH_UNSEEN, "%zu processes could not be looked into%s",
			  processes, geteuid() == 0 ? "" : ": ask as root");
	if (machine.file_unseen)
		find_note(&findings, PARAGRAPH_UNSEEN,
			  "not every library that these processes have mapped could be read: other "
			  "TLS may be in them");
	bad = findings.bad > 0 || machine.unseen > 0;
	find_verdict(!bad, findings.bad > 0 ? "not all that listens is covered"
			   : machine.unseen > 0
				   ? "not all could be seen"
				   : "all that listens is covered, or open as the policy says");
	machine_end(&machine);
	return bad ? STATUS_BAD : STATUS_GOOD;
}
