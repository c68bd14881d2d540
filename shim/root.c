#include "root.h"

#include <sys/stat.h>

static struct {
	bool known;
	dev_t device;
	ino_t inode;
} at_start;

void root_remember(void)
{
	struct stat root;

	if (at_start.known || stat("/", &root) != 0)
		return;
	at_start.device = root.st_dev;
	at_start.inode = root.st_ino;
	at_start.known = true;
}

bool root_is_as_at_start(void)
{
	struct stat root;

	return at_start.known && stat("/", &root) == 0 && root.st_dev == at_start.device &&
	       root.st_ino == at_start.inode;
}
