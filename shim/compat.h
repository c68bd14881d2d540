/* compat.h - prototypes that the headers at hand lack; types only.
 * The shim is built with the headers of one OpenSSL and works with every instance from 1.1.1 on, so
 * it must be able to name functions of older and of newer ones.
 */
#ifndef CFSHIM_COMPAT_H
#define CFSHIM_COMPAT_H

#include <openssl/ssl.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
OSSL_LIB_CTX *OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX *context);
OSSL_LIB_CTX *OSSL_LIB_CTX_get0_global_default(void);
SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *context, const char *properties, const SSL_METHOD *method);
X509 *SSL_get0_peer_certificate(const SSL *ssl);
X509 *SSL_get1_peer_certificate(const SSL *ssl);
ossl_ssize_t SSL_sendfile(SSL *ssl, int descriptor, off_t offset, size_t size, int flags);
#endif

/* A macro for SSL_get1_peer_certificate in the headers of 3.x, a function of its own until 1.1.1.
 */
#undef SSL_get_peer_certificate
X509 *SSL_get_peer_certificate(const SSL *ssl);

#if OPENSSL_VERSION_NUMBER < 0x30200000L
int SSL_set1_client_cert_type(SSL *ssl, const unsigned char *types, size_t length);
int SSL_is_quic(const SSL *ssl);
SSL *SSL_get0_connection(SSL *ssl);
#endif

#if OPENSSL_VERSION_NUMBER < 0x30300000L
int SSL_write_ex2(SSL *ssl, const void *bytes, size_t count, uint64_t flags, size_t *written);
#endif

#if OPENSSL_VERSION_NUMBER < 0x30500000L
const SSL_METHOD *OSSL_QUIC_server_method(void);
#endif

#endif
