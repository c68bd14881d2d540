/* How a complaint looks: headline, line, caret.  What it says is policy_complains.c's matter. */
#include "complaint.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

struct picture_case {
	const char *name;
	const char *file;
	struct position at;
	const char *line;
	const char *sentence;
	const char *picture;
};

#define TEN       "0123456789"
#define FIFTY     TEN TEN TEN TEN TEN
#define BLANKS_60 "                                                            "

static const struct picture_case picture_cases[] = {
	{
		.name = "a caret under the first byte",
		.file = "p.conf",
		.at = {1, 1},
		.line = "bla",
		.sentence = "what",
		.picture = "p.conf:1:1: what\nbla\n^\n",
	},
	{
		.name = "a caret behind the last byte",
		.file = "p.conf",
		.at = {7, 9},
		.line = "verify =",
		.sentence = "empty",
		.picture = "p.conf:7:9: empty\nverify =\n        ^\n",
	},
	{
		.name = "a column far behind the line's end falls back to it",
		.file = "p.conf",
		.at = {7, 4000},
		.line = "ab",
		.sentence = "x",
		.picture = "p.conf:7:4000: x\nab\n  ^\n",
	},
	{
		.name = "tabs are repeated in the padding",
		.file = "p.conf",
		.at = {2, 5},
		.line = "\ta\tbc",
		.sentence = "x",
		.picture = "p.conf:2:5: x\n\ta\tbc\n\t \t ^\n",
	},
	{
		.name = "bytes that are not printable come out as \\xHH, and the caret moves along",
		.file = "p\033[2J.conf",
		.at = {3, 4},
		.line = "a\033\xc3z",
		.sentence = "not \"\007\xff\"",
		.picture = "p\\x1b[2J.conf:3:4: not \"\\x07\\xff\"\na\\x1b\\xc3z\n         ^\n",
	},
	{
		.name = "of a long line only what stands around the column",
		.file = "p",
		.at = {1, 101},
		.line = FIFTY FIFTY "X" FIFTY FIFTY,
		.sentence = "x",
		.picture = "p:1:101: x\n..." FIFTY TEN "X" TEN TEN TEN "012345678...\n   " BLANKS_60
			   "^\n",
	},
	{
		.name = "the file as a whole has neither line nor caret",
		.file = "/etc/p",
		.at = {0, 0},
		.sentence = "too large",
		.picture = "/etc/p: too large\n",
	},
};

static void looks_as_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(picture_cases) / sizeof(picture_cases[0]); i++) {
		const struct picture_case *row = &picture_cases[i];
		struct complaints complaints;
		char *picture;

		complaints_begin(&complaints, row->file);
		complain(&complaints, SEVERITY_ERROR, row->at, row->line, "%s", row->sentence);
		assert_int_equal(complaints.count, 1);
		picture = complaint_print(&complaints, complaints_first_error(&complaints));
		expect(strcmp(picture, row->picture) == 0, "%s: saw\n%s", row->name, picture);
		free(picture);
		complaints_clear(&complaints);
	}
	expectations_met();
}

static void warning_says_so(void **state)
{
	struct complaints complaints;
	char headline[64];

	(void)state;
	complaints_begin(&complaints, "p");
	complain(&complaints, SEVERITY_WARNING, (struct position){4, 2}, "ab", "old");
	complaint_headline(&complaints, &complaints.list[0], headline, sizeof(headline));
	assert_string_equal(headline, "p:4:2: warning: old");
	assert_null(complaints_first_error(&complaints));
	assert_int_equal(complaints.errors, 0);
	assert_int_equal(complaints.warnings, 1);
	complaints_clear(&complaints);
}

static void headline_is_cut_to_its_buffer(void **state)
{
	static const char whole[] = "p:1:1: \\x01 and more";
	struct complaints complaints;
	char buffer[sizeof(whole) + 1];

	(void)state;
	complaints_begin(&complaints, "p");
	complain(&complaints, SEVERITY_ERROR, (struct position){1, 1}, "x", "\001 and more");
	for (size_t size = 0; size <= sizeof(buffer); size++) {
		const size_t fits = size < sizeof(whole) ? size : sizeof(whole);
		size_t wanted;

		memset(buffer, '!', sizeof(buffer));
		wanted = complaint_headline(&complaints, &complaints.list[0], buffer, size);
		assert_int_equal(wanted, strlen(whole));
		if (size > 0)
			assert_int_equal(strlen(buffer), fits - 1);
		assert_memory_equal(buffer, whole, size > 0 ? fits - 1 : 0);
		for (size_t i = fits; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], '!');
	}
	complaints_clear(&complaints);
}

static void an_error_finds_room_among_warnings(void **state)
{
	struct complaints complaints;

	(void)state;
	complaints_begin(&complaints, "p");
	for (unsigned i = 0; i < 1000; i++)
		complain(&complaints, SEVERITY_WARNING, (struct position){1, 1}, "x", "w%u", i);
	assert_int_equal(complaints.warnings, 1000);
	complain(&complaints, SEVERITY_ERROR, (struct position){1, 1}, "x", "the cause");
	for (unsigned i = 0; i < 1000; i++)
		complain(&complaints, SEVERITY_ERROR, (struct position){1, 1}, "x", "e%u", i);
	assert_int_equal(complaints.errors, 1001);
	assert_int_equal(complaints.count, COMPLAINTS_MAX);
	assert_non_null(complaints_first_error(&complaints));
	assert_string_equal(complaints_first_error(&complaints)->sentence, "the cause");
	assert_false(complaints.out_of_memory);
	complaints_clear(&complaints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a complaint is a headline, the line and a caret under its column",
		     looks_as_it_should),
		TEST("a warning is told from an error", warning_says_so),
		TEST("a headline is cut to its buffer, and tells the length wanted",
		     headline_is_cut_to_its_buffer),
		TEST("an error finds room, however many warnings and errors there are",
		     an_error_finds_room_among_warnings),
	};

	return RUN_TESTS("policy-shows-complaints", tests);
}
