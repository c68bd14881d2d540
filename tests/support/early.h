/* early.h - early data (0-RTT), on both sides of an attack.
 */
#ifndef EARLY_H
#define EARLY_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* attack.prepare: the host takes it, as often as it comes. */
void take_early_data(SSL_CTX *context);

/* In the host: all of it, to its end; says so by host_is_in().  False: the SSL has failed. */
bool read_early_data(SSL *ssl);

/* client.prepare and client.trick. */
void send_early_data(SSL_CTX *context, SSL *ssl);
bool was_taken(SSL *ssl);

#endif
