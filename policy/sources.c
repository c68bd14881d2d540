/* The values of `ca` and `crl`: files of PEM, or what is built in. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum taken source_take(struct ca_source **list, size_t *count, const char *path, struct position at)
{
	struct ca_source *grown;

	if (path != NULL && *path != '/')
		return NOT_ALLOWED;
	grown = array_grown(*list, *count, sizeof(*grown));
	if (grown == NULL)
		return NO_MEMORY;
	*list = grown;
	grown[(*count)++] = (struct ca_source){.path = path, .at = at};
	return TAKEN;
}

void sources_print(struct text *text, const struct ca_source *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		text_add(text, "%s", i > 0 ? ", " : "");
		value_print(text, "", list[i].path ? list[i].path : "cloudflare");
	}
}

static int compare_sources(const struct ca_source *left, const struct ca_source *right)
{
	if (left->path == NULL || right->path == NULL)
		return (left->path != NULL) - (right->path != NULL);
	return strcmp(left->path, right->path);
}

static int order_of_sources(const void *left, const void *right)
{
	const struct ca_source *one = left, *other = right;
	int difference = compare_sources(one, other);

	return difference != 0 ? difference : compare_positions(one->at, other->at);
}

void sources_sort(const struct policy *policy, struct complaints *complaints,
		  struct ca_source *list, size_t count, const char *key)
{
	if (count > 1)
		qsort(list, count, sizeof(*list), order_of_sources);
	for (size_t i = 1; i < count; i++)
		if (compare_sources(&list[i - 1], &list[i]) == 0)
			complain_of_twice(policy, complaints, list[i - 1].at, list[i].at, key);
}

bool same_sources(const struct ca_source *left, size_t left_count, const struct ca_source *right,
		  size_t right_count)
{
	if (left_count != right_count)
		return false;
	for (size_t i = 0; i < left_count; i++)
		if (compare_sources(&left[i], &right[i]) != 0)
			return false;
	return true;
}
