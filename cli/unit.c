#include "unit.h"

#include "unit_folders.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS_MOST  12
#define NAMES_MOST    24
#define DROP_INS_MOST 512

/* ---- one setting ---- */

static void set(struct unit *unit, char **value, const char *text, size_t length)
{
	free(*value);
	*value = strndup(text, length);
	unit->out_of_memory |= *value == NULL;
}

static void forget(char **value)
{
	free(*value);
	*value = NULL;
}

/* The next word of a value into `word`, which is as large as the value, without its quotes.  A
 * backslash keeps what it is in systemd for quotes, blanks and itself; other escapes stay.  False:
 * there is none. */
static bool take_word(const char **value, char *word)
{
	const char *at = *value + strspn(*value, " \t");
	char quote = '\0';

	if (*at == '\0')
		return false;
	for (; *at != '\0' && (quote != '\0' || strchr(" \t", *at) == NULL); at++) {
		if (*at == quote)
			quote = '\0';
		else if (quote == '\0' && (*at == '"' || *at == '\''))
			quote = *at;
		else if (*at == '\\' && at[1] != '\0' && strchr("\"'\\ ", at[1]))
			*word++ = *++at;
		else
			*word++ = *at;
	}
	*word = '\0';
	*value = at;
	return true;
}

static bool is_ours(const char *assignment)
{
	return strncmp(assignment, "LD_PRELOAD", 10) == 0 ||
	       strncmp(assignment, "CFSHIM_POLICY", 13) == 0;
}

/* Its variables take the place of Environment=, wherever it stands. */
static void take_environment_file(struct unit *unit, const char *value)
{
	const bool may_be_missing = *value == '-';
	FILE *file = fopen(value + may_be_missing, "re");
	char *line = NULL;
	size_t size = 0;
	bool sets = file == NULL && (!may_be_missing || errno != ENOENT);

	while (file != NULL && getline(&line, &size, file) >= 0)
		sets = sets || is_ours(line + strspn(line, " \t"));
	free(line);
	if (file != NULL)
		fclose(file);
	if (sets)
		set(unit, &unit->environment_file, value + may_be_missing,
		    strlen(value + may_be_missing));
}

static void take_environment(struct unit *unit, const char *value, char *word)
{
	static const char preload[] = "LD_PRELOAD=";

	if (*value == '\0')
		forget(&unit->preload);
	while (take_word(&value, word))
		if (strncmp(word, preload, sizeof(preload) - 1) == 0)
			set(unit, &unit->preload, word + sizeof(preload) - 1,
			    strlen(word) - (sizeof(preload) - 1));
}

/* An empty value takes back what was said before. */
static void set_or_forget(struct unit *unit, char **text, const char *value)
{
	if (*value == '\0')
		forget(text);
	else
		set(unit, text, value, strlen(value));
}

static void take_setting(struct unit *unit, const char *key, const char *value, char *word)
{
	if (strcmp(key, "Environment") == 0) {
		take_environment(unit, value, word);
	} else if (strcmp(key, "EnvironmentFile") == 0) {
		if (*value == '\0')
			forget(&unit->environment_file);
		else
			take_environment_file(unit, value);
	} else if (strcmp(key, "UnsetEnvironment") == 0) {
		unit->unsets = unit->unsets && *value != '\0';
		while (take_word(&value, word))
			unit->unsets = unit->unsets || is_ours(word);
	} else if (strcmp(key, "GuessMainPID") == 0) {
		unit->guesses = strchr("nNfF0", *value) == NULL && strcasecmp(value, "off") != 0;
	} else if (strcmp(key, "PIDFile") == 0) {
		set_or_forget(unit, &unit->pid_file, value);
	} else if (strcmp(key, "Type") == 0) {
		set(unit, &unit->type, value, strlen(value));
	} else if (strcmp(key, "RootDirectory") == 0 || strcmp(key, "RootImage") == 0) {
		set_or_forget(unit, &unit->root, strcmp(value, "/") == 0 ? "" : value);
	} else if (strcmp(key, "ExecStart") == 0) {
		if (*value == '\0')
			forget(&unit->program);
		else if (unit->program == NULL && take_word(&value, word))
			set(unit, &unit->program, word + strspn(word, "@-:+!|"),
			    strlen(word + strspn(word, "@-:+!|")));
	}
}

/* ---- one file ---- */

/* A line with those that it is continued by; comments may stand between them.  False: the end. */
static bool read_line(FILE *file, char **line)
{
	char *part = NULL;
	size_t size = 0, length = 0;
	ssize_t got = 0;
	bool goes_on = true;

	**line = '\0';
	while (goes_on && (got = getline(&part, &size, file)) >= 0) {
		const char *text = part + strspn(part, " \t");
		char *grown;

		part[strcspn(part, "\r\n")] = '\0';
		if (*text == '#' || *text == ';')
			continue;
		goes_on = *text != '\0' && part[strlen(part) - 1] == '\\';
		if (goes_on)
			part[strlen(part) - 1] = ' ';
		grown = realloc(*line, length + strlen(part) + 1);
		if (grown == NULL)
			break;
		*line = grown;
		memcpy(*line + length, part, strlen(part) + 1);
		length += strlen(part);
	}
	free(part);
	return got >= 0 || length > 0;
}

static void trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && strchr(" \t", text[length - 1]))
		text[--length] = '\0';
}

