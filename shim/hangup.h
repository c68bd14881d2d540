/* hangup.h - the end of a connection's socket, as the client sees it. */
#ifndef CFSHIM_HANGUP_H
#define CFSHIM_HANGUP_H

#include "policy.h"

/* The socket's share of `answer`.  What was sent before leaves first, but for `close reset`; what
 * the client sent is thrown away.  `at_once`: with `reject` too nothing follows. */
void hangup(int descriptor, enum answer answer, bool at_once);

#endif
