/* Which rule a server name falls to, what a server section has of its port's, and which names
 * `only-names` lets pass. */
#include "policy_effect.h"
#include "policy_lookup.h"
#include "scratch.h"

#include <stdio.h>

static const char shared_port[] = "[port 443]\n"
				  "hosts = names-only\n"
				  "[port 443 server shop.example]\n"
				  "[port 443 server *.Example.]\n"
				  "[port 443 server *.a.b.example]\n"
				  "[port 443 server x.a.b.example]\n"
				  "[port 443 server _x-1.example]\n"
				  "[port 8443, 9443]\n"
				  "[port 8443,9443 server other.example]\n"
				  "[port 127.0.0.1:443]\n";

/* The line of the section that decides; 1 is the port's own. */
static const struct {
	const char *name;
	unsigned line;
} names[] = {
	{"shop.example", 3},
	{"SHOP.Example", 3},
	{"shop.example.", 3},
	{"shop.example..", 1},
	{"www.example", 4},
	{"WWW.EXAMPLE.", 4},
	{"_x-1.example", 7},
	/* one label, and not none or two */
	{"example", 1},
	{".example", 1},
	{"a.www.example", 1},
	{"a.b.example", 1},
	{"y.a.b.example", 5},
	{"x.a.b.example", 6},
	{"z.y.a.b.example", 1},
	/* the words of the policy are no names */
	{"*.example", 1},
	{"*.a.b.example", 1},
	{"", 1},
	{".", 1},
	{"shop..example", 1},
	{" shop.example", 1},
	{"shop.example ", 1},
	{"shop.example:443", 1},
	{"other.example", 4},
	{"caf\xc3\xa9.example", 1},
	{"127.0.0.1", 1},
	{"::1", 1},
};

static void nearest_name_decides(void **state)
{
	struct policy *policy = parse(shared_port);
	const struct endpoint https = endpoint_of("192.0.2.7", 443);

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct rule *rule =
			policy_match_name(policy, &https, names[i].name, strlen(names[i].name));

		expect(rule->line == names[i].line, "%s falls to line %u", names[i].name,
		       rule->line);
	}
	assert_int_equal(policy_match_name(policy, &https, NULL, 0)->line, 1);
	policy_free(policy);
	expectations_met();
}

static void names_belong_to_their_port(void **state)
{
	struct policy *policy = parse(shared_port);
	static const struct {
		const char *address;
		uint16_t port;
		const char *name;
		unsigned line;
	} rows[] = {
		{"192.0.2.7", 8443, "other.example", 9}, {"192.0.2.7", 9443, "other.example", 9},
		{"192.0.2.7", 8443, "shop.example", 8},  {"127.0.0.1", 443, "shop.example", 10},
		{"192.0.2.7", 444, "shop.example", 0},
	};

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct endpoint endpoint = endpoint_of(rows[i].address, rows[i].port);
		const struct rule *rule =
			policy_match_name(policy, &endpoint, rows[i].name, strlen(rows[i].name));

		expect(rule->line == rows[i].line, "row %zu: line %u", i, rule->line);
	}
	policy_free(policy);
	expectations_met();
}

static void odd_names_match_nothing(void **state)
{
	struct policy *policy = parse("[port 443]\nonly-names = a.example, *.b.example\n"
				      "[port 443 server shop.example]\n");
	const struct endpoint https = endpoint_of("192.0.2.7", 443);
	static const char nul[] = "shop.example\0.evil.example";
	static const char suffix[] = ".b.example";
	char label[80 + sizeof(suffix)];
	const struct rule *port;

	(void)state;
	assert_non_null(policy);
	port = policy_match(policy, &https);
	assert_ptr_equal(policy_match_name(policy, &https, nul, sizeof(nul) - 1), port);
	assert_ptr_equal(policy_match_name(policy, &https, nul, sizeof("shop.example")), port);
	assert_ptr_not_equal(policy_match_name(policy, &https, nul, strlen(nul)), port);
	assert_false(policy_allows_name(policy, port, "a.example\0", 10));
	memset(label, 'x', 80);
	memcpy(label + 80, suffix, sizeof(suffix));
	assert_true(policy_allows_name(policy, port, label + 17, strlen(label + 17)));
	assert_false(policy_allows_name(policy, port, label + 16, strlen(label + 16)));
	policy_free(policy);
}

