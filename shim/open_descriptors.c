#include "open_descriptors.h"

#include "libc.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#define FIRST_ONES 1024

/* Where the fields of the kernel's struct linux_dirent64 are; opendir() would allocate. */
#define ENTRY_SIZE_AT 16
#define ENTRY_NAME_AT 19

/* Digits; strtol() has another name in newer headers, which musl lacks. */
static int number_of(const char *name)
{
	int number = 0;

	for (; *name >= '0' && *name <= '9' && number < 100000000; name++)
		number = number * 10 + (*name - '0');
	return number;
}

void open_descriptors_each(bool (*found)(int descriptor, void *argument), void *argument)
{
	int folder = open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool goes_on = true;
	char block[1024];
	long length;

	for (int i = 0; folder < 0 && goes_on && i < FIRST_ONES; i++)
		goes_on = found(i, argument);
	while (folder >= 0 && goes_on &&
	       (length = libc_originals()->syscall(SYS_getdents64, folder, block, sizeof(block))) >
		       0)
		for (long at = 0; goes_on && at < length;) {
			const char *name = block + at + ENTRY_NAME_AT;
			const int descriptor = number_of(name);
			uint16_t size;

			memcpy(&size, block + at + ENTRY_SIZE_AT, sizeof(size));
			if (*name != '.' && descriptor != folder)
				goes_on = found(descriptor, argument);
			at += size;
		}
	if (folder >= 0)
		libc_originals()->close(folder);
}
