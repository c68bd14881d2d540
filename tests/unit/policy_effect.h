/* policy_effect.h - for tests that make policies: the examples, chance with a fixed seed, and
 * whether two policies judge every connection alike.
 */
#ifndef POLICY_EFFECT_H
#define POLICY_EFFECT_H

#include "policy.h"
#include "test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift32: the same numbers in every run. */
static inline unsigned chance(uint32_t *seed, unsigned below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

/* A copy without a byte to spare, so that a sanitizer sees each read behind it. */
static inline struct policy *parse_exactly(const char *text, size_t length,
					   struct complaints *complaints)
{
	char *exact = malloc(length > 0 ? length : 1);
	struct policy *policy;

	assert_non_null(exact);
	memcpy(exact, text, length);
	complaints_begin(complaints, "p");
	policy = policy_parse(exact, length, complaints);
	free(exact);
	return policy;
}

/* Do both hold the same peers, of some at the edges of what generated policies name? */
static inline bool same_members(const struct peers *left, const struct peers *right)
{
	static const uint8_t peers[][16] = {
		{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
		{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1, [15] = 255},
		{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 2},
		{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1},
		{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 2},
		{[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 168},
		{[10] = 0xff, [11] = 0xff, [12] = 104, [13] = 16},
		{[10] = 0xff, [11] = 0xff, [12] = 8, [13] = 8},
		{[15] = 1},
		{0x20, 0x01, 0x0d, 0xb8, [15] = 9},
		{0xfd, [15] = 1},
	};

	if ((left == NULL) != (right == NULL))
		return false;
	for (size_t i = 0; left != NULL && i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct endpoint peer = {.port = 1};

		memcpy(peer.address, peers[i], sizeof(peer.address));
		if (peers_contain(left, &peer) != peers_contain(right, &peer))
			return false;
	}
	return true;
}

static inline bool same_rule(const struct rule *left, const struct rule *right)
{
	return rule_same(left, right) && same_members(left->from, right->from) &&
	       same_members(left->exempt, right->exempt) &&
	       same_members(left->proxy_protocol, right->proxy_protocol);
}

/* For the names that generated policies have, and for others.  `seen`, by the rule's index, has the
 * rule that it was compared with last: most endpoints fall to the same two. */
static inline bool same_for_names(const struct policy *left, const struct policy *right,
				  const struct endpoint *endpoint, const struct rule *seen[64])
{
	static const char *const sampled[] = {
		"a.example", "B.example.", "c.a.example", "x.y.example", "shop.example", "example",
	};
	const struct rule *rule = policy_match(left, endpoint);
	const struct rule *other = policy_match(right, endpoint);

	if (rule->index < 64 && seen[rule->index] == other)
		return true;
	if (!same_rule(rule, other))
		return false;
	if (rule->index < 64)
		seen[rule->index] = other;
	if (rule->server_count == 0 && rule->only_names_count == 0)
		return true;
	for (size_t i = 0; i < sizeof(sampled) / sizeof(sampled[0]); i++) {
		const size_t length = strlen(sampled[i]);

		if (policy_allows_name(left, rule, sampled[i], length) !=
			    policy_allows_name(right, other, sampled[i], length) ||
		    !same_rule(policy_match_name(left, endpoint, sampled[i], length),
			       policy_match_name(right, endpoint, sampled[i], length)))
			return false;
	}
	return true;
}

/* At the addresses that examples and generated policies name, at others, and at each of `ports`
 * first and last ports. */
static inline bool same_effect(const struct policy *left, const struct policy *right,
			       unsigned ports)
{
	static const uint8_t samples[][16] = {
		{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
		{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1},
		{[10] = 0xff, [11] = 0xff, [12] = 8, [13] = 8, [14] = 8, [15] = 8},
		{[15] = 1},
		{0x20, 0x01, 0x0d, 0xb8, [15] = 1},
		{0x20, 0x01, 0x0d, 0xb8, [15] = 2},
	};
	const struct rule *seen[64] = {NULL};
	const struct log_choice log = policy_log(left), other_log = policy_log(right);

	if (log.target != other_log.target || (log.path == NULL) != (other_log.path == NULL) ||
	    (log.path != NULL && strcmp(log.path, other_log.path) != 0))
		return false;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct endpoint endpoint;

		memcpy(endpoint.address, samples[i], sizeof(endpoint.address));
		for (unsigned port = 0; port < 2 * ports; port++) {
			endpoint.port = (uint16_t)(port < ports ? port : UINT16_MAX - port + ports);
			if (!same_for_names(left, right, &endpoint, seen))
				return false;
		}
	}
	return true;
}

/* What `policy` prints must parse, without a complaint, to a policy of the same effect. */
static inline bool prints_itself(const struct policy *policy, unsigned ports)
{
	char *printed = policy_print(policy);
	struct complaints complaints;
	struct policy *again;
	bool alike;

	assert_non_null(printed);
	again = parse_exactly(printed, strlen(printed), &complaints);
	alike = again != NULL && complaints.errors == 0 && same_effect(policy, again, ports);
	if (!alike)
		show_text("printed:", printed);
	policy_free(again);
	complaints_clear(&complaints);
	free(printed);
	return alike;
}

/* Give each example to `use`, with its name; how many there were. */
static inline size_t for_each_example(void (*use)(const char *name, const char *text,
						  size_t length))
{
	static char text[1 << 16];
	size_t length, count;
	glob_t examples;

	if (glob("examples/policies/*.conf", 0, NULL, &examples) != 0)
		return 0;
	count = examples.gl_pathc;
	for (size_t i = 0; i < count; i++) {
		FILE *file = fopen(examples.gl_pathv[i], "r");

		assert_non_null(file);
		length = fread(text, 1, sizeof(text), file);
		assert_true(feof(file));
		fclose(file);
		use(examples.gl_pathv[i], text, length);
	}
	globfree(&examples);
	return count;
}

#endif
