/* service.h - the plainest TLS service, by the libssl that this object is linked to.
 *
 * The same source serves twice in one process: as a part of a program, and as a module that is
 * linked to another version of OpenSSL.  Two of its functions end in a call of libssl, which the
 * compiler makes a jump: to who is called, it seems that the program has called.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <openssl/ssl.h>

#define SERVICE_PUBLIC __attribute__((visibility("default")))

SERVICE_PUBLIC SSL_CTX *service_context(void);
SERVICE_PUBLIC int service_accept(SSL *ssl);

/* False where the files are of no use. */
SERVICE_PUBLIC int service_begin(SSL_CTX *context, const char *certificate, const char *key);

SERVICE_PUBLIC SSL *service_open(SSL_CTX *context, int descriptor);

/* An accepted connection to its end: GET /version is answered with that of the OpenSSL which
 * serves, all else with what every server of the tests says. */
SERVICE_PUBLIC void service_answer(SSL *ssl);
SERVICE_PUBLIC void service_close(SSL *ssl);

/* All of it, for who looks it up. */
struct service {
	__typeof__(&service_context) context;
	__typeof__(&service_begin) begin;
	__typeof__(&service_open) open;
	__typeof__(&service_accept) accept;
	__typeof__(&service_answer) answer;
	__typeof__(&service_close) close;
};
SERVICE_PUBLIC extern const struct service service;

#endif
