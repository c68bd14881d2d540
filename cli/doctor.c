/* doctor.c - `cfshim doctor [PROGRAM|PID|--all]`: does the library cover it? */
#include "doctor.h"

#include "arguments.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A number is a process; a program of such a name is ./4242. */
static bool parse_pid(const char *text, pid_t *pid)
{
	char *end;
	const unsigned long number = strtoul(text, &end, 10);

	*pid = (pid_t)number;
	return *text >= '1' && *text <= '9' && *end == '\0' && number <= INT_MAX;
}

static bool is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

enum status doctor_verb(int argc, char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);
	const char *policy = arguments.options[OPTION_doctor_policy];
	const char *what = arguments.operands[0];
	bool all = arguments.options[OPTION_doctor_all] != NULL;
	pid_t pid;

	if (status != STATUS_GOOD)
		return status;
	if (arguments.count > 1)
		return refuse_usage("doctor", "one is enough: %s is too much",
				    arguments.operands[1]);
	if (what != NULL && all)
		return refuse_usage("doctor", "--all is the whole machine: %s is too much", what);
	if (all)
		return doctor_all(policy);
	/* Of a unit without a main process, $MAINPID is nothing at all: that must not pass. */
	if (what == NULL || *what == '\0')
		return refuse_usage("doctor",
				    "a program, the number of a process, or --all is missing");
	if (parse_pid(what, &pid))
		return doctor_process(pid, policy);
	if (is_number(what))
		return refuse_usage("doctor", "a process has a number from 1 to %d, not %s",
				    INT_MAX, what);
	return doctor_program(what, policy);
}
