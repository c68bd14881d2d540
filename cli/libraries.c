#include "libraries.h"

#include "tls_library.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More libraries than any program has. */
#define LIBRARIES_MOST 4096
/* Files of ld.so.conf that include each other. */
#define INCLUDES_MOST 16

#ifdef __LP64__
#define USUAL_FOLDERS "/lib64:/usr/lib64:/lib:/usr/lib"
#else
#define USUAL_FOLDERS "/lib:/usr/lib"
#endif
/* musl's default, where /etc/ld-musl-ARCH.path says nothing else. */
#define MUSL_FOLDERS "/lib:/usr/local/lib:/usr/lib"

static void add_folder(struct libraries *libraries, const char *folder)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s%s", libraries->folders ? libraries->folders : "",
		     libraries->folders ? ":" : "", folder) < 0) {
		libraries->out_of_memory = true;
		return;
	}
	free(libraries->folders);
	libraries->folders = longer;
}

/* NOLINTBEGIN(misc-no-recursion): no deeper than INCLUDES_MOST */

static void read_configuration(struct libraries *libraries, const char *path, int depth);

static void include_files(struct libraries *libraries, const char *file, const char *pattern,
			  int depth)
{
	const char *slash = strrchr(file, '/');
	char whole[PATH_MAX];
	glob_t found = {.gl_pathc = 0};

	snprintf(whole, sizeof(whole), "%.*s%s",
		 *pattern == '/' || slash == NULL ? 0 : (int)(slash + 1 - file), file, pattern);
	if (depth < INCLUDES_MOST && glob(whole, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_configuration(libraries, found.gl_pathv[i], depth + 1);
	globfree(&found);
}

/* ldconfig(8): a folder a line, `include PATTERN`, comments; one that says hwcap is of old. */
static void read_configuration(struct libraries *libraries, const char *path, int depth)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (file != NULL && getline(&line, &size, file) >= 0) {
		char *word = line + strspn(line, " \t");

		word[strcspn(word, "#\n")] = '\0';
		for (size_t end = strlen(word); end > 0 && strchr(" \t", word[end - 1]); end--)
			word[end - 1] = '\0';
		if (strncmp(word, "include", 7) == 0 && strchr(" \t", word[7]))
			include_files(libraries, path, word + 7 + strspn(word + 7, " \t"), depth);
		else if (*word == '/')
			add_folder(libraries, word);
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

/* NOLINTEND(misc-no-recursion) */

/* /lib/ld-musl-x86_64.so.1 -> /etc/ld-musl-x86_64.path, whose folders stand a line each, or with
 * colons between. */
static void read_musl_path(struct libraries *libraries, const char *loader)
{
	const char *name = strrchr(loader, '/') + 1;
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/etc/%.*s.path", (int)strcspn(name, "."), name);
	file = fopen(path, "re");
	while (file != NULL && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		add_folder(libraries, line);
	}
	free(line);
	if (file != NULL)
		fclose(file);
	else
		add_folder(libraries, MUSL_FOLDERS);
}

static void find_folders(struct libraries *libraries, const struct elf_file *program)
{
	libraries->is_musl = strstr(program->interpreter, "/ld-musl-") != NULL;
	if (libraries->is_musl) {
		read_musl_path(libraries, program->interpreter);
		return;
	}
	read_configuration(libraries, "/etc/ld.so.conf", 0);
	add_folder(libraries, USUAL_FOLDERS);
}

/* ---- one library ---- */

static struct library *add_library(struct libraries *libraries, const char *path)
{
	struct library *grown;

	grown = realloc(libraries->list, (libraries->count + 1) * sizeof(*grown));
	if (grown == NULL) {
		libraries->out_of_memory = true;
		return NULL;
	}
	libraries->list = grown;
	grown += libraries->count;
	*grown = (struct library){.path = strdup(path)};
	if (grown->path == NULL) {
		libraries->out_of_memory = true;
		return NULL;
	}
	libraries->count++;
	return grown;
}

/* Is it a library that this loader would take?  It passes over those of another machine. */
static bool is_library(const char *path, const struct elf_file *wanting)
{
	const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct elf_file elf;
	bool good;

	if (file < 0)
		return false;
	good = elf_file_begin(&elf, file) == ELF_READ &&
	       elf.header.e_machine == wanting->header.e_machine;
	elf_file_end(&elf);
	close(file);
	return good;
}

/* A folder of a search path with $ORIGIN, or ${ORIGIN}, in it; of the other tokens nobody but the
 * loader knows. */
static void expand_folder(char *folder, size_t size, const char *text, size_t length,
			  const char *object)
{
	const char *slash = strrchr(object, '/');
	size_t token = 0;

	if (length >= 7 && strncmp(text, "$ORIGIN", 7) == 0)
		token = 7;
	else if (length >= 9 && strncmp(text, "${ORIGIN}", 9) == 0)
		token = 9;
	snprintf(folder, size, "%.*s%.*s", token > 0 && slash ? (int)(slash - object) : 0, object,
		 (int)(length - token), text + token);
}

static bool search(const char *folders, const char *name, const struct elf_file *wanting,
		   const char *object, char *path)
{
	char folder[PATH_MAX];

	while (folders != NULL && *folders != '\0') {
		const size_t length = strcspn(folders, ":");

		expand_folder(folder, sizeof(folder), folders, length, object);
		if (snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX &&
		    is_library(path, wanting))
			return true;
		folders += length + (folders[length] == ':');
	}
	return false;
}

static bool find_library(const struct libraries *libraries, const struct elf_file *wanting,
			 const char *object, const char *name, char *path)
{
	const char *run_path = elf_string(wanting, DT_RUNPATH, 0);

	if (strchr(name, '/') != NULL) {
		snprintf(path, PATH_MAX, "%s", name);
		return is_library(path, wanting);
	}
	return (run_path == NULL &&
		search(elf_string(wanting, DT_RPATH, 0), name, wanting, object, path)) ||
	       search(getenv("LD_LIBRARY_PATH"), name, wanting, object, path) ||
	       search(run_path, name, wanting, object, path) ||
	       search(libraries->folders, name, wanting, object, path);
}

static bool is_known(const struct libraries *libraries, const char *path)
{
	for (size_t i = 0; i < libraries->count; i++)
		if (strcmp(libraries->list[i].path, path) == 0)
			return true;
	return false;
}

/* musl has all of libc in its loader, whatever it is called. */
static bool is_in_musl(const char *name)
{
	static const char *const parts[] = {"libc.",  "libpthread.", "librt.",  "libm.",
					    "libdl.", "libutil.",    "libxnet."};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strncmp(name, parts[i], strlen(parts[i])) == 0)
			return true;
	return false;
}

static void add_needed(struct libraries *libraries, const struct elf_file *elf, const char *object,
		       bool direct)
{
	char path[PATH_MAX];
	const char *name;

	for (size_t i = 0; (name = elf_string(elf, DT_NEEDED, i)) != NULL; i++) {
		bool found;
		struct library *added;

		if (libraries->is_musl && is_in_musl(name))
			continue;
		found = find_library(libraries, elf, object, name, path);
		if (is_known(libraries, found ? path : name) || libraries->count >= LIBRARIES_MOST)
			continue;
		added = add_library(libraries, found ? path : name);
		if (added != NULL) {
			added->found = found;
			added->direct = direct;
		}
	}
}

static void look_into(struct libraries *libraries, size_t index)
{
	char path[PATH_MAX];
	struct elf_file elf;
	int file;

	snprintf(path, sizeof(path), "%s", libraries->list[index].path);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return;
	if (elf_file_begin(&elf, file) == ELF_READ) {
		if (index == 0)
			find_folders(libraries, &elf);
		libraries->list[index].kinds = tls_of_file(&elf);
		add_needed(libraries, &elf, path, index == 0);
	}
	elf_file_end(&elf);
	close(file);
}

void libraries_begin(struct libraries *libraries, const char *program)
{
	char path[PATH_MAX];
	struct library *first;

	*libraries = (struct libraries){.list = NULL};
	/* Of the program, $ORIGIN is where it is, not a link to it. */
	first = add_library(libraries, realpath(program, path) ? path : program);
	if (first == NULL)
		return;
	first->found = first->direct = true;
	for (size_t i = 0; i < libraries->count; i++)
		if (libraries->list[i].found)
			look_into(libraries, i);
}

void libraries_end(struct libraries *libraries)
{
	for (size_t i = 0; i < libraries->count; i++)
		free(libraries->list[i].path);
	free(libraries->list);
	free(libraries->folders);
}
