/* door_load.c - an OpenSSL that comes later.  Loaded as usual, it announces its contexts by itself
 * (CRYPTO_new_ex_data); with RTLD_DEEPBIND, or as a module that holds a whole OpenSSL, it does not,
 * and is looked for as soon as it is there. */
#include "doors.h"
#include "hooks.h"
#include "libc.h"
#include "object.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

void *dlopen(const char *name, int flags)
{
	void *handle;
	int error_number;

	/* glibc searches a bare name, and expands $ORIGIN, by the caller's paths, and the caller
	 * must not become the shim: a jump, no call. */
	if (name != NULL && (strchr(name, '$') != NULL ||
			     (strchr(name, '/') == NULL && object_has_search_path(CALLER))))
		return libc_originals()->dlopen(name, flags);
	handle = libc_originals()->dlopen(name, flags);
	error_number = errno;
	if (handle != NULL)
		openssl_look((flags & RTLD_DEEPBIND) != 0, door_register);
	errno = error_number;
	return handle;
}

/* glibc; what lies there has a libc of its own, and nobody stands in front of it. */
void *dlmopen(Lmid_t namespace, const char *name, int flags)
{
	void *handle;
	int error_number;

	if (LIBC_LACKS(dlmopen))
		return NULL;
	handle = libc_originals()->dlmopen(namespace, name, flags);
	error_number = errno;
	if (handle != NULL)
		openssl_look_in(handle, door_register);
	errno = error_number;
	return handle;
}
