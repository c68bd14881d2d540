#include "verdict.h"

#include "hangup.h"
#include "refuse.h"

#include <string.h>

#define FINISHED_MAX_BYTES 64

/* ---- what a refusal is made of ---- */

void verdict_forget_bios(struct connection *connection)
{
	if (connection->kept_read != NULL)
		connection->openssl->BIO_free_all(connection->kept_read);
	if (connection->kept_write != NULL)
		connection->openssl->BIO_free_all(connection->kept_write);
	connection->kept_read = connection->kept_write = NULL;
}

void verdict_refuse(struct connection *connection, enum reason reason)
{
	connection->stage = STAGE_REFUSED;
	connection->reason = reason;
	connection->observes = false;
}

/* ---- settle: before judge, which refuses at the very end ---- */

void verdict_asked_name(const struct connection *connection, char name[TLSEXT_MAXLEN_host_name + 1])
{
	size_t length = 0;
	const char *asked = hello_server_name(&connection->hello, &length);

	if (asked != NULL)
		memcpy(name, asked, length);
	name[length] = '\0';
}

void verdict_log(struct connection *connection, const struct route *route)
{
	char asked[TLSEXT_MAXLEN_host_name + 1];
	size_t length = 0;
	const char *denied = connection->at_hello ? NULL : verdict_host_denied(connection, &length);

	verdict_asked_name(connection, asked);
	if (denied != NULL)
		memcpy(asked, denied, length + 1);
	verdict_count(connection, VERDICT_REFUSED, connection->reason, route);
	refuse_log(connection->openssl, connection->at_hello ? NULL : connection->ssl, route,
		   &(struct refusal){
			   .reason = connection->reason,
			   .answer = connection->answer,
			   .status = connection->conversation ? connection->status : 0,
			   .server_name = connection->at_hello || denied != NULL ? asked : NULL,
		   },
		   connection->peer.leaf);
}

/* Logged and answered, once. */
static void settle_refusal(struct connection *connection)
{
	struct route route;

	if (connection->settled)
		return;
	connection->settled = true;
	route = connection_route(connection);
	/* First the socket: what the host has in its hands already must not leave after the line.
	 */
	if (connection->conversation == NULL)
		guard_refuse(connection->stream, connection->answer);
	verdict_log(connection, &route);
	peer_forget(connection->openssl, &connection->peer);
	verdict_let_policy_go(connection);
	if (connection->conversation == NULL)
		hangup(route.descriptor, connection->answer, false);
}

/* Is the handshake to go on with a later call?  OpenSSL's QUIC says so neither by SSL_want() nor by
 * the error queue, but its TLS has sent an alert where not. */
bool verdict_goes_on(const struct connection *connection, int alert)
{
	const struct openssl *openssl = connection->openssl;

	if (openssl_is_quic(openssl, connection->ssl))
		return alert == 0;
	/* What is no record leaves libssl wanting to read: as SSL_get_error() has it, errors count
	 * first, and a handshake's call begins without any. */
	return openssl->crypto.ERR_peek_last_error() == 0 &&
	       openssl->SSL_want(connection->ssl) != SSL_NOTHING;
}

static void settle_armed(struct connection *connection, int result, int alert)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason;

	if (result > 0 || verdict_goes_on(connection, alert)) {
		/* It goes on with a later call, before which the host must find the SSL as it
		 * knows it; but after early data it could write now. */
		if (connection->early_done) {
			/* enforces half-rtt-later, as driven does */
			verdict_mute(connection);
		} else if (verdict_is_silent(connection)) {
			verdict_unmute(connection);
		}
		return;
	}
	reason = alert != 0 ? refuse_reason_of_alert(alert)
			    : refuse_reason_of_failure(openssl, connection->arming.suites_taken);
	if (reason == REASON_NONE)
		verdict_count(connection, VERDICT_ABANDONED, REASON_NONE, NULL);
	hello_forget(&connection->hello);
	connection->stage = STAGE_ABANDONED;
	/* What the host does with its socket now is no TLS of ours. */
	guard_abandon(connection->stream);
	if (reason != REASON_NONE)
		verdict_refuse(connection, reason);
}

void connection_settle(struct connection *connection, int result, int alert)
{
	struct quiet quiet;

	connection->within = false;
	if (connection_is_observed(connection))
		verdict_observe_failure(connection, result, alert);
	if (connection->stage != STAGE_ARMED &&
	    (connection->stage != STAGE_REFUSED || connection->settled))
		return;
	quiet = quiet_begin(connection->openssl);
	if (connection->stage == STAGE_ARMED)
		settle_armed(connection, result, alert);
	if (connection->stage == STAGE_REFUSED)
		settle_refusal(connection);
	/* The alert has left, and libssl would write on under the keys of its flight where it is
	 * called from within a callback or for early data. */
	/* enforces failed */
	if (connection->stage != STAGE_ARMED)
		verdict_mute(connection);
	quiet_end(connection->openssl, quiet);
}

