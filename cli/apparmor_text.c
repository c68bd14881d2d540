#include "apparmor_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Variables that name each other, braces in braces. */
#define NESTED_MOST 16

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* A word ends at a blank or at a comma outside of braces; a quoted one at its quote. */
static size_t word_length(const char *text)
{
	size_t length = 0;
	int depth = 0;

	if (*text == '"')
		return strcspn(text + 1, "\"\n") + 1 + (text[1 + strcspn(text + 1, "\"\n")] == '"');
	for (; text[length] != '\0' && text[length] != '\n'; length++) {
		const char byte = text[length];

		if (byte == '\\' && text[length + 1] != '\0')
			length++;
		else if (byte == '{')
			depth++;
		else if (byte == '}')
			depth--;
		else if (depth <= 0 && (is_blank(byte) || byte == ','))
			break;
	}
	return length;
}

enum apparmor_token apparmor_take(const char **text, const char **word, size_t *length)
{
	static const char include[] = "#include";
	char byte;

	while (is_blank(**text))
		++*text;
	if (**text == '#' && strncmp(*text, include, sizeof(include) - 1) != 0)
		*text += strcspn(*text, "\n");
	byte = **text;
	*word = *text;
	*length = 1;
	if (byte == '\0')
		return APPARMOR_END;
	if (byte == '\n' || byte == ',' || byte == '{' || byte == '}') {
		++*text;
		return byte == '\n'  ? APPARMOR_LINE
		       : byte == ',' ? APPARMOR_COMMA
		       : byte == '{' ? APPARMOR_OPEN
				     : APPARMOR_CLOSE;
	}
	*length = word_length(*text);
	*text += *length;
	if (*length >= 2 && **word == '"') {
		++*word;
		*length -= 2;
	}
	return APPARMOR_WORD;
}

void apparmor_variable_add(struct apparmor_variables *variables, const char *name,
			   size_t name_length, const char *value, size_t length)
{
	struct apparmor_variable *grown =
		realloc(variables->list, (variables->count + 1) * sizeof(*grown));

	if (grown == NULL)
		return;
	variables->list = grown;
	grown += variables->count;
	grown->name = strndup(name, name_length);
	grown->value = strndup(value, length);
	if (grown->name != NULL && grown->value != NULL) {
		variables->count++;
		return;
	}
	free(grown->name);
	free(grown->value);
}

void apparmor_variables_free(struct apparmor_variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		free(variables->list[i].name);
		free(variables->list[i].value);
	}
	free(variables->list);
}

/* ---- globs ---- */

/* NOLINTBEGIN(misc-no-recursion): no deeper than NESTED_MOST */

static bool matches(const struct apparmor_variables *variables, const char *glob, const char *path,
		    int depth);

/* One of several texts before the rest of the glob. */
static bool matches_joined(const struct apparmor_variables *variables, const char *text,
			   size_t length, const char *rest, const char *path, int depth)
{
	char *joined = NULL;
	bool good = asprintf(&joined, "%.*s%s", (int)length, text, rest) >= 0 &&
		    matches(variables, joined, path, depth + 1);

	free(joined);
	return good;
}

static bool matches_variable(const struct apparmor_variables *variables, const char *glob,
			     const char *path, int depth)
{
	const char *name = glob + 2;
	const size_t length = strcspn(name, "}");

	for (size_t i = 0; name[length] == '}' && i < variables->count; i++) {
		const struct apparmor_variable *variable = &variables->list[i];

		if (strlen(variable->name) == length &&
		    strncmp(variable->name, name, length) == 0 &&
		    matches_joined(variables, variable->value, strlen(variable->value),
				   name + length + 1, path, depth))
			return true;
	}
	return false;
}

/* Of "{a,b{c,d}}rest", the byte behind the part that begins at `text`: a comma or the brace. */
static const char *part_end(const char *text)
{
	int inner = 0;

	for (; *text != '\0' && (inner > 0 || (*text != ',' && *text != '}')); text++) {
		inner += *text == '{';
		inner -= *text == '}';
	}
	return text;
}

static bool matches_braces(const struct apparmor_variables *variables, const char *glob,
			   const char *path, int depth)
{
	const char *end = part_end(glob + 1), *part = glob + 1;

	while (*end == ',')
		end = part_end(end + 1);
	if (*end == '\0')
		return false;
	for (;; part = part_end(part) + 1) {
		const char *behind = part_end(part);

		if (matches_joined(variables, part, (size_t)(behind - part), end + 1, path, depth))
			return true;
		if (behind == end)
			return false;
	}
}

/* [abc], [a-z], [^a]; `*glob` is put on the bracket at its end. */
static bool in_class(const char **glob, char byte)
{
	const char *at = *glob + 1;
	const bool negated = *at == '^';
	bool found = false;

	at += negated;
	for (; *at != '\0' && *at != ']'; at++) {
		if (at[1] == '-' && at[2] != '\0' && at[2] != ']') {
			found = found || (byte >= at[0] && byte <= at[2]);
			at += 2;
		} else {
			found = found || byte == *at;
		}
	}
	*glob = *at ? at : at - 1;
	return found != negated && byte != '/';
}

static bool matches_stars(const struct apparmor_variables *variables, const char *glob,
			  const char *path, int depth)
{
	const bool any = glob[1] == '*';

	glob += strspn(glob, "*");
	for (;; path++) {
		if (matches(variables, glob, path, depth))
			return true;
		if (*path == '\0' || (*path == '/' && !any))
			return false;
	}
}

/* What stands for one byte; `*glob` is put on its end. */
static bool matches_byte(const char **glob, char byte)
{
	if (byte == '\0')
		return false;
	if (**glob == '[')
		return in_class(glob, byte);
	if (**glob == '?')
		return byte != '/';
	if (**glob == '\\' && (*glob)[1] != '\0')
		++*glob;
	return **glob == byte;
}

static bool matches(const struct apparmor_variables *variables, const char *glob, const char *path,
		    int depth)
{
	if (depth > NESTED_MOST)
		return false;
	for (; *glob != '\0'; glob++, path++) {
		/* Of a variable that ends with a slash, as @{HOME} does. */
		while (glob[0] == '/' && glob[1] == '/')
			glob++;
		if (glob[0] == '@' && glob[1] == '{')
			return matches_variable(variables, glob, path, depth);
		if (*glob == '{')
			return matches_braces(variables, glob, path, depth);
		if (*glob == '*')
			return matches_stars(variables, glob, path, depth);
		if (!matches_byte(&glob, *path))
			return false;
	}
	return *path == '\0';
}

/* NOLINTEND(misc-no-recursion) */

bool apparmor_matches(const struct apparmor_variables *variables, const char *glob,
		      const char *path)
{
	return matches(variables, glob, path, 0);
}
