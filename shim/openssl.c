#include "openssl.h"

#include "libc.h"
#include "object.h"
#include "table.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum need { MAY, MUST };

struct openssl_binding {
	const char *symbol;
	size_t slot; /* offset in struct openssl */
	enum need need;
};

static const struct openssl_binding bindings[] = {
#define HOOK(symbol, need) {#symbol, offsetof(struct openssl, symbol), need},
#define CALL(symbol, need) {#symbol, offsetof(struct openssl, symbol), need},
#define TRUST(symbol)      {#symbol, offsetof(struct openssl, crypto.symbol), MUST},
#include "hooks.def"
};

/* Published newest last; never shortened. */
static _Atomic(struct openssl *) first_instance;

/* Where calls came from, once several instances are there: return address -> instance. */
static struct table instance_of_caller;

/* SSL -> the instance that made it. */
static struct table instance_of_ssl;

/* The first and the last byte of this very object, by the linker. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static bool is_between(const void *address, const void *first, const void *end)
{
	return (uintptr_t)address >= (uintptr_t)first && (uintptr_t)address < (uintptr_t)end;
}

static bool is_ours(const void *address)
{
	return is_between(address, __ehdr_start, _end);
}

/* Of symbols that a version lacks: not the host's to find. */
static void forget_own_dlerror(void)
{
	dlerror(); /* NOLINT(concurrency-mt-unsafe): one for each thread in glibc and musl */
}

static const void *base_of(const void *address)
{
	Dl_info info;

	return dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

/* What `handle` means by `symbol`; not the shim's own functions, which stand in front in the global
 * scope. */
static void *original_in(void *handle, const char *symbol)
{
	void *found = handle ? dlsym(handle, symbol) : NULL;

	return is_ours(found) ? NULL : found;
}

/* "OpenSSL 3.0.22 25 Aug 2026" -> "3.0.22" */
static void copy_version(struct openssl *openssl)
{
	const char *text = openssl->OpenSSL_version(0);
	const char *word = strchr(text, ' ');
	size_t length = word ? strcspn(++word, " ") : 0;

	snprintf(openssl->version, sizeof(openssl->version), "%.*s", (int)length, word ? word : "");
}

static void bind_functions(struct openssl *openssl, void *handle)
{
	for (size_t i = 0; i < sizeof(bindings) / sizeof(*bindings); i++) {
		void *found = original_in(handle, bindings[i].symbol);

		if (found == NULL && bindings[i].need == MUST && openssl->missing == NULL)
			openssl->missing = bindings[i].symbol;
		memcpy((char *)openssl + bindings[i].slot, &found, sizeof(found));
	}
	if (openssl->SSL_get0_peer_certificate == NULL && openssl->SSL_get_peer_certificate == NULL)
		openssl->missing = "SSL_get0_peer_certificate";
	if (openssl->CRYPTO_new_ex_data != NULL) {
		void *function;

		memcpy(&function, &openssl->CRYPTO_new_ex_data, sizeof(function));
		openssl->crypto_home = base_of(function);
		openssl->crypto_end = object_end(function);
	}
	if (openssl->missing == NULL)
		copy_version(openssl);
}

static struct openssl *instance_find(const void *home)
{
	struct openssl *instance = atomic_load_explicit(&first_instance, memory_order_acquire);

	while (instance != NULL && instance->home != home && instance->crypto_home != home)
		instance = atomic_load_explicit(&instance->next, memory_order_acquire);
	return instance;
}

struct openssl *openssl_next(const struct openssl *instance)
{
	return atomic_load_explicit(instance ? &((struct openssl *)(uintptr_t)instance)->next
					     : &first_instance,
				    memory_order_acquire);
}

/* Append, unless another thread was first with the same object. */
static void instance_publish(struct openssl *made)
{
	_Atomic(struct openssl *) *end = &first_instance;
	struct openssl *found = NULL;

	while (!atomic_compare_exchange_strong(end, &found, made)) {
		if (found->home == made->home) {
			free(made);
			return;
		}
		end = &found->next;
		found = NULL;
	}
}

/* `handle` is never closed. */
static void instance_make(const char *path, const void *home, void *handle)
{
	struct openssl *made = calloc(1, sizeof(*made));
	const char *name = strrchr(path, '/');
	void *function;

	if (made == NULL)
		return;
	made->home = home;
	snprintf(made->name, sizeof(made->name), "%s",
		 path[0] == '\0' ? "program"
		 : name          ? name + 1
				 : path);
	bind_functions(made, handle);
	memcpy(&function, &made->SSL_CTX_new, sizeof(function));
	made->end = function ? object_end(function) : home;
	forget_own_dlerror();
	instance_publish(made);
}

/* What a look at the loaded objects brings home: neither dlopen() nor dladdr() can be called while
 * it lasts. */
struct findings {
	bool self_contained_only;
	size_t count;
	struct {
		char path[512];
		const void *inside;
	} found[8];
};

static int look_at_object(struct dl_phdr_info *object, size_t size, void *context)
{
	struct findings *findings = context;
	const void *inside = NULL;

	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_LOAD)
			inside = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	if (findings->count < sizeof(findings->found) / sizeof(*findings->found) &&
	    !is_ours(inside) && object_defines(object, "SSL_CTX_new") &&
	    (!findings->self_contained_only || object_defines(object, "CRYPTO_new_ex_data"))) {
		snprintf(findings->found[findings->count].path, sizeof(findings->found->path), "%s",
			 object->dlpi_name ? object->dlpi_name : "");
		findings->found[findings->count++].inside = inside;
	}
	return 0;
}

