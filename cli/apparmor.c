#include "apparmor.h"

#include "apparmor_text.h"
#include "trust/files.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INCLUDES_MOST 16
#define PROFILE_BYTES (4u << 20)
#define WORDS_MOST    64
#define WORD_BYTES    1024
#define QUALIFIERS    "allow deny audit owner other file "

/* A statement: what stands before a comma, a brace or, of some, the end of a line. */
struct statement {
	char words[WORDS_MOST][WORD_BYTES];
	size_t count;
};

struct reader {
	struct apparmor_profile *profile;
	struct apparmor_variables variables;
	struct statement statement;
	int depth, inside; /* braces that are open; and those of the profile that is looked for */
};

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void read_path(struct reader *reader, const char *path, int includes);

/* ---- what the statements say ---- */

static bool is_path(const char *word)
{
	return *word == '/' || begins_with(word, "@{");
}

static bool is_qualifier(const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = QUALIFIERS; *at != '\0'; at += strcspn(at, " ") + 1)
		if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
			return true;
	return begins_with(word, "priority=");
}

static void note_permissions(char *known, size_t size, const char *permissions)
{
	size_t used = strlen(known);

	for (; *permissions != '\0'; permissions++)
		if (strchr("rm", *permissions) && strchr(known, *permissions) == NULL &&
		    used + 1 < size)
			known[used++] = *permissions;
	known[used] = '\0';
}

/* `owner` rules count for files of the process's own user only, which these are not. */
static void take_file_rule(struct reader *reader)
{
	const struct statement *statement = &reader->statement;
	bool denies = false, owner = false, all = false;
	const char *glob = NULL, *permissions = NULL;

	for (size_t i = 0; i < statement->count; i++) {
		const char *word = statement->words[i];

		denies = denies || strcmp(word, "deny") == 0;
		owner = owner || strcmp(word, "owner") == 0;
		all = all || strcmp(word, "file") == 0;
		if (strcmp(word, "->") == 0)
			break;
		if (is_path(word))
			glob = word;
		else if (!is_qualifier(word))
			permissions = word;
	}
	if (all && glob == NULL && permissions == NULL) {
		glob = "/**";
		permissions = "rm";
	}
	if (glob == NULL || permissions == NULL || (owner && !denies))
		return;
	for (size_t i = 0; i < reader->profile->access_count; i++) {
		struct apparmor_access *access = &reader->profile->accesses[i];

		if (access->path != NULL &&
		    apparmor_matches(&reader->variables, glob, access->path))
			note_permissions(denies ? access->denied : access->allowed,
					 sizeof(access->allowed), permissions);
	}
}

static void take_assignment(struct reader *reader)
{
	const struct statement *statement = &reader->statement;
	const char *name = statement->words[0] + 2;
	const size_t length = strcspn(name, "}");
	const char *behind = name + length + (name[length] == '}');

	behind += strspn(behind, "+=");
	if (*behind != '\0')
		apparmor_variable_add(&reader->variables, name, length, behind, strlen(behind));
	for (size_t i = 1; i < statement->count; i++)
		if (strcmp(statement->words[i], "=") != 0 && strcmp(statement->words[i], "+=") != 0)
			apparmor_variable_add(&reader->variables, name, length, statement->words[i],
					      strlen(statement->words[i]));
}

/* `profile NAME PATH flags=(...)`, or `PATH flags=(...)`; the name is also the path where there is
 * no other. */
static void take_header(struct reader *reader)
{
	const struct statement *statement = &reader->statement;
	struct apparmor_profile *profile = reader->profile;
	bool found = false, complains = false;
	size_t i = statement->count > 0 && strcmp(statement->words[0], "profile") == 0;
	const char *title = statement->count > i ? statement->words[i] : "";

	for (; i < statement->count; i++) {
		const char *word = statement->words[i];

		if (strstr(word, "complain") != NULL || strstr(word, "unconfined") != NULL)
			complains = true;
		if (profile->name != NULL
			    ? word == title && strcmp(word, profile->name) == 0
			    : is_path(word) &&
				      apparmor_matches(&reader->variables, word, profile->program))
			found = true;
	}
	if (!found || profile->found)
		return;
	profile->found = true;
	profile->complains = complains;
	snprintf(profile->title, sizeof(profile->title), "%.*s", (int)sizeof(profile->title) - 1,
		 title);
	reader->inside = reader->depth + 1;
}

/* NOLINTBEGIN(misc-no-recursion): no deeper than INCLUDES_MOST */

