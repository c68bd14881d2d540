/* cfshim.c - the command: a table of verbs. */
#include "arguments.h"
#include "columns.h"
#include "verbs.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the further lines of one that is folded. */
#define INDENT 4

struct verb {
	const char *name;
	enum status (*function)(int argc, char **argv);
	const char *arguments;
	const char *description;
};

static const struct verb verbs[] = {
#define VERB(name, spelling, arguments, description) \
	{spelling, name##_verb, arguments, description},
#define OPTION(verb, name, spelling, value, meaning)
#include "verbs.def"
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static void print_usage(FILE *file, const struct verb *verb)
{
	const int column =
		fprintf(file, "usage: cfshim %s%s", verb->name, *verb->arguments ? " " : "");

	print_folded(file, (size_t)column, (size_t)column, verb->arguments);
	fputc('\n', file);
}

__attribute__((format(printf, 2, 0))) static void vprint_line(const char *verb, const char *format,
							      va_list arguments)
{
	const int head = fprintf(stderr, "cfshim%s%s:", verb ? " " : "", verb ? verb : "");
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	fputc(' ', stderr);
	print_foldable(stderr, (size_t)head + 1, INDENT, text != NULL ? text : "no memory");
	free(text);
}

enum status refuse(enum status status, const char *verb, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprint_line(verb, format, arguments);
	va_end(arguments);
	return status;
}

enum status refuse_usage(const char *verb, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprint_line(verb, format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, verb) == 0)
			print_usage(stderr, &verbs[i]);
	return STATUS_USAGE;
}

static enum status print_help(void)
{
	static const char *const headings[] = {"VERB", "ARGUMENTS", "WHAT IT DOES"};
	struct columns *columns = columns_begin(headings, 3);
	bool good = columns != NULL;

	for (size_t i = 0; good && i < VERB_COUNT; i++)
		good = columns_add(columns, (const char *const[]){verbs[i].name, verbs[i].arguments,
								  verbs[i].description});
	puts("cfshim makes unmodified servers demand Cloudflare's client certificate.\n");
	columns_print(columns, stdout);
	columns_end(columns);
	puts("\n`cfshim VERB --help` prints one of them; cfshim(1) is the manual.");
	return good ? STATUS_GOOD : STATUS_BAD;
}

static enum status run_named(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 1)
		return refuse(STATUS_USAGE, NULL, "a verb is missing; `cfshim --help` lists them");
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    strcmp(argv[0], "help") == 0)
		return print_help();
	if (strcmp(argv[0], "--version") == 0)
		return version_verb(argc, argv);
	verb = find_verb(argv[0]);
	if (verb == NULL)
		return refuse(STATUS_USAGE, NULL,
			      "there is no verb \"%s\"; `cfshim --help` lists them", argv[0]);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_usage(stdout, verb);
		printf("%s\n", verb->description);
		options_print(verb->name);
		return STATUS_GOOD;
	}
	return verb->function(argc, argv);
}

int main(int argc, char **argv)
{
	enum status status = run_named(argc - 1, argv + 1);

	if (fflush(stdout) != 0 || ferror(stdout))
		return (int)refuse(STATUS_BAD, NULL, "the output cannot be written");
	return (int)status;
}
