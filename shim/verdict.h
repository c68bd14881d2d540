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

/* counting.c: into the counters.  `route` tells whether it was the edge, of `refused` and
 * `observed`; else it may be NULL. */
void verdict_count(struct connection *connection, enum verdict verdict, enum reason reason,
		   const struct route *route);
/* What the peer has proved by the end of its handshake: REASON_NONE, or why that does not do. */
enum reason verdict_judge_peer(struct connection *connection);

/* May a session be resumed that was verified under the very same rules?  A host that verifies
 * certificates itself has to see each. */
bool verdict_may_resume(const struct connection *connection);

/* Is the handshake to go on with a later call?  `alert` as connection_settle() has it. */
bool verdict_goes_on(const struct connection *connection, int alert);

/* Whatever the host does with its socket now is its own affair. */
void verdict_release_stream(struct connection *connection);

/* What the hello asked for, as a string; "": no server. */
void verdict_asked_name(const struct connection *connection,
			char name[TLSEXT_MAXLEN_host_name + 1]);

/* observing.c, for rules that only observe.  `reason` again; or REASON_NONE, and it is noted, where
 * the rules say to admit nevertheless. */
enum reason verdict_unless_observed(struct connection *connection, enum reason reason);

/* From the hello on: ask; ask again; tell at the end, or where libssl gave up. */
void verdict_observe(struct connection *connection);
void verdict_observe_again(struct connection *connection);
void verdict_observe_end(struct connection *connection);
void verdict_observe_failure(struct connection *connection, int result, int alert);

/* answering.c: may a handshake end well for whom is refused, since it is answered over HTTP?  Begin
 * that, where it may; end it. */
bool verdict_may_finish(const struct connection *connection);
void verdict_begin_answer(struct connection *connection);
void verdict_end_answer(struct connection *connection);

/* The same for whom is told nothing after its handshake, where the last of that lies in the host's
 * memory: finding the end at once, a host would throw it away. */
void verdict_await_end(struct connection *connection);

/* requests.c: which requests may come on it; `rules` are those of its endpoint for every name, and
 * its own are chosen.  REASON_NONE, or why it cannot be.  And, the handshake is over, and the
 * connection admitted. */
enum reason verdict_guard_hosts(struct connection *connection, const struct rules *rules);
void verdict_begin_requests(struct connection *connection);
void verdict_end_requests(struct connection *connection);

/* The SSL ends, so this thread is in no door of it: a host's callback may have left one by
 * longjmp(). */
void verdict_leave_doors(const SSL *ssl);

/* The host that a request was refused for; NULL: none was, or it is not known. */
const char *verdict_host_denied(const struct connection *connection, size_t *length);

/* The line about a refusal. */
void verdict_log(struct connection *connection, const struct route *route);

/* The references to what a refused SSL read from and wrote to. */
void verdict_forget_bios(struct connection *connection);

/* silence.c: does a client that is refused see nothing, not even an alert? */
bool verdict_is_silent(const struct connection *connection);

/* libssl has nothing to say, until it is unmuted; and the host cannot change that. */
void verdict_mute(struct connection *connection);
void verdict_unmute(struct connection *connection);

/* choosing.c: the rules of the policy in force, by the socket; false: it cannot be used.  And they
 * are needed no longer. */
bool verdict_find_rules(struct connection *connection, const struct route *route);
void verdict_let_policy_go(struct connection *connection);

/* The endpoint is known by the hello's random alone: does it matter to the verdict whether it is
 * the right one? */
bool verdict_wants_proof(const struct connection *connection);

/* Who comes without a certificate, and who may not come at all: STAGE_OPEN, or a reason. */
enum reason verdict_judge_address(struct connection *connection, const struct route *route);

/* What a refused one sees by these rules. */
void verdict_choose_answer(struct connection *connection);

/* spelling.c: where `rules`, those of the endpoint, have sections of server names, the host is to
 * find the name that the hello asks for as the connection is judged by it (NULL: none); false: no
 * memory.  Has it found another one, as there were no such sections?  And, forget it. */
bool verdict_keep_name(struct connection *connection, const struct rules *rules, const char *name,
		       size_t length);
bool verdict_has_misread(const struct connection *connection, const char *name, size_t length);
void verdict_forget_name(struct connection *connection);

/* They demand nothing: the SSL is the host's, also one that was armed. */
void verdict_open(struct connection *connection);

/* By socket and name, for one whose hello is past.  REASON_NONE, or why it cannot be. */
enum reason verdict_find_rules_again(struct connection *connection, struct route *route);

/* The same and whole, with who may come and by which name: STAGE_ARMED, STAGE_OPEN, or why not. */
enum reason verdict_judge_hello_again(struct connection *connection);

/* Where another policy is in force than at the hello, the connection is judged by that, whole; it
 * may be open now, or refused. */
void verdict_follow_policy(struct connection *connection);

/* Does libssl have a last message of the client's? */
bool verdict_has_finished(const struct connection *connection);

#endif
