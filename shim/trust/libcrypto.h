/* libcrypto.h - libcrypto's functions as shim/trust calls them: a table, so that the preloaded
 * object (which links no OpenSSL) and the command (which does) run the same code. One table an
 * OpenSSL instance; immutable once filled.
 */
#ifndef CFSHIM_LIBCRYPTO_H
#define CFSHIM_LIBCRYPTO_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

struct libcrypto {
#define TRUST(symbol) __typeof__(&symbol) symbol; /* NOLINT(bugprone-macro-parentheses) */
#include "../hooks.def"
};

/* OpenSSL's stacks, without the inline functions of its headers, which call libcrypto by name. */
#define libcrypto_stack_count(libcrypto, stack) \
	((libcrypto)->OPENSSL_sk_num((const OPENSSL_STACK *)(stack)))
#define libcrypto_stack_at(libcrypto, stack, index) \
	((libcrypto)->OPENSSL_sk_value((const OPENSSL_STACK *)(stack), (index)))

/* The reason in an error code.  The codes of 1.1.1 and 3.x agree in their low 12 bits, and no
 * reason is larger. */
static inline int libcrypto_error_reason(unsigned long code)
{
	return (int)(code & 0xfff);
}

#endif
