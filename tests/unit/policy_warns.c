/* What `cfshim check` warns of in a policy without a mistake: one warning at its place, or none. */
#include "policy_lookup.h"

#include <stdio.h>
#include <stdlib.h>

enum { DAY = 24 * 60 * 60 };
static const int64_t today = 1796083200; /* 2026-12-01 */

struct oddity {
	const char *name;
	const char *text;
	struct position at; /* line 0: none */
	const char *says;
};

#define OWN "ca = /own\n"

static const struct oddity oddities[] = {
	{
		.name = "own CAs",
		.text = "[port 443]\n" OWN "[port *]\nca = /own\n",
	},
	{
		.name = "the shared CA",
		.text = "[port 443]\nca = /own, cloudflare\n",
		.at = {2, 1},
		.says = "any Cloudflare customer can reach this port",
	},
	{
		.name = "the shared CA, not said",
		.text = "\n [port 443]\nrefuse = close\n",
		.at = {2, 2},
		.says = "any Cloudflare customer can reach this port",
	},
	{.name = "the shared CA and names", .text = "[port 443]\nonly-names = a.example\n"},
	{.name = "the shared CA and a pin", .text = "[port 443]\nclient-cert = cn:a\n"},
	{.name = "the shared CA where it does nothing", .text = "[port 443]\nverify = off\n"},
	{
		.name = "the shared CA of a port and its servers",
		.text = "[port 443]\n[port 443 server a.example]\n[port 443 server b.example]\n",
		.at = {1, 1},
		.says = "any Cloudflare customer",
	},
	{
		.name = "the shared CA for one server",
		.text = "[port 443]\nhosts = names-only\n" OWN
			"[port 443 server a.example]\nca = cloudflare\n",
		.at = {5, 1},
		.says = "any Cloudflare customer",
	},
	{.name = "the built-in default", .text = ""},
	{
		.name = "a CA under * that does not hold for a port",
		.text = "[port *]\n" OWN "[port 443]\nonly-names = a.example\n"
			"[port 444]\nverify = off\n[port 445]\n" OWN,
		.at = {3, 1},
		.says = "the ca of [port *] in line 1 does not hold here",
	},
	{
		.name = "observe for good",
		.text = "[port 443]\n" OWN "  verify = observe\n",
		.at = {3, 3},
		.says = "observe admits everybody, and does so for good",
	},
	{
		.name = "observe until a day",
		.text = "[port 443]\n" OWN "verify = observe until 2026-12-02\n",
	},
	{
		.name = "observe until a day that has come",
		.text = "[port 443]\n" OWN "verify = observe until 2026-12-01\n",
		.at = {3, 1},
		.says = "require holds: 2026-12-01 has come",
	},
	{
		.name = "plain text on a named port",
		.text = "[port 25]\n" OWN "plaintext = allow\n",
		.at = {3, 1},
		.says = "clients that do not speak TLS get in without a certificate",
	},
	{.name = "plain text on all others", .text = "[port *]\n" OWN "plaintext = allow\n"},
	{
		.name = "loopback that is exempt",
		.text = "[port 443]\n" OWN "exempt = 192.0.2.1, loopback\n",
		.at = {3, 21},
		.says = "comes from loopback",
	},
	{
		.name = "an address of loopback that is exempt",
		.text = "[port 443]\n" OWN "exempt = 127.0.0.53\n",
		.at = {3, 10},
		.says = "comes from loopback",
	},
	{
		.name = "everybody of IPv6 that is exempt",
		.text = "[port 443]\n" OWN "exempt = ::/0\n",
		.at = {3, 10},
		.says = "comes from loopback",
	},
	{.name = "another that is exempt", .text = "[port 443]\n" OWN "exempt = 192.0.2.1\n"},
	{
		.name = "a range of ports that all have sections",
		.text = "[port 8000-8002]\n" OWN "[port 8000, 8002]\n" OWN "[port 8001]\n" OWN,
		.at = {1, 1},
		.says = "this section never counts",
	},
	{
		.name = "a range with one port left",
		.text = "[port 8000-8002]\n" OWN "[port 8000, 8002]\n" OWN,
	},
	{
		.name = "a range with one port left at its end, and a port",
		.text = "[port 1, 8000-8001]\n" OWN "[port 8000]\n" OWN "[port 8001]\n" OWN,
	},
	{
		.name = "* where all ports have sections",
		.text = "[port *]\nverify = off\n[port 1-65535]\n" OWN,
		.at = {1, 1},
		.says = "this section never counts",
	},
	{.name = "* where one port is left", .text = "[port *]\n" OWN "[port 1-65534]\n" OWN},
	{
		.name = "an address, which always counts",
		.text = "[port 443]\n" OWN "[port 127.0.0.1:443]\n" OWN,
	},
	{
		.name = "a port that is laxer than one of its servers",
		.text = "[port 443]\nverify = off\n[port 443 server b.example]\n"
			"verify = require\n" OWN
			"[port 443 server a.example]\nverify = require\n" OWN,
		.at = {2, 1},
		.says = "laxer in verify than [port 443 server a.example], and a client that names "
			"no server",
	},
	{
		.name = "a port that only observes beside a server that requires",
		.text = "[port 443]\nverify = observe until 2027-01-31\n" OWN
			"[port 443 server a.example]\nverify = require\n",
		.at = {2, 1},
		.says = "laxer in verify than [port 443 server a.example]",
	},
	{
		.name = "a lax port whose servers are said to be reached by their names only",
		.text = "[port 443]\nverify = off\nhosts = names-only\n"
			"[port 443 server a.example]\nverify = require\n" OWN,
		.at = {2, 1},
		.says = "laxer in verify than [port 443 server a.example], and a client that names "
			"no server, or one without a section, gets in here: under names-only it is",
	},
	{
		.name = "a strict port whose servers are said to be reached by their names only",
		.text = "[port 443]\nhosts = names-only\n" OWN
			"[port 443 server a.example]\nverify = off\n",
	},
	{
		.name = "a wildcard that is laxer than its port",
		.text = "[port 443]\n" OWN "[port 443 server *.open.example]\nverify = off\n",
		.at = {4, 1},
		.says = "laxer in verify than [port 443], and holds for names that the host "
			"program "
			"has no site for",
	},
	{
		.name = "a wildcard that only observes, where names are said to do",
		.text = "[port 443]\nhosts = names-only\n" OWN "[port 443 server *.open.example]\n"
			"verify = observe until 2027-01-31\n",
		.at = {5, 1},
		.says = "laxer in verify than [port 443]",
	},
	{
		.name = "a wildcard that is as strict as its port",
		.text = "[port 443]\n" OWN "[port 443 server *.example]\nca = /other\n",
	},
	{
		.name = "an open wildcard of an open port",
		.text = "[port 443]\nverify = off\n[port 443 server *.example]\n"
			"refuse = close\n",
	},
	{
		.name = "a port that is the strictest of its servers",
		.text = "[port 443]\n" OWN "[port 443 server a.example]\nverify = off\n"
			"[port 443 server b.example]\nca = /other\n",
	},
	{
		.name = "an address that is laxer than its port",
		.text = "[port 443]\n" OWN "[port 80, 127.0.0.1:443]\nverify = off\n",
		.at = {3, 1},
		.says = "laxer in verify than [port 443], and a listener on every address meets "
			"both on port 443",
	},
	{.name = "an address that is stricter than its port",
	 .text = "[port 443]\nverify = off\n[port 127.0.0.1:443]\n" OWN},
	{
		.name = "an address that is laxer than the built-in default",
		.text = "[port 127.0.0.1:443]\nverify = off\n",
		.at = {1, 1},
		.says = "laxer in verify than [port *], the built-in default",
	},
	{
		.name = "* that is laxer than an address",
		.text = "[port 192.0.2.1:443]\n" OWN "[port *]\nverify = off\n",
		.at = {3, 1},
		.says = "laxer in verify than [port 192.0.2.1:443]",
	},
	{
		.name = "an address that is laxer than another",
		.text = "[port 443]\nverify = off\n[port 10.0.0.1:443]\n" OWN
			"[port 10.0.0.2:443]\nca = /own, /other\n",
		.at = {5, 1},
		.says = "laxer in ca than [port 10.0.0.1:443]",
	},
	{
		.name = "an address with exempt peers",
		.text = "[port 443]\n" OWN "[port 10.0.0.1:443]\n" OWN "exempt = 10.0.0.0/8\n",
		.at = {3, 1},
		.says = "laxer in exempt than [port 443]",
	},
	{
		.name = "an address for anyone",
		.text = "[port 443]\n" OWN "from = private\n[port 10.0.0.1:443]\n" OWN,
		.at = {4, 1},
		.says = "laxer in from than [port 443]",
	},
	{
		.name = "an address without the CRL",
		.text = "[port 443]\n" OWN "crl = /c\n[port 10.0.0.1:443]\n" OWN,
		.at = {4, 1},
		.says = "laxer in crl",
	},
	{
		.name = "an address for other clients",
		.text = "[port 443]\n" OWN "client-cert = cn:a\n[port 10.0.0.1:443]\n" OWN,
		.at = {4, 1},
		.says = "laxer in client-cert",
	},
	{
		.name = "an address of another port",
		.text = "[port 443]\n" OWN "[port 127.0.0.1:80]\n" OWN "plaintext = allow\n"
			"[port *]\n" OWN,
		.at = {5, 1},
		.says = "clients that do not speak TLS",
	},
	{
		.name = "a key that does nothing",
		.text = "[port 443]\nverify = off\nclient-cert = cn:a\n",
		.at = {3, 1},
		.says = "client-cert does nothing under verify = off",
	},
	{.name = "peers under off", .text = "[port 443]\nverify = off\nfrom = private\n"},
	{
		.name = "a key that does something for a server",
		.text = "[port 443]\nverify = off\nhosts = names-only\nclient-cert = cn:a\n"
			"[port 443 server a.example]\n" OWN "verify = require\n",
		.at = {2, 1},
		.says = "laxer in verify than [port 443 server a.example]",
	},
};

