/* policy_in_force.h - the policy of this process: read as bytes at load, its CAs made into OpenSSL
 * objects with the first server context of each instance; and read again when a file of it has
 * changed.  Where anything was wrong at load, nothing is in force: every server handshake is
 * refused.
 *
 * Whoever judges by it holds the version in force, and judges by that alone until he lets go of it.
 * Threads: any, without a lock.  Fork: the child has the version that was in force, and looks for
 * later ones by itself; what other threads held at that moment it never frees.
 */
#ifndef CFSHIM_POLICY_IN_FORCE_H
#define CFSHIM_POLICY_IN_FORCE_H

#include "policy_version.h"

/* At load, once: read the policy file (`path`, or NULL for the default one, which may be absent)
 * and the files it names. `extra_error` is a complaint of the environment, or NULL. */
void policy_in_force_load(const char *path, const char *extra_error);

/* On the way in, where the host may wait for a file to be read: has one of them changed?  At most
 * twice a second, else next to nothing.  True: another version is in force.  What is kept, and why,
 * or what has changed, is logged.  errno and OpenSSL's error queues are left as found. */
bool policy_in_force_look(void);

/* The version in force, never NULL; it stays until policy_in_force_release(), also where it is no
 * longer the one in force.  Async-signal-safe, both; NULL is released as nothing. */
struct policy_version *policy_in_force_hold(void);
void policy_in_force_release(struct policy_version *version);

/* Held once more by who holds it: `version`, which is to be released as often. */
struct policy_version *policy_in_force_share(struct policy_version *version);

/* Is it the one in force? */
bool policy_in_force_is(const struct policy_version *version);

/* Is there a policy, or is everybody refused? */
bool policy_in_force_is_usable(void);

/* How many versions there were in this process and its parents, from 1. */
unsigned long policy_in_force_generation(void);

/* Why the files are not what is in force: they cannot be used, or cannot be seen from here.  "":
 * they are.  False: another thread looks at them just now. */
bool policy_in_force_why_stale(char *why, size_t size);

/* Another number whenever one of these two has another answer. */
unsigned long policy_in_force_news(void);

/* The rule for `endpoint` among `trusts`. */
const struct rule_in_force *policy_in_force_match(const struct trusts *trusts,
						  const struct endpoint *endpoint);

/* Below `rule`, the one for the server `name` of `length` bytes; NULL: none is named. */
const struct rule_in_force *policy_in_force_server(const struct trusts *trusts,
						   const struct rule_in_force *rule,
						   const char *name, size_t length);

#endif
