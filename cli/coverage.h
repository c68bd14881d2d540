/* coverage.h - is a listener covered?  Told by who holds it and by the policy that these have. */
#ifndef CFSHIM_COVERAGE_H
#define CFSHIM_COVERAGE_H

#include "findings.h"
#include "listeners.h"

enum coverage {
	COVERAGE_COVERED,
	COVERAGE_PASSES,    /* covered, and plain text passes */
	COVERAGE_DATAGRAMS, /* covered, and datagrams pass that no library for QUIC is known to be
			       behind */
	COVERAGE_MUTE, /* covered, and its TLS cannot be hooked: nobody gets in, or is served */
	COVERAGE_OPEN, /* covered, and the policy demands nothing */
	COVERAGE_SAID_OPEN, /* not covered, and the policy says by name that it is open */
	COVERAGE_PLAIN,     /* no TLS is seen in it, and plain text passes */
	COVERAGE_BARE,      /* likewise, and without the library, for others than this machine */
	COVERAGE_QUIC,      /* the library is there, and QUIC of another one passes it by */
	COVERAGE_NOT_COVERED,
	COVERAGE_WAITS, /* systemd holds it for a unit that does not run */
	COVERAGE_UNSEEN,
	COVERAGE_COUNT
};

/* A policy that some process was started with. */
struct known_policy {
	char *path;            /* NULL: the built-in one */
	char shown[512];       /* the path as that process has it */
	struct policy *policy; /* NULL: it does not load, and every client is refused */
	bool *used;            /* for each rule: a listener falls to it */
	struct known_policy *next;
};

/* What holds a listener: one process, or several. */
struct holders {
	const struct process *first; /* NULL: nobody, or nobody that could be seen */
	size_t count;
	bool covered; /* all of them */
	bool seen;    /* all of them could be looked into */
	unsigned kinds;
};

/* Add a process to those that hold it. */
void holders_add(struct holders *holders, const struct process *process);

/* What policy_of_process() says of who named the policy, besides others. */
#define POLICY_SAID_BY_LIBRARY "in force in it"
#define POLICY_NOT_SAID        "taken to be"

/* The policy of `process`, by its environment, or by what the library in it has in force; where
 * neither is seen, or process is NULL: `given`, or else the one that holds by default.  `known` has
 * those that were read already, and gets it.  `said_by`, which may be NULL, gets who named it.
 * NULL: no memory. */
struct known_policy *policy_of_process(struct known_policy **known, const struct process *process,
				       const char *given, const char **said_by);
void known_policies_free(struct known_policy *known);

/* Does a section name the port, or an address of it that the listener is on? */
bool policy_names_listener(const struct policy *policy, const struct listener *listener);

/* `rule` gets the one that it falls to; NULL where the policy does not load. */
enum coverage coverage_of(const struct listener *listener, const struct holders *holders,
			  struct known_policy *known, const struct rule **rule);

const char *coverage_words(enum coverage coverage);

/* What of it is not good: one finding for all listeners of the kind, which `which` names. */
void find_coverage(struct findings *findings, enum coverage coverage, const char *which);

/* Sections of the policy that no listener was seen to fall to. */
void find_unused(struct findings *findings, const struct known_policy *known);

#endif
