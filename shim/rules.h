/* rules.h - the rule, or the rules, that a connection is judged by.
 * A worker of connection.c: no state of its own.
 */
#ifndef CFSHIM_RULES_H
#define CFSHIM_RULES_H

#include "endpoint.h"
#include "policy_in_force.h"

struct rules {
	const struct trusts *trusts;
	const struct rule_in_force *one; /* NULL: every rule that could apply must admit */
	bool anywhere; /* those are all of the policy; else the ones of this process's endpoints */
	bool is_named; /* the server name has its part in `one` */
};

/* The rule of the endpoint that `route` found; where it found none, the one that governs all
 * endpoints of this process, if there is such a one. */
struct rules rules_for(const struct trusts *trusts, const struct route *route);

/* Do the endpoints that it could be of, were it not known, differ in their rules, and does one
 * require a certificate?  `descriptor` as a route has it. */
bool rules_depend_on_endpoint(const struct trusts *trusts, int descriptor);

/* The server `name` of `length` bytes is asked for (NULL: none): from now on its section counts,
 * where it has one. */
void rules_narrow(struct rules *rules, const char *name, size_t length);

/* The strictest that any of them says, today.  Before they are narrowed: or would, for some name.
 */
enum verify rules_verify(const struct rules *rules);

/* Does any of them demand a certificate, be it only to look at it? */
bool rules_enforce(const struct rules *rules);

/* Does each of them let `peer` in without a certificate; does each let it connect at all?  `peer`
 * NULL: not known. */
bool rules_exempt(const struct rules *rules, const struct endpoint *peer);
bool rules_admit_peer(const struct rules *rules, const struct endpoint *peer);

/* Does `only-names` of each let a hello pass that asks for the server `name` of `length` bytes, or,
 * NULL, for none? */
bool rules_allow_name(const struct rules *rules, const char *name, size_t length);

/* Does each let a hello pass without a certificate that comes to validate a name for ACME? */
bool rules_allow_acme(const struct rules *rules);

/* May a session be resumed that was verified under the very same rule? */
bool rules_resume(const struct rules *rules);

/* Before they are narrowed: do requests have to be held against the rules of these endpoints, since
 * their server sections differ in whom they admit? */
bool rules_guard_hosts(const struct rules *rules);

/* Before they are narrowed: are there sections of server names? */
bool rules_name_servers(const struct rules *rules);

/* Before they are narrowed: may a connection that `admitted_by` let in ask for the host `name` of
 * `length` bytes (NULL: it names none)?  NULL: it may; else the rule that would not admit it. */
const struct rule_in_force *rules_deny_host(const struct rules *rules,
					    const struct rule_in_force *admitted_by,
					    const char *name, size_t length);

/* What a client that is refused sees: `close` where the endpoint is unknown. */
enum answer rules_answer(const struct rules *rules);

/* The status of `reject 403`; 0: none. */
uint16_t rules_status(const struct rules *rules);

/* REASON_NONE: all of them admit `leaf`; where one requires, those that observe do.
 * unknown-endpoint: some do. */
enum reason rules_judge(const struct rules *rules, const struct libcrypto *libcrypto, X509 *leaf,
			STACK_OF(X509) * intermediates);

/* The rules one by one, from index 0; NULL after the last.  The same one may come twice. */
const struct rule_in_force *rules_at(const struct rules *rules, size_t index);

/* The session-id context of these rules: of the one, or all together; another while they only
 * observe.  It can be told from a host's, whichever rules it was of. */
void rules_digest(const struct rules *rules, unsigned char digest[TRUST_DIGEST_BYTES]);

/* One of no rules: what has it is never resumed. */
void rules_digest_of_none(unsigned char digest[TRUST_DIGEST_BYTES]);
bool rules_is_digest(const unsigned char *context, size_t length);

#endif
