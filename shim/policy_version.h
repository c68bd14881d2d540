/* policy_version.h - one reading of the policy and of the files that it names: the rules, the bytes
 * of their CAs and CRLs, and, for each OpenSSL instance that asks, whom they trust.
 *
 * Immutable once in force, but for the list of trusts, which only grows: threads and forked
 * children read it without a lock.  Part of policy_in_force.c, which owns them all.
 */
#ifndef CFSHIM_POLICY_VERSION_H
#define CFSHIM_POLICY_VERSION_H

#include "openssl.h"
#include "trust/files.h"

struct trusts;

/* The place of a version.  It is never given back, and serves another one when its holders are
 * gone: whoever comes too late to hold the one in force touches nothing but the count. */
struct policy_version {
	_Atomic unsigned holders; /* the one in force is not among them */
	struct policy_version *next;
	struct policy *policy;  /* NULL: what was read cannot be used */
	char *name;             /* "built-in", or the path of the file */
	struct ca_text **texts; /* a list for each rule, in the order of its `ca` values */
	_Atomic(char *) why;    /* it cannot be used: the first error */
	_Atomic(struct trusts *) trusts;
};

/* A rule and whom it trusts, for one OpenSSL instance. */
struct rule_in_force {
	const struct rule *rule;
	struct trust *trust;
};

/* Every rule of one version, in its order. */
struct trusts {
	const struct policy *policy;
	const struct openssl *openssl;
	struct trusts *next; /* of another instance */
	bool good;           /* false: a CA could not be loaded */
	size_t count;
	struct rule_in_force rules[];
};

/* Where a policy is read from, and what besides the text must hold. */
struct policy_origin {
	const char *path;
	const char *extra_error; /* a complaint of the environment; NULL: none */
	bool may_be_absent;      /* then the built-in one counts */
	bool must_end;           /* with a newline: it may be half written else */
};

/* Into an empty `version`; its policy is NULL where anything was wrong, and `why` says what.  Each
 * file that was looked at is added to `seen`. */
void policy_version_load(struct policy_version *version, const struct policy_origin *origin,
			 struct files_seen *seen);

/* Nobody holds it. */
void policy_version_clear(struct policy_version *version);

/* "no memory" where there is none for the sentence. */
const char *policy_version_why(const struct policy_version *version);

/* The rules with their CAs for `openssl`, loaded at the first call.  NULL: the policy is broken, a
 * CA of it could not be loaded, or there is no memory.  Borrowed from `version`. */
const struct trusts *policy_version_trusts(struct policy_version *version, struct openssl *openssl);

#endif
