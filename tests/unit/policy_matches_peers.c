/* Which peers a set of CIDRs, words and files holds; and files that are no such. */
#include "policy_lookup.h"

#include <stdio.h>
#include <stdlib.h>

struct member {
	const char *set;
	const char *peer;
	bool in;
};

static const struct member members[] = {
	{"10.0.0.0/8", "10.0.0.0", true},
	{"10.0.0.0/8", "10.255.255.255", true},
	{"10.0.0.0/8", "9.255.255.255", false},
	{"10.0.0.0/8", "11.0.0.0", false},
	{"10.0.0.0/8", "::ffff:10.1.2.3", true},
	{"10.0.0.0/8", "::10.1.2.3", false},
	{"::ffff:10.0.0.0/104", "10.1.2.3", true},
	{"::ffff:10.0.0.0/104", "11.1.2.3", false},
	{"192.0.2.1", "192.0.2.1", true},
	{"192.0.2.1", "192.0.2.0", false},
	{"192.0.2.1", "192.0.2.2", false},
	{"192.0.2.4/31", "192.0.2.5", true},
	{"192.0.2.4/31", "192.0.2.6", false},
	{"0.0.0.0/0", "0.0.0.0", true},
	{"0.0.0.0/0", "255.255.255.255", true},
	{"0.0.0.0/0", "::1", false},
	{"0.0.0.0/0", "::fffe:ffff:ffff", false},
	{"2001:db8::/32", "2001:db8::", true},
	{"2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
	{"2001:db8::/32", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", false},
	{"2001:db8::/32", "2001:db9::", false},
	{"2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff", true},
	{"2001:db8::/65", "2001:db8::8000:0:0:0", false},
	{"2001:db8::/64", "2001:db8::8000:0:0:0", true},
	{"2001:db8::/63", "2001:db8:0:1::", true},
	{"2001:db8::1", "2001:db8::1", true},
	{"2001:db8::1", "2001:db8::2", false},
	/* IPv6 does not hold IPv4, whatever its prefix */
	{"::/0", "::", true},
	{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
	{"::/0", "::fffe:ffff:ffff", true},
	{"::/0", "::1:0:0:0", true},
	{"::/0", "0.0.0.0", false},
	{"::/0", "127.0.0.1", false},
	{"::/0", "255.255.255.255", false},
	{"::/80", "127.0.0.1", false},
	{"::/80", "::fffe:0:0", true},
	{"::/0, 127.0.0.0/8", "127.0.0.1", true},
	{"::/0, 0.0.0.0/0", "8.8.8.8", true},
	/* words */
	{"loopback", "127.0.0.1", true},
	{"loopback", "127.255.255.254", true},
	{"loopback", "::1", true},
	{"loopback", "::2", false},
	{"loopback", "128.0.0.1", false},
	{"private", "10.1.1.1", true},
	{"private", "172.16.0.0", true},
	{"private", "172.31.255.255", true},
	{"private", "172.32.0.0", false},
	{"private", "192.168.255.255", true},
	{"private", "192.169.0.0", false},
	{"private", "fd00::1", true},
	{"private", "fe80::1", false},
	{"private", "127.0.0.1", false},
	{"private", "169.254.0.1", false},
	{"cloudflare", "173.245.48.1", true},
	{"cloudflare", "2606:4700::1", true},
	{"cloudflare", "8.8.8.8", false},
	{"cloudflare, loopback, 192.0.2.0/24", "192.0.2.9", true},
	{"cloudflare, loopback, 192.0.2.0/24", "127.0.0.1", true},
	{"cloudflare, loopback, 192.0.2.0/24", "104.16.0.1", true},
	{"cloudflare, loopback, 192.0.2.0/24", "192.0.3.0", false},
	/* ranges within each other, side by side, and in no order */
	{"10.1.0.0/16, 10.0.0.0/8, 10.1.2.0/24", "10.200.0.1", true},
	{"10.1.0.0/16, 10.0.0.0/8, 10.1.2.0/24", "10.1.3.1", true},
	{"192.0.2.128/25, 192.0.2.0/25", "192.0.2.127", true},
	{"192.0.2.128/25, 192.0.2.0/25", "192.0.3.0", false},
	{"203.0.113.9, 10.0.0.0/8, 198.51.100.0/24", "198.51.100.77", true},
};

static void sets_hold_their_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		static const char *const keys[] = {"from", "exempt", "proxy-protocol"};
		const struct member *row = &members[i];
		const struct endpoint https = endpoint_of("::1", 443);
		const struct endpoint peer = endpoint_of(row->peer, 50000);
		char text[200];
		struct policy *policy;
		const struct rule *rule;

		snprintf(text, sizeof(text), "[port 443]\n%s = %s\n", keys[i % 3], row->set);
		policy = parse(text);
		assert_non_null(policy);
		rule = policy_match(policy, &https);
		expect(peers_contain(i % 3 == 0   ? rule->from
				     : i % 3 == 1 ? rule->exempt
						  : rule->proxy_protocol,
				     &peer) == row->in,
		       "%s in %s", row->peer, row->set);
		policy_free(policy);
	}
	expectations_met();
}

static void nobody_is_not_anyone(void **state)
{
	struct policy *policy = parse("[port 443]\n[port 444]\nfrom = private\n");
	const struct endpoint peer = endpoint_of("8.8.8.8", 50000);
	const struct rule *open, *closed;

	(void)state;
	assert_non_null(policy);
	open = policy_rule(policy, 0);
	closed = policy_rule(policy, 1);
	assert_false(peers_contain(open->exempt, &peer));
	assert_true(rule_admits_peer(open, &peer));
	assert_true(rule_admits_peer(open, NULL));
	assert_false(rule_admits_peer(closed, &peer));
	/* A peer that is not known is among nobody. */
	assert_false(rule_admits_peer(closed, NULL));
	assert_false(peers_contain(closed->from, NULL));
	policy_free(policy);
}

/* Every address of a small world, against sets made by chance: what a plain loop says. */
static void chance_sets(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct endpoint https = endpoint_of("::1", 443);
		bool in[256] = {false};
		char text[4096] = "[port 443]\n", *end = text + strlen(text);
		struct policy *policy;

		for (unsigned i = 0; i < 1 + round % 12; i++) {
			unsigned bits, first;

			seed = seed * 1103515245 + 12345;
			bits = seed >> 16 & 7;
			first = (seed >> 20 & 255) & ~((1u << bits) - 1);
			if (in[first] && in[(first + (1u << bits) - 1) & 255])
				continue; /* it may stand there already */
			end += sprintf(end, "from = 192.0.2.%u/%u\n", first, 32 - bits);
			for (unsigned address = first; address < first + (1u << bits); address++)
				in[address] = true;
		}
		policy = parse(text);
		assert_non_null(policy);
		for (unsigned address = 0; address < 256; address++) {
			char peer_text[32];
			struct endpoint peer;

			snprintf(peer_text, sizeof(peer_text), "192.0.2.%u", address);
			peer = endpoint_of(peer_text, 1);
			expect(peers_contain(policy_match(policy, &https)->from, &peer) ==
				       in[address],
			       "round %u: %s", round, peer_text);
		}
		policy_free(policy);
	}
	expectations_met();
}

