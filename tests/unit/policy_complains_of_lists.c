/* Each mistake in the values of the lists (names, peers, pins, CRLs), of days, and between server
 * sections and their port's, is one complaint at its place. */
#include "policy_mistake.h"

#define HEX62 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"

static const struct mistake mistakes_in_peers[] = {
	{
		.name = "a word that is none",
		.text = "[port 443]\nfrom = cloudflare, internet\n",
		.at = {2, 20},
		.says = "from takes CIDRs, cloudflare, loopback, private or absolute paths",
		.allows = "not \"internet\"",
	},
	{
		.name = "host bits of IPv4",
		.text = "[port 443]\nexempt = 10.1.2.3/8\n",
		.at = {2, 10},
		.says = "10.1.2.3/8 has bits set behind its prefix; the network is 10.0.0.0/8",
	},
	{
		.name = "host bits of IPv6",
		.text = "[port 443]\nproxy-protocol = 2001:db8::1/32\n",
		.at = {2, 18},
		.says = "the network is 2001:db8::/32",
	},
	{
		.name = "host bits of IPv4 in the form of IPv6",
		.text = "[port 443]\nfrom = ::ffff:10.1.2.3/104\n",
		.at = {2, 8},
		.says = "the network is 10.0.0.0/8",
	},
	{
		.name = "a prefix too long",
		.text = "[port 443]\nfrom = 10.0.0.0/33\n",
		.at = {2, 8},
		.says = "from takes CIDRs",
	},
	{
		.name = "a prefix too long for IPv6",
		.text = "[port 443]\nfrom = ::/129\n",
		.at = {2, 8},
		.says = "from takes CIDRs",
	},
	{
		.name = "a prefix with a leading zero",
		.text = "[port 443]\nfrom = 10.0.0.0/08\n",
		.at = {2, 8},
		.says = "from takes CIDRs",
	},
	{
		.name = "no prefix behind the slash",
		.text = "[port 443]\nfrom = 10.0.0.0/\n",
		.at = {2, 8},
		.says = "from takes CIDRs",
	},
	{
		.name = "a mask",
		.text = "[port 443]\nfrom = 10.0.0.0/255.0.0.0\n",
		.at = {2, 8},
		.says = "from takes CIDRs",
	},
	{
		.name = "a host name",
		.text = "[port 443]\nfrom = lb.example\n",
		.at = {2, 8},
		.says = "from takes CIDRs",
	},
	{
		.name = "a relative path",
		.text = "[port 443]\nfrom = lists/lb\n",
		.at = {2, 8},
		.says = "absolute paths of files of CIDRs",
	},
	{
		.name = "the same CIDR twice",
		.text = "[port 443]\nfrom = 10.0.0.0/8, 192.0.2.0/24\nfrom = ::ffff:10.0.0.0/104\n",
		.at = {3, 8},
		.says = "duplicate value: this section has it already, in line 2; each from",
	},
	{
		.name = "the same address twice",
		.text = "[port 443]\nexempt = 10.0.0.1, 10.0.0.1/32\n",
		.at = {2, 20},
		.says = "duplicate value",
		.allows = "each exempt stands once",
	},
	{
		.name = "the same file twice",
		.text = "[port 443]\nproxy-protocol = /a, /b, /a\n",
		.at = {2, 26},
		.says = "duplicate value",
		.allows = "each proxy-protocol stands once",
	},
	{
		.name = "an exempt peer that is a proxy",
		.text = "[port 443]\nproxy-protocol = 10.0.0.0/8\nexempt = loopback, 10.9.0.0/16\n",
		.at = {3, 20},
		.says = "one of proxy-protocol in line 2 too",
		.allows = "name it in one of the two",
	},
	{
		.name = "a proxy within what is exempt",
		.text = "[port 443]\nexempt = private\nproxy-protocol = 10.1.2.3\n",
		.at = {2, 10},
		.says = "one of proxy-protocol in line 3 too",
	},
	{
		.name = "the same word for both",
		.text = "[port 443]\nexempt = loopback\nproxy-protocol = loopback\n",
		.at = {2, 10},
		.says = "one of proxy-protocol in line 3 too",
	},
};

