#include "serving.h"

#include "endpoint.h"
#include "journal.h"
#include "newcomer.h"
#include "policy_in_force.h"

#include <errno.h>

/* The first instance with a context; and whether the line is out.  Inherited by forked children,
 * which say it no second time. */
static _Atomic(struct openssl *) with_context;
static atomic_flag announced = ATOMIC_FLAG_INIT;

static void announce(struct openssl *openssl)
{
	int error_number = errno;
	const struct trusts *trusts;

	if (atomic_flag_test_and_set(&announced))
		return;
	trusts = policy_in_force_trusts(openssl);
	if (trusts != NULL)
		journal_started(policy_in_force_name(), trusts->count, openssl->version);
	else
		journal_policy_error(policy_in_force_name(), policy_in_force_why());
	errno = error_number;
}

static bool policy_observes(void)
{
	const struct policy *policy = policy_in_force();
	size_t count = policy ? policy_rule_count(policy) : 0;

	for (size_t i = 0; i < count; i++)
		if (policy_rule(policy, i)->verify == VERIFY_OBSERVE)
			return true;
	return false;
}

void serving_context_made(struct openssl *openssl)
{
	struct openssl *none = NULL;

	if (atomic_compare_exchange_strong(&with_context, &none, openssl) && policy_observes())
		newcomer_share();
	if (endpoint_is_listening())
		announce(openssl);
}

void serving_listens(void)
{
	struct openssl *openssl = atomic_load(&with_context);

	if (openssl != NULL)
		announce(openssl);
}

void serving_hello(struct openssl *openssl)
{
	announce(openssl);
}

bool serving_has_context(void)
{
	return atomic_load(&with_context) != NULL;
}
