/* Which OpenSSL?  Hosts that bring, hide, unload and set apart their own: a stranger gets in
 * through none of them. */
#include "attack.h"
#include "test.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef DF_1_NODELETE
#define DF_1_NODELETE 8
#endif

/* ---- copies of libssl and libcrypto in the host's own folder ---- */

/* Of something that the shim does not replace. */
static const char *path_of(const void *function)
{
	Dl_info info;

	return dladdr(function, &info) != 0 ? info.dli_fname : "";
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char bytes[65536];
	ssize_t count;

	while ((count = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)count) != count)
			exit(1);
	close(in);
	close(out);
}

/* Debian's libraries stay for good once they are loaded; others' do not. */
static void let_be_unloaded(const char *path)
{
	int file = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;
	unsigned char *bytes;
	const Elf64_Ehdr *header;
	const Elf64_Phdr *part;

	if (file < 0 || fstat(file, &status) != 0)
		exit(1);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (bytes == MAP_FAILED)
		exit(1);
	header = (const void *)bytes;
	part = (const void *)(bytes + header->e_phoff);
	for (size_t i = 0; i < header->e_phnum; i++) {
		Elf64_Dyn *entry = (void *)(bytes + part[i].p_offset);

		for (; part[i].p_type == PT_DYNAMIC && entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_FLAGS_1)
				entry->d_un.d_val &= ~(Elf64_Xword)DF_1_NODELETE;
	}
	munmap(bytes, (size_t)status.st_size);
	close(file);
}

/* The late server takes the place of this program, which is linked to an OpenSSL itself. */
static int become_late_server(char **words, const char *mode, const char *crypto, const char *ssl)
{
	char program[PATH_MAX], copies[2][PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 64);
	char *name;

	if (length < 0)
		return 1;
	program[length] = '\0';
	name = strstr(program, "/tests/attacks/");
	if (name == NULL)
		return 1;
	snprintf(name, sizeof(program) - (size_t)(name - program),
		 "/tests/process/servers/late_server");
	snprintf(copies[0], PATH_MAX, "./%s", crypto);
	snprintf(copies[1], PATH_MAX, "./%s", ssl);
	copy_file(path_of((void *)(uintptr_t)OPENSSL_cleanup), copies[0]);
	copy_file(path_of((void *)(uintptr_t)TLS_server_method), copies[1]);
	if (strcmp(mode, "again") == 0) {
		let_be_unloaded(copies[0]);
		let_be_unloaded(copies[1]);
	}
	execl(program, program, words[0], words[1], mode, words[2], copies[0], copies[1], NULL);
	return 1;
}

static int become_with_own_names(char **words, const char *mode)
{
	return become_late_server(words, mode,
				  last_part(path_of((void *)(uintptr_t)OPENSSL_cleanup)),
				  last_part(path_of((void *)(uintptr_t)TLS_server_method)));
}

static int host_of_copies(char **words)
{
	return become_with_own_names(words, "local");
}

static int host_of_deep_copies(char **words)
{
	return become_with_own_names(words, "deep");
}

static int host_of_copies_apart(char **words)
{
	return become_with_own_names(words, "apart");
}

static int host_of_copies_again(char **words)
{
	return become_with_own_names(words, "again");
}

static int host_of_other_names(char **words)
{
	return become_late_server(words, "local", "libprivate-c.so", "libprivate-s.so");
}

/* ---- library contexts ---- */

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static int serve_all(SSL_CTX *context, const char *port)
{
	int listener = host_socket(SOCK_STREAM, port);

	for (;;)
		host_serve(context, accept(listener, NULL, NULL));
	return 0;
}

/* The host's own is this thread's default when the context is made. */
static int host_in_own_context(char **words)
{
	OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_new());
	return serve_all(host_context(TLS_server_method(), words), words[2]);
}

/* It becomes so only then, with the connections. */
static int host_that_changes_contexts(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);

	OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_new());
	return serve_all(context, words[2]);
}

static int host_with_own_context(char **words)
{
	SSL_CTX *context = SSL_CTX_new_ex(OSSL_LIB_CTX_new(), NULL, TLS_server_method());

	if (context == NULL || SSL_CTX_use_certificate_chain_file(context, words[0]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[1], SSL_FILETYPE_PEM) != 1)
		return 1;
	return serve_all(context, words[2]);
}
#endif

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "a stranger at a host with a libssl of its own",
		.source = "dlopen(3), RTLD_LOCAL",
		.host = host_of_copies,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host whose own libssl calls itself first",
		.source = "dlopen(3), RTLD_DEEPBIND",
		.host = host_of_deep_copies,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host whose libssl has another name",
		.source = "dlopen(3)",
		.host = host_of_other_names,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that loads libssl a second time",
		.source = "dlclose(3); OpenSSL Configurations/unix-Makefile.tmpl, -znodelete",
		.host = host_of_copies_again,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host with a libssl in a namespace of its own",
		.source = "dlmopen(3)",
		.host = host_of_copies_apart,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	{
		.name = "a stranger at a host in a library context of its own",
		.source = "OpenSSL crypto/context.c, OSSL_LIB_CTX_set0_default()",
		.host = host_in_own_context,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that changes its library context",
		.source = "OpenSSL crypto/context.c, OSSL_LIB_CTX_set0_default()",
		.host = host_that_changes_contexts,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger at a host that makes its context in another library context",
		.source = "OpenSSL ssl/ssl_lib.c, SSL_CTX_new_ex()",
		.host = host_with_own_context,
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "libraries", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