static const char with_files[] = "[port 443]\nfrom = /one, 192.0.2.1\nexempt = /two\n"
				 "[port 444]\nfrom = /one\n";

static void files_are_shared(void **state)
{
	static const char one[] = "# ours\r\n 198.51.100.0/24 # a site\r\n\n;\n\t2001:db8::/32";
	static const char two[] = "203.0.113.7\n";
	const struct endpoint peer = endpoint_of("198.51.100.9", 1);
	const struct endpoint monitor = endpoint_of("203.0.113.7", 1);
	const struct endpoint beside = endpoint_of("192.0.2.1", 1);
	struct complaints complaints;
	struct policy *policy = parse(with_files);
	const struct rule *first, *second;

	(void)state;
	assert_non_null(policy);
	complaints_begin(&complaints, "p");
	first = policy_rule(policy, 0);
	second = policy_rule(policy, 1);
	assert_int_equal(policy_peer_file_count(policy), 2);
	assert_string_equal(policy_peer_file(policy, 0)->path, "/one");
	assert_int_equal(policy_peer_file(policy, 0)->at.line, 2);
	assert_int_equal(policy_peer_file(policy, 0)->at.column, 8);
	assert_string_equal(policy_peer_file(policy, 1)->path, "/two");
	/* Before it is handed over, a file holds nobody; `from` is there all the same. */
	assert_false(rule_admits_peer(second, &peer));
	assert_true(policy_peer_file_take(policy, 0, one, strlen(one), &complaints));
	assert_true(policy_peer_file_take(policy, 1, two, strlen(two), &complaints));
	policy_peers_settle(policy, &complaints);
	assert_int_equal(complaints.count, 0);
	assert_true(rule_admits_peer(first, &peer));
	assert_true(rule_admits_peer(first, &beside));
	assert_false(rule_admits_peer(second, &beside));
	assert_true(rule_admits_peer(second, &peer));
	assert_true(peers_contain(first->exempt, &monitor));
	assert_false(peers_contain(first->exempt, &peer));
	complaints_clear(&complaints);
	policy_free(policy);
}

