#include "serving.h"

#include "counters.h"
#include "endpoint.h"
#include "journal.h"
#include "newcomer.h"
#include "policy_in_force.h"

#include <errno.h>

/* The first instance with a context; and whether the line is out.  Inherited by forked children,
 * which say it no second time. */
static _Atomic(struct openssl *) with_context;
static atomic_flag announced = ATOMIC_FLAG_INIT;

/* The first of all CAs that count to expire. */
static int64_t first_expiry(const struct openssl *openssl, const struct trusts *trusts)
{
	int64_t first = 0;

	for (size_t i = 0; i < trusts->count; i++) {
		const struct rule_in_force *rule = &trusts->rules[i];
		int64_t expires = rule->rule->verify == VERIFY_OFF
					  ? 0
					  : trust_expires(&openssl->crypto, rule->trust);

		if (expires != 0 && (first == 0 || expires < first))
			first = expires;
	}
	return first;
}

/* False: not why it is stale, since another thread looks at that just now. */
static bool count_policy(const struct openssl *openssl, const struct policy_version *version,
			 const struct trusts *trusts)
{
	char why_stale[COUNTED_WHY_BYTES];
	const bool is_known = policy_in_force_why_stale(why_stale, sizeof(why_stale));

	counters_policy(&(struct counted_policy){
		.name = version->name,
		.rules = trusts ? trusts->count : 0,
		.generation = policy_in_force_generation(),
		.why_stale = is_known ? why_stale : NULL,
		.ca_expires = trusts ? first_expiry(openssl, trusts) : 0,
	});
	counters_openssl(openssl->version);
	return is_known;
}

static void announce(struct openssl *openssl)
{
	int error_number = errno;
	struct policy_version *version;
	const struct trusts *trusts;

	if (atomic_flag_test_and_set(&announced))
		return;
	version = policy_in_force_hold();
	trusts = policy_version_trusts(version, openssl);
	count_policy(openssl, version, trusts);
	if (trusts != NULL)
		journal_started(version->name, trusts->count, openssl->version);
	else
		journal_policy_error(version->name, policy_version_why(version));
	policy_in_force_release(version);
	errno = error_number;
}

static bool policy_observes(void)
{
	struct policy_version *version = policy_in_force_hold();
	size_t count = version->policy ? policy_rule_count(version->policy) : 0;
	bool observes = false;

	for (size_t i = 0; i < count; i++)
		observes |= policy_rule(version->policy, i)->verify == VERIFY_OBSERVE;
	policy_in_force_release(version);
	return observes;
}

void serving_context_made(struct openssl *openssl)
{
	struct openssl *none = NULL;

	atomic_store(&openssl->in_use, true);
	if (atomic_compare_exchange_strong(&with_context, &none, openssl) && policy_observes())
		newcomer_share();
	if (endpoint_is_listening())
		announce(openssl);
}

void serving_looked(void)
{
	static _Atomic unsigned long counted;
	unsigned long now = policy_in_force_news();
	struct openssl *openssl = atomic_load(&with_context);
	struct policy_version *version;
	int error_number = errno;

	if (openssl == NULL || atomic_load_explicit(&counted, memory_order_relaxed) == now)
		return;
	version = policy_in_force_hold();
	if (count_policy(openssl, version, policy_version_trusts(version, openssl)))
		atomic_store(&counted, now);
	policy_in_force_release(version);
	errno = error_number;
}

/* Before it forks, where its workers only refuse. */
static bool must_count(const struct policy *policy, int descriptor)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	struct endpoint endpoint;

	return policy != NULL &&
	       getsockname(descriptor, (struct sockaddr *)&address, &length) == 0 &&
	       endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length) &&
	       policy_names(policy, &endpoint) && rule_enforces(policy_match(policy, &endpoint));
}

static void open_counters(int descriptor)
{
	struct policy_version *version = policy_in_force_hold();

	if (must_count(version->policy, descriptor))
		counters_open();
	policy_in_force_release(version);
}

void serving_listens(int descriptor)
{
	struct openssl *openssl = atomic_load(&with_context);

	open_counters(descriptor);
	if (openssl != NULL)
		announce(openssl);
}

void serving_hello(struct openssl *openssl)
{
	announce(openssl);
	counters_openssl(openssl->version);
}

bool serving_has_context(void)
{
	return atomic_load(&with_context) != NULL;
}
