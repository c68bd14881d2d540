/* policy_mistake.h - a row of the tables of mistakes, and how it is tried: one complaint, no
 * policy. */
#ifndef POLICY_MISTAKE_H
#define POLICY_MISTAKE_H

#include "policy.h"
#include "test.h"

#include <string.h>

struct mistake {
	const char *name;
	const char *text;
	struct position at;
	const char *says;   /* a part of the sentence */
	const char *allows; /* another; NULL: the first says it all */
};

static inline void complain_once_each(const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mistake *row = &mistakes[i];
		const struct complaint *first;
		struct complaints complaints;
		struct policy *policy;

		complaints_begin(&complaints, "p");
		policy = policy_parse(row->text, strlen(row->text), &complaints);
		expect(policy == NULL, "%s: taken", row->name);
		expect(complaints.errors == 1 && complaints.warnings == 0,
		       "%s: %zu errors, %zu warnings", row->name, complaints.errors,
		       complaints.warnings);
		first = complaints_first_error(&complaints);
		if (first != NULL) {
			expect(first->at.line == row->at.line && first->at.column == row->at.column,
			       "%s: at %u:%u", row->name, first->at.line, first->at.column);
			expect(strstr(first->sentence, row->says) != NULL, "%s: says %s", row->name,
			       first->sentence);
			expect(row->allows == NULL || strstr(first->sentence, row->allows) != NULL,
			       "%s: says %s", row->name, first->sentence);
		}
		policy_free(policy);
		complaints_clear(&complaints);
	}
	expectations_met();
}

#define COMPLAIN_ONCE_EACH(rows) complain_once_each(rows, sizeof(rows) / sizeof((rows)[0]))

#endif
