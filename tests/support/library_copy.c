#include "library_copy.h"

#include "scratch.h"
#include "test.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file, to be changed in place. */
static char *map_file(const char *path, size_t *size)
{
	int file = open(path, O_RDWR | O_CLOEXEC);
	struct stat status = {0};
	char *bytes;

	if (file < 0 || fstat(file, &status) != 0)
		fail_msg("cannot open %s", path);
	*size = (size_t)status.st_size;
	bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (bytes == MAP_FAILED)
		fail_msg("cannot map %s", path);
	return bytes;
}

static const char *file_of(const void *function)
{
	static char paths[2][PATH_MAX]; /* two are in use at the same time */
	static unsigned next;
	char *path = paths[next++ % 2];
	Dl_info info;

	if (dladdr(function, &info) == 0)
		fail_msg("no library there");
	text_format(path, PATH_MAX, "%s", info.dli_fname);
	return path;
}

const char *library_name(const void *function)
{
	const char *path = file_of(function), *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void library_copy(const char *path, const void *function)
{
	int in = open(file_of(function), O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char bytes[65536];
	ssize_t count;

	while ((count = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)count) != count)
			fail_msg("cannot write %s", path);
	close(in);
	close(out);
}

/* The name is where the loader compares it; its hash stays, so nothing is found by either. */
void library_rename_symbol(const char *path, const char *symbol)
{
	size_t size, length = strlen(symbol) + 1;
	char *bytes = map_file(path, &size), *at = bytes;
	size_t found = 0;

	while ((at = memmem(at, size - (size_t)(at - bytes), symbol, length)) != NULL) {
		at[length - 2] = '#';
		at += length;
		found++;
	}
	munmap(bytes, size);
	if (found == 0)
		fail_msg("%s has no %s", path, symbol);
}

void library_let_be_unloaded(const char *path)
{
	size_t size;
	char *bytes = map_file(path, &size);
	const Elf64_Ehdr *header = (const void *)bytes;
	const Elf64_Phdr *part = (const void *)(bytes + header->e_phoff);

	for (size_t i = 0; i < header->e_phnum; i++) {
		Elf64_Dyn *entry = (void *)(bytes + part[i].p_offset);

		for (; part[i].p_type == PT_DYNAMIC && entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_FLAGS_1)
				entry->d_un.d_val &= ~(Elf64_Xword)DF_1_NODELETE;
	}
	munmap(bytes, size);
}
