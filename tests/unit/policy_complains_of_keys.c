/* Each mistake in a key or its value is one complaint, at its line and column, that says what is
 * allowed. */
#include "policy_mistake.h"

#define PORT_KEYS                                                                             \
	"allowed in a [port ...] section: verify, ca, crl, client-cert, refuse, only-names, " \
	"from, exempt, proxy-protocol, plaintext, acme, resumption, hosts"

static const struct mistake mistakes_in_keys[] = {
	{
		.name = "an unknown key",
		.text = "[port 443]\nobserve = yes\n",
		.at = {2, 1},
		.says = "unknown key \"observe\";",
		.allows = PORT_KEYS,
	},
	{
		.name = "an unknown key before all sections",
		.text = "# c\n\n \tcolour = red\n",
		.at = {3, 3},
		.says = "unknown key \"colour\"",
		.allows = "allowed before all sections: log",
	},
	{
		.name = "a key with a letter too few is nearly another",
		.text = "[port 443]\nrefse = close\n",
		.at = {2, 1},
		.says = "did you mean refuse?",
		.allows = PORT_KEYS,
	},
	{
		.name = "a key with two letters that changed places is nearly another",
		.text = "[port 443]\nverfiy = off\n",
		.at = {2, 1},
		.says = "did you mean verify?",
	},
	{
		.name = "a key with two letters too many is not nearly another",
		.text = "[port 443]\nverifyed = off\n",
		.at = {2, 1},
		.says = "unknown key \"verifyed\"; allowed",
	},
	{
		.name = "a key in capitals is nearly another",
		.text = "[port 443]\n\tVERIFY = off\n",
		.at = {2, 2},
		.says = "unknown key \"VERIFY\" (did you mean verify?)",
	},
	{
		.name = "a key with an underscore is another",
		.text = "[port 443]\nclient_cert = cn:edge\n",
		.at = {2, 1},
		.says = "unknown key \"client_cert\" (did you mean client-cert?);",
	},
	{
		.name = "a key outside a section",
		.text = "verify = off\n",
		.at = {1, 1},
		.says = "verify stands in a section",
		.allows = "allowed before all sections: log",
	},
	{
		.name = "log inside a section",
		.text = "[port 443]\nlog = off\n",
		.at = {2, 1},
		.says = "log stands before all sections",
		.allows = PORT_KEYS,
	},
	{
		.name = "a duplicate key",
		.text = "[port 443]\nverify = off\nrefuse = close\n verify = require\n",
		.at = {4, 2},
		.says = "duplicate key: verify stands already in line 2",
	},
	{
		.name = "a duplicate log",
		.text = "log = off\nlog = off\n",
		.at = {2, 1},
		.says = "duplicate key: log stands already in line 1",
	},
	{
		.name = "a duplicate of a key whose value was wrong",
		.text = "[port 443]\nverify = off\nverify = of\n",
		.at = {3, 1},
		.says = "duplicate key",
	},
	{
		.name = "no key",
		.text = "[port 443]\n = off\n",
		.at = {2, 2},
		.says = "no key before the =",
	},
	{
		.name = "text that is neither a section nor a key",
		.text = "[port 443]\n  verify require\n",
		.at = {2, 3},
		.says = "neither a section",
		.allows = "nor key = value",
	},
	{
		.name = "an equals sign in a comment does not make a key",
		.text = "[port 443]\nverify # = off\n",
		.at = {2, 1},
		.says = "neither a section",
	},
};

