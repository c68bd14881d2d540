/* What the remaining keys say once they are read: days, pins, CRLs, allowances; and which of all
 * keys the shim is not ready for. */
#include "policy_lookup.h"

#include <stdio.h>
#include <stdlib.h>

enum { DAY = 24 * 60 * 60 };

/* Seconds as date(1) has them: date -u -d DAY +%s */
static const struct {
	const char *day;
	int64_t seconds;
} days[] = {
	{"2000-01-01", 946684800},   {"2000-02-29", 951782400},    {"2000-12-31", 978220800},
	{"2026-11-24", 1795478400},  {"2027-01-31", 1801353600},   {"2028-02-29", 1835395200},
	{"2028-03-01", 1835481600},  {"2100-02-28", 4107456000},   {"2100-03-01", 4107542400},
	{"2400-02-29", 13574563200}, {"9999-12-31", 253402214400},
};

static void days_of_the_calendar(void **state)
{
	static const char *const none[] = {
		"1999-12-31", "2027-00-01", "2027-01-00",  "2027-01-32",
		"2027-04-31", "2100-02-29", "2027-1-31",   "2027-01-3",
		"27-01-31",   "2027/01/31", "2027-01-31x", " 2027-01-31",
	};
	const struct endpoint https = endpoint_of("::1", 443);
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		struct policy *policy;
		char *printed;

		snprintf(text, sizeof(text), "[port 443]\nverify = observe until %s\n",
			 days[i].day);
		policy = parse(text);
		assert_non_null(policy);
		expect(policy_match(policy, &https)->observe_until == days[i].seconds, "%s: %lld",
		       days[i].day, (long long)policy_match(policy, &https)->observe_until);
		printed = policy_print(policy);
		expect(strstr(printed, strchr(text, '\n') + 1) != NULL, "printed: %s", printed);
		free(printed);
		policy_free(policy);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct complaints complaints;

		snprintf(text, sizeof(text), "[port 443]\nverify = \"observe until %s\"\n",
			 none[i]);
		complaints_begin(&complaints, "p");
		expect(policy_parse(text, strlen(text), &complaints) == NULL, "%s is taken",
		       none[i]);
		complaints_clear(&complaints);
	}
	expectations_met();
}

static void observe_ends(void **state)
{
	struct policy *policy = parse("[port 1]\nverify = observe until 2030-01-01\n"
				      "[port 2]\nverify = observe\n[port 3]\nverify = off\n");
	const struct rule *until, *forever, *off;
	int64_t end;

	(void)state;
	assert_non_null(policy);
	until = policy_rule(policy, 0);
	forever = policy_rule(policy, 1);
	off = policy_rule(policy, 2);
	end = until->observe_until;
	assert_int_equal(until->verify, VERIFY_OBSERVE);
	assert_int_equal(rule_verify(until, end - 1), VERIFY_OBSERVE);
	assert_int_equal(rule_verify(until, end - 365 * DAY), VERIFY_OBSERVE);
	assert_int_equal(rule_verify(until, end), VERIFY_REQUIRE);
	assert_int_equal(rule_verify(until, end + 365 * DAY), VERIFY_REQUIRE);
	/* A clock that was never set. */
	assert_int_equal(rule_verify(until, 0), VERIFY_REQUIRE);
	assert_int_equal(rule_verify(until, -1), VERIFY_REQUIRE);
	assert_int_equal(rule_verify(until, days[1].seconds), VERIFY_REQUIRE);
	assert_int_equal(forever->observe_until, 0);
	assert_int_equal(rule_verify(forever, 0), VERIFY_OBSERVE);
	assert_int_equal(rule_verify(off, 0), VERIFY_OFF);
	policy_free(policy);
}

