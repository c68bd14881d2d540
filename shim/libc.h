/* libc.h - the originals of the libc functions that the shim replaces.
 * Bound once, at load; immutable afterwards.
 */
#ifndef CFSHIM_LIBC_H
#define CFSHIM_LIBC_H

#include "compat.h"
#include "libc_names.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct libc {
#define LIBC(symbol, need) __typeof__(&symbol) symbol; /* NOLINT(bugprone-macro-parentheses) */
#include "hooks.def"
};

/* Those of every libc are bound at the first call: a constructor of the host may use a door before
 * the shim's own has run, and so may its malloc() in the midst of its own begin. */
extern _Atomic bool libc_is_bound;
extern struct libc libc_functions;
const struct libc *libc_bind(void);
static inline const struct libc *libc_originals(void)
{
	return atomic_load_explicit(&libc_is_bound, memory_order_acquire) ? &libc_functions
									  : libc_bind();
}

/* The others, at load. */
void libc_bind_all(void);

/* One of the others, which is bound if it has not been: is it there? */
bool libc_has(size_t slot);

/* Whoever looks such a name up finds it here, where the libc at hand (musl, an older glibc, aio
 * before librt is there) has none: then the call fails with ENOSYS. */
#define LIBC_LACKS(symbol)                                                               \
	(libc_originals()->symbol == NULL && !libc_has(offsetof(struct libc, symbol)) && \
	 (errno = ENOSYS) != 0)

#endif