static void read_unit_file(struct unit *unit, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = calloc(1, 1), *word;
	bool in_service = false;

	while (file != NULL && line != NULL && read_line(file, &line)) {
		char *key = line + strspn(line, " \t"), *value = strchr(key, '=');

		trim(key);
		if (*key == '[')
			in_service = strcmp(key, "[Service]") == 0;
		if (*key == '[' || value == NULL || !in_service)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		trim(key);
		word = malloc(strlen(value) + 1);
		if (word != NULL)
			take_setting(unit, key, value, word);
		free(word);
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

/* ---- all files ---- */

/* Names whose folders of drop-ins count, the least particular first: of the type, of the beginnings
 * that end with a dash, of the template, its own. */
struct names {
	char list[NAMES_MOST][NAME_MAX + 1];
	size_t count;
};

static void add_name(struct names *names, const char *beginning, size_t length)
{
	if (names->count < NAMES_MOST)
		snprintf(names->list[names->count++], NAME_MAX + 1, "%.*s%sservice", (int)length,
			 beginning, length > 0 ? "." : "");
}

static void find_names(struct names *names, const char *name)
{
	const size_t stem = strlen(name) - strlen(".service");
	const char *at = memchr(name, '@', stem);

	names->count = 0;
	add_name(names, "", 0);
	for (size_t i = 0; i < (at ? (size_t)(at - name) : stem); i++)
		if (name[i] == '-' && i + 1 < stem)
			add_name(names, name, i + 1);
	if (at != NULL)
		add_name(names, name, (size_t)(at - name) + 1);
	add_name(names, name, stem);
}

struct drop_in {
	char path[PATH_MAX];
	size_t rank; /* the larger wins over one of the same name */
};

static int compare(const void *left, const void *right)
{
	const struct drop_in *one = left, *other = right;
	const char *const one_name = strrchr(one->path, '/');
	const int order = strcmp(one_name, strrchr(other->path, '/'));

	if (order != 0)
		return order;
	return one->rank < other->rank ? 1 : -1;
}

static size_t add_drop_ins(struct drop_in *list, size_t count, const char *folder, size_t rank)
{
	DIR *opened = opendir(folder);
	const struct dirent *entry;

	while (opened != NULL && (entry = readdir(opened)) != NULL) {
		const size_t length = strlen(entry->d_name);

		if (count == DROP_INS_MOST || length < 6 ||
		    strcmp(entry->d_name + length - 5, ".conf") != 0)
			continue;
		if ((size_t)snprintf(list[count].path, PATH_MAX, "%s/%s", folder, entry->d_name) <
		    PATH_MAX)
			list[count++].rank = rank;
	}
	if (opened != NULL)
		closedir(opened);
	return count;
}

static void read_drop_ins(struct unit *unit, const struct unit_folders *folders)
{
	struct drop_in *list = calloc(DROP_INS_MOST, sizeof(*list));
	struct names *names = malloc(sizeof(*names));
	size_t count = 0;

	unit->out_of_memory |= list == NULL || names == NULL;
	if (list != NULL && names != NULL) {
		find_names(names, unit->name);
		for (size_t i = 0; i < names->count; i++)
			for (size_t j = 0; j < folders->count; j++) {
				char folder[PATH_MAX + NAME_MAX + 8];

				snprintf(folder, sizeof(folder), "%s/%s.d", folders->list[j],
					 names->list[i]);
				count = add_drop_ins(list, count, folder,
						     i * FOLDERS_MOST + FOLDERS_MOST - j);
			}
		qsort(list, count, sizeof(*list), compare);
		for (size_t i = 0; i < count; i++) {
			const char *name = strrchr(list[i].path, '/') + 1;
			const bool again =
				i > 0 && strcmp(name, strrchr(list[i - 1].path, '/') + 1) == 0;

			if (!again && strcmp(name, unit->own) != 0)
				read_unit_file(unit, list[i].path);
		}
	}
	free(list);
	free(names);
}

/* `systemctl mask` makes it a link to /dev/null, which need not be there; an empty file does too.
 */
static bool is_masked(const char *path, const struct stat *found)
{
	char target[sizeof("/dev/null") + 1];
	const ssize_t length = readlink(path, target, sizeof(target));

	return (length == 9 && memcmp(target, "/dev/null", 9) == 0) ||
	       (S_ISREG(found->st_mode) && found->st_size == 0);
}

/* An instance has the file of its template where it has none itself. */
static bool find_file(struct unit *unit, const struct unit_folders *folders)
{
	const char *at = strchr(unit->name, '@');
	struct stat found;

	for (int template = 0; template <(at ? 2 : 1); template ++)
		for (size_t i = 0; i < folders->count; i++) {
			snprintf(unit->file, sizeof(unit->file), "%.*s/%.*s%s",
				 PATH_MAX - NAME_MAX - 16, folders->list[i],
				 template ? (int)(at + 1 - unit->name) : NAME_MAX, unit->name,
				 template ? ".service" : "");
			if (lstat(unit->file, &found) != 0)
				continue;
			unit->masked = is_masked(unit->file, &found);
			return true;
		}
	return false;
}

void unit_read(struct unit *unit)
{
	struct unit_folders *folders = malloc(sizeof(*folders));

	unit->out_of_memory = folders == NULL;
	unit->guesses = true;
	if (folders == NULL)
		return;
	unit_folders_find(folders, unit->of_user);
	unit->found = find_file(unit, folders);
	if (unit->found && !unit->masked) {
		read_unit_file(unit, unit->file);
		read_drop_ins(unit, folders);
	}
	free(folders);
}

void unit_end(struct unit *unit)
{
	forget(&unit->preload);
	forget(&unit->type);
	forget(&unit->pid_file);
	forget(&unit->program);
	forget(&unit->environment_file);
	forget(&unit->root);
}
