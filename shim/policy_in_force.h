/* policy_in_force.h - the policy of this process: read as bytes at load, its CAs made into OpenSSL
 * objects with the first server context of each instance. Immutable after load, so threads and
 * forked children read it without a lock.  Where anything was wrong, nothing is in force: every
 * server handshake is refused.
 */
#ifndef CFSHIM_POLICY_IN_FORCE_H
#define CFSHIM_POLICY_IN_FORCE_H

#include "openssl.h"
#include "trust/trust.h"

/* A rule and whom it trusts, for one OpenSSL instance. */
struct rule_in_force {
	const struct rule *rule;
	struct trust *trust;
};

/* Every rule of the policy, in its order. */
struct trusts {
	bool good; /* false: a CA could not be loaded */
	size_t count;
	struct rule_in_force rules[];
};

/* At load, once: read the policy file (`path`, or NULL for the default one, which may be absent)
 * and the files it names. `extra_error` is a complaint of the environment, or NULL. */
void policy_in_force_load(const char *path, const char *extra_error);

/* NULL: what was read cannot be used; policy_in_force_why() says why. */
const struct policy *policy_in_force(void);

/* "built-in", or the path of the file. */
const char *policy_in_force_name(void);

/* The first error, in one line: where, what, what is allowed. */
const char *policy_in_force_why(void);

/* The rules with their CAs for `openssl`, loaded at the first call.  NULL: the policy is broken, a
 * CA of it could not be loaded, or there is no memory.  Borrowed for good. */
const struct trusts *policy_in_force_trusts(struct openssl *openssl);

/* The rule for `endpoint` among `trusts`. */
const struct rule_in_force *policy_in_force_match(const struct trusts *trusts,
						  const struct endpoint *endpoint);

/* Below `rule`, the one for the server `name` of `length` bytes; NULL: none is named. */
const struct rule_in_force *policy_in_force_server(const struct trusts *trusts,
						   const struct rule_in_force *rule,
						   const char *name, size_t length);

#endif
