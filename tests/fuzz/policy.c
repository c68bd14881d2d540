/* Any bytes give a policy or complaints; a policy prints itself, is matched and warned of.  Built
 * with libFuzzer: `make check-fuzz`. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Each complaint points into the text, and can be shown. */
static void look_at(const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++) {
		const struct complaint *complaint = &complaints->list[i];
		char *text = complaint_print(complaints, complaint);

		demand(text != NULL, "no text");
		demand(complaint->at.line == 0 || complaint->excerpt != NULL, "no excerpt");
		for (const char *at = text; *at != '\0'; at++)
			demand((*at >= 0x20 && *at < 0x7f) || *at == '\n' || *at == '\t',
			       "a byte that a terminal may act on");
		free(text);
	}
}

/* As much of what the shim asks as there is to ask. */
static void ask(const struct policy *policy, const char *name, size_t length)
{
	const size_t count = policy_rule_count(policy);

	for (size_t i = 0; i < count && i < 64; i++) {
		const struct rule *rule = policy_rule(policy, i);
		const struct endpoint here = {.address = {[15] = 1}, .port = (uint16_t)(i * 443)};
		const struct endpoint peer = {.address = {[10] = 0xff, [11] = 0xff, [12] = 10}};

		demand(rule->index == i, "an index of another");
		demand(rule->ca_count > 0, "no ca");
		demand(rule_same(rule, rule), "not the same as itself");
		rule_admits_peer(rule, &peer);
		peers_contain(rule->exempt, &peer);
		demand(policy_match_name(policy, &here, name, length) != NULL, "no rule");
		if (rule->server != NULL)
			continue;
		policy_allows_name(policy, rule, name, length);
		demand(!rule_same_effect(rule, policy_rule(policy, 0)) ||
			       rule_same_effect(policy_rule(policy, 0), rule),
		       "the same one way only");
	}
}

static void print_and_parse(const struct policy *policy)
{
	struct complaints complaints;
	char *printed = policy_print(policy), *printed_again;
	struct policy *again;

	demand(printed != NULL, "not printed");
	complaints_begin(&complaints, "again");
	again = policy_parse(printed, strlen(printed), &complaints);
	/* It may be longer than a policy may be. */
	if (again == NULL && strlen(printed) > POLICY_MAX_BYTES) {
		free(printed);
		complaints_clear(&complaints);
		return;
	}
	demand(again != NULL && complaints.errors == 0, printed);
	demand(policy_rule_count(again) == policy_rule_count(policy), "other rules");
	for (size_t i = 0; i < policy_rule_count(policy); i++)
		demand(rule_same(policy_rule(policy, i), policy_rule(again, i)), "another rule");
	printed_again = policy_print(again);
	demand(printed_again != NULL && strcmp(printed, printed_again) == 0, "no fixed point");
	policy_free(again);
	free(printed);
	free(printed_again);
	complaints_clear(&complaints);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct complaints complaints;
	struct policy *policy;

	complaints_begin(&complaints, "fuzz");
	policy = policy_parse(text, length, &complaints);
	demand((policy == NULL) == (complaints.errors > 0), "neither a policy nor a complaint");
	if (policy != NULL) {
		print_and_parse(policy);
		for (size_t i = 0; i < policy_peer_file_count(policy); i++)
			policy_peer_file_take(policy, i, text, length, &complaints);
		policy_peers_settle(policy, &complaints);
		policy_warn(policy, 1800000000, &complaints);
		ask(policy, text, length < 300 ? length : 300);
	}
	look_at(&complaints);
	policy_free(policy);
	complaints_clear(&complaints);
	return 0;
}
