/* Which rule a connection falls to, by the address and port it arrived at. */
#include "policy.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static struct policy *parse(const char *text)
{
	struct complaints complaints;
	struct policy *policy;

	complaints_begin(&complaints, "p");
	policy = policy_parse(text, strlen(text), &complaints);
	if (policy == NULL)
		print_message("# %s\n", complaints.count > 0 ? complaints.list[0].sentence : "-");
	complaints_clear(&complaints);
	return policy;
}

static struct endpoint endpoint_of(const char *address, uint16_t port)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct endpoint endpoint;
	bool good;

	if (inet_pton(AF_INET, address, &ipv4.sin_addr) == 1) {
		good = endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&ipv4, sizeof(ipv4));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &ipv6.sin6_addr), 1);
		good = endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&ipv6, sizeof(ipv6));
	}
	assert_true(good);
	return endpoint;
}

static const char every_scope[] = "[port 443, 8443]\n"
				  "[port 8000-8999]\n"
				  "[port 127.0.0.1:443, [2001:db8::1]:8500, 10.0.0.1:9]\n"
				  "[port [::ffff:192.0.2.1]:8443]\n"
				  "[port 1, 65535, 2-5]\n"
				  "[port *]\n";

struct match_case {
	const char *address;
	uint16_t port;
	unsigned line; /* of the section that decides */
};

static const struct match_case match_cases[] = {
	{"192.0.2.7", 443, 1},
	{"2001:db8::9", 443, 1},
	{"::1", 8443, 1},
	/* address and port over port, in both families; only that address, only that port */
	{"127.0.0.1", 443, 3},
	{"127.0.0.2", 443, 1},
	{"127.0.0.1", 8443, 1},
	{"::ffff:127.0.0.1", 443, 3},
	{"::127.0.0.1", 443, 1},
	{"192.0.2.1", 8443, 4},
	{"::ffff:192.0.2.1", 8443, 4},
	{"10.0.0.1", 9, 3},
	{"10.0.0.2", 9, 6},
	/* address and port over range */
	{"2001:db8::1", 8500, 3},
	{"2001:db8::1", 8501, 2},
	{"2001:db8::2", 8500, 2},
	/* port over range: 8443 stands inside 8000-8999 */
	{"192.0.2.7", 8443, 1},
	{"192.0.2.7", 8442, 2},
	{"192.0.2.7", 8444, 2},
	{"192.0.2.7", 8000, 2},
	{"192.0.2.7", 8999, 2},
	/* the edges of what is named */
	{"192.0.2.7", 7999, 6},
	{"192.0.2.7", 9000, 6},
	{"192.0.2.7", 0, 6},
	{"192.0.2.7", 1, 5},
	{"192.0.2.7", 2, 5},
	{"192.0.2.7", 5, 5},
	{"192.0.2.7", 6, 6},
	{"192.0.2.7", 65534, 6},
	{"192.0.2.7", 65535, 5},
};

static void narrowest_decides(void **state)
{
	struct policy *policy = parse(every_scope);

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < sizeof(match_cases) / sizeof(match_cases[0]); i++) {
		const struct match_case *row = &match_cases[i];
		const struct endpoint endpoint = endpoint_of(row->address, row->port);
		const struct rule *rule = policy_match(policy, &endpoint);

		expect(rule->line == row->line, "%s port %u falls to line %u", row->address,
		       row->port, rule->line);
	}
	policy_free(policy);
	expectations_met();
}

static void unnamed_port_is_enforced(void **state)
{
	struct policy *policies[] = {parse("[port 80]\nverify = off\n"), policy_built_in()};
	const struct endpoint https = endpoint_of("::1", 443);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct rule *rule;

		assert_non_null(policies[i]);
		rule = policy_match(policies[i], &https);
		assert_int_equal(rule->line, 0);
		assert_string_equal(rule->section, "port *");
		assert_int_equal(rule->verify, VERIFY_REQUIRE);
		assert_int_equal(rule->refuse, ANSWER_REJECT);
		assert_int_equal(rule->resumption, RESUMPTION_OFF);
		assert_int_equal(rule->ca_count, 1);
		assert_null(rule->ca[0].path);
		assert_int_equal(policy_log(policies[i]).target, LOG_STDERR);
		/* It is one of the rules, the last. */
		assert_ptr_equal(rule,
				 policy_rule(policies[i], policy_rule_count(policies[i]) - 1));
		assert_int_equal(policy_rule_count(policies[i]), 2 - i);
		policy_free(policies[i]);
	}
}

static void section_stands_whole(void **state)
{
	struct policy *policy =
		parse("[port *]\nverify = off\nca = /a\nrefuse = close\n[port 443]\n");
	const struct endpoint https = endpoint_of("::1", 443);
	const struct endpoint other = endpoint_of("::1", 444);
	const struct rule *rule;

	(void)state;
	assert_non_null(policy);
	assert_int_equal(policy_rule_count(policy), 2);
	rule = policy_match(policy, &https);
	assert_int_equal(rule->verify, VERIFY_REQUIRE);
	assert_int_equal(rule->refuse, ANSWER_REJECT);
	assert_null(rule->ca[0].path);
	rule = policy_match(policy, &other);
	assert_int_equal(rule->verify, VERIFY_OFF);
	assert_int_equal(rule->refuse, ANSWER_CLOSE);
	assert_string_equal(rule->ca[0].path, "/a");
	policy_free(policy);
}

