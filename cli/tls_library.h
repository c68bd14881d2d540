/* tls_library.h - which TLS stands in a file: told by the functions that it defines, or else by
 * texts that only such code holds.
 */
#ifndef CFSHIM_TLS_LIBRARY_H
#define CFSHIM_TLS_LIBRARY_H

#include "elf_file.h"

/* Bits: a process, or a program with its libraries, has several. */
enum tls {
	TLS_OPENSSL = 1 << 0,   /* an OpenSSL that defines all that the library hooks */
	TLS_UNLIKE = 1 << 1,    /* SSL_CTX_new, and not the rest: BoringSSL, LibreSSL, an old one */
	TLS_INSIDE = 1 << 2,    /* OpenSSL's code, and its functions are not exported */
	TLS_BORINGSSL = 1 << 3, /* likewise BoringSSL's */
	TLS_GNUTLS = 1 << 4,
	TLS_NSS = 1 << 5,
	TLS_MBEDTLS = 1 << 6,
	TLS_WOLFSSL = 1 << 7,
	TLS_S2N = 1 << 8,
	TLS_RUSTLS = 1 << 9,
	TLS_GO = 1 << 10,
	TLS_JAVA = 1 << 11,
	TLS_QUIC = 1 << 12,         /* QUIC of another library than OpenSSL */
	TLS_QUIC_SERVER = 1 << 13,  /* that of OpenSSL, for servers */
	TLS_LOADS = 1 << 14,        /* it loads modules at run time */
	TLS_WANTS_OPENSSL = 1 << 15 /* it calls SSL_CTX_new */
};

/* What cannot be hooked. */
#define TLS_OTHERS                                                                                 \
	(TLS_UNLIKE | TLS_BORINGSSL | TLS_GNUTLS | TLS_NSS | TLS_MBEDTLS | TLS_WOLFSSL | TLS_S2N | \
	 TLS_RUSTLS | TLS_GO | TLS_JAVA)
#define TLS_ANY (TLS_OPENSSL | TLS_INSIDE | TLS_OTHERS)

/* Reads the whole file only where its functions tell nothing. */
unsigned tls_of_file(const struct elf_file *elf);

/* "GnuTLS, NSS": those of `kinds` that are TLS which cannot be hooked. */
const char *tls_names(char *text, size_t size, unsigned kinds);

#endif