static void each_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(oddities) / sizeof(oddities[0]); i++) {
		const struct oddity *row = &oddities[i];
		struct policy *policy = parse(row->text);
		struct complaints complaints;

		expect(policy != NULL, "%s: no policy", row->name);
		if (policy == NULL)
			continue;
		complaints_begin(&complaints, "p");
		policy_warn(policy, today, &complaints);
		expect(complaints.errors == 0 && complaints.warnings == (row->at.line > 0),
		       "%s: %zu warnings", row->name, complaints.warnings);
		for (size_t j = 0; j < complaints.count; j++) {
			const struct complaint *complaint = &complaints.list[j];

			expect(row->says != NULL && strstr(complaint->sentence, row->says) != NULL,
			       "%s: says %s", row->name, complaint->sentence);
			expect(complaint->at.line == row->at.line &&
				       complaint->at.column == row->at.column,
			       "%s: at %u:%u", row->name, complaint->at.line, complaint->at.column);
		}
		complaints_clear(&complaints);
		policy_free(policy);
	}
	expectations_met();
}

static size_t warnings_at(const char *text, int64_t now, const char *says)
{
	struct policy *policy = parse(text);
	struct complaints complaints;
	size_t count = 0;

	assert_non_null(policy);
	complaints_begin(&complaints, "p");
	policy_warn(policy, now, &complaints);
	for (size_t i = 0; i < complaints.count; i++)
		count += strstr(complaints.list[i].sentence, says) != NULL;
	complaints_clear(&complaints);
	policy_free(policy);
	return count;
}

