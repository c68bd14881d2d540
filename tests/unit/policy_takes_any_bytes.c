/* Whatever a file holds: a policy, or complaints that point into it. */
#include "policy_effect.h"

static uint32_t seed = 42;
static unsigned policies, refusals;

/* Is there such a place in the text?  Behind the last byte of a line there is one more. */
static bool position_exists(struct position at, const char *text, size_t length)
{
	size_t begin = 0, end = 0;

	for (unsigned line = 1; line <= at.line; line++) {
		const char *newline =
			begin <= length ? memchr(text + begin, '\n', length - begin) : NULL;

		if (begin > length)
			return false;
		end = newline ? (size_t)(newline - text) : length;
		if (line < at.line)
			begin = newline ? end + 1 : length + 1;
	}
	return at.line > 0 && at.column > 0 && at.column <= end - begin + 1;
}

static bool is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text < 0x20 || *text > 0x7e) && *text != '\n' && *text != '\t')
			return false;
	return true;
}

static void try_text(const char *text, size_t length)
{
	struct complaints complaints;
	struct policy *policy = parse_exactly(text, length, &complaints);

	expect((policy == NULL) == (complaints.errors > 0), "%zu errors", complaints.errors);
	for (size_t i = 0; i < complaints.count; i++) {
		const struct complaint *complaint = &complaints.list[i];
		char *picture = complaint_print(&complaints, complaint);

		assert_non_null(picture);
		expect(position_exists(complaint->at, text, length), "no such place: %s", picture);
		expect(is_visible(picture), "control bytes: %s", picture);
		expect(complaint->excerpt != NULL, "no excerpt: %s", picture);
		free(picture);
	}
	if (policy != NULL)
		expect(prints_itself(policy, 10), "another policy is printed");
	*(policy ? &policies : &refusals) += 1;
	policy_free(policy);
	complaints_clear(&complaints);
}

static void chance_bytes(void **state)
{
	static const char likely[] = "[]port=*,#;\"\n\r\t -:.0123456789/acefilmnqrsuvy\0\xff";
	uint8_t text[200];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const size_t length = chance(&seed, sizeof(text) + 1);

		for (size_t i = 0; i < length; i++)
			text[i] = round % 2 ? (uint8_t)chance(&seed, 256)
					    : (uint8_t)likely[chance(&seed, sizeof(likely) - 1)];
		try_text((const char *)text, length);
	}
	expectations_met();
}

/* Words of the language in any order come further than bytes do. */
static void chance_words(void **state)
{
	static const char *const words[] = {
		"[port ",
		"443",
		"8000-8999",
		"*",
		"127.0.0.1:1",
		"[::1]:2",
		"]\n",
		"]",
		", ",
		"verify",
		" = ",
		"off",
		"require",
		"ca",
		"\"",
		"/x",
		"refuse",
		"close",
		"reset",
		"resumption",
		"on",
		"log",
		"json:",
		" ",
		"\n",
		"\n",
		"# c",
		"\r\n",
		"[",
		"port",
		"cloudflare",
		"stderr",
		" server a.example]\n",
		" server ",
		"*.example",
		"from",
		"exempt",
		"10.0.0.0/8",
		"::/0",
		"private",
		"proxy-protocol",
		"only-names",
		"crl",
		"client-cert",
		"cn:",
		"dns:",
		"uri:a:",
		"spki-sha256:",
		"observe",
		"observe until ",
		"2027-01-31",
		"plaintext",
		"acme",
		"allow",
		"hosts",
		"names-only",
		"[port 443]\n",
		"[port 443 server a.example]\n",
	};
	char text[1024];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char *end = text;

		for (unsigned count = chance(&seed, 24); count > 0; count--)
			end = stpcpy(end, words[chance(&seed, sizeof(words) / sizeof(words[0]))]);
		try_text(text, (size_t)(end - text));
	}
	expectations_met();
}

static void truncate_and_mutate(const char *name, const char *text, size_t length)
{
	uint8_t *copy = malloc(length);

	(void)name;
	assert_non_null(copy);
	for (size_t cut = 0; cut <= length; cut++)
		try_text(text, cut);
	for (unsigned round = 0; round < 5000; round++) {
		memcpy(copy, text, length);
		for (unsigned count = 1 + chance(&seed, 3); count > 0; count--)
			copy[chance(&seed, (unsigned)length)] = (uint8_t)chance(&seed, 256);
		try_text((const char *)copy, length);
	}
	free(copy);
}

static void truncations_and_mutations(void **state)
{
	(void)state;
	assert_true(for_each_example(truncate_and_mutate) >= 4);
	expectations_met();
}

static void long_things(void **state)
{
	static const char *const parts[] = {
		"1,", "[port 1]\n", "ca = /a\n",          "[port ", "x", "\"", ",", "\t",
		"\n", "\x01",       "[port 1-2]\nca = ,", "log = ",
	};
	static const char *const starts[] = {"", "[port ", "[port 443]\nca = ", "[port 443]\n"};
	const size_t length = POLICY_MAX_BYTES / 16;
	char *text = malloc(length);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++) {
			size_t used = strlen(starts[i]);

			memcpy(text, starts[i], used);
			for (; used + strlen(parts[j]) <= length; used += strlen(parts[j]))
				memcpy(text + used, parts[j], strlen(parts[j]));
			try_text(text, used);
		}
	}
	free(text);
	expectations_met();
}

static void both_came_about(void **state)
{
	(void)state;
	assert_true(policies > 1000);
	assert_true(refusals > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("any bytes are a policy or complaints", chance_bytes),
		TEST("any words of the language are a policy or complaints", chance_words),
		TEST("so are truncations and mutations of the examples", truncations_and_mutations),
		TEST("so are very long lines, lists and files", long_things),
		TEST("policies and refusals both came about a thousand times", both_came_about),
	};

	return RUN_TESTS("policy-takes-any-bytes", tests);
}
