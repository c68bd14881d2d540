/* What policy_print() writes parses to the same policy: compared by whom it admits, not by its
 * text. */
#include "policy_effect.h"

static void example_prints_itself(const char *name, const char *text, size_t length)
{
	struct complaints complaints;
	struct policy *policy = parse_exactly(text, length, &complaints);

	expect(policy != NULL && complaints.count == 0, "%s: %s", name,
	       complaints.count > 0 ? complaints.list[0].sentence : "no policy");
	if (policy != NULL)
		expect(prints_itself(policy, 32768), "%s: another policy is printed", name);
	policy_free(policy);
	complaints_clear(&complaints);
}

static void examples_print_themselves(void **state)
{
	(void)state;
	assert_true(for_each_example(example_prints_itself) >= 4);
	expectations_met();
}

static const char *const logs[] = {
	"",
	"log = off\n",
	"log=stderr\n",
	"log = /a\n",
	"log = /#,\n",
	"log = \"json:/a # b\"\n",
	"log = json:/x,y z\n",
	"log = syslog # c\n",
};
static const char *const cas[] = {
	"cloudflare",    "\"cloudflare\"", "/a",           "\"/a b\"",  "/a b/c#d",
	"\"/comma, #\"", "/back\\slash",   "/caf\xc3\xa9", "/\001\033", "\"/ends with blank \"",
};
static const char *const addresses[] = {
	"127.0.0.1", "192.0.2.1", "[::ffff:127.0.0.1]", "[::1]", "[2001:DB8::1]", "[2001:db8:0::2]",
};
#define PICK(seed, words) words[chance(seed, sizeof(words) / sizeof((words)[0]))]

/* Ports up to 64 and from 65472, so that scopes of different kinds meet. */
static unsigned any_port(uint32_t *seed)
{
	return chance(seed, 2) ? 1 + chance(seed, 64) : UINT16_MAX - chance(seed, 64);
}

static int put_scope(char *end, uint32_t *seed)
{
	const unsigned port = any_port(seed);
	const unsigned kind = chance(seed, 3);

	if (kind == 0)
		return sprintf(end, "%s:%u", PICK(seed, addresses), port);
	if (kind == 1 && port < UINT16_MAX - 4)
		return sprintf(end, "%u-%u", port, port + chance(seed, 4));
	return sprintf(end, "%u", port);
}

static int put_section(char *text, uint32_t *seed)
{
	char *end = text;

	if (chance(seed, 8) == 0) {
		end += sprintf(end, "[port *]\n");
	} else {
		end += sprintf(end, "[port ");
		for (unsigned scopes = chance(seed, 3); scopes > 0; scopes--) {
			end += put_scope(end, seed);
			end += sprintf(end, " , ");
		}
		end += put_scope(end, seed);
		end += sprintf(end, "]\n");
	}
	for (unsigned count = chance(seed, 3); count > 0; count--)
		end += sprintf(end, "ca = %s, %s\n", PICK(seed, cas), PICK(seed, cas));
	if (chance(seed, 2))
		end += sprintf(end, "verify = %s\n",
			       verify_word(chance(seed, 2) ? VERIFY_OFF : VERIFY_REQUIRE));
	if (chance(seed, 4) == 0)
		end += sprintf(end, "refuse = reject %u\n", 400 + chance(seed, 200));
	else if (chance(seed, 2))
		end += sprintf(end, "refuse = %s\n",
			       answer_word((enum answer)chance(seed, ANSWER_CLOSE_RESET + 1)));
	if (chance(seed, 2))
		end += sprintf(end, "resumption = %s\n",
			       resumption_word(chance(seed, 2) ? RESUMPTION_ON : RESUMPTION_OFF));
	return (int)(end - text);
}

/* Many of these clash and are not policies; enough of them are. */
static void chance_policies_print_themselves(void **state)
{
	const unsigned wanted = 5000;
	unsigned tried = 0, printed = 0;
	uint32_t seed = 20260101;

	(void)state;
	for (; printed < wanted && tried < 50 * wanted; tried++) {
		struct complaints complaints;
		struct policy *policy;
		char text[4096], *end = text;

		end += sprintf(end, "%s", PICK(&seed, logs));
		for (unsigned sections = chance(&seed, 6); sections > 0; sections--)
			end += put_section(end, &seed);
		policy = parse_exactly(text, (size_t)(end - text), &complaints);
		if (policy != NULL) {
			printed++;
			expect(prints_itself(policy, 80), "policy %u: another is printed", tried);
		}
		policy_free(policy);
		complaints_clear(&complaints);
	}
	expect(printed == wanted, "only %u policies of %u texts", printed, tried);
	expectations_met();
}

static void everything_is_spelled_out(void **state)
{
	static const char text[] = "[port 443]\nca = /b, \"/a b\"\n";
	static const char expected[] = "log = stderr\n"
				       "\n"
				       "[port 443]\n"
				       "verify = require\n"
				       "ca = \"/a b\", /b\n"
				       "refuse = reject\n"
				       "resumption = off\n"
				       "\n"
				       "[port *]\n"
				       "verify = require\n"
				       "ca = cloudflare\n"
				       "refuse = reject\n"
				       "resumption = off\n";
	struct complaints complaints;
	struct policy *policy = parse_exactly(text, strlen(text), &complaints);
	char *printed;

	(void)state;
	assert_non_null(policy);
	printed = policy_print(policy);
	assert_string_equal(printed, expected);
	free(printed);
	policy_free(policy);
	complaints_clear(&complaints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("every example parses without a complaint and prints itself",
		     examples_print_themselves),
		TEST("5000 policies made by chance print themselves",
		     chance_policies_print_themselves),
		TEST("what is printed spells out every key, and the built-in default",
		     everything_is_spelled_out),
	};

	return RUN_TESTS("policy-prints-itself", tests);
}
