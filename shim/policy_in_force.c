#include "policy_in_force.h"

#include "journal.h"
#include "policy_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 500

/* Until the load nothing is in force. */
static struct policy_version first_version;
static _Atomic(struct policy_version *) in_force = &first_version;
static _Atomic unsigned long generation;

/* Set at load, constant afterwards. */
static struct {
	char *path;
	const char *extra_error;
	struct log_choice log; /* what the policy said of it; `path` is owned */
} at_start;

/* ---- hold ---- */

struct policy_version *policy_in_force_hold(void)
{
	struct policy_version *version;

	/* Between the two looks it may have been replaced, and freed: then nobody has read of it
	 * but the count, and the next one is tried. */
	for (;;) {
		version = atomic_load(&in_force);
		atomic_fetch_add(&version->holders, 1);
		if (atomic_load(&in_force) == version)
			return version;
		atomic_fetch_sub(&version->holders, 1);
	}
}

struct policy_version *policy_in_force_share(struct policy_version *version)
{
	atomic_fetch_add(&version->holders, 1);
	return version;
}

void policy_in_force_release(struct policy_version *version)
{
	/* Freed by the next who looks: not here, where a signal handler or a child of vfork() may
	 * be. */
	if (version != NULL)
		atomic_fetch_sub(&version->holders, 1);
}

bool policy_in_force_is(const struct policy_version *version)
{
	return atomic_load_explicit(&in_force, memory_order_acquire) == version;
}

bool policy_in_force_is_usable(void)
{
	struct policy_version *version = policy_in_force_hold();
	bool is_usable = version->policy != NULL;

	policy_in_force_release(version);
	return is_usable;
}

unsigned long policy_in_force_generation(void)
{
	return atomic_load(&generation);
}

/* ---- what is kept, and why ---- */

/* Among those who look, one at a time. */
static struct {
	_Atomic bool is_stale;
	bool is_told, is_lost;
	char why[1024];
} kept;

/* How often one was taken up, or kept. */
static _Atomic unsigned long turns;

unsigned long policy_in_force_news(void)
{
	return atomic_load_explicit(&turns, memory_order_relaxed);
}

/* Whoever is within; of a thread that a fork left behind in the parent, the number is another's.
 */
static _Atomic pid_t looking;

static bool begin_to_look(void)
{
	pid_t own = getpid(), found = 0;

	while (!atomic_compare_exchange_strong(&looking, &found, own))
		if (found == own)
			return false;
	return true;
}

static void end_to_look(void)
{
	atomic_store(&looking, 0);
}

bool policy_in_force_why_stale(char *why, size_t size)
{
	if (!begin_to_look())
		return false;
	snprintf(why, size, "%s", atomic_load(&kept.is_stale) ? kept.why : "");
	end_to_look();
	return true;
}

/* Files that are root's alone cannot be read by workers that have given its privileges up. */
static void keep(const char *why)
{
	int length = snprintf(kept.why, sizeof(kept.why), "%s", why);

	if (strstr(why, file_failure(EACCES)) != NULL && (size_t)length < sizeof(kept.why))
		snprintf(kept.why + length, sizeof(kept.why) - (size_t)length,
			 "; let user %u, as whom this process runs, read it, or restart the server",
			 (unsigned)geteuid());
	kept.is_told = false;
	atomic_store(&kept.is_stale, true);
	atomic_fetch_add(&turns, 1);
}

/* Not before the process has said that it serves. */
static void tell_of_kept(void)
{
	if (!atomic_load(&kept.is_stale) || kept.is_told || !journal_has_spoken())
		return;
	kept.is_told = true;
	journal_policy_kept(atomic_load(&in_force)->name, kept.why);
}

/* ---- take up ---- */

static bool is_same_log(struct log_choice left, struct log_choice right)
{
	return left.target == right.target && (left.path == NULL) == (right.path == NULL) &&
	       (left.path == NULL || strcmp(left.path, right.path) == 0);
}

static void tell_of_change(const struct policy_version *version)
{
	bool is_same = is_same_log(policy_log(version->policy), at_start.log);

	if (journal_has_spoken())
		journal_policy_changed(version->name, policy_rule_count(version->policy),
				       policy_in_force_generation(),
				       is_same ? NULL : "log counts from the next start on");
}

/* Those that nobody holds any more. */
static void free_unheld(void)
{
	for (struct policy_version *version = &first_version; version != NULL;
	     version = version->next)
		if (!policy_in_force_is(version) && atomic_load(&version->holders) == 0)
			policy_version_clear(version);
}

/* The place for another one, empty.  NULL: no memory. */
static struct policy_version *find_place(void)
{
	struct policy_version *version = &first_version;

