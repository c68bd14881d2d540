/* What is wrong with a file as a whole, several complaints at once, warnings; and what is not
 * wrong. */
#include "policy.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct policy *parse(struct complaints *complaints, const char *text, size_t length)
{
	complaints_begin(complaints, "p");
	return policy_parse(text, length, complaints);
}

static void too_large(void **state)
{
	const size_t length = POLICY_MAX_BYTES + 1;
	char *text = malloc(length);
	struct complaints complaints;
	struct policy *policy;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', length);
	assert_null(parse(&complaints, text, length));
	assert_int_equal(complaints.errors, 1);
	assert_int_equal(complaints.list[0].at.line, 0);
	assert_non_null(strstr(complaints.list[0].sentence, "over 4 MiB"));
	complaints_clear(&complaints);

	policy = parse(&complaints, text, length - 1);
	assert_non_null(policy);
	policy_free(policy);
	complaints_clear(&complaints);
	free(text);
}

static void nul_byte(void **state)
{
	static const char text[] = "[port 443]\nverify = req\0uire\nnonsense\n";
	struct complaints complaints;

	(void)state;
	assert_null(parse(&complaints, text, sizeof(text) - 1));
	assert_int_equal(complaints.errors, 1);
	assert_int_equal(complaints.list[0].at.line, 2);
	assert_int_equal(complaints.list[0].at.column, 13);
	assert_non_null(strstr(complaints.list[0].sentence, "NUL"));
	complaints_clear(&complaints);
}

