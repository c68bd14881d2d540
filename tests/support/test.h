/* test.h - what every test program includes: cmocka with what it wants before it, and expectations
 * that do not end a test.
 *
 * An expectation that fails is printed and counted, so that one run shows everything that is wrong;
 * expectations_met() at the end of a test fails it.  assert_*() of cmocka stays for what makes the
 * rest of a test meaningless.
 *
 * With CFSHIM_TEST in the environment a program runs the tests alone whose sentence that is; `*`
 * and
 * `?` stand for any characters.
 */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One expectation: where it does not hold, what was seen is printed, and counted. */
void expect(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails the test where an expectation since the last call did not hold. */
void expectations_met(void);

/* Skips the test where programs run under a sanitizer's library, saying why it cannot be had there.
 */
void skip_under_sanitizer(const char *why);

/* Print `text` as comment lines of TAP, under a headline. */
void show_text(const char *headline, const char *text);

/* Group and test fixtures of every program: a folder of its own, and no server left, whatever
 * happened. */
int test_group_begin(void **state);
int test_group_end(void **state);
int test_end(void **state);

/* A row of the table of tests; the name is a sentence. */
#define TEST(sentence, function)                                                       \
	{                                                                              \
		.name = (sentence), .test_func = (function), .teardown_func = test_end \
	}

/* The same, with what the function finds in `*state`: a `type` of these members. */
#define TEST_ROW(sentence, function, type, ...)                                         \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = &(type)                                                \
		{                                                                       \
			__VA_ARGS__                                                     \
		}                                                                       \
	}
#define RUN_TESTS(name, tests)                                                                     \
	_cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), test_group_begin, \
				test_group_end)

#endif
