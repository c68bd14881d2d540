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

/* The same for whom is told nothing after its handshake, where the last of that lies in the host's
 * memory: finding the end at once, a host would throw it away. */
void verdict_await_end(struct connection *connection);

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
