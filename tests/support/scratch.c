#include "scratch.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char folder[PATH_MAX];

void scratch_begin(void)
{
	text_format(folder, sizeof(folder), "/tmp/cfshim-test-XXXXXX");
	/* Workers that gave up root read their pages here. */
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0)
		fail_msg("cannot make %s: %s", folder, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void scratch_end(void)
{
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_dir(void)
{
	return folder;
}

void scratch_new_dir(char *path, size_t size, const char *purpose)
{
	static unsigned count;

	text_format(path, size, "%s/%u-%s", folder, ++count, purpose);
	if (mkdir(path, 0755) != 0)
		fail_msg("cannot make %s: %s", path, strerror(errno));
}

void text_format(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= size)
		fail_msg("\"%s\" does not fit", format);
}

void built_path(char *path, size_t size, const char *name)
{
	const char *build = getenv("CFSHIM_BUILD");
	const char *library = getenv("CFSHIM_LIBRARY");
	char relative[PATH_MAX];
	char absolute[PATH_MAX];

	if (library != NULL && strcmp(name, "libcfshim.so") == 0)
		text_format(relative, sizeof(relative), "%s", library);
	else
		text_format(relative, sizeof(relative), "%s/%s", build ? build : "build", name);
	/* Servers change their working directory before they look. */
	if (realpath(relative, absolute) == NULL)
		fail_msg("%s: %s", relative, strerror(errno));
	text_format(path, size, "%s", absolute);
}

void scratch_write(const char *path, const char *format, ...)
{
	FILE *file = fopen(path, "we");
	va_list arguments;
	int length = -1;

	if (file != NULL) {
		va_start(arguments, format);
		length = vfprintf(file, format, arguments);
		va_end(arguments);
		if (fclose(file) != 0)
			length = -1;
	}
	if (length < 0)
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

char *scratch_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t length = -1;

	/* To the first NUL, which no text has: to the end. */
	if (file != NULL) {
		length = getdelim(&text, &size, '\0', file);
		fclose(file);
	}
	if (length >= 0)
		return text;
	free(text);
	text = strdup("");
	if (text == NULL)
		abort();
	return text;
}

static bool is_port_free(unsigned port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int off = 0;
	bool is_free;

	if (descriptor < 0)
		return false;
	setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	is_free = bind(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(descriptor);
	return is_free;
}

/* It is ours until this program ends, among all that pick ports so: an abstract name is bound. */
static bool reserve_port(unsigned port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length =
		snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "cfshim-test-port-%u", port);
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(descriptor, (struct sockaddr *)&name,
		 (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 + (socklen_t)length) == 0)
		return true;
	close(descriptor);
	return false;
}

unsigned port_pick(void)
{
	enum { FIRST = 10000, COUNT = 22000 };
	static unsigned next;

	/* Programs that run at the same time, perhaps each in a process namespace of its own, begin
	 * far apart. */
	if (next == 0 && getrandom(&next, sizeof(next), 0) != sizeof(next))
		next = (unsigned)getpid() * 149u;
	for (unsigned tries = 0; tries < COUNT; tries++) {
		unsigned port = FIRST + next++ % COUNT;

		if (is_port_free(port) && reserve_port(port))
			return port;
	}
	fail_msg("no free port");
	return 0;
}

long long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_nap(void)
{
	const struct timespec nap = {.tv_nsec = 3000000};

	nanosleep(&nap, NULL);
}