static void longest_name_matches(void **state)
{
	char name[256], text[300];
	const struct endpoint https = endpoint_of("192.0.2.7", 443);
	struct policy *policy;
	const struct rule *port;

	(void)state;
	for (size_t i = 0; i < 255; i++)
		name[i] = i % 50 == 49 ? '.' : 'y';
	name[253] = '\0';
	snprintf(text, sizeof(text), "[port 443]\nonly-names = %s\n", name);
	policy = parse(text);
	assert_non_null(policy);
	port = policy_match(policy, &https);
	assert_true(policy_allows_name(policy, port, name, 253));
	assert_false(policy_allows_name(policy, port, name, 252));
	name[253] = '.';
	assert_true(policy_allows_name(policy, port, name, 254));
	name[254] = '.';
	assert_false(policy_allows_name(policy, port, name, 255));
	name[253] = 'y';
	assert_false(policy_allows_name(policy, port, name, 254));
	assert_false(policy_allows_name(policy, port, name, 255));
	policy_free(policy);
}

/* A word of a's and b's, of up to four letters: that many begin alike. */
static void chance_label(char label[5], uint32_t *seed)
{
	size_t length = 0;

	do {
		label[length++] = (char)('a' + chance(seed, 2));
	} while (length < 4 && chance(seed, 4) != 0);
	label[length] = '\0';
}

/* Against a plain loop over the names. */
static void chance_names(void **state)
{
	const struct endpoint https = endpoint_of("192.0.2.7", 443);
	uint32_t seed = 11;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		char text[2048] = "[port 443]\n", *end = text + strlen(text);
		char listed_names[24][32], label[5], above[5];
		size_t count = 0;
		struct policy *policy;

		while (count < 1 + round % 24) {
			bool twice = false;

			chance_label(label, &seed);
			chance_label(above, &seed);
			snprintf(listed_names[count], sizeof(listed_names[0]), "%s.%s",
				 chance(&seed, 4) ? label : "*", above);
			for (size_t i = 0; i < count; i++)
				twice |= strcmp(listed_names[i], listed_names[count]) == 0;
			if (!twice)
				end += sprintf(end, "only-names = %s\n", listed_names[count++]);
		}
		policy = parse(text);
		assert_non_null(policy);
		for (unsigned visit = 0; visit < 40; visit++) {
			char name[32], wild[32];
			bool listed = false;

			chance_label(label, &seed);
			chance_label(above, &seed);
			snprintf(name, sizeof(name), "%s.%s", label, above);
			snprintf(wild, sizeof(wild), "*.%s", above);
			for (size_t i = 0; i < count; i++)
				listed |= strcmp(listed_names[i], name) == 0 ||
					  strcmp(listed_names[i], wild) == 0;
			expect(policy_allows_name(policy, policy_match(policy, &https), name,
						  strlen(name)) == listed,
			       "round %u: %s", round, name);
		}
		policy_free(policy);
	}
	expectations_met();
}

static void only_names(void **state)
{
	static const struct {
		const char *name;
		bool allowed;
	} rows[] = {
		{"a.example", true},      {"A.EXAMPLE.", true},     {"b.example", false},
		{"x.b.example", true},    {"y.x.b.example", false}, {"own.example", true},
		{"x.wild.example", true}, {"wild.example", false},  {"", false},
		{"*.b.example", false},   {"192.0.2.7", false},
	};
	struct policy *policy = parse("[port 443]\nonly-names = A.example., *.b.example\n"
				      "[port 443 server own.example]\n"
				      "[port 443 server *.wild.example]\n[port 444]\n");
	const struct endpoint https = endpoint_of("192.0.2.7", 443);
	const struct endpoint other = endpoint_of("192.0.2.7", 444);
	const struct rule *port;

	(void)state;
	assert_non_null(policy);
	port = policy_match(policy, &https);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(policy_allows_name(policy, port, rows[i].name, strlen(rows[i].name)) ==
			       rows[i].allowed,
		       "%s", rows[i].name);
	assert_false(policy_allows_name(policy, port, NULL, 0));
	/* Without the key any name, and none. */
	port = policy_match(policy, &other);
	assert_true(policy_allows_name(policy, port, "what.ever", 9));
	assert_true(policy_allows_name(policy, port, NULL, 0));
	policy_free(policy);
	expectations_met();
}

