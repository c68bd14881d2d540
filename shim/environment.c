#include "environment.h"

#include "libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PRELOAD    "LD_PRELOAD="
#define SEPARATORS " :" /* ld.so(8) */

enum { VARIABLE_PRELOAD, VARIABLE_POLICY, VARIABLE_LOG, VARIABLES };

static const char *const names[VARIABLES] = {PRELOAD, "CFSHIM_POLICY=", "CFSHIM_LOG="};

/* Set at load. */
static char *kept[VARIABLES]; /* "NAME=value"; NULL: was not set, and is never lost */
static const char *library;   /* the path in kept[VARIABLE_PRELOAD] */
static char *relative;        /* the entry of LD_PRELOAD that brought us, where it means another
				 file to another program, or in another directory; else NULL */
static bool failed;           /* no memory even for that */

/* ---- load ---- */

static char *joined(const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 1;
	char *text = malloc(size);

	if (text == NULL)
		failed = true;
	else
		snprintf(text, size, "%s%s", name, value);
	return text;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The first entry of the preload list `value` with the file name of `path`; NULL: there is none.
 * Which copy of the library it is, and by which path, is the operator's choice, or the host's. */
static const char *find_library(const char *value, const char *path, size_t *length)
{
	const char *name = file_name(path);
	size_t name_length = strlen(name);

	for (; *value != '\0'; value += *length) {
		value += strspn(value, SEPARATORS);
		*length = strcspn(value, SEPARATORS);
		if (*length >= name_length &&
		    memcmp(value + *length - name_length, name, name_length) == 0 &&
		    (*length == name_length || value[*length - name_length - 1] == '/'))
			return value;
	}
	return NULL;
}

/* The path by which it is to be preloaded: the one given, where that is absolute.  Where the list
 * does not name it, it came by /etc/ld.so.preload, and so it will again. */
static void keep_preload(const char *value)
{
	char entry[PATH_MAX], directory[PATH_MAX] = "", path[sizeof(directory) + sizeof(entry)];
	const char *found;
	size_t length;
	Dl_info self;

	if (dladdr(names, &self) == 0 || self.dli_fname == NULL)
		return;
	found = find_library(value, self.dli_fname, &length);
	if (found == NULL)
		return;
	snprintf(entry, sizeof(entry), "%.*s", (int)length, found);
	if (*entry == '/')
		self.dli_fname = entry; /* it may hold $LIB, which is for the loader to read */
	else if (strchr(entry, '/') != NULL)
		relative = joined("", entry);
	if (*self.dli_fname != '/' && getcwd(directory, sizeof(directory)) == NULL)
		*directory = '\0';
	snprintf(path, sizeof(path), "%s%s%s", directory, *directory ? "/" : "", self.dli_fname);
	kept[VARIABLE_PRELOAD] = joined(PRELOAD, path);
	if (kept[VARIABLE_PRELOAD] != NULL)
		library = kept[VARIABLE_PRELOAD] + strlen(PRELOAD);
}

void environment_keep(const char *preload, const char *policy, const char *log)
{
	if (preload != NULL)
		keep_preload(preload);
	if (policy != NULL)
		kept[VARIABLE_POLICY] = joined(names[VARIABLE_POLICY], policy);
	if (log != NULL)
		kept[VARIABLE_LOG] = joined(names[VARIABLE_LOG], log);
}

/* ---- what is lost ---- */

static bool is_called(const char *line, size_t variable)
{
	return strncmp(line, names[variable], strlen(names[variable])) == 0;
}

/* Where in an LD_PRELOAD our path belongs, and in whose place. */
struct gap {
	size_t start, length;
	bool open; /* false: the list is as it should be */
};

static struct gap find_gap(const char *line)
{
	const char *value = line + strlen(PRELOAD);
	size_t length;
	const char *found = find_library(value, library, &length);

	if (found == NULL)
		return (struct gap){.start = strlen(PRELOAD), .open = true};
	if (relative == NULL || strlen(relative) != length || memcmp(found, relative, length) != 0)
		return (struct gap){.open = false};
	return (struct gap){(size_t)(found - line), length, true};
}

/* Under another root, or with the privileges that are left, the loader would but complain. */
bool environment_reaches_library(void)
{
	int error_number = errno, opened;
	bool absent = false;

	if (library == NULL || strchr(library, '$') != NULL)
		return true;
	opened = open(library, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (opened >= 0)
		libc_originals()->close(opened);
	else
		absent = errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	errno = error_number;
	return !absent;
}

/* What there is to do for one list. */
struct losses {
	size_t entries; /* of the list, without its end */
	size_t bytes;   /* for those of LD_PRELOAD that get our path; 0: none does */
	bool lost[VARIABLES];
};

static bool has_losses(const struct losses *losses)
{
	return losses->bytes > 0 || losses->lost[VARIABLE_PRELOAD] ||
	       losses->lost[VARIABLE_POLICY] || losses->lost[VARIABLE_LOG];
}

static struct losses count_losses(char *const *given)
{
	struct losses losses = {.entries = 0};

	for (size_t i = 0; i < VARIABLES; i++)
		losses.lost[i] = kept[i] != NULL;
	for (; given != NULL && given[losses.entries] != NULL; losses.entries++) {
		const char *line = given[losses.entries];

		for (size_t i = 0; i < VARIABLES; i++)
			if (is_called(line, i))
				losses.lost[i] = false;
		if (library != NULL && is_called(line, VARIABLE_PRELOAD) && find_gap(line).open)
			losses.bytes += strlen(line) + strlen(library) + sizeof(":");
	}
	if ((losses.bytes > 0 || losses.lost[VARIABLE_PRELOAD]) && !environment_reaches_library()) {
		losses.bytes = 0;
		losses.lost[VARIABLE_PRELOAD] = false;
	}
	return losses;
}

bool environment_is_whole(char *const *given)
{
	struct losses losses = count_losses(given);

	return !failed && !has_losses(&losses);
}

/* ---- what the child gets ---- */

/* The LD_PRELOAD `line` with our path in its gap, into `text`; the byte after its end.  Another
 * thread may have changed the line since it was measured: NULL where it does not fit. */
static char *put_preload(char *text, const char *end, const char *line)
{
	struct gap gap = find_gap(line);
	size_t rest = strlen(line) - gap.start - gap.length;
	bool colon = gap.length == 0 && rest > 0;
	size_t own = strlen(library);

	if (!gap.open || (size_t)(end - text) < gap.start + own + colon + rest + 1)
		return NULL;
	memcpy(text, line, gap.start);
	text += gap.start;
	memcpy(text, library, own);
	text += own;
	if (colon)
		*text++ = ':';
	memcpy(text, line + gap.start + gap.length, rest);
	text[rest] = '\0';
	return text + rest + 1;
}

static void fill(char **list, char *text, const char *end, char *const *given,
		 const struct losses *losses)
{
	size_t count = 0;

	for (size_t i = 0; i < losses->entries && given[i] != NULL; i++) {
		char *after = NULL;

		if (losses->bytes > 0 && is_called(given[i], VARIABLE_PRELOAD))
			after = put_preload(text, end, given[i]);
		list[count++] = after ? text : given[i];
		if (after != NULL)
			text = after;
	}
	for (size_t i = 0; i < VARIABLES; i++)
		/* enforces kept-environment */
		if (losses->lost[i])
			list[count++] = kept[i];
	list[count] = NULL;
}

bool environment_begin(struct environment *environment, char *const *given)
{
	struct losses losses = count_losses(given);
	size_t entries = losses.entries + VARIABLES + 1;
	char *text = environment->text;
	size_t bytes = sizeof(environment->text);

	environment->list = environment->entries;
	environment->mapping = NULL;
	if (failed) {
		errno = ENOMEM;
		return false;
	}
	if (entries > ENVIRONMENT_ENTRIES || losses.bytes > bytes) {
		environment->mapped = entries * sizeof(char *) + losses.bytes;
		environment->mapping = mmap(NULL, environment->mapped, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (environment->mapping == MAP_FAILED)
			return false;
		environment->list = environment->mapping;
		text = (char *)(environment->list + entries);
		bytes = losses.bytes;
	}
	fill(environment->list, text, text + bytes, given, &losses);
	return true;
}

void environment_end(struct environment *environment)
{
	int error_number = errno;

	if (environment->mapping != NULL)
		munmap(environment->mapping, environment->mapped);
	errno = error_number;
}

/* ---- the same for a shell ---- */

/* A quote inside of quotes takes four bytes. */
static size_t quoted_length(const char *text)
{
	size_t length = 2;

	for (; *text != '\0'; text++)
		length += *text == '\'' ? 4 : 1;
	return length;
}

static char *put_quoted(char *at, const char *text)
{
	*at++ = '\'';
	for (; *text != '\0'; text++) {
		*at++ = *text;
		if (*text == '\'')
			at = stpcpy(at, "\\''");
	}
	*at++ = '\'';
	return at;
}

/* export LD_PRELOAD='...'; exec /bin/sh -c '...' sh */
#define EXPORT "export"
#define BECOME "; exec /bin/sh -c "
#define AS_SH  " sh"

static char *put_export(char *at, const char *line)
{
	const char *value = strchr(line, '=') + 1;

	*at++ = ' ';
	memcpy(at, line, (size_t)(value - line));
	return put_quoted(at + (value - line), value);
}

char *environment_command(char *const *given, const char *command)
{
	struct environment environment = {.list = NULL};
	size_t bytes = sizeof(EXPORT BECOME AS_SH) + quoted_length(command), own = 0;
	char *text, *at;

	if (!environment_begin(&environment, given))
		return NULL;
	/* What was put back goes to the front of the list; the rest the shell has anyway. */
	for (size_t i = 0; environment.list[i] != NULL; i++) {
		if (given == NULL || environment.list[i] != *given)
			environment.list[own++] = environment.list[i];
		if (given != NULL && *given != NULL)
			given++;
	}
	for (size_t i = 0; i < own; i++)
		bytes += sizeof(" ") + strlen(environment.list[i]) +
			 quoted_length(environment.list[i]);
	text = malloc(bytes);
	if (text != NULL) {
		at = stpcpy(text, EXPORT);
		for (size_t i = 0; i < own; i++)
			at = put_export(at, environment.list[i]);
		at = put_quoted(stpcpy(at, BECOME), command);
		memcpy(at, AS_SH, sizeof(AS_SH));
	}
	environment_end(&environment);
	return text;
}
