#include "preload.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATORS ": " /* ld.so(8) */

static const char *file_name(const char *entry, size_t length)
{
	const char *slash = memrchr(entry, '/', length);

	return slash ? slash + 1 : entry;
}

static bool begins_with_sanitizer(const char *list)
{
	static const char *const names[] = {"libasan.", "libtsan.", "libubsan.", "libclang_rt."};
	const char *name = file_name(list, strcspn(list, SEPARATORS));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

char *preload_list(const char *before, const char *library)
{
	char *list = NULL;
	size_t first;

	before = before ? before : "";
	first = begins_with_sanitizer(before) ? strcspn(before, SEPARATORS) : 0;
	if (asprintf(&list, "%.*s%s%s%s%s", (int)first, before, first > 0 ? ":" : "", library,
		     before[first] && first == 0 ? ":" : "", before + first) < 0)
		return NULL;
	return list;
}

bool preload_names_library(const char *list)
{
	while (*list != '\0') {
		const size_t length = strcspn(list, SEPARATORS);
		const char *name = file_name(list, length);

		if ((size_t)(list + length - name) == strlen(LIBRARY_NAME) &&
		    strncmp(name, LIBRARY_NAME, strlen(LIBRARY_NAME)) == 0)
			return true;
		list += length + (list[length] != '\0');
	}
	return false;
}