static void servers_have_the_rest_of_their_port(void **state)
{
	struct policy *policy = parse("[port 443 server b.example]\n"
				      "refuse = close\nca = /c\nacme = allow\n"
				      "[port 443]\n"
				      "verify = observe until 2027-01-31\nca = /a, /b\ncrl = /r\n"
				      "client-cert = cn:a\nrefuse = close reset\nresumption = on\n"
				      "only-names = a.example\nfrom = private\nexempt = loopback\n"
				      "proxy-protocol = 192.0.2.0/24\nplaintext = allow\n"
				      "hosts = names-only\n"
				      "[port 443 server c.example]\n"
				      "verify = off\ncrl = /s\nclient-cert = cn:b\n"
				      "resumption = off\n");
	const struct rule *first, *port, *last;

	(void)state;
	assert_non_null(policy);
	first = policy_rule(policy, 0);
	port = policy_rule(policy, 1);
	last = policy_rule(policy, 2);
	assert_int_equal(port->server_count, 2);
	assert_null(port->server);
	assert_string_equal(first->server, "b.example");
	assert_string_equal(first->section, "port 443 server b.example");
	/* A list replaces the port's. */
	assert_int_equal(first->ca_count, 1);
	assert_string_equal(first->ca[0].path, "/c");
	assert_int_equal(first->refuse, ANSWER_CLOSE);
	assert_true(first->allows_acme);
	assert_int_equal(first->verify, VERIFY_OBSERVE);
	assert_true(first->observe_until == port->observe_until && port->observe_until > 0);
	assert_int_equal(first->crl_count, 1);
	assert_ptr_equal(first->client_cert, port->client_cert);
	assert_int_equal(first->resumption, RESUMPTION_ON);
	assert_int_equal(last->verify, VERIFY_OFF);
	assert_int_equal(last->observe_until, 0);
	assert_int_equal(last->ca_count, 2);
	assert_string_equal(last->crl[0].path, "/s");
	assert_string_equal(last->client_cert[0].name, "b");
	assert_int_equal(last->refuse, ANSWER_CLOSE_RESET);
	assert_false(last->allows_acme);
	assert_int_equal(last->resumption, RESUMPTION_OFF);
	for (size_t i = 0; i < 3; i += 2) {
		const struct rule *rule = policy_rule(policy, i);

		assert_int_equal(rule->index, i);
		assert_ptr_equal(rule->from, port->from);
		assert_ptr_equal(rule->exempt, port->exempt);
		assert_ptr_equal(rule->proxy_protocol, port->proxy_protocol);
		assert_ptr_equal(rule->only_names, port->only_names);
		assert_true(rule->allows_plaintext);
		assert_int_equal(rule->hosts, HOSTS_NAMES_ONLY);
		assert_int_equal(rule->server_count, 0);
	}
	policy_free(policy);
}

static void servers_may_differ_in_what_does_not_admit(void **state)
{
	struct policy *policy = parse("[port 443]\nca = /b, /a\n"
				      "[port 443 server a.example]\n"
				      "ca = /a, /b\nrefuse = close\nresumption = on\nacme = allow\n"
				      "[port 443 server b.example]\n");

	(void)state;
	assert_non_null(policy);
	assert_true(rule_same_admission(policy_rule(policy, 0), policy_rule(policy, 1)));
	policy_free(policy);
}