static void nul_bytes_in_odd_places(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		struct position at;
	} rows[] = {
		{"\0", 1, {1, 1}},
		{"\n\0", 2, {2, 1}},
		{"# c\0c\n", 6, {1, 4}},
		{"log = off\n\0", 11, {2, 1}},
		{"log = off\0\n", 11, {1, 10}},
		{"log = off\r\0\n", 12, {1, 11}},
		{"\xef\xbb\xbf\0", 4, {1, 1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct complaints complaints;
		struct policy *policy = parse(&complaints, rows[i].text, rows[i].length);
		const struct complaint *last = NULL;

		expect(policy == NULL, "row %zu: taken", i);
		if (complaints.count > 0)
			last = &complaints.list[complaints.count - 1];
		expect(last != NULL && strstr(last->sentence, "NUL") != NULL &&
			       last->at.line == rows[i].at.line &&
			       last->at.column == rows[i].at.column,
		       "row %zu: at %u:%u", i, last ? last->at.line : 0,
		       last ? last->at.column : 0);
		policy_free(policy);
		complaints_clear(&complaints);
	}
	expectations_met();
}

static void several_at_once(void **state)
{
	static const char text[] = "log = of\n"
				   "[port 443]\n"
				   "verify = of\n"
				   "ca = \"/a\n"
				   "refuse = close\n"
				   "[server x]\n"
				   "this is not looked at\n"
				   "[port 443, 80]\n"
				   "verify = of\n";
	static const struct position places[] = {{1, 7}, {3, 10}, {4, 6}, {6, 2}, {9, 10}, {8, 7}};
	struct complaints complaints;

	(void)state;
	assert_null(parse(&complaints, text, strlen(text)));
	assert_int_equal(complaints.errors, sizeof(places) / sizeof(places[0]));
	for (size_t i = 0; i < complaints.count; i++) {
		assert_int_equal(complaints.list[i].at.line, places[i].line);
		assert_int_equal(complaints.list[i].at.column, places[i].column);
	}
	complaints_clear(&complaints);
}

static void wide_range(void **state)
{
	static const char text[] = "[port 1-1000]\n[port 500-600]\n[port 700-800]\n[port 1001]\n";
	struct complaints complaints;

	(void)state;
	assert_null(parse(&complaints, text, strlen(text)));
	assert_int_equal(complaints.errors, 2);
	for (size_t i = 0; i < complaints.count; i++) {
		assert_int_equal(complaints.list[i].at.line, 2 + i);
		assert_non_null(strstr(complaints.list[i].sentence, "overlaps 1-1000 in line 1"));
	}
	complaints_clear(&complaints);
}

/* Texts that are right though they look odd, and what they must come to. */
static const struct {
	const char *name;
	const char *text;
	enum verify verify;
	enum answer refuse;
	const char *ca; /* the first; NULL: cloudflare */
	size_t ca_count;
	uint16_t status;
} good[] = {
	{"nothing at all", "", VERIFY_REQUIRE, ANSWER_REJECT, NULL, 1, 0},
	{"no newline at the end", "[port 443]\nverify = off", VERIFY_OFF, ANSWER_REJECT, NULL, 1,
	 0},
	{"no blanks", "[port 443]\nrefuse=close reset", VERIFY_REQUIRE, ANSWER_CLOSE_RESET, NULL, 1,
	 0},
	{"a status", "[port 443]\nrefuse = reject 400 # c", VERIFY_REQUIRE, ANSWER_REJECT, NULL, 1,
	 400},
	{"the last status, in quotes", "[port 443]\nrefuse = \"reject 599\"", VERIFY_REQUIRE,
	 ANSWER_REJECT, NULL, 1, 599},
	{"CR LF", "[port 443]\r\nca = /a\r\n", VERIFY_REQUIRE, ANSWER_REJECT, "/a", 1, 0},
	{"a byte order mark", "\xef\xbb\xbf[port 443]\nca = /a\n", VERIFY_REQUIRE, ANSWER_REJECT,
	 "/a", 1, 0},
	{"comments", "; c\n\t# [port 1]\n[port 443] # c\n;verify = off\nverify = off # c \"\n",
	 VERIFY_OFF, ANSWER_REJECT, NULL, 1, 0},
	{"a # without a blank", "[port 443]\nca = /a#b\n", VERIFY_REQUIRE, ANSWER_REJECT, "/a#b", 1,
	 0},
	{"a ; behind a blank", "[port 443]\nca = /a ;b\n", VERIFY_REQUIRE, ANSWER_REJECT, "/a ;b",
	 1, 0},
	{"quotes", "[port 443]\nca = \"/a # b, c\" # d\n", VERIFY_REQUIRE, ANSWER_REJECT,
	 "/a # b, c", 1, 0},
	{"quoted words", "[port 443]\nverify = \"off\"\nca = \"cloudflare\"\n", VERIFY_OFF,
	 ANSWER_REJECT, NULL, 1, 0},
	{"lists and repetition", "[port 443]\nca = /c , \"/b\",cloudflare\nverify = off\nca=/a\n",
	 VERIFY_OFF, ANSWER_REJECT, NULL, 4, 0},
	{"an equals sign in a value", "[port 443]\nca = /a=b\n", VERIFY_REQUIRE, ANSWER_REJECT,
	 "/a=b", 1, 0},
	{"blanks in a header", "\t [ port\t1 ,443\t, 1-9,[::1]:443 ]\t# c\nverify = off\n",
	 VERIFY_OFF, ANSWER_REJECT, NULL, 1, 0},
};

static void good_texts(void **state)
{
	const struct endpoint https = {.address = {[15] = 9}, .port = 443};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct complaints complaints;
		struct policy *policy = parse(&complaints, good[i].text, strlen(good[i].text));
		const struct rule *rule = policy ? policy_match(policy, &https) : NULL;

		expect(rule != NULL && complaints.count == 0, "%s: %s", good[i].name,
		       complaints.count > 0 ? complaints.list[0].sentence : "no policy");
		if (rule != NULL) {
			const char *path = rule->ca[0].path;

			expect(rule->verify == good[i].verify && rule->refuse == good[i].refuse &&
				       rule->ca_count == good[i].ca_count &&
				       rule->status == good[i].status,
			       "%s: %s, %s %u, %zu CAs", good[i].name, verify_word(rule->verify),
			       answer_word(rule->refuse), (unsigned)rule->status, rule->ca_count);
			expect(path && good[i].ca ? strcmp(path, good[i].ca) == 0
						  : path == good[i].ca,
			       "%s: ca %s", good[i].name, path ? path : "cloudflare");
		}
		policy_free(policy);
		complaints_clear(&complaints);
	}
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a file over 4 MiB is refused, one of 4 MiB is read", too_large),
		TEST("a NUL byte is an error, and nothing behind it is read", nul_byte),
		TEST("a NUL byte is found wherever it stands", nul_bytes_in_odd_places),
		TEST("several mistakes are told at once, and no follow-up of one", several_at_once),
		TEST("a wide range overlaps each of those inside it", wide_range),
		TEST("comments, quotes, blanks, line ends and lists are understood", good_texts),
	};

	return RUN_TESTS("policy-complains-of-files", tests);
}
