/* Do two rules judge alike? */
#include "language.h"

#include <string.h>

/* But for the server sections. */
static bool same_itself(const struct rule *left, const struct rule *right)
{
	return rule_same_admission(left, right) && left->refuse == right->refuse &&
	       left->status == right->status && left->resumption == right->resumption &&
	       left->hosts == right->hosts && left->allows_acme == right->allows_acme &&
	       same_names(left, right) && same_peers(left->from, right->from) &&
	       same_peers(left->exempt, right->exempt);
}

/* A rule is the first of its section. */
static const struct server *servers_of(const struct rule *rule)
{
	return ((const struct section *)rule)->servers;
}

bool rule_same_effect(const struct rule *left, const struct rule *right)
{
	const struct server *one = servers_of(left), *other = servers_of(right);

	if (left == right)
		return true;
	if (!same_itself(left, right) || left->server_count != right->server_count)
		return false;
	for (size_t i = 0; i < left->server_count; i++)
		if (strcmp(one[i].name, other[i].name) != 0 ||
		    !same_itself(&one[i].section->rule, &other[i].section->rule))
			return false;
	return true;
}

bool rule_same(const struct rule *left, const struct rule *right)
{
	return rule_same_effect(left, right) && left->allows_plaintext == right->allows_plaintext &&
	       same_peers(left->proxy_protocol, right->proxy_protocol);
}

bool rule_admits_too(const struct rule *rule, const struct rule *admitted_by, int64_t now)
{
	return rule == admitted_by || rule_verify(rule, now) != VERIFY_REQUIRE ||
	       rule_same_admission(rule, admitted_by);
}

bool rule_enforces(const struct rule *rule)
{
	const struct server *servers = servers_of(rule);

	for (size_t i = 0; i < rule->server_count; i++)
		if (servers[i].section->rule.verify != VERIFY_OFF)
			return true;
	return rule->verify != VERIFY_OFF;
}

bool rule_requires(const struct rule *rule, int64_t now)
{
	const struct server *servers = servers_of(rule);

	for (size_t i = 0; i < rule->server_count; i++)
		if (rule_verify(&servers[i].section->rule, now) == VERIFY_REQUIRE)
			return true;
	return rule_verify(rule, now) == VERIFY_REQUIRE;
}