/* libssl would take the handshake for good, so everything has to be taken away. */
void verdict_refuse_for_good(struct connection *connection)
{
	settle_refusal(connection);
	if (connection->taken_away)
		return;
	connection->taken_away = true;
	verdict_forget_bios(connection);
	/* A QUIC connection's BIOs are those of all of its listener. */
	if (openssl_is_quic(connection->openssl, connection->ssl))
		return;
	/* enforces both-ways */
	refuse_take_away(connection->openssl, connection->ssl, &connection->kept_read,
			 &connection->kept_write);
}

/* ---- judge ---- */

bool verdict_has_finished(const struct connection *connection)
{
	char finished[FINISHED_MAX_BYTES];

	return connection->openssl->SSL_get_peer_finished(connection->ssl, finished,
							  sizeof(finished)) > 0;
}

bool verdict_may_resume(const struct connection *connection)
{
	return rules_resume(&connection->rules) && !host_asks(&connection->host);
}

/* The host may have come to ask for certificates itself, since the hello. */
enum reason verdict_judge_peer(struct connection *connection)
{
	return peer_judge(connection->openssl, connection->ssl, &connection->peer,
			  &connection->rules,
			  connection->arming.resumable && verdict_may_resume(connection));
}

void verdict_release_stream(struct connection *connection)
{
	guard_admit(connection->stream);
	if (connection->host_guard != NULL) /* it may still be refused */
		return;
	guard_let_go(connection->stream);
	connection->stream = NULL;
}

/* RFC 8737, 3: the certificate was shown, and that is all.  The host finds a client that has
 * nothing to say and goes away; what TLS has said may still stand in a buffer of the host's. */
static void finish_acme(struct connection *connection)
{
	verdict_count(connection, VERDICT_EXEMPT, REASON_NONE, NULL);
	guard_refuse(connection->stream, ANSWER_REJECT);
	connection->settled = true; /* nothing to log, and the socket is the host's to close */
	hello_forget(&connection->hello);
	/* enforces acme-without-data */
	verdict_refuse(connection, REASON_NO_CERTIFICATE);
	verdict_await_end(connection);
}

static void judge_armed(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason = REASON_NONE;

	/* With early data this comes once before the client's second flight: until that, the host
	 * may not write. */
	if (!verdict_has_finished(connection)) {
		connection->early_done = true;
		/* enforces half-rtt, as driven half-rtt-later do */
		verdict_mute(connection);
		return;
	}
	if (connection->is_acme) {
		finish_acme(connection);
		return;
	}
	/* enforces end */
	reason = verdict_judge_peer(connection);
	connection->hello_seen = false;
	if (reason == REASON_NONE)
		verdict_count(connection, VERDICT_ADMITTED, REASON_NONE, NULL);
	hello_forget(&connection->hello);
	if (reason == REASON_NONE) {
		connection->stage = STAGE_ADMITTED;
		verdict_release_stream(connection);
		peer_forget(openssl, &connection->peer);
		verdict_let_policy_go(connection);
		arm_give_back(openssl, connection->ssl, &connection->host);
		verdict_unmute(connection);
	} else {
		verdict_refuse(connection, reason);
		verdict_begin_answer(connection);
	}
}

void verdict_foresee(struct connection *connection)
{
	enum reason reason = REASON_NONE;

	/* What is there may be of the handshake before. */
	if (connection->renegotiates || connection->is_acme || !verdict_has_finished(connection))
		return;
	/* enforces end-foreseen */
	reason = verdict_judge_peer(connection);
	if (reason == REASON_NONE)
		return;
	if (verdict_may_finish(connection)) {
		/* enforces spoilt */
		peer_spoil_session(connection->openssl, connection->ssl);
	} else {
		verdict_refuse(connection, reason);
		verdict_refuse_for_good(connection);
	}
	/* For each it would call the host, who finds no session to write it from. */
	connection->openssl->SSL_set_num_tickets(connection->ssl, 0);
}

/* No hello of this handshake came by: libssl declined a renegotiation, and the certificate is the
 * one that was judged; or a host set its own callback over ours, unseen. */