static const struct {
	const char *text;
	size_t length;
	const char *says;
} mistaken_files[] = {
	{"", 0, "/one: no CIDR in it"},
	{"# none\n\n", 8, "/one: no CIDR in it"},
	{"10.0.0.0/8\n  10.0.0.1/8 # x\n", 28,
	 "/one:2:3: 10.0.0.1/8 has bits set behind its prefix; the network is 10.0.0.0/8"},
	{"10.0.0.0/8, 11.0.0.0/8\n", 23,
	 "/one:1:1: \"10.0.0.0/8, 11.0.0.0/8\" is no CIDR; each line"},
	{"loopback\n", 9, "/one:1:1: \"loopback\" is no CIDR"},
	{"10.0.0.0/8\0\n", 12, "is no CIDR"},
	{"\0", 1, "is no CIDR"},
};

static void mistakes_in_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistaken_files) / sizeof(mistaken_files[0]); i++) {
		struct policy *policy = parse(with_files);
		struct complaints complaints;
		const struct complaint *first;

		complaints_begin(&complaints, "p");
		expect(!policy_peer_file_take(policy, 0, mistaken_files[i].text,
					      mistaken_files[i].length, &complaints),
		       "row %zu: taken", i);
		first = complaints_first_error(&complaints);
		expect(complaints.errors == 1 && first != NULL && first->at.line == 2 &&
			       first->at.column == 8 &&
			       strstr(first->sentence, mistaken_files[i].says) != NULL,
		       "row %zu: %s", i, first ? first->sentence : "-");
		complaints_clear(&complaints);
		policy_free(policy);
	}
	expectations_met();
}

static void proxies_in_files(void **state)
{
	static const char text[] = "[port 443]\nproxy-protocol = /proxies\n"
				   "exempt = 192.0.2.1, /exempt\n";
	static const char *const exempt[] = {"10.0.0.0/8\n", "198.51.100.0/25\n"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct policy *policy = parse(text);
		struct complaints complaints;

		complaints_begin(&complaints, "p");
		assert_true(policy_peer_file_take(policy, 0, exempt[i], strlen(exempt[i]),
						  &complaints));
		assert_true(policy_peer_file_take(policy, 1, "198.51.100.9\n", 13, &complaints));
		policy_peers_settle(policy, &complaints);
		assert_int_equal(complaints.errors, i);
		if (i == 1) {
			assert_int_equal(complaints.list[0].at.line, 3);
			assert_int_equal(complaints.list[0].at.column, 21);
		}
		complaints_clear(&complaints);
		policy_free(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a set of peers holds its edges and nothing beside them",
		     sets_hold_their_edges),
		TEST("without from anyone may connect, without exempt nobody is exempt",
		     nobody_is_not_anyone),
		TEST("300 sets made by chance hold what a plain loop says", chance_sets),
		TEST("a file of CIDRs counts wherever it is named", files_are_shared),
		TEST("a mistake in a file of CIDRs is told with its line", mistakes_in_files),
		TEST("a proxy that is exempt by a file is an error", proxies_in_files),
	};

	return RUN_TESTS("policy-matches-peers", tests);
}
