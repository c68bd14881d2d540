/* What stands behind a key: values, bare or in quotes, parted by commas where the key takes a list.
 */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

bool line_ends(const char *line, const char *at)
{
	return *at == '\0' || (*at == '#' && (at == line || is_blank(at[-1])));
}

void *array_grown(void *array, size_t count, size_t size)
{
	/* It is full whenever the count is a power of two (or none); then it doubles. */
	if ((count & (count - 1)) != 0)
		return array;
	return realloc(array, (count > 0 ? 2 * count : 1) * size);
}

char *string_kept(const struct policy *policy, const char *kept)
{
	return policy->strings + (kept - policy->strings);
}

char *string_keep(struct policy *policy, const char *bytes, size_t length)
{
	/* It fits: each string and its NUL take the place of other bytes of the text, the string's
	 * own and the delimiter (comma, bracket, newline, the end) behind it; and a server's name
	 * stands twice, by itself and in that of its section. */
	char *string = policy->strings + policy->strings_used;

	memcpy(string, bytes, length);
	string[length] = '\0';
	policy->strings_used += length + 1;
	return string;
}

/* What is wrong with `value`, where the key knows more of that than what it takes. */
static void why_add(struct text *text, const struct key *key, const char *value)
{
	if (key == &keys[KEY_from] || key == &keys[KEY_exempt] || key == &keys[KEY_proxy_protocol])
		peer_why(text, value);
	else if (key == &keys[KEY_only_names])
		name_why(text, value);
	else if (key == &keys[KEY_client_cert])
		pin_why(text, value);
}

static void complain_of_value(struct parser *parser, const struct key *key, const char *value,
			      struct position at)
{
	struct text why = {0};

	why_add(&why, key, value);
	if (why.no_memory)
		parser->no_memory = true;
	else if (why.length > 0)
		complain(parser->complaints, SEVERITY_ERROR, at, parser->line, "%s: %s",
			 key->spelling, why.bytes);
	else
		complain(parser->complaints, SEVERITY_ERROR, at, parser->line,
			 "%s takes %s, not " SHORT, key->spelling, key->values,
			 SHORTENED(value, strlen(value)));
	free(why.bytes);
}

void key_take(struct parser *parser, const struct key *key, const char *value, struct position at)
{
	switch (key->take(parser->policy, value, at)) {
	case TAKEN:
		break;
	case NOT_ALLOWED:
		complain_of_value(parser, key, value, at);
		break;
	case NO_MEMORY:
		parser->no_memory = true;
		break;
	}
}

/* The value in quotes at *at, which moves behind it; NULL after a complaint. */
static const char *quoted_parse(struct parser *parser, const char **at, bool commas)
{
	const char *begin = *at + 1;
	const char *end = strchr(begin, '"');
	const char *next = end ? skip_blanks(end + 1) : NULL;

	if (next == NULL) {
		error_at(parser, *at, "this quote is not closed; it ends in the same line");
		return NULL;
	}
	if (!line_ends(parser->line, next) && !(commas && *next == ',')) {
		error_at(parser, next, "text after the closing quote; %s may stand there",
			 commas ? "only a comma or a comment" : "only a comment");
		return NULL;
	}
	*at = next;
	return string_keep(parser->policy, begin, (size_t)(end - begin));
}

static const char *bare_parse(struct parser *parser, const char **at, bool commas)
{
	const char *begin = *at, *end = begin, *quote;

	while (!line_ends(parser->line, end) && !(commas && *end == ','))
		end++;
	*at = end;
	while (end > begin && is_blank(end[-1]))
		end--;
	quote = memchr(begin, '"', (size_t)(end - begin));
	if (quote != NULL) {
		error_at(parser, quote,
			 "a quote inside a value; quotes stand around the whole of it");
		return NULL;
	}
	return string_keep(parser->policy, begin, (size_t)(end - begin));
}

/* One value at *at, which moves behind it; false: the rest of the line cannot be understood. */
static bool value_parse(struct parser *parser, const struct key *key, const char **at)
{
	const char *begin = *at;
	const char *value = *begin == '"' ? quoted_parse(parser, at, key->commas)
					  : bare_parse(parser, at, key->commas);

	if (value == NULL)
		return false;
	if (*value == '\0')
		error_at(parser, begin, "empty value; %s takes %s", key->spelling, key->values);
	else
		key_take(parser, key, value, position_of(parser, begin));
	return !parser->no_memory;
}

void values_parse(struct parser *parser, const struct key *key, const char *at)
{
	at = skip_blanks(at);
	while (value_parse(parser, key, &at) && *at == ',')
		at = skip_blanks(at + 1);
}
