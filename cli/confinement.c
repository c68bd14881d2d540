#include "confinement.h"

#include "apparmor.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LIBRARY_BYTES (64u << 20)

#include "trust/files.h"

/* The first line of a file below /sys or /proc; false: it cannot be read. */
static bool read_line(const char *path, char *line, size_t size)
{
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t got = file >= 0 ? read(file, line, size - 1) : -1;

	if (file >= 0)
		close(file);
	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return got > 0;
}

/* ---- AppArmor ---- */

static const char *resolve(const char *path, char *resolved)
{
	if (path == NULL)
		return NULL;
	return realpath(path, resolved) ? resolved : path;
}

/* Has the kernel this profile, by its list?  Where that cannot be read: it is taken for so. */
static bool is_loaded(const char *name)
{
	FILE *list = fopen("/sys/kernel/security/apparmor/profiles", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = list == NULL;

	while (!found && getline(&line, &size, list) >= 0) {
		char *mode = strstr(line, " (");

		if (mode != NULL)
			*mode = '\0';
		found = strcmp(line, name) == 0;
	}
	free(line);
	if (list != NULL)
		fclose(list);
	return found;
}

static void find_denied(struct findings *findings, const struct apparmor_profile *profile,
			const struct apparmor_access *library, const struct apparmor_access *policy)
{
	const char *word = profile->unsure ? "seems to keep" : "keeps";

	if (!apparmor_allows(library))
		find_bad(
			findings, PARAGRAPH_APPARMOR,
			"the profile %s %s the program from mapping %s, and it would start without "
			"the library; add `%s mr,`",
			profile->title, word, library->path, library->path);
	if (!apparmor_allows(policy))
		find_bad(findings, PARAGRAPH_APPARMOR,
			 "the profile %s %s the program from reading %s, and every client would be "
			 "refused; add `%s r,`",
			 profile->title, word, policy->path, policy->path);
	if (apparmor_allows(library) && apparmor_allows(policy))
		find_good("AppArmor: the profile %s lets it have the library and the policy",
			  profile->title);
}

/* "/usr/sbin/x (enforce)"; others load profiles too, whose text is not in the folder. */
static bool take_label(const char *label, char *name, size_t size)
{
	const char *mode = strstr(label, " (");

	snprintf(name, size, "%.*s", mode ? (int)(mode - label) : (int)strcspn(label, "\n"), label);
	return mode != NULL && strncmp(mode, " (enforce)", 10) == 0;
}

void find_apparmor(struct findings *findings, const struct confined *confined)
{
	char line[64], library[PATH_MAX], policy[PATH_MAX], program[PATH_MAX], name[256];
	struct apparmor_access accesses[] = {
		{.path = resolve(confined->library, library), .permissions = "mr"},
		{.path = resolve(confined->policy, policy), .permissions = "r"},
	};
	struct apparmor_profile profile = {.program = resolve(confined->program, program),
					   .accesses = accesses,
					   .access_count = 2};

	if (!read_line("/sys/module/apparmor/parameters/enabled", line, sizeof(line)) ||
	    *line != 'Y')
		return;
	if (confined->label != NULL) {
		if (!take_label(confined->label, name, sizeof(name)))
			return;
		profile.name = name;
	}
	if (access(APPARMOR_FOLDER, R_OK | X_OK) == 0)
		apparmor_look(&profile);
	if (profile.found) {
		if (!profile.complains && (profile.name != NULL || is_loaded(profile.title)))
			find_denied(findings, &profile, &accesses[0], &accesses[1]);
	} else if (profile.name != NULL) {
		find_note(findings, PARAGRAPH_APPARMOR,
			  "AppArmor confines it by the profile %s, whose text could not be seen "
			  "in " APPARMOR_FOLDER,
			  profile.name);
	}
}

/* ---- SELinux ---- */

/* The third part of user:role:type:level. */
static void type_of(const char *path, char *type, size_t size)
{
	char context[256];
	const ssize_t got = getxattr(path, "security.selinux", context, sizeof(context) - 1);
	const char *at = context;

	context[got > 0 ? got : 0] = '\0';
	for (int part = 0; part < 2; part++)
		at += strcspn(at, ":") + (at[strcspn(at, ":")] == ':');
	snprintf(type, size, "%.*s", (int)strcspn(at, ":"), at);
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void find_selinux(struct findings *findings, const struct confined *confined)
{
	static const char *const library_types[] = {"lib_t", "textrel_shlib_t"};
	static const char *const policy_types[] = {"etc_t", "usr_t", "cert_t"};
	char line[64], type[128];

	if (!read_line("/sys/fs/selinux/enforce", line, sizeof(line)) || *line != '1')
		return;
	type_of(confined->library, type, sizeof(type));
	if (!is_one_of(type, library_types, 2))
		find_bad(
			findings, PARAGRAPH_SELINUX,
			"SELinux enforces, and %s has the type %s: confined programs map libraries "
			"of lib_t; run restorecon on it",
			confined->library, *type ? type : "of an unlabelled file");
	if (confined->policy != NULL) {
		type_of(confined->policy, type, sizeof(type));
		if (!is_one_of(type, policy_types, 3))
			find_note(findings, PARAGRAPH_SELINUX,
				  "SELinux enforces, and %s has the type %s: whether the program's "
				  "domain may read that could not be seen",
				  confined->policy, *type ? type : "of an unlabelled file");
	}
	if (confined->label == NULL)
		find_note(
			findings, PARAGRAPH_SELINUX,
			"SELinux enforces: a program that changes its domain when it is started "
			"runs in secure mode, unless the policy allows noatsecure; the loader then "
			"ignores LD_PRELOAD. That could not be seen: look at the process");
}

/* ---- fapolicyd ---- */

static bool is_running(const char *name)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
		char path[sizeof("/proc//comm") + sizeof(entry->d_name)], line[64];

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			read_line(path, line, sizeof(line)) && strcmp(line, name) == 0;
	}
	if (folder != NULL)
		closedir(folder);
	return found;
}