static void differing_servers_are_guarded(void **state)
{
	static const struct {
		const char *text;
		bool guards;
	} rows[] = {
		{"[port 443]\n[port 443 server a.example]\nverify = off\n", true},
		{"[port 443]\nverify = off\n[port 443 server a.example]\nverify = require\n", true},
		{"[port 443]\n[port 443 server a.example]\n[port 443 server b.example]\nca = /b\n",
		 true},
		{"[port 443]\n[port 443 server a.example]\ncrl = /b\n", true},
		{"[port 443]\n[port 443 server a.example]\nclient-cert = cn:a\n", true},
		{"[port 443]\n[port 443 server a.example]\nverify = observe\n", true},
		{"[port 400-1000]\n[port 400-1000 server a.example]\nverify = off\n", true},
		{"[port *]\n[port * server a.example]\nverify = off\n", true},
		{"[port 443]\n[port 443 server a.example]\nrefuse = close\nacme = allow\n", false},
		{"[port 443]\nhosts = names-only\n[port 443 server a.example]\nverify = off\n",
		 false},
		{"[port 993]\nhosts = names-only\n[port 993 server a.example]\nverify = off\n",
		 false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy *policy = parse(rows[i].text);

		assert_non_null(policy);
		expect(policy_rule(policy, 0)->guards_hosts == rows[i].guards, "%s", rows[i].text);
		expect(!policy_rule(policy, 1)->guards_hosts, "the server's, %s", rows[i].text);
		policy_free(policy);
	}
	expectations_met();
}

/* Whom the first rule has admitted, does the second admit him too? */
static void rules_admit_whom_others_did(void **state)
{
	static const struct {
		const char *one, *other;
		bool admits, admitted;
	} rows[] = {
		{"", "", true, true},
		{"verify = off\n", "verify = off\n", true, true},
		{"verify = off\n", "", false, true},
		{"verify = off\nca = /a\n", "verify = off\nca = /b\n", true, true},
		{"verify = observe\n", "", false, true},
		{"verify = observe\n", "verify = off\n", true, true},
		{"verify = observe until 2027-01-31\n", "verify = observe\n", true, false},
		{"ca = /a\n", "ca = /a, /b\n", false, false},
		{"ca = /a\n", "ca = /a\nclient-cert = cn:a\n", false, false},
		{"ca = /a\n", "ca = /a\ncrl = /c\n", false, false},
		{"ca = /a\nresumption = on\n", "ca = /a\nrefuse = close\n", true, true},
	};
	const int64_t then = 1801440000; /* 2027-02-01 */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		struct policy *policy;

		text_format(text, sizeof(text), "[port 1]\n%s[port 2]\n%s", rows[i].one,
			    rows[i].other);
		policy = parse(text);
		assert_non_null(policy);
		expect(rule_admits_too(policy_rule(policy, 1), policy_rule(policy, 0), then) ==
			       rows[i].admits,
		       "%s", text);
		expect(rule_admits_too(policy_rule(policy, 0), policy_rule(policy, 1), then) ==
			       rows[i].admitted,
		       "the other way: %s", text);
		policy_free(policy);
	}
	expectations_met();
}

static void servers_count_for_the_effect(void **state)
{
	static const char *const texts[] = {
		"[port 1]\n[port 2]\n[port 2 server a.example]\n",
		"[port 1]\n[port 1 server a.example]\n[port 2]\n[port 2 server b.example]\n",
		"[port 1]\n[port 1 server a.example]\n[port 2]\n[port 2 server a.example]\n"
		"refuse = close\n",
		"[port 1]\n[port 1 server a.example]\nacme = refuse\n[port 2]\n"
		"[port 2 server A.example.]\nrefuse = reject\n",
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct policy *policy = parse(texts[i]);
		const struct endpoint one = endpoint_of("::1", 1), two = endpoint_of("::1", 2);

		assert_non_null(policy);
		expect(rule_same_effect(policy_match(policy, &one), policy_match(policy, &two)) ==
			       (i == 3),
		       "%s", texts[i]);
		policy_free(policy);
	}
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the exact name decides over the wildcard, over the port",
		     nearest_name_decides),
		TEST("a name belongs to the endpoints of its section", names_belong_to_their_port),
		TEST("a name with a NUL, or too long, matches nothing", odd_names_match_nothing),
		TEST("a name may have 253 bytes, and a dot behind them", longest_name_matches),
		TEST("names made by chance are found as by a plain loop", chance_names),
		TEST("only-names lets its names pass, and those that have a section", only_names),
		TEST("a server section has of its port what it does not say",
		     servers_have_the_rest_of_their_port),
		TEST("a server section may differ in what admits nobody",
		     servers_may_differ_in_what_does_not_admit),
		TEST("a port whose servers differ in whom they admit is guarded by host",
		     differing_servers_are_guarded),
		TEST("a rule admits whom another did where it demands nothing, or the same",
		     rules_admit_whom_others_did),
		TEST("ports with other servers do not have the same effect",
		     servers_count_for_the_effect),
	};

	return RUN_TESTS("policy-matches-names", tests);
}