static void look_for_instances(bool self_contained_only)
{
	struct findings findings = {.self_contained_only = self_contained_only};

	dl_iterate_phdr(look_at_object, &findings);
	for (size_t i = 0; i < findings.count; i++) {
		const void *home = base_of(findings.found[i].inside);

		const char *path = findings.found[i].path;

		/* Referenced for good: the handle is kept, and the object marked so. */
		if (home != NULL && instance_find(home) == NULL)
			instance_make(
				path, home,
				libc_originals()->dlopen(path[0] == '\0' ? NULL : path,
							 RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
	}
}

void openssl_look(bool all, bool (*found)(struct openssl *openssl))
{
	struct openssl *instance;

	look_for_instances(!all);
	instance = atomic_load_explicit(&first_instance, memory_order_acquire);
	for (; instance != NULL;
	     instance = atomic_load_explicit(&instance->next, memory_order_acquire))
		if (all || instance->home == instance->crypto_home)
			found(instance);
}

void openssl_look_in(void *handle, bool (*found)(struct openssl *openssl))
{
	void *function = original_in(handle, "SSL_CTX_new");
	struct openssl *instance;
	Lmid_t namespace;
	Dl_info info;

	forget_own_dlerror();
	if (function == NULL || dladdr(function, &info) == 0)
		return;
	if (instance_find(info.dli_fbase) == NULL && dlinfo(handle, RTLD_DI_LMID, &namespace) == 0)
		instance_make(info.dli_fname, info.dli_fbase,
			      libc_originals()->dlmopen(namespace, info.dli_fname,
							RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
	instance = instance_find(info.dli_fbase);
	if (instance != NULL)
		found(instance);
}

/* The instance that the object of `caller` is linked to: itself, or what its dependencies define.
 */
static struct openssl *instance_of_object(const void *caller)
{
	struct openssl *instance;
	Dl_info info;
	void *handle, *function;

	if (dladdr(caller, &info) == 0)
		return NULL;
	instance = instance_find(info.dli_fbase);
	if (instance != NULL)
		return instance;
	handle = libc_originals()->dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (handle == NULL)
		handle = libc_originals()->dlopen(
			NULL,
			RTLD_LAZY |
				RTLD_NOLOAD); /* the program: dli_fname is what it was called by */
	function = original_in(handle, "SSL_CTX_new");
	if (function == NULL)
		function = dlsym(
			RTLD_NEXT,
			"SSL_CTX_new"); /* in the global scope the shim's own stands in front */
	if (handle != NULL)
		dlclose(handle);
	forget_own_dlerror();
	return function ? instance_find(base_of(function)) : NULL;
}

struct openssl *openssl_at(const void *caller)
{
	struct openssl *instance = atomic_load_explicit(&first_instance, memory_order_acquire);
	struct openssl *meant;

	if (instance == NULL) {
		look_for_instances(false);
		instance = atomic_load_explicit(&first_instance, memory_order_acquire);
	}
	if (instance == NULL || atomic_load_explicit(&instance->next, memory_order_acquire) == NULL)
		return instance;
	meant = table_get(&instance_of_caller, caller);
	if (meant == NULL) {
		meant = instance_of_object(caller);
		if (meant == NULL)
			return instance;
		/* Two threads may put the same pair; either entry serves. */
		table_put(&instance_of_caller, caller, meant);
	}
	return meant;
}

struct openssl *openssl_around(const void *caller)
{
	struct openssl *instance = atomic_load_explicit(&first_instance, memory_order_acquire);

	while (instance != NULL && !is_between(caller, instance->home, instance->end) &&
	       !is_between(caller, instance->crypto_home, instance->crypto_end))
		instance = atomic_load_explicit(&instance->next, memory_order_acquire);
	return instance;
}

struct openssl *openssl_now_at(const void *caller)
{
	int error_number = errno;

	look_for_instances(false);
	errno = error_number;
	return openssl_at(caller);
}

struct openssl *openssl_now_of(const SSL_METHOD *method, const void *caller)
{
	struct openssl *meant = openssl_now_at(caller);
	struct openssl *found = instance_find(base_of(method));

	return found ? found : meant;
}

struct openssl *openssl_of(const SSL *ssl, const void *caller)
{
	struct openssl *instance = atomic_load_explicit(&first_instance, memory_order_acquire);
	struct openssl *maker = NULL;

	if (instance != NULL && atomic_load_explicit(&instance->next, memory_order_acquire) == NULL)
		return instance; /* on the way of every read and write */
	if (instance != NULL && ssl != NULL)
		maker = table_get(&instance_of_ssl, ssl);
	return maker ? maker : openssl_at(caller);
}

/* Where there is no memory for it, the caller has to do. */
void openssl_has_made(struct openssl *openssl, const SSL *ssl)
{
	table_take(&instance_of_ssl, ssl);
	table_put(&instance_of_ssl, ssl, openssl);
}

void openssl_has_freed(const SSL *ssl)
{
	table_take(&instance_of_ssl, ssl);
}

void *openssl_original(const void *caller, const char *symbol)
{
	static struct table originals; /* return address -> original */
	void *found = table_get(&originals, caller);
	Dl_info info;
	void *handle;

	if (found != NULL)
		return found;
	if (dladdr(caller, &info) == 0)
		return NULL;
	handle = libc_originals()->dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	found = original_in(handle, symbol);
	if (found == NULL)
		found = dlsym(RTLD_NEXT, symbol);
	if (handle != NULL)
		dlclose(handle);
	forget_own_dlerror();
	if (found != NULL)
		table_put(&originals, caller, found);
	return found;
}

struct quiet quiet_begin(const struct openssl *openssl)
{
	struct quiet quiet = {.error_number = errno};

	openssl->crypto.ERR_set_mark();
	if (openssl->OSSL_LIB_CTX_set0_default != NULL &&
	    openssl->OSSL_LIB_CTX_get0_global_default != NULL)
		quiet.library_context = openssl->OSSL_LIB_CTX_set0_default(
			openssl->OSSL_LIB_CTX_get0_global_default());
	return quiet;
}

void quiet_end(const struct openssl *openssl, struct quiet quiet)
{
	if (quiet.library_context != NULL)
		openssl->OSSL_LIB_CTX_set0_default(quiet.library_context);
	openssl->crypto.ERR_pop_to_mark();
	errno = quiet.error_number;
}
