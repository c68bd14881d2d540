/* Each mistake in a section header is one complaint, at its line and column, that says what is
 * allowed. */
#include "policy_mistake.h"

#define ENDPOINTS "a port, a range 8000-8999, an address 127.0.0.1:443 or [::1]:443, or *"

static const struct mistake mistakes_in_sections[] = {
	{
		.name = "a section of another kind",
		.text = "[server a.example]\nverify = nonsense\nblah\n[port 443]\nverify = off\n",
		.at = {1, 2},
		.says = "unknown section \"server\"",
		.allows = "sections are [port ...]",
	},
	{
		.name = "a section without a name",
		.text = "[ ]\n",
		.at = {1, 3},
		.says = "unknown section \"\"",
	},
	{
		.name = "port in capitals",
		.text = "[Port 443]\n",
		.at = {1, 2},
		.says = "unknown section \"Port\"",
	},
	{
		.name = "port and number in one word",
		.text = "[port443]\n",
		.at = {1, 2},
		.says = "unknown section \"port443\"",
	},
	{
		.name = "a port and a word that is not server",
		.text = "[port 443]\n[port 443 servers shop.example]\nca = /a\n",
		.at = {2, 11},
		.says = "expected a comma, or ]",
	},
	{
		.name = "ports without a comma",
		.text = "[port 443 8443]\n",
		.at = {1, 11},
		.says = "expected a comma, or ]",
	},
	{
		.name = "blanks around a dash",
		.text = "[port 8000 - 8999]\n",
		.at = {1, 12},
		.says = "expected a comma, or ]",
	},
	{
		.name = "no endpoint",
		.text = "[port]\n",
		.at = {1, 6},
		.says = "an endpoint is missing",
		.allows = ENDPOINTS,
	},
	{
		.name = "no endpoint between commas",
		.text = "[port 443, , 444]\n",
		.at = {1, 12},
		.says = "an endpoint is missing",
	},
	{
		.name = "no endpoint behind the last comma",
		.text = "[port 443,]\n",
		.at = {1, 11},
		.says = "an endpoint is missing",
	},
	{
		.name = "a section that is not closed",
		.text = "[port 443\nverify = off\n",
		.at = {1, 10},
		.says = "not closed",
	},
	{
		.name = "a section whose bracket stands in a comment",
		.text = "[port 443 # ]\n",
		.at = {1, 11},
		.says = "not closed",
	},
	{
		.name = "text behind a section",
		.text = "[port 443] verify = off\n",
		.at = {1, 12},
		.says = "stands alone in its line",
	},
	{
		.name = "* in a list",
		.text = "[port 443, *]\n",
		.at = {1, 12},
		.says = "* stands alone in its section",
	},
	{
		.name = "a list behind *",
		.text = "[port *, 443]\n[port *]\n",
		.at = {1, 7},
		.says = "* stands alone in its section",
	},
	{
		.name = "the same port in two sections",
		.text = "[port 443]\n\n[port 80, 443]\n",
		.at = {3, 11},
		.says = "duplicate section: 443 stands already in line 1",
	},
	{
		.name = "the same port twice in a list",
		.text = "[port 443, 443]\n",
		.at = {1, 12},
		.says = "duplicate section: 443 stands already in line 1",
	},
	{
		.name = "a range of one port and that port",
		.text = "[port 443]\n[port 443-443]\n",
		.at = {2, 7},
		.says = "duplicate section: 443",
	},
	{
		.name = "the same range twice",
		.text = "[port 1-9]\n[port 1-9]\n",
		.at = {2, 7},
		.says = "duplicate section: 1-9 stands already in line 1",
	},
	{
		.name = "* in two sections",
		.text = "[port *]\n[port *]\n",
		.at = {2, 7},
		.says = "duplicate section: * stands already in line 1",
	},
	{
		.name = "an address and its mapped form",
		.text = "[port 127.0.0.1:443]\n[port [::ffff:127.0.0.1]:443]\n",
		.at = {2, 7},
		.says = "duplicate section: 127.0.0.1:443 stands already in line 1",
	},
	{
		.name = "an IPv6 address in two spellings",
		.text = "[port [::1]:443]\n[port [0:0::0:1]:443]\n",
		.at = {2, 7},
		.says = "duplicate section: [::1]:443 stands already in line 1",
	},
	{
		.name = "ranges that share a port",
		.text = "[port 10-20]\n[port 20-30]\n",
		.at = {2, 7},
		.says = "20-30 overlaps 10-20 in line 1",
	},
	{
		.name = "ranges with the same first port",
		.text = "[port 1-9]\n[port 1-5]\n",
		.at = {2, 7},
		.says = "1-5 overlaps 1-9 in line 1",
	},
	{
		.name = "a later range that begins lower",
		.text = "[port 10-20]\n[port 1-10]\n",
		.at = {2, 7},
		.says = "1-10 overlaps 10-20 in line 1",
	},
	{
		.name = "a range inside a range, with others between",
		.text = "[port 1-1000]\n[port 2000-3000, 500-600]\n",
		.at = {2, 18},
		.says = "500-600 overlaps 1-1000 in line 1",
	},
};