static const struct mistake mistakes_in_names[] = {
	{
		.name = "an address for a name",
		.text = "[port 443]\nonly-names = a.example, 192.0.2.1\n",
		.at = {2, 25},
		.says = "\"192.0.2.1\" is no server name",
	},
	{
		.name = "a name with its port",
		.text = "[port 443]\nonly-names = a.example:443\n",
		.at = {2, 14},
		.says = "\"a.example:443\" is no server name: clients that are given an address or",
	},
	{
		.name = "a wildcard within a label",
		.text = "[port 443]\nonly-names = www*.example\n",
		.at = {2, 14},
		.says = "a wildcard is the whole of the first label: *.example.com",
	},
	{
		.name = "a wildcard in the second label",
		.text = "[port 443]\nonly-names = www.*.example\n",
		.at = {2, 14},
		.says = "a wildcard is the whole of the first label",
	},
	{
		.name = "a wildcard alone",
		.text = "[port 443]\nonly-names = *\n",
		.at = {2, 14},
		.says = "a wildcard is the whole of the first label",
	},
	{
		.name = "an empty label",
		.text = "[port 443]\nonly-names = a..example\n",
		.at = {2, 14},
		.says = "\"a..example\" is no server name",
		.allows = "letters, digits, - and _",
	},
	{
		.name = "two dots at the end",
		.text = "[port 443]\nonly-names = a.example..\n",
		.at = {2, 14},
		.says = "is no server name",
	},
	{
		.name = "a name of another alphabet",
		.text = "[port 443]\nonly-names = caf\xc3\xa9.example\n",
		.at = {2, 14},
		.says = "other alphabets as xn--",
	},
	{
		.name = "a label of 64 bytes",
		.text = "[port 443]\nonly-names = a."
			"0123456789012345678901234567890123456789012345678901234567890123.example"
			"\n",
		.at = {2, 14},
		.says = "labels of at most 63",
	},
	{
		.name = "the same name twice",
		.text = "[port 443]\nonly-names = a.example, b.example, A.Example.\n",
		.at = {2, 36},
		.says = "duplicate value",
		.allows = "each only-names stands once",
	},
};

static const struct mistake mistakes_in_pins[] = {
	{
		.name = "a pin without its kind",
		.text = "[port 443]\nclient-cert = edge.example\n",
		.at = {2, 15},
		.says = "client-cert takes cn:NAME, dns:NAME, uri:URI, cert-sha256:HEX or "
			"spki-sha256:HEX, not",
	},
	{
		.name = "a digest too short",
		.text = "[port 443]\nclient-cert = spki-sha256:" HEX62 "\n",
		.at = {2, 15},
		.says = "behind spki-sha256: stand the 64 hex digits",
	},
	{
		.name = "a digest with another letter",
		.text = "[port 443]\nclient-cert = cert-sha256:" HEX62 "0g\n",
		.at = {2, 15},
		.says = "behind cert-sha256: stand the 64 hex digits",
	},
	{
		.name = "a digest too long",
		.text = "[port 443]\nclient-cert = cert-sha256:" HEX62 "000\n",
		.at = {2, 15},
		.says = "64 hex digits",
	},
	{
		.name = "an empty name",
		.text = "[port 443]\nclient-cert = cn:\n",
		.at = {2, 15},
		.says = "behind cn: stands a name",
	},
	{
		.name = "a URI without a scheme",
		.text = "[port 443]\nclient-cert = uri:example/edge\n",
		.at = {2, 15},
		.says = "behind uri: stands a URI with its scheme",
	},
	{
		.name = "a wildcard for a client",
		.text = "[port 443]\nclient-cert = dns:*.example\n",
		.at = {2, 15},
		.says = "behind dns: stands one name",
	},
	{
		.name = "the same digest twice",
		.text = "[port 443]\nclient-cert = cert-sha256:" HEX62 "aa\nclient-cert = "
			"cert-sha256:" HEX62 "AA\n",
		.at = {3, 15},
		.says = "duplicate value",
		.allows = "each client-cert stands once",
	},
	{
		.name = "the same DNS name twice",
		.text = "[port 443]\nclient-cert = dns:edge.example\nclient-cert = "
			"dns:Edge.Example\n",
		.at = {3, 15},
		.says = "duplicate value",
	},
	{
		.name = "cloudflare as a CRL",
		.text = "[port 443]\ncrl = cloudflare\n",
		.at = {2, 7},
		.says = "crl takes absolute paths of PEM files, not \"cloudflare\"",
	},
	{
		.name = "the same CRL twice",
		.text = "[port 443]\ncrl = /a, /a\n",
		.at = {2, 11},
		.says = "duplicate value",
		.allows = "each crl stands once",
	},
};

