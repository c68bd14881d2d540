#include "libc.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum need { MUST, MAY };

struct libc_binding {
	const char *symbol;
	size_t slot; /* offset in struct libc */
	enum need need;
};

static const struct libc_binding bindings[] = {
#define LIBC(symbol, need) {#symbol, offsetof(struct libc, symbol), need},
#include "hooks.def"
};
#define BINDINGS (sizeof(bindings) / sizeof(bindings[0]))

_Atomic bool libc_is_bound;
struct libc libc_functions;

/* Every thread that comes here writes the same addresses. */
static void *bind_one(const struct libc_binding *binding)
{
	void *found = dlsym(RTLD_NEXT, binding->symbol);

	memcpy((char *)&libc_functions + binding->slot, &found, sizeof(found));
	return found;
}

/* dlsym() allocates where it finds nothing, and jemalloc comes by syscall() with its lock held. */
const struct libc *libc_bind(void)
{
	for (size_t i = 0; i < BINDINGS; i++)
		if (bindings[i].need == MUST)
			bind_one(&bindings[i]);
	atomic_store_explicit(&libc_is_bound, true, memory_order_release);
	return &libc_functions;
}

bool libc_has(size_t slot)
{
	static _Atomic bool tried[BINDINGS];
	void *found = NULL;

	for (size_t i = 0; i < BINDINGS; i++) {
		if (bindings[i].slot != slot)
			continue;
		memcpy(&found, (char *)&libc_functions + slot, sizeof(found));
		if (!atomic_load_explicit(&tried[i], memory_order_acquire)) {
			found = bind_one(&bindings[i]);
			atomic_store_explicit(&tried[i], true, memory_order_release);
		}
	}
	return found != NULL;
}

void libc_bind_all(void)
{
	for (size_t i = 0; i < BINDINGS; i++)
		if (bindings[i].need == MAY)
			libc_has(bindings[i].slot);
}
