/* raw_client.h - a client that sends the bytes it is given, and counts every byte that comes back.
 */
#ifndef RAW_CLIENT_H
#define RAW_CLIENT_H

#include "client.h"

/* What a client of TLS `version` says first; returns its length. */
size_t raw_hello(int version, unsigned char *bytes, size_t size);

/* A connection to 127.0.0.1 from `address` (NULL: whichever); fails the test where nobody is there.
 */
int raw_connect(const char *address, unsigned port);

/* Send all, read to the end, and close.  Returns how many bytes came. */
size_t raw_exchange(int descriptor, const void *bytes, size_t size, enum ending *ending);

#endif
