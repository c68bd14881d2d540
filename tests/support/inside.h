/* inside.h - TLS inside of another protocol: a stream whose other end a thread has, which carries
 * its bytes over a connection.  On both sides of an attack.
 */
#ifndef INSIDE_H
#define INSIDE_H

/* Of the connected `descriptor`, which is the thread's from now on: each byte is another one there,
 * so that nobody recognises TLS; or each piece is a datagram, and silence is the end. */
int inside_mask(int descriptor);
int inside_datagrams(int descriptor);

#endif
