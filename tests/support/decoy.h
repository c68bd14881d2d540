/* decoy.h - a ClientHello that comes twice: to an open port, and where it belongs.  In the
 * attacker's process.
 */
#ifndef DECOY_H
#define DECOY_H

#include <openssl/ssl.h>
#include <stddef.h>

/* The handshake message `hello` goes to `port`, in a record; within a request it is the begin of a
 * body of which more is to come.  Returns when the host has read it. */
void decoy_send(unsigned port, const void *hello, size_t length);
void decoy_send_in_request(unsigned port, const void *hello, size_t length);

/* The same for the hello that `ssl` is about to send; and whatever message it receives first goes
 * there too.  For client.prepare.  In a record of its own, in a request, or, behind something that
 * the open port may swallow, in the record of a HelloRetryRequest. */
enum decoy_form { DECOY_PLAIN, DECOY_IN_REQUEST, DECOY_IN_RETRY };
void decoy_of(SSL *ssl, unsigned port, enum decoy_form form);

/* It goes away; nothing where none was sent. */
void decoy_end(void);

#endif
