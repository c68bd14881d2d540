#include "drop_in.h"

#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGINNING "# Made by `cfshim enable "

/* A line "Environment=NAME=value", quoted where it must be.  What a unit says itself may hold
 * specifiers; in a path of ours a percent sign is one. */
static void put_variable(FILE *text, const char *name, const char *value, bool is_path)
{
	const bool quotes = value[strcspn(value, " \t\"'\\")] != '\0';

	fprintf(text, "Environment=%s%s=", quotes ? "\"" : "", name);
	for (; *value != '\0'; value++) {
		if (strchr("\"\\", *value) != NULL || (is_path && *value == '%'))
			fputc(*value == '%' ? '%' : '\\', text);
		fputc(*value, text);
	}
	fprintf(text, "%s\n", quotes ? "\"" : "");
}

static void put_lines(FILE *text, const struct unit *unit, const struct drop_in_paths *paths,
		      const char *preload)
{
	/* Of a user's manager nothing has more privileges than the rest. */
	const char *plus = unit->of_user ? "" : "+";
	const char *user = unit->of_user ? "--user " : "";

	fprintf(text,
		BEGINNING "%s%s`, which makes it anew;\n"
			  "# `cfshim disable %s%s` removes it.\n"
			  "\n"
			  "[Unit]\n"
			  "# The loader passes over a preload that it cannot find, and starts the "
			  "server\n"
			  "# unprotected.  With this the unit does not start.\n"
			  "AssertPathExists=%s\n"
			  "\n"
			  "[Service]\n",
		user, unit->name, user, unit->name, paths->library);
	put_variable(text, "LD_PRELOAD", preload, unit->preload == NULL);
	if (paths->policy != NULL) {
		fputs("# A file that is named and missing refuses everybody.\n", text);
		put_variable(text, "CFSHIM_POLICY", paths->policy, true);
	}
	fprintf(text,
		"# A policy that does not load would refuse everybody: the start fails\n"
		"# instead, and says where the mistake is.\n"
		"ExecStartPre=%s%s check\n"
		"# A library that may not be read, or that was dropped for raised privileges,\n"
		"# is passed over like one that is missing: the unit fails when it is not\n"
		"# covered.\n"
		"ExecStartPost=%s%s doctor $MAINPID\n",
		plus, paths->command, plus, paths->command);
}

char *drop_in_text(const struct unit *unit, const struct drop_in_paths *paths)
{
	const bool has = unit->preload != NULL && preload_names_library(unit->preload);
	char *preload = has ? strdup(unit->preload) : preload_list(unit->preload, paths->library);
	char *made = NULL;
	size_t size = 0;
	FILE *text = preload ? open_memstream(&made, &size) : NULL;
	bool good = text != NULL;

	if (good) {
		put_lines(text, unit, paths, preload);
		good = ferror(text) == 0;
	}
	if (text != NULL && fclose(text) != 0)
		good = false;
	free(preload);
	if (!good) {
		free(made);
		return NULL;
	}
	return made;
}

bool drop_in_is_ours(const char *text)
{
	return strncmp(text, BEGINNING, strlen(BEGINNING)) == 0;
}

/* ---- the file ---- */

static bool make_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST) {
			*slash = '/';
			return false;
		}
		*slash = '/';
	}
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

static bool write_whole(int file, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		const ssize_t written = write(file, text, left);

		if (written < 0 && errno != EINTR)
			return false;
		text += written > 0 ? written : 0;
		left -= written > 0 ? (size_t)written : 0;
	}
	return fchmod(file, 0644) == 0 && fsync(file) == 0;
}

/* Whole or not at all: systemd may read it at any time.  It passes over what does not end with
 * .conf. */
static bool replace_file(const char *path, const char *text)
{
	char temporary[PATH_MAX + 8];
	int file, error_number;
	bool good;

	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	file = mkostemp(temporary, O_CLOEXEC);
	if (file < 0)
		return false;
	good = write_whole(file, text);
	good = close(file) == 0 && good && rename(temporary, path) == 0;
	error_number = errno;
	if (!good)
		unlink(temporary);
	errno = error_number;
	return good;
}

bool drop_in_write(char *folder, const char *file, const char *text)
{
	return make_folders(folder) && replace_file(file, text);
}