static void ranges_grow_old(void **state)
{
	static const char *const keys[] = {"from", "exempt", "proxy-protocol"};
	static const char says[] = "Cloudflare's ranges, as they are built in, are of 20";
	/* Ten years behind any day that they may be of. */
	const int64_t later = today + (int64_t)3650 * DAY;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char text[100];

		snprintf(text, sizeof(text), "[port 443]\n" OWN "%s = loopback, cloudflare\n",
			 keys[i]);
		assert_int_equal(warnings_at(text, later, says), 1);
		assert_int_equal(warnings_at(text, 0, says), 0);
	}
	assert_int_equal(warnings_at("[port 443]\n" OWN "from = private\n", later, says), 0);
}

static void clocks_are_doubted(void **state)
{
	(void)state;
	assert_int_equal(warnings_at("[port 443]\n" OWN "verify = observe until 2030-01-01\n", 0,
				     "the clock of this machine stands before the release"),
			 1);
}

/* 100,000 addresses of one port, all alike: to be warned of in no time. */
static void many_addresses(void **state)
{
	char *text = malloc(POLICY_MAX_BYTES), *end = text;
	struct complaints complaints;
	struct policy *policy;

	(void)state;
	assert_non_null(text);
	end += sprintf(end, "[port *]\n" OWN "[port ");
	for (unsigned i = 0; i < 100000; i++)
		end += sprintf(end, "%s10.%u.%u.%u:443", i > 0 ? ", " : "", i >> 16, i >> 8 & 255,
			       i & 255);
	sprintf(end, "]\n" OWN "plaintext = allow\n");
	policy = parse(text);
	assert_non_null(policy);
	complaints_begin(&complaints, "p");
	policy_warn(policy, today, &complaints);
	assert_int_equal(complaints.warnings, 1);
	complaints_clear(&complaints);
	policy_free(policy);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("what may not be meant is one warning at its place", each_at_its_place),
		TEST("built-in ranges older than a year are warned of where they are used",
		     ranges_grow_old),
		TEST("a clock that was never set is warned of", clocks_are_doubted),
		TEST("100,000 addresses are looked through in no time", many_addresses),
	};

	return RUN_TESTS("policy-warns", tests);
}
