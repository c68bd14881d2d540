#include "test.h"

#include "scratch.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static unsigned unmet;

/* Before a program has its own say. */
__attribute__((constructor)) static void choose_tests(void)
{
	const char *sentence = getenv("CFSHIM_TEST");

	if (sentence != NULL)
		cmocka_set_test_filter(sentence);
}

void expect(bool holds, const char *format, ...)
{
	va_list arguments;

	if (holds)
		return;
	unmet++;
	va_start(arguments, format);
	fputs("# ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

void expectations_met(void)
{
	unsigned count = unmet;

	unmet = 0;
	if (count > 0)
		fail_msg("%u expectations were not met", count);
}

void skip_under_sanitizer(const char *why)
{
	if (getenv("PRELOAD_FIRST") == NULL)
		return;
	fprintf(stderr, "# not under a sanitizer: %s\n", why);
	skip();
}

void show_text(const char *headline, const char *text)
{
	fprintf(stderr, "# --- %s\n", headline);
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(stderr, "# %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

int test_group_begin(void **state)
{
	(void)state;
	/* Orphans of a server come to us, so that all of it can be waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	scratch_begin();
	return 0;
}

int test_group_end(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

int test_end(void **state)
{
	(void)state;
	unmet = 0;
	server_stop_all();
	return 0;
}