static const struct mistake mistakes_in_values[] = {
	{
		.name = "an unknown value of verify",
		.text = "[port 443]\nverify =  maybe # try\n",
		.at = {2, 11},
		.says = "verify takes require, observe, observe until and a day (2027-01-31), or "
			"off",
		.allows = "not \"maybe\"",
	},
	{
		.name = "a value in another case",
		.text = "[port 443]\nverify = Off\n",
		.at = {2, 10},
		.says = "or off, not \"Off\"",
	},
	{
		.name = "an unknown value of resumption",
		.text = "[port 443]\nresumption = yes\n",
		.at = {2, 14},
		.says = "resumption takes on or off, not \"yes\"",
	},
	{
		.name = "an unknown value of refuse",
		.text = "[port 443]\nrefuse = drop\n",
		.at = {2, 10},
		.says = "refuse takes reject, reject 400 to reject 599, close or close reset, not "
			"\"drop\"",
	},
	{
		.name = "a status that is none of an error",
		.text = "[port 443]\nrefuse = reject 399\n",
		.at = {2, 10},
		.says = "not \"reject 399\"",
	},
	{
		.name = "a status beyond the last",
		.text = "[port 443]\nrefuse = reject 600\n",
		.at = {2, 10},
		.says = "not \"reject 600\"",
	},
	{
		.name = "a status of two digits",
		.text = "[port 443]\nrefuse = reject 40\n",
		.at = {2, 10},
		.says = "not \"reject 40\"",
	},
	{
		.name = "a status of four digits",
		.text = "[port 443]\nrefuse = reject 4030\n",
		.at = {2, 10},
		.says = "not \"reject 4030\"",
	},
	{
		.name = "a status with text behind it",
		.text = "[port 443]\nrefuse = reject 403x\n",
		.at = {2, 10},
		.says = "not \"reject 403x\"",
	},
	{
		.name = "two blanks before a status",
		.text = "[port 443]\nrefuse = reject  403\n",
		.at = {2, 10},
		.says = "not \"reject  403\"",
	},
	{
		.name = "a status of close",
		.text = "[port 443]\nrefuse = close 403\n",
		.at = {2, 10},
		.says = "not \"close 403\"",
	},
	{
		.name = "a status alone",
		.text = "[port 443]\nrefuse = 403\n",
		.at = {2, 10},
		.says = "not \"403\"",
	},
	{
		.name = "a list where one value belongs",
		.text = "[port 443]\nrefuse = reject, close\n",
		.at = {2, 10},
		.says = "not \"reject, close\"",
	},
	{
		.name = "an unknown value of log",
		.text = "log = stdout\n",
		.at = {1, 7},
		.says = "log takes stderr, syslog, an absolute path, json: and an absolute path, "
			"or off",
	},
	{
		.name = "a relative path of log",
		.text = "log = json:var/log/x\n",
		.at = {1, 7},
		.says = "not \"json:var/log/x\"",
	},
	{
		.name = "a relative path of ca",
		.text = "[port 443]\nca = cloudflare, zone.pem\n",
		.at = {2, 18},
		.says = "ca takes cloudflare or absolute paths of PEM files, not \"zone.pem\"",
	},
	{
		.name = "a relative path in quotes",
		.text = "[port 443]\nca = \"etc/zone.pem\"\n",
		.at = {2, 6},
		.says = "absolute paths",
	},
	{
		.name = "a very long value is cut in the sentence",
		.text = "[port 443]\nverify = "
			"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst"
			"\n",
		.at = {2, 10},
		.says = "nopqrstuvwxyzabcdefgh...\"",
	},
	{
		.name = "an empty value",
		.text = "[port 443]\nverify =\n",
		.at = {2, 9},
		.says = "empty value; verify takes require",
	},
	{
		.name = "an empty value before a comment",
		.text = "[port 443]\nverify =   # off\n",
		.at = {2, 12},
		.says = "empty value",
	},
	{
		.name = "an empty value in quotes",
		.text = "[port 443]\nca = \"\"\n",
		.at = {2, 6},
		.says = "empty value; ca takes cloudflare",
	},
	{
		.name = "an empty value in a list",
		.text = "[port 443]\nca = /a, , /b\n",
		.at = {2, 10},
		.says = "empty value",
	},
	{
		.name = "an empty value at the end of a list",
		.text = "[port 443]\nca = /a,\n",
		.at = {2, 9},
		.says = "empty value",
	},
	{
		.name = "an unterminated quote",
		.text = "[port 443]\nca = /a, \"/b # c\nverify = off\n",
		.at = {2, 10},
		.says = "quote is not closed",
	},
	{
		.name = "text after a closing quote",
		.text = "[port 443]\nca = \"/a\" b\n",
		.at = {2, 11},
		.says = "text after the closing quote",
		.allows = "only a comma or a comment",
	},
	{
		.name = "a comma after a closing quote where one value belongs",
		.text = "log = \"/a\", off\n",
		.at = {1, 11},
		.says = "text after the closing quote; only a comment",
	},
	{
		.name = "a # that touches the closing quote",
		.text = "log = \"/a\"# c\n",
		.at = {1, 11},
		.says = "text after the closing quote",
	},
	{
		.name = "a quote inside a value",
		.text = "[port 443]\nca = /a\"b\"\n",
		.at = {2, 8},
		.says = "a quote inside a value",
	},
	{
		.name = "the same CA file twice",
		.text = "[port 443]\nca = /a, /b\nca = \"/a\"\n",
		.at = {3, 6},
		.says = "duplicate value: this section has it already, in line 2",
	},
	{
		.name = "cloudflare twice",
		.text = "[port 443]\nca = cloudflare, /a, cloudflare\n",
		.at = {2, 22},
		.says = "duplicate value",
	},
};

static void mistaken_keys(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_keys);
}

static void mistaken_values(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a mistaken key is one complaint at its place", mistaken_keys),
		TEST("a mistaken value is one complaint at its place", mistaken_values),
	};

	return RUN_TESTS("policy-complains-of-keys", tests);
}
