/* verdict.h - the second half of a connection's life: settle, judge, and what a refusal is made of.
 *
 * Part of connection.c, which is the first half; connection.h is what the doors see of both.
 */
#ifndef CFSHIM_VERDICT_H
#define CFSHIM_VERDICT_H

#include "connection.h"

/* Refused, for `reason`: from now on nothing but a new handshake changes that. */
void verdict_refuse(struct connection *connection, enum reason reason);

/* At once, and finally: logged, answered, and both BIOs gone.  For a handshake that libssl takes
 * for good, or is about to. */
void verdict_refuse_for_good(struct connection *connection);

/* The client's last message may be in, and libssl is about to answer it: what would be refused at
 * the end is refused before that. */
void verdict_foresee(struct connection *connection);

/* answering.c: may a handshake end well for whom is refused, since it is answered over HTTP?  Begin
 * that, where it may; end it. */
bool verdict_may_finish(const struct connection *connection);
void verdict_begin_answer(struct connection *connection);
void verdict_end_answer(struct connection *connection);

/* requests.c: which requests may come on it; `rules` are those of its endpoint for every name, and
 * its own are chosen.  REASON_NONE, or why it cannot be.  And, the handshake is over, and the
 * connection admitted. */
enum reason verdict_guard_hosts(struct connection *connection, const struct rules *rules);
void verdict_begin_requests(struct connection *connection);
void verdict_end_requests(struct connection *connection);

/* The host that a request was refused for; NULL: none was, or it is not known. */
const char *verdict_host_denied(const struct connection *connection, size_t *length);

/* The line about a refusal. */
void verdict_log(const struct connection *connection, const struct route *route);

/* The references to what a refused SSL read from and wrote to. */
void verdict_forget_bios(struct connection *connection);

/* Does a client that is refused see nothing, not even an alert? */
bool verdict_is_silent(const struct connection *connection);

/* libssl has nothing to say, until it is unmuted; and the host cannot change that. */
void verdict_mute(struct connection *connection);
void verdict_unmute(struct connection *connection);

/* Does libssl have a last message of the client's? */
bool verdict_has_finished(const struct connection *connection);

#endif
