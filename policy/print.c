#include "language.h"
#include "text.h"

static void keys_print(struct text *text, const struct policy *policy, const struct rule *rule,
		       enum place place)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const size_t begin = text->length;
		size_t value;

		if (!key_stands_in(&keys[i], place))
			continue;
		text_add(text, "%s = ", keys[i].spelling);
		value = text->length;
		keys[i].print(text, policy, rule);
		/* An empty list has no spelling: the key is not given. */
		if (text->length == value)
			text->length = begin;
		else
			text_add(text, "\n");
	}
}

char *policy_print(const struct policy *policy)
{
	struct text text = {0};

	keys_print(&text, policy, NULL, PLACE_FILE);
	for (size_t i = 0; i < policy->section_count; i++) {
		const struct rule *rule = &policy->sections[i].rule;

		text_add(&text, "\n[%s]\n", rule->section);
		keys_print(&text, policy, rule, rule->server ? PLACE_SERVER : PLACE_PORT);
	}
	return text_end(&text);
}
