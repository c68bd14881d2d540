/* libc.h - the originals of the libc functions that the shim replaces.
 * Bound once, at load; immutable afterwards.
 */
#ifndef CFSHIM_LIBC_H
#define CFSHIM_LIBC_H

#include "compat.h"
#include "libc_names.h"

#include <errno.h>

struct libc {
#define LIBC(symbol, need) __typeof__(&symbol) symbol; /* NOLINT(bugprone-macro-parentheses) */
#include "hooks.def"
};

/* Bound at the first call: a constructor of the host may use a door before the shim's own has run.
 */
const struct libc *libc_originals(void);

/* Whoever looks such a name up finds it here, where the libc at hand (musl, an older glibc, aio
 * before librt is there) has none: then the call fails with ENOSYS. */
#define LIBC_LACKS(symbol) (libc_originals()->symbol == NULL && (errno = ENOSYS) != 0)

#endif
