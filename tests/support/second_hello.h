/* second_hello.h - a client whose second hello is another than the first, against RFC 8446, 4.1.2.
 *
 * Before the handshake one of these prepares it.  The host must want the group P-384, which the
 * client offers, but does not guess.
 */
#ifndef SECOND_HELLO_H
#define SECOND_HELLO_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* The client is sent back for another group, and asks for the same again: client.prepare. */
void second_hello_guess_wrongly(SSL_CTX *context, SSL *ssl);

/* The same, and `change` is called at the moment at which the second hello can be made another;
 * true: it was.  Of one client at a time. */
void second_hello_begin(SSL *ssl, bool (*change)(SSL *ssl));

/* The same, and it asks for `name`, which lives as long as the client. */
void second_hello_change_name(SSL *ssl, const char *name);

/* There was a second hello, and it was changed: client.trick. */
bool second_hello_changed(SSL *ssl);

#endif
