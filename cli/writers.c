/* Who besides root and the owner may write the files that a policy is made of. */
#include "policy_file.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Who may write `path`; NULL: nobody else.  In a sticky folder everybody keeps to his own. */
static const char *writers_of(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0 || (S_ISDIR(status.st_mode) && status.st_mode & S_ISVTX))
		return NULL;
	if (status.st_mode & S_IWOTH)
		return "everybody";
	return status.st_mode & S_IWGRP && status.st_gid != 0 && !S_ISDIR(status.st_mode)
		       ? "its group"
		       : NULL;
}

/* `path` itself, and each folder above it. */
static void warn_of_path(struct policy_file *file, const char *path, struct position at)
{
	char *rest = strdup(path), *part = rest;
	const char *writers;

	file->complaints.out_of_memory |= rest == NULL;
	while (part != NULL) {
		writers = writers_of(part);
		if (writers != NULL) {
			complain(&file->complaints, SEVERITY_WARNING, at,
				 file->policy ? policy_source_line(file->policy, at.line) : NULL,
				 "%s can be written by %s, who could let anybody in", part,
				 writers);
			break;
		}
		if (strcmp(part, "/") == 0 || strcmp(part, ".") == 0)
			break;
		part = dirname(part);
	}
	free(rest);
}

/* Each file once, wherever it is named: the values of server sections are often those of their
 * port. */
struct told {
	const char *paths[COMPLAINTS_MAX];
	size_t count;
};

static bool is_told(const struct told *told, const char *path)
{
	for (size_t i = 0; i < told->count; i++)
		if (strcmp(told->paths[i], path) == 0)
			return true;
	return told->count == COMPLAINTS_MAX;
}

static void warn_of_sources(struct policy_file *file, struct told *told,
			    const struct ca_source *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const size_t warnings = file->complaints.warnings;

		if (list[i].path == NULL || is_told(told, list[i].path))
			continue;
		warn_of_path(file, list[i].path, list[i].at);
		if (file->complaints.warnings > warnings)
			told->paths[told->count++] = list[i].path;
	}
}

void warn_of_writers(struct policy_file *file)
{
	const struct position whole_file = {0, 0};
	struct told told = {.count = 0};

	if (file->path != NULL)
		warn_of_path(file, file->path, whole_file);
	for (size_t i = 0; i < policy_rule_count(file->policy); i++) {
		const struct rule *rule = policy_rule(file->policy, i);

		warn_of_sources(file, &told, rule->ca, rule->ca_count);
		warn_of_sources(file, &told, rule->crl, rule->crl_count);
	}
	for (size_t i = 0; i < policy_peer_file_count(file->policy); i++)
		warn_of_path(file, policy_peer_file(file->policy, i)->path,
			     policy_peer_file(file->policy, i)->at);
}