static const struct mistake mistakes_in_words[] = {
	{
		.name = "observe until nothing",
		.text = "[port 443]\nverify = observe until\n",
		.at = {2, 10},
		.says = "verify takes require, observe, observe until and a day (2027-01-31)",
	},
	{
		.name = "a day that does not exist",
		.text = "[port 443]\nverify = observe until 2027-02-29\n",
		.at = {2, 10},
		.says = "not \"observe until 2027-02-29\"",
	},
	{
		.name = "a month that does not exist",
		.text = "[port 443]\nverify = observe until 2027-13-01\n",
		.at = {2, 10},
		.says = "verify takes",
	},
	{
		.name = "a day in another form",
		.text = "[port 443]\nverify = observe until 31.01.2027\n",
		.at = {2, 10},
		.says = "verify takes",
	},
	{
		.name = "a time behind the day",
		.text = "[port 443]\nverify = observe until 2027-01-31 12:00\n",
		.at = {2, 10},
		.says = "verify takes",
	},
	{
		.name = "plaintext in another word",
		.text = "[port 443]\nplaintext = yes\n",
		.at = {2, 13},
		.says = "plaintext takes allow or refuse, not \"yes\"",
	},
	{
		.name = "acme in another word",
		.text = "[port 443]\nacme = on\n",
		.at = {2, 8},
		.says = "acme takes allow or refuse, not \"on\"",
	},
	{
		.name = "hosts in another word",
		.text = "[port 443]\nhosts = off\n",
		.at = {2, 9},
		.says = "hosts takes guard or names-only, not \"off\"",
	},
};

