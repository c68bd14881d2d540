/* changing.h - a policy that changes under a running server.
 *
 * Two policies take turns: `edge_policy` admits the certificate "edge" and answers `reject`,
 * `other_policy` admits "other" and answers `close`.
 */
#ifndef CHANGING_H
#define CHANGING_H

#include "enforcement.h"

/* After this a change must be in force, in every process, whoever came meanwhile. */
#define IN_FORCE_MS 2000

/* Their text, for the server's first port, and each line of `more` besides. */
void edge_policy(const struct server *server, char *text, size_t size, const char *more);
void other_policy(const struct server *server, char *text, size_t size, const char *more);

/* A server under the edge's policy, whose name is policy.conf in the server's folder. */
struct server *changing_server(const struct server_kind *kind, const char *more);

/* The server's file `name`, a copy of the certificate that everybody may read. */
void put_certificate(const struct server *server, const char *name, const char *certificate);

/* The server's file `name` becomes `text`: another one is renamed over it, or it is rewritten. */
void change_by_rename(const struct server *server, const char *name, const char *text);
void change_in_place(const struct server *server, const char *name, const char *text);

void wait_until_in_force(void);

/* In a client: once the server has said all of its first flight to `ssl`, its policy is written
 * anew, and in force before the client goes on; nothing where it is bare.  One client at a time. */
void change_amid_handshake(const struct server *server, SSL *ssl);

/* Everybody, at whichever process, is judged by that policy: what the client sees, and the log. */
void expect_edge_policy(const struct server *server, struct log *log);
void expect_other_policy(const struct server *server, struct log *log);

/* How many lines of the log hold `text`; waits for `wanted` of them. */
void expect_lines(const struct server *server, const char *text, size_t wanted);

/* Each living process of the server has written at least one such line, and none more than one;
 * at least `least` of them have. */
void expect_line_of_each(const struct server *server, const char *text, size_t least);

#endif
