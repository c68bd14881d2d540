#include "arguments.h"

#include "columns.h"

#include <stdio.h>
#include <string.h>

struct listed_option {
	const char *verb; /* with underscores, as the list has it */
	const char *spelling, *value, *meaning;
};

static const struct listed_option listed[OPTION_COUNT] = {
#define VERB(name, spelling, arguments, description)
#define OPTION(verb, name, spelling, value, meaning) \
	[OPTION_##verb##_##name] = {#verb, spelling, value, meaning},
#include "verbs.def"
};

static bool is_of_verb(const struct listed_option *option, const char *verb)
{
	size_t i;

	for (i = 0; option->verb[i] != '\0'; i++)
		if (verb[i] != (option->verb[i] == '_' ? '-' : option->verb[i]))
			return false;
	return verb[i] == '\0';
}

/* OPTION_COUNT: none is spelled like the first `length` bytes of `text`. */
static size_t find_option(const char *verb, const char *text, size_t length)
{
	size_t i = 0;

	while (i < OPTION_COUNT &&
	       !(is_of_verb(&listed[i], verb) && strlen(listed[i].spelling) == length &&
		 strncmp(listed[i].spelling, text, length) == 0))
		i++;
	return i;
}

/* argv[*at] is an option; its value may be the next one. */
static enum status read_option(struct arguments *arguments, int argc, char **argv, int *at)
{
	const char *text = argv[*at];
	const size_t length = strcspn(text, "=");
	const size_t found = find_option(argv[0], text, length);
	const char *value = text[length] == '=' ? text + length + 1 : NULL;

	if (found == OPTION_COUNT)
		return refuse_usage(argv[0], "there is no option %s", text);
	if (*listed[found].value == '\0') {
		if (value != NULL)
			return refuse_usage(argv[0], "%s takes no value", listed[found].spelling);
		value = "";
	} else if (value == NULL) {
		if (*at + 1 == argc)
			return refuse_usage(argv[0], "%s takes a %s", listed[found].spelling,
					    strcmp(listed[found].value, "FILE") == 0 ? "file"
										     : "value");
		value = argv[++*at];
	}
	arguments->options[found] = value;
	return STATUS_GOOD;
}

enum status arguments_read(struct arguments *arguments, int argc, char **argv, enum options_end end)
{
	bool over = false;

	*arguments = (struct arguments){.operands = argv + 1};
	for (int i = 1; i < argc; i++) {
		if (!over && strcmp(argv[i], "--") == 0) {
			over = true;
		} else if (over || argv[i][0] != '-' || argv[i][1] == '\0') {
			arguments->operands[arguments->count++] = argv[i];
			over = over || end == OPTIONS_IN_FRONT;
		} else {
			enum status status = read_option(arguments, argc, argv, &i);

			if (status != STATUS_GOOD)
				return status;
		}
	}
	arguments->operands[arguments->count] = NULL;
	return STATUS_GOOD;
}

void options_print(const char *verb)
{
	static const char *const headings[] = {"OPTION", "MEANING"};
	struct columns *columns = columns_begin(headings, 2);
	bool any = false;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char text[64];

		if (!is_of_verb(&listed[i], verb))
			continue;
		snprintf(text, sizeof(text), "%s%s%s", listed[i].spelling,
			 *listed[i].value ? " " : "", listed[i].value);
		any = columns_add(columns, (const char *const[]){text, listed[i].meaning}) || any;
	}
	if (any) {
		putchar('\n');
		columns_print(columns, stdout);
	}
	columns_end(columns);
}