static const struct mistake mistakes_in_servers[] = {
	{
		.name = "a server section without its port's",
		.text = "[port 443]\n [port 8443 server a.example]\n",
		.at = {2, 2},
		.says = "no section [port 8443]; a server section needs the section of its port",
	},
	{
		.name = "a server section of one port of two",
		.text = "[port 443, 8443]\n[port 443 server a.example]\n",
		.at = {2, 1},
		.says = "no section [port 443];",
		.allows = "with the same endpoints in the same order",
	},
	{
		.name = "a server section of the ports in another order",
		.text = "[port 443, 8443]\n[port 8443, 443 server a.example]\n",
		.at = {2, 1},
		.says = "no section [port 8443, 443];",
	},
	{
		.name = "a server section of the default",
		.text = "[port * server a.example]\n",
		.at = {1, 1},
		.says = "no section [port *];",
	},
	{
		.name = "the same server twice",
		.text = "[port 443]\n[port 443 server a.example]\n[port 443  server A.example.]\n",
		.at = {3, 19},
		.says = "duplicate section: server a.example of these ports has one already in "
			"line 2",
	},
	{
		.name = "no name",
		.text = "[port 443]\n[port 443 server]\n",
		.at = {2, 17},
		.says = "a server name is missing here",
	},
	{
		.name = "no name behind a blank",
		.text = "[port 443]\n[port 443 server ]\n",
		.at = {2, 18},
		.says = "a server name is missing here",
	},
	{
		.name = "two names",
		.text = "[port 443]\n[port 443 server a.example, b.example]\n",
		.at = {2, 27},
		.says = "a section is for one server name",
	},
	{
		.name = "two names without a comma",
		.text = "[port 443]\n[port 443 server a.example b.example]\n",
		.at = {2, 28},
		.says = "expected ] after the server name",
	},
	{
		.name = "an address for a name",
		.text = "[port 443]\n[port 443 server 127.0.0.1]\n",
		.at = {2, 18},
		.says = "\"127.0.0.1\" is no server name",
	},
	{
		.name = "a wildcard for two labels",
		.text = "[port 443]\n[port 443 server *.*.example]\n",
		.at = {2, 18},
		.says = "a wildcard is the whole of the first label",
	},
	{
		.name = "a section that is not closed",
		.text = "[port 443]\n[port 443 server a.example\n",
		.at = {2, 27},
		.says = "expected ] after the server name",
	},
	{
		.name = "a wrong endpoint before the server",
		.text = "[port 443]\n[port 443x server a.example]\n",
		.at = {2, 7},
		.says = "\"443x\" in a [port ...] section",
	},
	{
		.name = "a key of the port's section",
		.text = "[port 443]\n[port 443 server a.example]\n from = private\n",
		.at = {3, 2},
		.says = "from stands in the section of the port, and holds for all its servers",
		.allows = "allowed in a [port ... server NAME] section: verify, ca, crl, "
			  "client-cert, refuse, acme, resumption",
	},
	{
		.name = "log in a server section",
		.text = "[port 443]\n[port 443 server a.example]\nlog = off\n",
		.at = {3, 1},
		.says = "log stands before all sections",
	},
	{
		.name = "an unknown key in a server section",
		.text = "[port 443]\n[port 443 server a.example]\nname = b\n",
		.at = {3, 1},
		.says = "unknown key \"name\"",
		.allows = "allowed in a [port ... server NAME] section: verify",
	},
	{
		.name = "a laxer server",
		.text = "[port 465]\n[port 465 server a.example]\nverify = off\n",
		.at = {2, 18},
		.says = "verify differs from [port 465] in line 1, and port 465 is not one of HTTP",
		.allows = "hosts = names-only in line 1's section",
	},
	{
		.name = "a stricter server",
		.text = "[port 993]\nverify = off\n[port 993 server a.example]\nverify = require\n",
		.at = {3, 18},
		.says = "verify differs from [port 993] in line 1",
	},
	{
		.name = "a server that is only observed",
		.text = "[port 636]\n[port 636 server a.example]\nverify = observe\n",
		.at = {2, 18},
		.says = "verify differs",
	},
	{
		.name = "a server that is observed for longer",
		.text = "[port 995]\nverify = observe until 2027-01-01\n"
			"[port 995 server a.example]\nverify = observe until 2027-01-02\n",
		.at = {3, 18},
		.says = "verify differs",
	},
	{
		.name = "a server of another CA",
		.text = "[port 853]\n[port 853 server a.example]\nca = /a, cloudflare\n",
		.at = {2, 18},
		.says = "ca differs from",
	},
	{
		.name = "a server with a CRL",
		.text = "[port 587]\n[port 587 server a.example]\ncrl = /a\n",
		.at = {2, 18},
		.says = "crl differs from",
	},
	{
		.name = "a server of other clients",
		.text = "[port 127.0.0.1:5061]\nclient-cert = cn:a\n[port 127.0.0.1:5061 server "
			"a.example]\n"
			"client-cert = cn:b\n",
		.at = {3, 29},
		.says = "client-cert differs from",
	},
	{
		.name = "one of two servers",
		.text = "[port 443, 8883]\nca = /a\n[port 443, 8883 server b.example]\nrefuse = "
			"close\n"
			"[port 443, 8883 server a.example]\nca = /b\n",
		.at = {5, 24},
		.says = "ca differs from [port 443, 8883] in line 1, and port 8883 is",
	},
};

static void peers(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_peers);
}

static void names(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_names);
}

static void pins(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_pins);
}

static void words(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_words);
}

static void servers(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_servers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a mistaken peer is one complaint at its place", peers),
		TEST("a mistaken server name is one complaint at its place", names),
		TEST("a mistaken pin or CRL is one complaint at its place", pins),
		TEST("a mistaken day or word is one complaint at its place", words),
		TEST("a mistaken server section is one complaint at its place", servers),
	};

	return RUN_TESTS("policy-complains-of-lists", tests);
}
