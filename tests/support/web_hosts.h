/* web_hosts.h - servers on event loops that write down what has come to them: the first kinds of
 * host for whom a refused client must be nobody.
 */
#ifndef WEB_HOSTS_H
#define WEB_HOSTS_H

#include "server.h"

/* nginx with one worker, which speaks HTTP/2; Python's asyncio; Node.js, with the system's OpenSSL
 * or with one inside, which it calls by no door.  These keep libssl between memory BIOs. */
extern const struct server_kind nginx_http2, python_asyncio, node, node_with_openssl;

/* How many requests, or pieces of one, have come to the host. */
size_t web_host_requests(const struct server *server);

#endif
