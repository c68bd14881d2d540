#include "rules.h"

#include <string.h>
#include <time.h>

const struct rule_in_force *rules_at(const struct rules *rules, size_t index)
{
	struct endpoint listened[ENDPOINTS_MAX];
	size_t count;

	if (rules->one != NULL)
		return index == 0 ? rules->one : NULL;
	if (rules->trusts == NULL) /* they were let go of: nobody admits */
		return NULL;
	count = rules->anywhere ? 0 : endpoint_candidates(listened);
	if (count > 0)
		return index < count ? policy_in_force_match(rules->trusts, &listened[index])
				     : NULL;
	return index < rules->trusts->count ? &rules->trusts->rules[index] : NULL;
}

/* A listener on every address, and the client chooses which: sections of single addresses count
 * too. */
static bool meets_address_sections(const struct policy *policy, const struct endpoint *endpoint)
{
	return endpoint_is_any(endpoint) && policy_names_addresses(policy, endpoint->port);
}

static bool listeners_meet_address_sections(const struct policy *policy)
{
	struct endpoint listened[ENDPOINTS_MAX];
	size_t count = endpoint_candidates(listened);

	for (size_t i = 0; i < count; i++)
		if (meets_address_sections(policy, &listened[i]))
			return true;
	return false;
}

struct rules rules_for(const struct trusts *trusts, const struct route *route)
{
	/* A descriptor that is no IP socket belongs to none of the endpoints listened on. */
	struct rules rules = {.trusts = trusts};
	const struct rule_in_force *first, *next;

	/* enforces not-of-the-listeners */
	rules.anywhere = route->descriptor >= 0;
	/* An unconnected UDP socket has no address of its own until the datagram is looked at. */
	if (route->endpoint_known && !meets_address_sections(trusts->policy, &route->endpoint)) {
		rules.one = policy_in_force_match(trusts, &route->endpoint);
		return rules;
	}
	/* enforces address-sections */
	rules.anywhere = rules.anywhere || listeners_meet_address_sections(trusts->policy);
	first = rules_at(&rules, 0);
	for (size_t i = 1; (next = rules_at(&rules, i)) != NULL; i++)
		if (!rule_same_effect(first->rule, next->rule))
			return rules;
	rules.one = first;
	return rules;
}

/* Of endpoints that are not known apart, those that the name leads to may all be alike; else all of
 * the policy applies, with every server section. */
static void narrow_each(struct rules *rules, const char *name, size_t length)
{
	const struct rule_in_force *first = NULL, *rule, *named;
	bool is_alike = true, has_servers = false;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++) {
		has_servers |= rule->rule->server_count > 0;
		named = policy_in_force_server(rules->trusts, rule, name, length);
		if (first == NULL)
			first = named;
		is_alike &= named != NULL && rule_same_effect(first->rule, named->rule);
	}
	if (first != NULL && is_alike) {
		rules->one = first;
		rules->is_named = true;
	} else if (has_servers) {
		rules->anywhere = true;
	}
}

void rules_narrow(struct rules *rules, const char *name, size_t length)
{
	if (rules->one == NULL) {
		narrow_each(rules, name, length);
		return;
	}
	rules->one = policy_in_force_server(rules->trusts, rules->one, name, length);
	rules->is_named = true;
}

/* Before the name is known, that of each of its endpoint's sections counts. */
static enum verify verify_of(const struct rules *rules, const struct rule *rule, int64_t now)
{
	if (rules->is_named)
		return rule_verify(rule, now);
	if (rule_requires(rule, now))
		return VERIFY_REQUIRE;
	return rule_enforces(rule) ? VERIFY_OBSERVE : VERIFY_OFF;
}

enum verify rules_verify(const struct rules *rules)
{
	enum verify strictest = VERIFY_OFF, verify;
	const struct rule_in_force *rule;
	int64_t now = time(NULL);

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++) {
		verify = verify_of(rules, rule->rule, now);
		if (verify < strictest) /* in the order of the enum */
			strictest = verify;
	}
	return strictest;
}

bool rules_depend_on_endpoint(const struct trusts *trusts, int descriptor)
{
	const struct rules rules = rules_for(trusts, &(struct route){.descriptor = descriptor});

	return rules.one == NULL && rules_verify(&rules) == VERIFY_REQUIRE;
}

bool rules_enforce(const struct rules *rules)
{
	return rules_verify(rules) != VERIFY_OFF;
}

