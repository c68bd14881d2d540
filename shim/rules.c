#include "rules.h"

#include <string.h>
#include <time.h>

const struct rule_in_force *rules_at(const struct rules *rules, size_t index)
{
	struct endpoint listened[ENDPOINTS_MAX];
	size_t count;

	if (rules->one != NULL)
		return index == 0 ? rules->one : NULL;
	count = rules->anywhere ? 0 : endpoint_candidates(listened, ENDPOINTS_MAX);
	if (count > 0)
		return index < count ? policy_in_force_match(rules->trusts, &listened[index])
				     : NULL;
	return index < rules->trusts->count ? &rules->trusts->rules[index] : NULL;
}

/* A listener on every address, and the client chooses which: sections of single addresses count
 * too. */
static bool is_any_address(const struct endpoint *endpoint)
{
	static const uint8_t ipv6[16], ipv4[16] = {[10] = 0xff, [11] = 0xff};

	return memcmp(endpoint->address, ipv6, sizeof(ipv6)) == 0 ||
	       memcmp(endpoint->address, ipv4, sizeof(ipv4)) == 0;
}

static bool meets_address_sections(const struct endpoint *endpoint)
{
	return is_any_address(endpoint) &&
	       policy_names_addresses(policy_in_force(), endpoint->port);
}

static bool listeners_meet_address_sections(void)
{
	struct endpoint listened[ENDPOINTS_MAX];
	size_t count = endpoint_candidates(listened, ENDPOINTS_MAX);

	for (size_t i = 0; i < count; i++)
		if (meets_address_sections(&listened[i]))
			return true;
	return false;
}

struct rules rules_for(const struct trusts *trusts, const struct route *route)
{
	/* A descriptor that is no IP socket belongs to none of the endpoints listened on. */
	struct rules rules = {.trusts = trusts};
	const struct rule_in_force *first, *next;

	/* enforces not-of-the-listeners */
	rules.anywhere = route->descriptor >= 0 || route->is_datagram;
	/* An unconnected UDP socket has no address of its own until the datagram is looked at. */
	if (route->endpoint_known && !meets_address_sections(&route->endpoint)) {
		rules.one = policy_in_force_match(trusts, &route->endpoint);
		return rules;
	}
	/* enforces address-sections */
	rules.anywhere = rules.anywhere || listeners_meet_address_sections();
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

bool rules_enforce(const struct rules *rules)
{
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (rule->rule->verify != VERIFY_OFF ||
		    (!rules->is_named && rule_enforces(rule->rule)))
			return true;
	return false;
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
		    !policy_allows_name(policy_in_force(), rule->rule, name, length))
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

enum reason rules_judge(const struct rules *rules, const struct libcrypto *libcrypto, X509 *leaf,
			STACK_OF(X509) * intermediates)
{
	enum reason first_refusal = REASON_NONE;
	const struct rule_in_force *rule;
	bool any_admits = false;
	size_t i;

	for (i = 0; (rule = rules_at(rules, i)) != NULL; i++) {
		enum reason reason = REASON_NONE;

		/* enforces judgement */
		if (rule->rule->verify != VERIFY_OFF)
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

/* In place of the last bytes of a digest. */
static const unsigned char mark[] = {0xcf, 's', 'h', 'i', 'm', 0x9e, 0x17, 0xd4};

void rules_digest(const struct rules *rules, unsigned char digest[TRUST_DIGEST_BYTES])
{
	const struct rule_in_force *rule;

	memset(digest, 0, TRUST_DIGEST_BYTES);
	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		for (size_t byte = 0; byte < TRUST_DIGEST_BYTES; byte++)
			digest[byte] =
				(unsigned char)(digest[byte] * 3 + trust_digest(rule->trust)[byte]);
	memcpy(digest + TRUST_DIGEST_BYTES - sizeof(mark), mark, sizeof(mark));
}

bool rules_is_digest(const unsigned char *context, size_t length)
{
	return length == TRUST_DIGEST_BYTES &&
	       memcmp(context + TRUST_DIGEST_BYTES - sizeof(mark), mark, sizeof(mark)) == 0;
}
