#include "language.h"
#include "text.h"

static void keys_print(struct text *text, const struct policy *policy, const struct rule *rule,
		       enum place place)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (keys[i].place != place)
			continue;
		text_add(text, "%s = ", keys[i].spelling);
		keys[i].print(text, policy, rule);
		text_add(text, "\n");
	}
}

char *policy_print(const struct policy *policy)
{
	struct text text = {0};

	keys_print(&text, policy, NULL, PLACE_FILE);
	for (size_t i = 0; i < policy->rule_count; i++) {
		text_add(&text, "\n[%s]\n", policy->rules[i].section);
		keys_print(&text, policy, &policy->rules[i], PLACE_PORT);
	}
	return text_end(&text);
}
