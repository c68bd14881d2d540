/* http_authority.h - who is asked for: host and port of a request (RFC 3986, 3.2), strictly:
 * without what no host may be asked by, as users and escapes.
 *
 * Bytes in, facts out: no I/O, no memory but the caller's.
 */
#ifndef CFSHIM_WIRE_HTTP_AUTHORITY_H
#define CFSHIM_WIRE_HTTP_AUTHORITY_H

#include "piece.h"

/* False: it is none.  Else `*name` is the name within it, without the port; at NULL: an address. */
bool http_authority_parse(struct piece authority, struct piece *name);

#endif