static void pins(void **state)
{
	struct policy *policy =
		parse("[port 443]\n"
		      "client-cert = cn:Edge, of the \xc3\xa9toile # a comma is part of it\n"
		      "client-cert = \"cn: with blanks # \"\n"
		      "client-cert = dns:Edge.Example.\n"
		      "client-cert = uri:spiffe://example/edge,1\n"
		      "client-cert = cert-sha256:"
		      "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n"
		      "client-cert = spki-sha256:"
		      "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
		      "client-cert = spki-sha256:"
		      "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeefe\n");
	const struct rule *rule;

	(void)state;
	assert_non_null(policy);
	rule = policy_rule(policy, 0);
	assert_int_equal(rule->client_cert_count, 7);
	assert_int_equal(rule->client_cert[0].kind, PIN_CN);
	assert_string_equal(rule->client_cert[0].name, " with blanks # ");
	assert_string_equal(rule->client_cert[1].name, "Edge, of the \xc3\xa9toile");
	assert_int_equal(rule->client_cert[1].at.line, 2);
	assert_int_equal(rule->client_cert[2].kind, PIN_DNS);
	assert_string_equal(rule->client_cert[2].name, "edge.example");
	assert_int_equal(rule->client_cert[3].kind, PIN_URI);
	assert_string_equal(rule->client_cert[3].name, "spiffe://example/edge,1");
	assert_int_equal(rule->client_cert[4].kind, PIN_CERT_SHA256);
	assert_null(rule->client_cert[4].name);
	assert_int_equal(rule->client_cert[4].digest[0], 0);
	assert_int_equal(rule->client_cert[4].digest[31], 0xff);
	assert_int_equal(rule->client_cert[5].kind, PIN_SPKI_SHA256);
	assert_int_equal(rule->client_cert[5].digest[31], 0xfe);
	assert_int_equal(rule->client_cert[6].digest[31], 0xff);
	policy_free(policy);
}

static void allowances(void **state)
{
	struct policy *policy = parse("[port 1]\n[port 2]\nplaintext = allow\nacme = allow\n"
				      "hosts = names-only\ncrl = /b, /a\n[port *]\n"
				      "[port 3]\nplaintext = refuse\nacme = refuse\n");
	struct policy *other = parse("[port *]\nplaintext = refuse\n");
	struct policy *built_in = policy_built_in();
	const struct rule *rule;

	(void)state;
	assert_true(policy != NULL && other != NULL && built_in != NULL);
	rule = policy_rule(policy, 0);
	assert_false(rule->allows_plaintext || rule->allows_acme);
	assert_int_equal(rule->hosts, HOSTS_GUARD);
	assert_int_equal(rule->crl_count, 0);
	rule = policy_rule(policy, 1);
	assert_true(rule->allows_plaintext && rule->allows_acme);
	assert_int_equal(rule->hosts, HOSTS_NAMES_ONLY);
	assert_int_equal(rule->crl_count, 2);
	assert_string_equal(rule->crl[0].path, "/a");
	assert_int_equal(rule->crl[0].at.column, 11);
	/* What is not named need not speak TLS, unless that is said. */
	assert_true(policy_rule(policy, 2)->allows_plaintext);
	assert_false(policy_rule(policy, 3)->allows_plaintext);
	assert_false(policy_rule(other, 0)->allows_plaintext);
	assert_true(policy_rule(built_in, 0)->allows_plaintext);
	policy_free(policy);
	policy_free(other);
	policy_free(built_in);
}

static void every_key_counts_for_the_effect(void **state)
{
	static const struct {
		const char *line;
		bool before_tls;
	} rows[] = {
		{"verify = observe", false},
		{"verify = observe until 2030-01-01", false},
		{"ca = /a", false},
		{"crl = /a", false},
		{"client-cert = cn:a", false},
		{"client-cert = cert-sha256:"
		 "00112233445566778899aabbccddeeff0011223344556677"
		 "8899aabbccddeeff",
		 false},
		{"refuse = close", false},
		{"only-names = a.example", false},
		{"from = private", false},
		{"from = 10.0.0.0/8", false},
		{"from = /a", false},
		{"exempt = private", false},
		{"proxy-protocol = private", true},
		{"plaintext = allow", true},
		{"acme = allow", false},
		{"resumption = on", false},
		{"hosts = names-only", false},
	};
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j <= count; j++) {
			char text[300];
			struct policy *policy;
			const struct rule *one, *other;

			snprintf(text, sizeof(text), "[port 1]\n%s\n[port 2]\n%s\n", rows[i].line,
				 j < count ? rows[j].line : "");
			policy = parse(text);
			assert_non_null(policy);
			one = policy_rule(policy, 0);
			other = policy_rule(policy, 1);
			expect(rule_same(one, other) == (i == j), "%s", text);
			expect(rule_same_effect(one, other) ==
				       (i == j ||
					(rows[i].before_tls && (j == count || rows[j].before_tls))),
			       "%s", text);
			policy_free(policy);
		}
	}
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a day is one of the calendar", days_of_the_calendar),
		TEST("observe until a day is require from then on, and while the clock is not set",
		     observe_ends),
		TEST("a pin has its kind, and its name or digest", pins),
		TEST("plain text passes where nothing is named, and where it is said", allowances),
		TEST("rules that differ in one key are not the same",
		     every_key_counts_for_the_effect),
	};

	return RUN_TESTS("policy-reads-values", tests);
}