static const struct mistake mistakes_in_endpoints[] = {
	{.name = "port 0", .text = "[port 0]\n", .at = {1, 7}, .says = "from 1 to 65535"},
	{.name = "port 65536", .text = "[port 1, 65536]\n", .at = {1, 10}, .says = "\"65536\""},
	{.name = "a port of many digits",
	 .text = "[port 4294967739]\n",
	 .at = {1, 7},
	 .says = "65535"},
	{.name = "a leading zero", .text = "[port 0443]\n", .at = {1, 7}, .says = "leading zeros"},
	{.name = "a sign", .text = "[port +443]\n", .at = {1, 7}, .says = ENDPOINTS},
	{.name = "a minus", .text = "[port -443]\n", .at = {1, 7}, .says = "from 1 to 65535"},
	{.name = "a name", .text = "[port https]\n", .at = {1, 7}, .says = ENDPOINTS},
	{.name = "a quoted port", .text = "[port \"443\"]\n", .at = {1, 7}, .says = ENDPOINTS},
	{.name = "a comment without blank",
	 .text = "[port 443#x]\n",
	 .at = {1, 7},
	 .says = "443#x"},
	{
		.name = "a reversed range",
		.text = "[port 8999-8000]\n",
		.at = {1, 7},
		.says = "begins with its lower port",
	},
	{.name = "a range from 0", .text = "[port 0-9]\n", .at = {1, 7}, .says = "from 1"},
	{.name = "a range to 65536", .text = "[port 9-65536]\n", .at = {1, 7}, .says = "65535"},
	{.name = "an open range", .text = "[port 8000-]\n", .at = {1, 7}, .says = "two ports"},
	{.name = "a range of three", .text = "[port 1-2-3]\n", .at = {1, 7}, .says = "two ports"},
	{.name = "no address", .text = "[port :443]\n", .at = {1, 7}, .says = ENDPOINTS},
	{.name = "no port", .text = "[port 127.0.0.1]\n", .at = {1, 7}, .says = ENDPOINTS},
	{.name = "an empty port", .text = "[port 127.0.0.1:]\n", .at = {1, 7}, .says = "from 1"},
	{.name = "port 0 there", .text = "[port [::1]:0]\n", .at = {1, 7}, .says = "from 1"},
	{.name = "a range there", .text = "[port 127.0.0.1:1-2]\n", .at = {1, 7}, .says = "from 1"},
	{.name = "a host name", .text = "[port localhost:443]\n", .at = {1, 7}, .says = "names"},
	{.name = "* with a port", .text = "[port *:443]\n", .at = {1, 7}, .says = "127.0.0.1:443"},
	{.name = "octal", .text = "[port 010.0.0.1:443]\n", .at = {1, 7}, .says = "leading zeros"},
	{.name = "shorthand", .text = "[port 127.1:443]\n", .at = {1, 7}, .says = "in full"},
	{.name = "hexadecimal", .text = "[port 0x7f.0.0.1:443]\n", .at = {1, 7}, .says = "in full"},
	{.name = "one number", .text = "[port 2130706433:443]\n", .at = {1, 7}, .says = "in full"},
	{.name = "256", .text = "[port 127.0.0.256:443]\n", .at = {1, 7}, .says = "127.0.0.1:443"},
	{.name = "a zone id", .text = "[port [fe80::1%lo]:443]\n", .at = {1, 7}, .says = "zones"},
	{.name = "no brackets", .text = "[port ::1:443]\n", .at = {1, 7}, .says = "[::1]:443"},
	{.name = "brackets only", .text = "[port [::1]]\n", .at = {1, 7}, .says = "[::1]:443"},
	{.name = "an open bracket", .text = "[port [::1:443]\n", .at = {1, 7}, .says = "[::1]:443"},
	{
		.name = "IPv4 in brackets",
		.text = "[port [127.0.0.1]:443]\n",
		.at = {1, 7},
		.says = "127.0.0.1:443 or",
	},
	{.name = "two double colons",
	 .text = "[port [1::2::3]:443]\n",
	 .at = {1, 7},
	 .says = "[::1]"},
	{
		.name = "a word longer than any endpoint",
		.text = "[port 1, "
			"1234567890123456789012345678901234567890123456789012345678901234567890]\n",
		.at = {1, 10},
		.says = "...\" in a [port ...] section",
		.allows = ENDPOINTS,
	},
	{
		.name = "every IPv4 address",
		.text = "[port 0.0.0.0:443]\n",
		.at = {1, 7},
		.says = "write the port alone, as in [port 443]",
	},
	{
		.name = "every IPv6 address",
		.text = "[port 80, [::]:443]\n",
		.at = {1, 11},
		.says = "write the port alone, as in [port 443]",
	},
	{
		.name = "every IPv4 address, mapped",
		.text = "[port [::ffff:0.0.0.0]:443]\n",
		.at = {1, 7},
		.says = "write the port alone",
	},
};

static void mistaken_sections(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_sections);
}

static void mistaken_endpoints(void **state)
{
	(void)state;
	COMPLAIN_ONCE_EACH(mistakes_in_endpoints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a mistaken section is one complaint at its place", mistaken_sections),
		TEST("a mistaken endpoint is one complaint at its place", mistaken_endpoints),
	};

	return RUN_TESTS("policy-complains-of-sections", tests);
}
