#include "serving.h"

#include "endpoint.h"
#include "journal.h"
#include "policy_in_force.h"

#include <errno.h>

/* The first instance with a context; and whether the line is out.  Inherited by forked children,
 * which say it no second time. */
static _Atomic(struct openssl *) with_context;
static atomic_flag announced = ATOMIC_FLAG_INIT;

static void announce(struct openssl *openssl)
{
	int error_number = errno;
	struct policy_version *version;
	const struct trusts *trusts;

	if (atomic_flag_test_and_set(&announced))
		return;
	version = policy_in_force_hold();
	trusts = policy_version_trusts(version, openssl);
	if (trusts != NULL)
		journal_started(version->name, trusts->count, openssl->version);
	else
		journal_policy_error(version->name, policy_version_why(version));
	policy_in_force_release(version);
	errno = error_number;
}

void serving_context_made(struct openssl *openssl)
{
	struct openssl *none = NULL;

	atomic_store(&openssl->in_use, true);
	atomic_compare_exchange_strong(&with_context, &none, openssl);
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