static void rules_know_their_text(void **state)
{
	struct policy *policy =
		parse("log = /l\n\n [ port 443,  8443 ] # c\n  ca = /a,\t\"/b\"\r\n");
	const struct rule *rule;

	(void)state;
	assert_non_null(policy);
	rule = policy_rule(policy, 0);
	assert_string_equal(rule->section, "port 443,  8443");
	assert_int_equal(rule->line, 3);
	assert_int_equal(rule->ca_count, 2);
	assert_int_equal(rule->ca[0].at.line, 4);
	assert_int_equal(rule->ca[0].at.column, 8);
	assert_int_equal(rule->ca[1].at.column, 12);
	assert_string_equal(rule->ca[1].path, "/b");
	assert_string_equal(policy_source_line(policy, 1), "log = /l");
	assert_string_equal(policy_source_line(policy, 2), "");
	assert_string_equal(policy_source_line(policy, 4), "  ca = /a,\t\"/b\"");
	assert_null(policy_source_line(policy, 0));
	assert_null(policy_source_line(policy, 6));
	policy_free(policy);
}

/* A port in each second place from 1 on; the sections come in a scrambled order. */
static void many_ports(void **state)
{
	const unsigned count = 5000, scramble = 1777; /* prime to each other */
	char *text = malloc((size_t)count * 64), *end = text;
	struct policy *policy;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < count; i++)
		end += sprintf(end, "[port %u]\nca = /ca/%u\n", 2 * (i * scramble % count) + 1,
			       2 * (i * scramble % count) + 1);
	policy = parse(text);
	free(text);
	assert_non_null(policy);
	for (unsigned port = 1; port <= 2 * count; port++) {
		const struct endpoint endpoint = endpoint_of("127.0.0.1", (uint16_t)port);
		const struct rule *rule = policy_match(policy, &endpoint);
		char path[32];

		snprintf(path, sizeof(path), "/ca/%u", port);
		if (port % 2 == 1)
			assert_string_equal(rule->ca[0].path, path);
		else
			assert_int_equal(rule->line, 0);
	}
	policy_free(policy);
}

static void other_sockets_have_no_endpoint(void **state)
{
	const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/x"};
	const struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	const struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
	struct endpoint endpoint;

	(void)state;
	assert_false(
		endpoint_from_sockaddr(&endpoint, (const struct sockaddr *)&local, sizeof(local)));
	assert_false(endpoint_from_sockaddr(&endpoint, (const struct sockaddr *)&ipv4,
					    sizeof(ipv4) - 1));
	assert_false(endpoint_from_sockaddr(&endpoint, (const struct sockaddr *)&ipv6,
					    sizeof(ipv6) - 1));
	assert_false(endpoint_from_sockaddr(&endpoint, (const struct sockaddr *)&ipv4, 0));
}

static void same_effect(void **state)
{
	struct policy *policy = parse("[port 1]\nca = /a, /b, cloudflare\n"
				      "[port 2]\nca = cloudflare, /b\nca = \"/a\"\n"
				      "[port 3]\nca = /a, /b, cloudflare\nverify = off\n"
				      "[port 4]\nca = /a, /b, cloudflare\nrefuse = close\n"
				      "[port 5]\nca = /a, /b\n"
				      "[port 6]\nca = /a, /b, /c\n"
				      "[port 7]\n"
				      "[port 8]\nca = /a, /b, cloudflare\nresumption = on\n"
				      "[port 9]\nca = /a, /b, cloudflare\nrefuse = reject 403\n");
	const struct rule *first;

	(void)state;
	assert_non_null(policy);
	first = policy_rule(policy, 0);
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct rule *rule = policy_rule(policy, i);

		expect(rule_same_effect(first, rule) == (i < 2), "[%s]", rule->section);
		expect(rule_same_effect(rule, first) == (i < 2), "[%s], turned", rule->section);
	}
	assert_true(rule_same_effect(policy_rule(policy, 6), policy_rule(policy, 9)));
	policy_free(policy);
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("address and port decide over port, over range, over *", narrowest_decides),
		TEST("a port that no section names is enforced by the built-in default",
		     unnamed_port_is_enforced),
		TEST("a section stands whole: nothing comes from [port *]", section_stands_whole),
		TEST("a rule knows its section, its line and where its CAs were named",
		     rules_know_their_text),
		TEST("each of 5000 ports finds its own rule", many_ports),
		TEST("what is not an internet address is no endpoint",
		     other_sockets_have_no_endpoint),
		TEST("rules have the same effect where verify, refuse, resumption and the set of "
		     "CAs agree",
		     same_effect),
	};

	return RUN_TESTS("policy-matches", tests);
}
