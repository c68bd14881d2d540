/* doctor.c - `cfshim doctor [PROGRAM|PID|--all]`: does the library cover it? */
#include "doctor.h"

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
	const char *policy = NULL, *what = NULL;
	bool all = false;
	pid_t pid;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--all") == 0)
			all = true;
		else if (strncmp(argv[i], "--policy=", strlen("--policy=")) == 0)
			policy = argv[i] + strlen("--policy=");
		else if (strcmp(argv[i], "--policy") == 0 && i + 1 < argc)
			policy = argv[++i];
		else if (strcmp(argv[i], "--policy") == 0)
			return refuse_usage("doctor", "--policy takes a file");
		else if (argv[i][0] == '-')
			return refuse_usage("doctor", "there is no option %s", argv[i]);
		else if (what != NULL)
			return refuse_usage("doctor", "one is enough: %s is too much", argv[i]);
		else
			what = argv[i];
	}
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
