/* observing.c - a connection under rules that only observe: a certificate is asked for, and told of
 * is what would have become of it.
 *
 * Part of connection.c.  The connection is open: no door and no stage stands in anybody's way, and
 * what the host set itself holds, but for sessions. */
#include "newcomer.h"
#include "refuse.h"
#include "verdict.h"

/* These refuse whatever a rule says. */
static bool refuses_always(enum reason reason)
{
	return reason == REASON_POLICY_ERROR || reason == REASON_UNCOVERED_TLS;
}

enum reason verdict_unless_observed(struct connection *connection, enum reason reason)
{
	if (reason == REASON_NONE || refuses_always(reason) ||
	    rules_verify(&connection->rules) != VERIFY_OBSERVE)
		return reason;
	if (connection->reason == REASON_NONE)
		connection->reason = reason;
	return REASON_NONE;
}

/* ---- begin ---- */

/* None that was not verified is for another day, when the rule may require. */
static bool may_keep_session(struct connection *connection)
{
	return connection->peer.verified || verdict_judge_peer(connection) == REASON_NONE;
}

/* The host renegotiates, which nobody can where a certificate is required: it was told of already.
 * What the host asks for now is for itself. */
static void leave_alone(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;

	connection->settled = true;
	connection_give_back_verify(connection);
	connection->asks_later = true;
	arm_give_back_all(openssl, connection->ssl, &connection->host);
}

void verdict_observe(struct connection *connection)
{
	enum reason reason;

	connection->stage = STAGE_OPEN;
	connection->observes = true;
	if (connection->renegotiates || connection->is_acme) {
		if (!connection->renegotiates)
			verdict_count(connection, VERDICT_EXEMPT, REASON_NONE, NULL);
		leave_alone(connection);
		return;
	}
	connection->arming = (struct arming){
		.only_asks = true,
		.resumable = verdict_may_resume(connection),
	};
	reason = arm(connection->openssl, connection->ssl, &connection->rules, &connection->host,
		     &connection->arming);
	if (connection->reason == REASON_NONE)
		connection->reason = reason;
}

void verdict_observe_again(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	struct quiet quiet = quiet_begin(openssl);

	arm_again(openssl, connection->ssl, &connection->host, &connection->arming);
	arm_names(openssl, connection->ssl, &connection->rules, &connection->host);
	if (connection->arming.resumable && verdict_has_finished(connection) &&
	    !may_keep_session(connection)) {
		/* enforces observed-session-spoilt */
		peer_bury_session(openssl, connection->ssl);
		openssl->SSL_set_num_tickets(connection->ssl, 0);
	}
	quiet_end(openssl, quiet);
}

/* ---- end ---- */

/* The line of a refusal, with another verdict, once; and of a certificate that is new.  `status` 0:
 * it would not have been answered by one. */
static void tell(struct connection *connection, enum reason reason, uint16_t status)
{
	const struct openssl *openssl = connection->openssl;
	const struct peer *peer = &connection->peer;
	struct route route = connection_route(connection);
	struct refusal refusal = {
		.is_observed = true,
		.reason = reason,
		.answer = connection->answer,
		.status = status,
	};

	if (peer->leaf != NULL) {
		refuse_name(openssl, connection->ssl, &route, &refusal);
		newcomer_look_at(&openssl->crypto, peer->leaf, peer->sent, &refusal);
	}
	if (reason == REASON_NONE || connection->told || guard_has_told(connection->stream))
		return;
	connection->told = true;
	verdict_count(connection, VERDICT_OBSERVED, reason, &route);
	refuse_log(openssl, connection->ssl, &route, &refusal, peer->leaf);
}

void verdict_observe_end(struct connection *connection)
{
	enum reason reason;

	/* With early data libssl says "done" once before the client's certificate has come. */
	if (!verdict_has_finished(connection)) {
		connection->early_done = true; /* should it come to require one, until then */
		return;
	}
	reason = verdict_judge_peer(connection);
	if (connection->reason != REASON_NONE)
		tell(connection, connection->reason, 0);
	else
		tell(connection, reason, verdict_may_finish(connection) ? connection->status : 0);
	if (connection->reason == REASON_NONE && reason == REASON_NONE)
		verdict_count(connection, VERDICT_ADMITTED, REASON_NONE, NULL);
	connection->settled = true;
	connection->hello_seen = false;
	connection->came_without = connection->peer.leaf == NULL;
	if (connection->came_without)
		connection->host_verified =
			host_asks_now(connection->openssl, &connection->host, connection->ssl);
	peer_forget(connection->openssl, &connection->peer);
	hello_forget(&connection->hello);
	arm_give_back(connection->openssl, connection->ssl, &connection->host);
	verdict_release_stream(connection);
	verdict_let_policy_go(connection);
}

/* By what the client answered, or by the host's own demand. */
void verdict_observe_failure(struct connection *connection, int result, int alert)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason = connection->reason;
	struct quiet quiet;

	if (result > 0 || verdict_goes_on(connection, alert))
		return;
	quiet = quiet_begin(openssl);
	if (reason == REASON_NONE)
		reason = connection->peer.reason;
	if (reason == REASON_NONE)
		reason = alert != 0 ? refuse_reason_of_alert(alert)
				    : refuse_reason_of_failure(openssl, false);
	tell(connection, reason, 0);
	hello_forget(&connection->hello);
	quiet_end(openssl, quiet);
}
