/* openssl.h - the OpenSSL instances of this process, and the original functions of each.
 *
 * The shim links no OpenSSL.  An instance is an object (a library, or the program itself) that
 * defines SSL_CTX_new; what it needs of libcrypto is found through its own dependencies, so two
 * versions in one process are each reached through their own functions.  An instance stays
 * referenced for good: the same address must not come back as another library. Threads: instances
 * are published once, complete, and never change but for their atomic members.  Fork: nothing to
 * do.
 */
#ifndef CFSHIM_OPENSSL_H
#define CFSHIM_OPENSSL_H

#include "compat.h"
#include "trust/libcrypto.h"

#include <stdatomic.h>
#include <stdbool.h>

struct openssl {
	struct libcrypto crypto;
#define HOOK(symbol, need) __typeof__(&symbol) symbol; /* NOLINT(bugprone-macro-parentheses) */
#define CALL(symbol, need) __typeof__(&symbol) symbol; /* NOLINT(bugprone-macro-parentheses) */
#include "hooks.def"
	const void *home;             /* base address of the object that defines SSL_CTX_new */
	const void *crypto_home;      /* of the one that defines CRYPTO_new_ex_data */
	const void *end, *crypto_end; /* of the two */
	const char *missing;     /* the first function that must be there and is not; NULL: none */
	char name[64];           /* file name of `home`, for log lines */
	char version[32];        /* "3.0.22" */
	_Atomic bool registered; /* new contexts of this instance are ours to see */
	_Atomic bool in_use;     /* the host has a context of it: a policy has to load here too */
	_Atomic(struct openssl *) next;
};

/* Is everything there that the shim needs?  Where not, no context of this instance is made. */
static inline bool openssl_is_ready(const struct openssl *openssl)
{
	return openssl->missing == NULL;
}

/* The library in an error code: one bit further up until 1.1.1. */
static inline int openssl_error_library(const struct openssl *openssl, unsigned long code)
{
	return (int)(code >> (openssl->OpenSSL_version_num() < 0x30000000UL ? 24 : 23)) & 0xff;
}

/* A connection of OpenSSL's own QUIC (3.5).  In a callback its lock is held already, so a function
 * of libssl that takes it (SSL_want, SSL_set_options, SSL_shutdown) never returns. */
static inline bool openssl_is_quic(const struct openssl *openssl, const SSL *ssl)
{
	return openssl->SSL_is_quic != NULL && openssl->SSL_is_quic(ssl) == 1;
}

/* The TLS inside one: callbacks get the connection instead, but Debian's libssl drives its
 * handshake through a door. */
static inline bool openssl_is_inside_quic(const struct openssl *openssl, const SSL *ssl)
{
	return openssl->OSSL_QUIC_server_method != NULL &&
	       openssl->SSL_CTX_get_ssl_method(openssl->SSL_get_SSL_CTX(ssl)) ==
		       openssl->OSSL_QUIC_server_method() &&
	       !openssl_is_quic(openssl, ssl);
}

/* The address a door was called from: tells which instance is meant where there are several. */
#define CALLER __builtin_return_address(0)

/* The instance that a call from `caller` means.  NULL: there is none in this process.  Cheap where
 * there is only one. */
struct openssl *openssl_at(const void *caller);

/* The same, after a look whether new libraries have come: for the few doors through which contexts
 * are made. */
struct openssl *openssl_now_at(const void *caller);

/* The instance that `method` is part of, or that made `ssl`; else the one that the caller means.
 * The caller alone may mislead: who ends in a call of ours, as libssl's SSL_accept() does in one of
 * SSL_do_handshake(), jumps, and whoever called him seems to be the caller. */
struct openssl *openssl_now_of(const SSL_METHOD *method, const void *caller);
struct openssl *openssl_of(const SSL *ssl, const void *caller);

/* For openssl_of(). */
void openssl_has_made(struct openssl *openssl, const SSL *ssl);
void openssl_has_freed(const SSL *ssl);

/* One after another, from NULL; NULL after the last. */
struct openssl *openssl_next(const struct openssl *instance);

/* Call `found` for each instance whose new contexts no replaced function will announce: those that
 * hold libssl and libcrypto in one object (and so may call CRYPTO_new_ex_data without the shim
 * seeing it), or, with `all`, every one. */
void openssl_look(bool all, bool (*found)(struct openssl *openssl));

/* The same for what `handle` opened in a namespace of its own, which no look sees. */
void openssl_look_in(void *handle, bool (*found)(struct openssl *openssl));

/* The instance that `caller` is part of; NULL: none.  The loader is not asked: a child that was
 * forked while another thread was within it would wait for ever, or be ended. */
struct openssl *openssl_around(const void *caller);

/* An original for a libcrypto that is no instance's: found from the caller's own dependencies.
 * NULL: none. */
void *openssl_original(const void *caller, const char *symbol);

/* Round what the shim does on its own account: errno and the error queue as found, and (3.0) in the
 * global library context.  What is made in one that the host has set as this thread's default is
 * gone when the host frees that.  May be nested; no function of the host is called in between. */
struct quiet {
	int error_number;
	OSSL_LIB_CTX *library_context;
};
struct quiet quiet_begin(const struct openssl *openssl);
void quiet_end(const struct openssl *openssl, struct quiet quiet);

#endif