static void take_include(struct reader *reader, int includes)
{
	const struct statement *statement = &reader->statement;
	char path[PATH_MAX], *name;

	snprintf(path, sizeof(path), "%s", statement->words[statement->count - 1]);
	name = path + (*path == '<');
	name[strcspn(name, ">")] = '\0';
	if (*name == '/') {
		read_path(reader, name, includes + 1);
	} else {
		char whole[PATH_MAX + sizeof(APPARMOR_FOLDER "/")];

		snprintf(whole, sizeof(whole), APPARMOR_FOLDER "/%s", name);
		read_path(reader, whole, includes + 1);
	}
}

/* ---- the words ---- */

static void add_word(struct reader *reader, const char *word, size_t length)
{
	struct statement *statement = &reader->statement;

	if (statement->count == WORDS_MOST || length >= WORD_BYTES) {
		reader->profile->unsure = true;
		return;
	}
	memcpy(statement->words[statement->count], word, length);
	statement->words[statement->count++][length] = '\0';
}

/* These end with their line. */
static void take_line(struct reader *reader, int includes)
{
	const struct statement *statement = &reader->statement;
	const char *first = statement->words[0];

	if (statement->count == 0)
		return;
	if (strcmp(first, "include") == 0 || strcmp(first, "#include") == 0) {
		take_include(reader, includes);
	} else if (reader->depth == 0 && begins_with(first, "@{")) {
		take_assignment(reader);
	} else {
		return;
	}
	reader->statement.count = 0;
}

static void take_comma(struct reader *reader)
{
	if (reader->inside > 0 && reader->depth == reader->inside)
		take_file_rule(reader);
	reader->statement.count = 0;
}

static void take_brace(struct reader *reader, bool opens)
{
	if (opens && reader->depth == 0)
		take_header(reader);
	reader->depth += opens ? 1 : -1;
	if (reader->depth < reader->inside)
		reader->inside = 0;
	reader->statement.count = 0;
}

static void read_text(struct reader *reader, const char *text, int includes)
{
	enum apparmor_token token;
	const char *word;
	size_t length;

	while ((token = apparmor_take(&text, &word, &length)) != APPARMOR_END) {
		if (token == APPARMOR_WORD)
			add_word(reader, word, length);
		else if (token == APPARMOR_LINE)
			take_line(reader, includes);
		else if (token == APPARMOR_COMMA)
			take_comma(reader);
		else
			take_brace(reader, token == APPARMOR_OPEN);
	}
	take_line(reader, includes);
}

static void read_folder(struct reader *reader, const char *path, int includes)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char file[PATH_MAX + sizeof(entry->d_name) + 1];

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			read_path(reader, file, includes);
	}
	if (folder != NULL)
		closedir(folder);
}

static void read_path(struct reader *reader, const char *path, int includes)
{
	struct stat found;
	size_t length;
	char *text;

	reader->statement.count = 0;
	if (includes > INCLUDES_MOST || stat(path, &found) != 0)
		return;
	if (S_ISDIR(found.st_mode)) {
		read_folder(reader, path, includes + 1);
		return;
	}
	text = file_bytes(path, PROFILE_BYTES, &length, NULL);
	if (text == NULL)
		reader->profile->unsure = true;
	else
		read_text(reader, text, includes);
	free(text);
}

/* NOLINTEND(misc-no-recursion) */

/* Each file of the folder is a text of its own; its folders hold what these include. */
void apparmor_look(struct apparmor_profile *profile)
{
	struct reader *reader = malloc(sizeof(*reader));
	DIR *folder = opendir(APPARMOR_FOLDER);
	const struct dirent *entry;

	profile->unsure = reader == NULL;
	while (reader != NULL && folder != NULL && !profile->found &&
	       (entry = readdir(folder)) != NULL) {
		char path[PATH_MAX];
		struct stat found;

		snprintf(path, sizeof(path), APPARMOR_FOLDER "/%s", entry->d_name);
		if (entry->d_name[0] == '.' || stat(path, &found) != 0 || !S_ISREG(found.st_mode))
			continue;
		memset(reader, 0, sizeof(*reader));
		reader->profile = profile;
		read_path(reader, path, 0);
		apparmor_variables_free(&reader->variables);
	}
	if (folder != NULL)
		closedir(folder);
	free(reader);
}

bool apparmor_allows(const struct apparmor_access *access)
{
	if (access->path == NULL)
		return true;
	for (const char *permission = access->permissions; *permission != '\0'; permission++)
		if (strchr(access->allowed, *permission) == NULL ||
		    strchr(access->denied, *permission) != NULL)
			return false;
	return true;
}