	while (version != NULL &&
	       (policy_in_force_is(version) || atomic_load(&version->holders) > 0))
		version = version->next;
	if (version != NULL) {
		policy_version_clear(version);
		return version;
	}
	version = calloc(1, sizeof(*version));
	if (version != NULL) {
		version->next = first_version.next;
		first_version.next = version;
	}
	return version;
}

/* Does every OpenSSL that the host uses take its CAs? */
static bool loads_everywhere(struct policy_version *version)
{
	struct openssl *openssl = NULL;

	while ((openssl = openssl_next(openssl)) != NULL)
		if (atomic_load(&openssl->in_use) && openssl_is_ready(openssl) &&
		    policy_version_trusts(version, openssl) == NULL)
			return false;
	return true;
}

static void put_in_force(struct policy_version *version)
{
	atomic_store(&in_force, version);
	atomic_fetch_add(&generation, 1);
	atomic_store(&kept.is_stale, false);
	atomic_fetch_add(&turns, 1);
	tell_of_change(version);
}

/* The files have changed, and lie still: the new policy whole, or the old one.  What of that was
 * not to be done after all is in the result. */
static enum watch take_up(int64_t now)
{
	const struct policy_origin origin = {
		.path = at_start.path, .extra_error = at_start.extra_error, .must_end = true};
	struct policy_version *version = find_place();
	struct files_seen seen = {.list = NULL};
	char why[1024];
	enum watch judged;

	if (version == NULL)
		return WATCH_NOTHING;
	policy_version_load(version, &origin, &seen);
	judged = policy_watch_judge(&seen, now, why, sizeof(why));
	if (judged == WATCH_CHANGED) {
		policy_watch_take(&seen);
		/* enforces whole-policy */
		if (*why == '\0' && (version->policy == NULL || !loads_everywhere(version)))
			snprintf(why, sizeof(why), "%s", policy_version_why(version));
		if (*why == '\0')
			put_in_force(version);
		else
			keep(why);
	}
	if (!policy_in_force_is(version))
		policy_version_clear(version);
	files_seen_clear(&seen);
	return judged;
}

static void look(int64_t now)
{
	enum watch news;

	free_unheld();
	news = policy_watch_look(now);
	if (news == WATCH_CHANGED)
		news = take_up(now);
	if (news == WATCH_RESTLESS)
		keep("its files are being written again and again; write another file, and rename "
		     "it");
	if (news == WATCH_LOST && !kept.is_lost)
		keep("this process has another root directory than at its start: changes are not "
		     "seen, and count from its next start on");
	kept.is_lost = news == WATCH_LOST;
}

bool policy_in_force_look(void)
{
	static _Atomic int64_t next_look;
	struct timespec coarse;
	int64_t now, due = atomic_load_explicit(&next_look, memory_order_relaxed);
	int error_number, cancellation;
	unsigned long changes;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
	now = (int64_t)coarse.tv_sec * 1000 + coarse.tv_nsec / 1000000;
	if (now < due || !atomic_compare_exchange_strong(&next_look, &due, now + LOOK_MS))
		return false;
	error_number = errno;
	if (!begin_to_look())
		return false;
	/* A thread that is cancelled while it reads would leave the connection behind, too. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
	changes = atomic_load(&generation);
	look(now);
	tell_of_kept();
	changes = atomic_load(&generation) - changes;
	end_to_look();
	pthread_setcancelstate(cancellation, NULL);
	errno = error_number;
	return changes > 0;
}

/* ---- load ---- */

void policy_in_force_load(const char *path, const char *extra_error)
{
	struct policy_origin origin = {.path = path ? path : POLICY_DEFAULT_PATH,
				       .extra_error = extra_error,
				       .may_be_absent = path == NULL};
	struct files_seen seen = {.list = NULL};

	at_start.path = strdup(origin.path);
	at_start.extra_error = extra_error;
	policy_version_load(&first_version, &origin, &seen);
	if (first_version.policy != NULL) {
		at_start.log = policy_log(first_version.policy);
		if (at_start.log.path != NULL)
			at_start.log.path = strdup(at_start.log.path);
	}
	atomic_store(&generation, 1);
	atomic_store(&turns, 1);
	policy_watch_begin(&seen);
	policy_watch_take(&seen);
	files_seen_clear(&seen);
}

/* ---- rules ---- */

const struct rule_in_force *policy_in_force_match(const struct trusts *trusts,
						  const struct endpoint *endpoint)
{
	const struct rule *rule = policy_match(trusts->policy, endpoint);

	return rule->index < trusts->count ? &trusts->rules[rule->index] : NULL;
}

const struct rule_in_force *policy_in_force_server(const struct trusts *trusts,
						   const struct rule_in_force *rule,
						   const char *name, size_t length)
{
	size_t index = policy_server_rule(trusts->policy, rule->rule, name, length)->index;

	return index < trusts->count ? &trusts->rules[index] : NULL;
}
