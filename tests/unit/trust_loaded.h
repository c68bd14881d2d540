/* trust_loaded.h - a policy of one rule, whom it trusts, and its verdicts over the certificates of
 * files. */
#ifndef TRUST_LOADED_H
#define TRUST_LOADED_H

#include "credentials.h"
#include "scratch.h"
#include "test.h"
#include "trust/files.h"

#include <stdio.h>
#include <string.h>

static const struct libcrypto linked = {
#define TRUST(symbol) .symbol = symbol,
#include "hooks.def"
};

/* A policy of one rule with these lines, and its first rule's trust; complaints are the caller's to
 * clear. */
struct loaded {
	struct complaints complaints;
	struct policy *policy;
	struct ca_text *texts;
	struct trust *trust;
};

static inline void load(struct loaded *loaded, const char *lines)
{
	char text[4096];
	const struct rule *rule;

	*loaded = (struct loaded){.policy = NULL};
	text_format(text, sizeof(text), "[port 443]\n%s\n", lines);
	complaints_begin(&loaded->complaints, "policy.conf");
	loaded->policy = policy_parse(text, strlen(text), &loaded->complaints);
	if (loaded->policy == NULL)
		fail_msg("no policy: %s", lines);
	rule = policy_rule(loaded->policy, 0);
	loaded->texts = ca_texts_read(loaded->policy, rule, NULL, &loaded->complaints);
	assert_non_null(loaded->texts);
	if (loaded->complaints.errors == 0)
		loaded->trust = trust_load(&linked, loaded->policy, rule, loaded->texts,
					   &loaded->complaints);
}

static inline void unload(struct loaded *loaded)
{
	trust_free(&linked, loaded->trust);
	ca_texts_free(loaded->texts, policy_rule(loaded->policy, 0));
	policy_free(loaded->policy);
	complaints_clear(&loaded->complaints);
}

static inline bool complains(const struct loaded *loaded, enum severity severity, const char *words)
{
	for (size_t i = 0; i < loaded->complaints.count; i++)
		if (loaded->complaints.list[i].severity == severity &&
		    strstr(loaded->complaints.list[i].sentence, words) != NULL)
			return true;
	return false;
}

/* The verdict over the certificates of a file: the leaf, and what stands behind it as the client's
 * own intermediates. */
static inline enum reason judge_file(const struct trust *trust, const char *name)
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	FILE *file = fopen(certificate_file(name), "r");
	X509 *leaf, *next;
	enum reason reason;

	assert_non_null(file);
	leaf = PEM_read_X509(file, NULL, NULL, NULL);
	assert_non_null(leaf);
	while ((next = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
		sk_X509_push(rest, next);
	ERR_clear_error();
	fclose(file);
	reason = trust_judge(&linked, trust, leaf, rest);
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_pop_free(rest, X509_free);
	X509_free(leaf);
	return reason;
}

#endif
