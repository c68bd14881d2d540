#include "unit_folders.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_folder(struct unit_folders *folders, const char *folder, const char *below)
{
	if (folders->count < FOLDERS_MOST && folder != NULL && *folder == '/')
		snprintf(folders->list[folders->count++], PATH_MAX, "%s%s", folder, below);
}

static void add_home_folder(struct unit_folders *folders, const char *variable, const char *usual)
{
	const char *home = getenv("HOME"), *said = getenv(variable);
	char below[128];

	snprintf(below, sizeof(below), "/%s/systemd/user", usual);
	if (said != NULL && *said == '/')
		add_folder(folders, said, "/systemd/user");
	else
		add_folder(folders, home, below);
}

void unit_folders_find(struct unit_folders *folders, bool of_user)
{
	static const char *const bases[] = {"/etc/systemd/", "/run/systemd/",
					    "/usr/local/lib/systemd/", "/usr/lib/systemd/",
					    "/lib/systemd/"};

	folders->count = 0;
	if (of_user)
		add_home_folder(folders, "XDG_CONFIG_HOME", ".config");
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		/* Before what packages bring, if not before the administrator's. */
		if (of_user && i == 2)
			add_home_folder(folders, "XDG_DATA_HOME", ".local/share");
		if (!of_user && i == 2)
			add_folder(folders, "/run/systemd/generator", "");
		add_folder(folders, bases[i], of_user ? "user" : "system");
	}
	if (!of_user)
		add_folder(folders, "/run/systemd/generator.late", "");
}

bool unit_folder(char *path, size_t size, bool of_user)
{
	struct unit_folders *folders = malloc(sizeof(*folders));
	bool good = false;

	if (folders != NULL) {
		unit_folders_find(folders, of_user);
		good = folders->count > 0 &&
		       (size_t)snprintf(path, size, "%s", folders->list[0]) < size;
	}
	free(folders);
	return good && (!of_user || strncmp(path, "/etc/", 5) != 0);
}
