/* counters.h - how many connections got which verdict, for `cfshim status` and `cfshim ready`.
 *
 * The numbers lie in a sealed memfd, or where there is none in anonymous memory, that all forks of
 * the process share (counters_layout.h): a worker that crashes, has changed its root or dropped its
 * privileges counts on, and what it counted stays.  No descriptor is kept.  Without memory nothing
 * is counted.  Threads and signals: atomic additions, no lock.  errno is left as found.
 */
#ifndef CFSHIM_COUNTERS_H
#define CFSHIM_COUNTERS_H

#include "policy.h"

/* The process serves TLS, or an endpoint that must: from now on its forks share the counters. */
void counters_open(void);

/* What is known of a connection that is counted.  All zero: nothing. */
struct counted {
	const struct endpoint *endpoint; /* where it arrived; NULL: not known */
	bool by_address;                 /* see counters_are_by_address() */
	const char *server;              /* of a server section; NULL: the port's own */
	const struct endpoint *peer;     /* as the log shows it; NULL: not known */
	const char *server_name;         /* asked for; NULL: none */
};

/* Does the section of `rule` name addresses?  Then those have numbers of their own. */
bool counters_are_by_address(const struct rule *rule);

/* One connection more.  `reason` counts for `observed` and `refused`. */
void counters_count(enum verdict verdict, enum reason reason, const struct counted *counted);

/* What is in force, as often as that changes.  Of `why_stale` so many bytes are kept. */
#define COUNTED_WHY_BYTES 1024
struct counted_policy {
	const char *name;      /* "built-in", or the path */
	size_t rules;          /* 0: it cannot be used */
	uint64_t generation;   /* how often one was taken up */
	const char *why_stale; /* why what the path names now is not in force; "": it is; NULL: as
				  before */
	int64_t ca_expires;    /* the first of its CAs: seconds since 1970; 0: not known */
};
void counters_policy(const struct counted_policy *policy);

/* An OpenSSL that serves, by its version. */
void counters_openssl(const char *version);

#endif
