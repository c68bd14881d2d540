/* serving.h - the moment at which this process is known to serve TLS, and the one line about it.
 * A client program (curl, git) makes contexts too and must stay silent, so a context alone is not
 * enough: it listens as well, or a ClientHello has come.
 */
#ifndef CFSHIM_SERVING_H
#define CFSHIM_SERVING_H

#include "openssl.h"

void serving_context_made(struct openssl *openssl);
void serving_listens(int descriptor);
void serving_hello(struct openssl *openssl);

/* The policy's files have been looked at: the counters have what is in force now. */
void serving_looked(void);

/* Is there a context in this process, of whatever kind? */
bool serving_has_context(void);

#endif
