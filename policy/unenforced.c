/* The keys that the language has and nothing enforces yet: whoever adds the enforcement takes its
 * line out here.  A policy that uses one is not taken up, so that nobody relies on it. */
#include "language.h"

struct unenforced {
	enum key_index key;
	bool (*is_used)(const struct policy *policy, const struct rule *rule);
};

static bool observes(const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	return rule->verify == VERIFY_OBSERVE;
}

static const struct unenforced unenforced[] = {
	{KEY_verify, observes},

};

static void complain_at(const struct policy *policy, struct complaints *complaints, unsigned number,
			const char *what)
{
	const char *line = policy_source_line(policy, number);
	struct position at = {number, 1};

	if (line != NULL)
		at.column += (unsigned)(skip_blanks(line) - line);
	complain(complaints, SEVERITY_ERROR, at, line, "%s is not enforced by this version", what);
}

void policy_complain_of_unenforced(const struct policy *policy, struct complaints *complaints)
{
	for (size_t i = 0; i < policy->section_count; i++) {
		const struct section *section = &policy->sections[i];

		for (size_t j = 0; j < sizeof(unenforced) / sizeof(unenforced[0]); j++) {
			const enum key_index key = unenforced[j].key;

			if (section->said[key] != 0 &&
			    unenforced[j].is_used(policy, &section->rule))
				complain_at(policy, complaints, section->said[key],
					    key == KEY_verify ? "verify = observe"
							      : keys[key].spelling);
		}
	}
}