bool rules_exempt(const struct rules *rules, const struct endpoint *peer)
{
	const struct rule_in_force *rule;
	size_t i;

	for (i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (!peers_contain(rule->rule->exempt, peer))
			return false;
	return i > 0;
}

bool rules_admit_peer(const struct rules *rules, const struct endpoint *peer)
{
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (!rule_admits_peer(rule->rule, peer))
			return false;
	return true;
}

bool rules_allow_name(const struct rules *rules, const char *name, size_t length)
{
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (rule->rule->server == NULL && /* it has those of its port's */
		    !policy_allows_name(rules->trusts->policy, rule->rule, name, length))
			return false;
	return true;
}

bool rules_allow_acme(const struct rules *rules)
{
	const struct rule_in_force *rule;
	size_t i;

	for (i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (!rule->rule->allows_acme)
			return false;
	return i > 0;
}

bool rules_resume(const struct rules *rules)
{
	return rules->one != NULL && rules->one->rule->resumption == RESUMPTION_ON;
}

bool rules_name_servers(const struct rules *rules)
{
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (rule->rule->server_count > 0)
			return true;
	return false;
}

bool rules_guard_hosts(const struct rules *rules)
{
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (rule->rule->guards_hosts)
			return true;
	return false;
}

const struct rule_in_force *rules_deny_host(const struct rules *rules,
					    const struct rule_in_force *admitted_by,
					    const char *name, size_t length)
{
	const int64_t now = (int64_t)time(NULL);
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++) {
		const struct rule_in_force *asked =
			policy_in_force_server(rules->trusts, rule, name, length);

		/* enforces host-of-this-rule */
		if (asked == NULL || !rule_admits_too(asked->rule, admitted_by->rule, now))
			return asked != NULL ? asked : admitted_by;
	}
	return NULL;
}

enum answer rules_answer(const struct rules *rules)
{
	return rules->one ? rules->one->rule->refuse : ANSWER_CLOSE;
}

uint16_t rules_status(const struct rules *rules)
{
	return rules->one ? rules->one->rule->status : 0;
}

/* Beside a rule that requires, one that observes admits. */
static enum verify strictest_today(const struct rules *rules, int64_t now)
{
	enum verify strictest = VERIFY_OBSERVE;
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (rule_verify(rule->rule, now) == VERIFY_REQUIRE)
			strictest = VERIFY_REQUIRE;
	return strictest;
}

enum reason rules_judge(const struct rules *rules, const struct libcrypto *libcrypto, X509 *leaf,
			STACK_OF(X509) * intermediates)
{
	enum reason first_refusal = REASON_NONE;
	const struct rule_in_force *rule;
	bool any_admits = false;
	int64_t now = time(NULL);
	enum verify least = strictest_today(rules, now);
	size_t i;

	for (i = 0; (rule = rules_at(rules, i)) != NULL; i++) {
		enum reason reason = REASON_NONE;

		/* enforces judgement */
		if (rule_verify(rule->rule, now) <= least)
			reason = trust_judge(libcrypto, rule->trust, leaf, intermediates);
		if (reason == REASON_NONE)
			any_admits = true;
		else if (first_refusal == REASON_NONE)
			first_refusal = reason;
	}
	if (i == 0)
		return REASON_INTERNAL;
	return first_refusal != REASON_NONE && any_admits ? REASON_UNKNOWN_ENDPOINT : first_refusal;
}

/* In place of the last bytes of a digest: of what was verified, and of what was only observed. */
#define MARK_BYTES 8
static const unsigned char verified[MARK_BYTES] = {0xcf, 's', 'h', 'i', 'm', 0x9e, 0x17, 0xd4};
static const unsigned char observed[MARK_BYTES] = {0xcf, 's', 'h', 'i', 'm', 0x2b, 0xe8, 0x61};

static void put_mark(unsigned char digest[TRUST_DIGEST_BYTES], const unsigned char mark[MARK_BYTES])
{
	memcpy(digest + TRUST_DIGEST_BYTES - MARK_BYTES, mark, MARK_BYTES);
}

void rules_digest(const struct rules *rules, unsigned char digest[TRUST_DIGEST_BYTES])
{
	const struct rule_in_force *rule;

	memset(digest, 0, TRUST_DIGEST_BYTES);
	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		for (size_t byte = 0; byte < TRUST_DIGEST_BYTES; byte++)
			digest[byte] =
				(unsigned char)(digest[byte] * 3 + trust_digest(rule->trust)[byte]);
	put_mark(digest, verified);
	/* enforces observed-sessions */
	if (rules_verify(rules) == VERIFY_OBSERVE)
		put_mark(digest, observed);
}

void rules_digest_of_none(unsigned char digest[TRUST_DIGEST_BYTES])
{
	memset(digest, 0, TRUST_DIGEST_BYTES);
	put_mark(digest, observed);
}

static bool has_mark(const unsigned char *context, const unsigned char mark[MARK_BYTES])
{
	return memcmp(context + TRUST_DIGEST_BYTES - MARK_BYTES, mark, MARK_BYTES) == 0;
}

bool rules_is_digest(const unsigned char *context, size_t length)
{
	return length == TRUST_DIGEST_BYTES &&
	       (has_mark(context, verified) || has_mark(context, observed));
}
