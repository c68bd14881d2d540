/* What to say of a key that does not belong where it stands. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static unsigned char lower(char byte)
{
	return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

/* Is `word` the other but for its case and one byte too many, too few, another, or two that changed
 * places? */
static bool is_near(const char *word, size_t length, const char *other)
{
	size_t other_length = strlen(other);

	while (length > 0 && other_length > 0 && lower(*word) == lower(*other)) {
		word++, length--;
		other++, other_length--;
	}
	while (length > 0 && other_length > 0 &&
	       lower(word[length - 1]) == lower(other[other_length - 1])) {
		length--;
		other_length--;
	}
	if (length == 2 && other_length == 2)
		return lower(word[0]) == lower(other[1]) && lower(word[1]) == lower(other[0]);
	return length <= 1 && other_length <= 1;
}

/* ": verify, ca, refuse" */
static void allowed_add(struct text *text, enum place place)
{
	const char *separator = ": ";

	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (!key_stands_in(&keys[i], place))
			continue;
		text_add(text, "%s%s", separator, keys[i].spelling);
		separator = ", ";
	}
}

static const char *name_of(enum place place)
{
	if (place == PLACE_FILE)
		return "before all sections";
	return place == PLACE_SERVER ? "in a [port ... server NAME] section"
				     : "in a [port ...] section";
}

/* Where `key` belongs, which does not belong here. */
static const char *place_of(const struct key *key, enum place here)
{
	if (key->place == PLACE_FILE)
		return name_of(PLACE_FILE);
	return here == PLACE_FILE ? "in a section, as [port 443]"
				  : "in the section of the port, and holds for all its servers";
}

static const struct key *key_near(const char *name, size_t length)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (is_near(name, length, keys[i].spelling))
			return &keys[i];
	return NULL;
}

void complain_of_key(struct parser *parser, const char *name, size_t length, const struct key *key)
{
	const struct key *near = key_near(name, length);
	struct text text = {0};

	if (key != NULL)
		text_add(&text, "%s stands %s", key->spelling, place_of(key, parser->place));
	else
		text_add(&text, "unknown key " SHORT, SHORTENED(name, length));
	if (key == NULL && near != NULL)
		text_add(&text, " (did you mean %s?)", near->spelling);
	text_add(&text, "; allowed %s", name_of(parser->place));
	allowed_add(&text, parser->place);
	error_at(parser, name, "%s", text.no_memory ? "unknown key" : text.bytes);
	free(text.bytes);
}
