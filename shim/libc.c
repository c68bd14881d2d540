#include "libc.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct libc_binding {
	const char *symbol;
	size_t slot; /* offset in struct libc */
};

static const struct libc_binding bindings[] = {
#define LIBC(symbol, need) {#symbol, offsetof(struct libc, symbol)},
#include "hooks.def"
};

/* Every thread that comes here before it is bound writes the same addresses; a constructor of
 * another library may be first. */
const struct libc *libc_originals(void)
{
	static struct libc libc;
	static _Atomic bool bound;

	if (atomic_load_explicit(&bound, memory_order_acquire))
		return &libc;
	for (size_t i = 0; i < sizeof(bindings) / sizeof(*bindings); i++) {
		void *found = dlsym(RTLD_NEXT, bindings[i].symbol);

		memcpy((char *)&libc + bindings[i].slot, &found, sizeof(found));
	}
	atomic_store_explicit(&bound, true, memory_order_release);
	return &libc;
}
