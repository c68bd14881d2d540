/* decoy.h - a ClientHello that comes twice: in the body of a request to an open port, and where it
 * belongs.  In the attacker's process.
 */
#ifndef DECOY_H
#define DECOY_H

#include <stddef.h>

/* To `port` goes a request whose body begins with the handshake message `hello`, and it waits for
 * more; returns when the host has read it. */
void decoy_send(unsigned port, const void *hello, size_t length);

/* It goes away; nothing where none was sent. */
void decoy_end(void);

#endif