static void judge_without_hello(struct connection *connection)
{
	unsigned char random[HELLO_RANDOM_BYTES];
	enum reason reason;
	struct route route;

	if (connection->stage == STAGE_ADMITTED) {
		connection->stage = STAGE_ARMED;
		reason = verdict_find_rules_again(connection, &route);
		if (reason != REASON_NONE)
			verdict_refuse(connection, reason);
		return;
	}
	/* Another handshake on an SSL that was refused, and cleared unseen: refused as well. */
	if (connection->stage == STAGE_REFUSED)
		connection->settled = connection->taken_away = false;
	if (connection->stage != STAGE_NEW && connection->stage != STAGE_OPEN)
		return;
	connection->stage = STAGE_NEW;
	if (connection->openssl->SSL_get_client_random(connection->ssl, random, sizeof(random)) !=
	    sizeof(random))
		memset(random, 0, sizeof(random));
	reason = connection_find_rules(connection, random);
	if (reason == REASON_NONE && connection->stage != STAGE_OPEN)
		reason = verdict_unless_observed(connection, REASON_INTERNAL);
	if (reason != REASON_NONE) {
		verdict_refuse(connection, reason);
		connection->settled = false;
	} else if (connection->stage != STAGE_OPEN) {
		connection->stage = STAGE_OPEN;
		connection->observes = true; /* and told of, where it was already */
	}
}

/* A descriptor may be another connection's by now: a host closed one twice, or set another. */
static bool has_moved(const struct connection *connection)
{
	struct route route = endpoint_route(connection->openssl, connection->ssl);

	return connection->endpoint_known && endpoint_has_moved(&route, &connection->endpoint);
}

/* It was found by the hello's random, which a client can send twice: is it another's, by which this
 * one's ServerHello has not left? */
static bool is_decoy(const struct connection *connection)
{
	unsigned char random[SERVER_RANDOM_BYTES];

	return connection->openssl->SSL_get_server_random(connection->ssl, random,
							  sizeof(random)) != sizeof(random) ||
	       !guard_has_replied(connection->stream, random);
}

/* So which endpoint it is of is not known: what all of them admit is admitted. */
static void judge_without_endpoint(struct connection *connection)
{
	const bool was_open = connection->stage == STAGE_OPEN;
	enum reason reason;

	guard_let_go(connection->stream);
	connection->stream = NULL;
	connection->endpoint_known = false;
	peer_forget(connection->openssl, &connection->peer);
	reason = verdict_judge_hello_again(connection);
	/* It was not asked for a certificate. */
	if (reason == REASON_NONE && was_open && connection->stage == STAGE_ARMED)
		reason = REASON_UNKNOWN_ENDPOINT;
	if (reason != REASON_NONE)
		verdict_refuse(connection, reason);
}

static void judge(struct connection *connection, bool anew)
{
	/* enforces unseen-hello */
	if (!connection->hello_seen && (anew || connection->stage == STAGE_NEW))
		judge_without_hello(connection);
	/* enforces same-endpoint */
	if ((connection->stage == STAGE_OPEN || connection->stage == STAGE_ARMED) &&
	    connection->hello_seen && has_moved(connection)) {
		connection->answer = ANSWER_CLOSE;
		verdict_refuse(connection, REASON_UNKNOWN_ENDPOINT);
	}
	guard_look();
	/* enforces policy-at-the-end, as policy-on-the-way does */
	verdict_follow_policy(connection);
	if ((connection->stage == STAGE_OPEN || connection->stage == STAGE_ARMED) &&
	    connection->unproven && verdict_has_finished(connection)) {
		/* enforces decoy */
		if (is_decoy(connection))
			judge_without_endpoint(connection);
		connection->by_random = connection->unproven = false;
	}
	if (connection->stage == STAGE_OPEN && connection_is_observed(connection)) {
		verdict_observe_end(connection);
	} else if (connection->stage == STAGE_OPEN) {
		/* With early data libssl says "done" once before the client's last message. */
		if (!verdict_has_finished(connection)) {
			connection->early_done = true;
			return;
		}
		connection->hello_seen = false;
		hello_forget(&connection->hello);
		verdict_release_stream(connection);
		verdict_let_policy_go(connection);
	} else if (connection->stage == STAGE_ARMED || connection->stage == STAGE_ABANDONED) {
		judge_armed(connection);
	}
	if (connection_may_talk(connection) && connection->host_guard != NULL)
		verdict_begin_requests(connection);
	if (connection->stage == STAGE_REFUSED)
		verdict_refuse_for_good(connection);
}

void connection_judge(struct openssl *openssl, SSL *ssl, bool anew)
{
	struct connection *connection;
	struct quiet quiet;

	if (!openssl->SSL_is_server(ssl))
		return;
	connection = connection_begin(openssl, ssl);
	quiet = quiet_begin(openssl);
	if (connection != NULL) {
		judge(connection, anew);
	} else {
		BIO *lost[2];

		refuse_take_away(openssl, ssl, &lost[0], &lost[1]);
	}
	quiet_end(openssl, quiet);
}
