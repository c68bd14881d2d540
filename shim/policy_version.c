#include "policy_version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct position whole_file = {0, 0};

/* ---- why not ---- */

static void remember_why(struct policy_version *version, const struct complaints *complaints)
{
	const struct complaint *first = complaints_first_error(complaints);
	char text[1024] = "no memory", *copy, *none = NULL;

	if (first != NULL)
		complaint_headline(complaints, first, text, sizeof(text));
	copy = strdup(text);
	if (copy != NULL && !atomic_compare_exchange_strong(&version->why, &none, copy))
		free(copy);
}

const char *policy_version_why(const struct policy_version *version)
{
	const char *text = atomic_load(&version->why);

	return text ? text : "no memory";
}

/* ---- read ---- */

/* Parse what the path names, and read what that names.  Complaints tell whether it can be used. */
static struct policy *load_file(struct policy_version *version, const struct policy_origin *origin,
				struct files_seen *seen, struct complaints *complaints)
{
	struct policy *policy = NULL;
	size_t length;
	char *text = file_bytes(origin->path, POLICY_MAX_BYTES, &length, seen);

	if (text == NULL && origin->may_be_absent && (errno == ENOENT || errno == ENOTDIR)) {
		free(version->name);
		version->name = strdup("built-in");
		return policy_built_in();
	}
	if (text == NULL)
		complain(complaints, SEVERITY_ERROR, whole_file, NULL,
			 "%s; it must be a readable policy file", file_failure(errno));
	else if (origin->must_end && (length == 0 || text[length - 1] != '\n'))
		complain(complaints, SEVERITY_ERROR, whole_file, NULL,
			 "it does not end with a newline, and may be half written");
	else
		policy = policy_parse(text, length, complaints);
	free(text);
	if (policy != NULL)
		peer_files_read(policy, seen, complaints);
	return policy;
}

static void load_texts(struct policy_version *version, struct files_seen *seen,
		       struct complaints *complaints)
{
	const struct policy *policy = version->policy;
	size_t count = policy ? policy_rule_count(policy) : 0;

	version->texts = policy ? calloc(count, sizeof(struct ca_text *)) : NULL;
	for (size_t i = 0; version->texts != NULL && i < count; i++) {
		version->texts[i] = ca_texts_read(policy, policy_rule(policy, i), seen, complaints);
		if (version->texts[i] == NULL)
			complaints->errors++;
	}
}

static void free_texts(struct ca_text **texts, const struct policy *policy)
{
	size_t count = texts ? policy_rule_count(policy) : 0;

	for (size_t i = 0; i < count; i++)
		ca_texts_free(texts[i], policy_rule(policy, i));
	free(texts);
}

void policy_version_load(struct policy_version *version, const struct policy_origin *origin,
			 struct files_seen *seen)
{
	struct complaints complaints;

	complaints_begin(&complaints, origin->path);
	version->name = strdup(origin->path);
	if (origin->extra_error != NULL)
		complain(&complaints, SEVERITY_ERROR, whole_file, NULL, "%s", origin->extra_error);
	version->policy = load_file(version, origin, seen, &complaints);
	load_texts(version, seen, &complaints);
	if (version->texts == NULL || version->name == NULL || complaints.errors > 0 ||
	    complaints.out_of_memory) {
		remember_why(version, &complaints);
		free_texts(version->texts, version->policy);
		policy_free(version->policy);
		version->texts = NULL;
		version->policy = NULL;
	}
	complaints_clear(&complaints);
}

/* ---- whom the rules trust ---- */

static void trusts_free(struct trusts *trusts)
{
	struct quiet quiet = quiet_begin(trusts->openssl);

	for (size_t i = 0; i < trusts->count; i++)
		trust_free(&trusts->openssl->crypto, trusts->rules[i].trust);
	quiet_end(trusts->openssl, quiet);
	free(trusts);
}

/* The CAs of every rule; not `good` where one could not be loaded, and why is remembered. */
static struct trusts *trusts_make(struct policy_version *version, const struct openssl *openssl)
{
	size_t count = policy_rule_count(version->policy);
	struct trusts *trusts = calloc(1, sizeof(*trusts) + count * sizeof(struct rule_in_force));
	struct complaints complaints;
	struct quiet quiet;

	if (trusts == NULL)
		return NULL;
	quiet = quiet_begin(openssl);
	complaints_begin(&complaints, version->name);
	trusts->policy = version->policy;
	trusts->openssl = openssl;
	trusts->good = true;
	for (size_t i = 0; trusts->good && i < count; i++, trusts->count++) {
		struct rule_in_force *rule = &trusts->rules[i];

		rule->rule = policy_rule(version->policy, i);
		rule->trust = trust_load(&openssl->crypto, version->policy, rule->rule,
					 version->texts[i], &complaints);
		trusts->good = rule->trust != NULL;
	}
	if (!trusts->good)
		remember_why(version, &complaints);
	complaints_clear(&complaints);
	quiet_end(openssl, quiet);
	return trusts;
}

static struct trusts *trusts_find(struct trusts *first, const struct openssl *openssl)
{
	while (first != NULL && first->openssl != openssl)
		first = first->next;
	return first;
}

const struct trusts *policy_version_trusts(struct policy_version *version, struct openssl *openssl)
{
	struct trusts *first = atomic_load_explicit(&version->trusts, memory_order_acquire);
	struct trusts *trusts = trusts_find(first, openssl), *made;

	if (version->policy == NULL)
		return NULL;
	if (trusts != NULL)
		return trusts->good ? trusts : NULL;
	/* No lock: the loser of a race throws its own away, and a fork in between finds nothing
	 * half made. */
	made = trusts_make(version, openssl);
	if (made == NULL)
		return NULL;
	atomic_store_explicit(&openssl->in_use, true, memory_order_relaxed);
	do {
		made->next = first;
		if (atomic_compare_exchange_strong(&version->trusts, &first, made))
			return made->good ? made : NULL;
		trusts = trusts_find(first, openssl);
	} while (trusts == NULL);
	trusts_free(made);
	return trusts->good ? trusts : NULL;
}

void policy_version_clear(struct policy_version *version)
{
	struct trusts *trusts = atomic_exchange(&version->trusts, NULL), *next;
	struct ca_text **texts = version->texts;
	struct policy *policy = version->policy;
	char *name = version->name;

	version->texts = NULL;
	version->policy = NULL;
	version->name = NULL;
	/* A child that is forked from here on by another thread finds it empty, and frees nothing
	 * twice. */
	atomic_signal_fence(memory_order_seq_cst);
	for (; trusts != NULL; trusts = next) {
		next = trusts->next;
		trusts_free(trusts);
	}
	free_texts(texts, policy);
	policy_free(policy);
	free(name);
	free(atomic_exchange(&version->why, NULL));
}
