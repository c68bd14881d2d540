#include "policy_in_force.h"

#include "trust/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set at load, before any thread; constant afterwards but for `why`. */
static struct {
	struct policy *policy; /* NULL: broken */
	const char *name;
	struct ca_text **texts; /* a list for each rule, in the order of its `ca` values */
} in_force;

/* The first error.  Written at load, or once by whoever first fails to load the CAs. */
static _Atomic(char *) why;

static void remember_why(const struct complaints *complaints)
{
	const struct complaint *first = complaints_first_error(complaints);
	char text[1024] = "no memory", *copy, *none = NULL;

	if (first != NULL)
		complaint_headline(complaints, first, text, sizeof(text));
	copy = strdup(text);
	if (copy != NULL && !atomic_compare_exchange_strong(&why, &none, copy))
		free(copy);
}

const char *policy_in_force_why(void)
{
	const char *text = atomic_load(&why);

	return text ? text : "no memory";
}

/* Parse what the path names, and read what that names.  Complaints tell whether it can be used. */
static struct policy *load_file(const char *path, bool may_be_absent, struct complaints *complaints)
{
	const struct position whole_file = {0, 0};
	struct policy *policy = NULL;
	size_t length;
	char *text = file_bytes(path, POLICY_MAX_BYTES, &length);

	if (text == NULL && may_be_absent && (errno == ENOENT || errno == ENOTDIR)) {
		in_force.name = "built-in";
		return policy_built_in();
	}
	if (text == NULL)
		complain(complaints, SEVERITY_ERROR, whole_file, NULL,
			 "%s; it must be a readable policy file", file_failure(errno));
	else
		policy = policy_parse(text, length, complaints);
	free(text);
	if (policy != NULL)
		peer_files_read(policy, complaints);
	return policy;
}

void policy_in_force_load(const char *path, const char *extra_error)
{
	const char *name = path ? path : POLICY_DEFAULT_PATH;
	const struct position whole_file = {0, 0};
	struct complaints complaints;
	struct policy *policy;
	size_t count;

	complaints_begin(&complaints, name);
	in_force.name = strdup(name);
	if (extra_error != NULL)
		complain(&complaints, SEVERITY_ERROR, whole_file, NULL, "%s", extra_error);
	policy = load_file(name, path == NULL, &complaints);
	count = policy ? policy_rule_count(policy) : 0;
	in_force.texts = policy ? calloc(count, sizeof(struct ca_text *)) : NULL;
	for (size_t i = 0; in_force.texts != NULL && i < count; i++) {
		in_force.texts[i] = ca_texts_read(policy, policy_rule(policy, i), &complaints);
		if (in_force.texts[i] == NULL)
			complaints.errors++;
	}
	if (policy != NULL && in_force.texts != NULL && in_force.name != NULL &&
	    complaints.errors == 0 && !complaints.out_of_memory) {
		in_force.policy = policy;
	} else {
		remember_why(&complaints);
		policy_free(policy);
	}
	complaints_clear(&complaints);
}

const struct policy *policy_in_force(void)
{
	return in_force.policy;
}

const char *policy_in_force_name(void)
{
	return in_force.name ? in_force.name : "-";
}

static void trusts_free(const struct libcrypto *libcrypto, struct trusts *trusts)
{
	for (size_t i = 0; i < trusts->count; i++)
		trust_free(libcrypto, trusts->rules[i].trust);
	free(trusts);
}

/* The CAs of every rule; not `good` where one could not be loaded, and why is remembered. */
static struct trusts *trusts_make(const struct libcrypto *libcrypto)
{
	size_t count = policy_rule_count(in_force.policy);
	struct trusts *trusts = calloc(1, sizeof(*trusts) + count * sizeof(struct rule_in_force));
	struct complaints complaints;

	if (trusts == NULL)
		return NULL;
	complaints_begin(&complaints, in_force.name);
	trusts->good = true;
	for (size_t i = 0; trusts->good && i < count; i++, trusts->count++) {
		struct rule_in_force *rule = &trusts->rules[i];

		rule->rule = policy_rule(in_force.policy, i);
		rule->trust = trust_load(libcrypto, in_force.policy, rule->rule, in_force.texts[i],
					 &complaints);
		trusts->good = rule->trust != NULL;
	}
	if (!trusts->good)
		remember_why(&complaints);
	complaints_clear(&complaints);
	return trusts;
}

const struct trusts *policy_in_force_trusts(struct openssl *openssl)
{
	struct trusts *trusts = atomic_load_explicit(&openssl->trusts, memory_order_acquire);
	struct trusts *made;
	struct quiet quiet;

	if (in_force.policy == NULL)
		return NULL;
	if (trusts == NULL) {
		/* No lock: the loser of a race throws its own away, and a fork in between finds
		 * nothing half made. */
		quiet = quiet_begin(openssl);
		made = trusts_make(&openssl->crypto);
		quiet_end(openssl, quiet);
		if (made == NULL)
			return NULL;
		if (atomic_compare_exchange_strong(&openssl->trusts, &trusts, made))
			trusts = made;
		else
			trusts_free(&openssl->crypto, made);
	}
	return trusts->good ? trusts : NULL;
}

const struct rule_in_force *policy_in_force_match(const struct trusts *trusts,
						  const struct endpoint *endpoint)
{
	const struct rule *rule = policy_match(in_force.policy, endpoint);

	return rule->index < trusts->count ? &trusts->rules[rule->index] : NULL;
}

const struct rule_in_force *policy_in_force_server(const struct trusts *trusts,
						   const struct rule_in_force *rule,
						   const char *name, size_t length)
{
	size_t index = policy_server_rule(in_force.policy, rule->rule, name, length)->index;

	return index < trusts->count ? &trusts->rules[index] : NULL;
}
