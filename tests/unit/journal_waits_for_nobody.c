/* A log that nobody reads stops nobody: the pipe behind stderr may be full, or its reader gone. */
#include "journal.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct refusal refusal = {.reason = REASON_NO_CERTIFICATE};

/* stderr is a pipe; `reader` is its other end.  The old stderr comes back with restore_stderr(). */
static int replace_stderr(int *reader)
{
	int ends[2];
	int old = dup(STDERR_FILENO);

	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	*reader = ends[0];
	return old;
}

static void restore_stderr(int old)
{
	dup2(old, STDERR_FILENO);
	close(old);
}

static void writes_a_line(void **state)
{
	char text[512] = "";
	int reader, old = replace_stderr(&reader);
	ssize_t length;

	(void)state;
	journal_open((struct log_choice){.target = LOG_STDERR}, NULL);
	journal_refused(&refusal);
	length = read(reader, text, sizeof(text) - 1);
	restore_stderr(old);
	close(reader);
	assert_true(length > 0 && text[length - 1] == '\n');
	assert_non_null(strstr(text, ": refused reason=no-certificate port=- peer=- "));
}

static void does_not_wait(void **state)
{
	static const char filling[4096];
	int reader, old = replace_stderr(&reader);

	(void)state;
	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	while (write(STDERR_FILENO, filling, sizeof(filling)) > 0)
		;
	fcntl(STDERR_FILENO, F_SETFL, 0);
	journal_open((struct log_choice){.target = LOG_STDERR}, NULL);
	alarm(5); /* ends the program where the line waits */
	journal_refused(&refusal);
	alarm(0);
	restore_stderr(old);
	close(reader);
}

static void does_not_die(void **state)
{
	int reader, old = replace_stderr(&reader);

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	journal_open((struct log_choice){.target = LOG_STDERR}, NULL);
	close(reader);
	errno = 0;
	journal_refused(&refusal);
	restore_stderr(old);
	assert_int_equal(errno, 0);
}

/* The host has closed its stderr, and the number is a client's by now. */
static void leaves_others_alone(void **state)
{
	int reader, other[2], old = replace_stderr(&reader);
	char byte;

	(void)state;
	journal_open((struct log_choice){.target = LOG_STDERR}, NULL);
	assert_int_equal(pipe(other), 0);
	dup2(other[1], STDERR_FILENO);
	journal_refused(&refusal);
	fcntl(other[0], F_SETFL, O_NONBLOCK);
	assert_true(read(other[0], &byte, 1) < 0 && errno == EAGAIN);
	restore_stderr(old);
	close(other[0]);
	close(other[1]);
	close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a refusal is a line on stderr", writes_a_line),
		TEST("a full pipe is not waited for", does_not_wait),
		TEST("a reader that has gone does not end the program", does_not_die),
		TEST("a descriptor that is another's by now is left alone", leaves_others_alone),
	};

	return RUN_TESTS("journal", tests);
}