/* "PATH SIZE SHA256", as the library is now. */
static bool describe(const char *library, char *text, size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_length = 0;
	size_t length = 0, used;
	char *bytes = file_bytes(library, LIBRARY_BYTES, &length, NULL);
	const bool good = bytes != NULL &&
			  EVP_Digest(bytes, length, digest, &digest_length, EVP_sha256(), NULL);

	free(bytes);
	used = (size_t)snprintf(text, size, "%s %zu ", library, length);
	for (unsigned i = 0; good && i < digest_length && used + 2 < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%02x", digest[i]);
	return good;
}

/* Does the trust file name the library: 1 as it is, -1 as it is not; 0: not at all. */
static int look_in_trust(const char *path, const char *library, const char *description)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int found = 0;

	while (file != NULL && found != 1 && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, library, strlen(library)) == 0 && line[strlen(library)] == ' ')
			found = strcmp(line, description) == 0 ? 1 : -1;
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
}

static int look_in_trusts(const char *library, const char *description)
{
	static const char folder_path[] = "/etc/fapolicyd/trust.d";
	int found = look_in_trust("/etc/fapolicyd/fapolicyd.trust", library, description);
	DIR *folder = opendir(folder_path);
	const struct dirent *entry;

	while (folder != NULL && found != 1 && (entry = readdir(folder)) != NULL) {
		char path[sizeof(folder_path) + sizeof(entry->d_name) + 1];
		int here;

		snprintf(path, sizeof(path), "%s/%s", folder_path, entry->d_name);
		here = entry->d_name[0] != '.' ? look_in_trust(path, library, description) : 0;
		found = here != 0 ? here : found;
	}
	if (folder != NULL)
		closedir(folder);
	return found;
}

static void find_fapolicyd(struct findings *findings, const char *library)
{
	char description[PATH_MAX + 128];
	int trusted;

	if (!is_running("fapolicyd"))
		return;
	trusted = describe(library, description, sizeof(description))
			  ? look_in_trusts(library, description)
			  : 0;
	if (trusted == 1)
		find_good("fapolicyd trusts the library as it is");
	else if (trusted == -1)
		find_bad(
			findings, PARAGRAPH_FAPOLICYD,
			"fapolicyd trusts %s with another size or digest than it has, and may keep "
			"it from being loaded; run fapolicyd-cli --file update",
			library);
	else
		find_note(
			findings, PARAGRAPH_FAPOLICYD,
			"fapolicyd runs, and its trust files do not name %s: whether it is trusted "
			"as a file of a package could not be seen",
			library);
}

void find_confinement(struct findings *findings, const struct confined *confined)
{
	find_apparmor(findings, confined);
	find_selinux(findings, confined);
	find_fapolicyd(findings, confined->library);
}
