/* arguments.h - the arguments of a verb, read by the list of its options in verbs.def.  One thread.
 */
#ifndef CFSHIM_ARGUMENTS_H
#define CFSHIM_ARGUMENTS_H

#include "verbs.h"

#include <stdbool.h>

enum option {
#define VERB(name, spelling, arguments, description)
#define OPTION(verb, name, spelling, value, meaning) OPTION_##verb##_##name,
#include "verbs.def"
	OPTION_COUNT
};

struct arguments {
	const char *options[OPTION_COUNT]; /* NULL: not given; "" where it takes no value */
	int count;
	char **operands; /* `count` of them, then NULL; they live in argv */
};

enum options_end {
	OPTIONS_ANYWHERE, /* before, between and behind the operands, up to "--" */
	OPTIONS_IN_FRONT, /* what follows the first operand is not ours */
};

/* Read argv[1] and on; argv[0] is the verb.  Operands are moved together in argv.  What is wrong is
 * said on stderr, and STATUS_USAGE returned. */
enum status arguments_read(struct arguments *arguments, int argc, char **argv,
			   enum options_end end);

/* On stdout, a line for each option of `verb`; nothing where it has none. */
void options_print(const char *verb);

#endif
