/* Which OpenSSL?  Hosts that bring, hide, unload and set apart their own: a stranger gets in
 * through none of them. */
#include "attack.h"
#include "library_copy.h"
#include "test.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- copies of libssl and libcrypto in the host's own folder ---- */

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
	library_copy(copies[0], (void *)(uintptr_t)OPENSSL_cleanup);
	library_copy(copies[1], (void *)(uintptr_t)TLS_server_method);
	if (strcmp(mode, "again") == 0) {
		library_let_be_unloaded(copies[0]);
		library_let_be_unloaded(copies[1]);
	}
	execl(program, program, words[0], words[1], mode, words[2], copies[0], copies[1], NULL);
	return 1;
}

static int become_with_own_names(char **words, const char *mode)
{
	return become_late_server(words, mode, library_name((void *)(uintptr_t)OPENSSL_cleanup),
				  library_name((void *)(uintptr_t)TLS_server_method));
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
		.unsanitized = "its library refuses RTLD_DEEPBIND",
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
