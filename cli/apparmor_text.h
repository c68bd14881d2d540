/* apparmor_text.h - the words of a profile, with those of the files that it includes in their
 * place; and the globs. */
#ifndef CFSHIM_APPARMOR_TEXT_H
#define CFSHIM_APPARMOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum apparmor_token {
	APPARMOR_END,
	APPARMOR_WORD,
	APPARMOR_COMMA,
	APPARMOR_OPEN,
	APPARMOR_CLOSE,
	APPARMOR_LINE
};

/* Take the next token off `text`; of a word, its first byte and its length. */
enum apparmor_token apparmor_take(const char **text, const char **word, size_t *length);

/* @{NAME} and its values. */
struct apparmor_variables {
	struct apparmor_variable {
		char *name, *value; /* a value each */
	} * list;
	size_t count;
};

void apparmor_variable_add(struct apparmor_variables *variables, const char *name,
			   size_t name_length, const char *value, size_t length);
void apparmor_variables_free(struct apparmor_variables *variables);

/* Does the glob match `path`? */
bool apparmor_matches(const struct apparmor_variables *variables, const char *glob,
		      const char *path);

#endif
