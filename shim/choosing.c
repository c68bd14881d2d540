/* choosing.c - which rules a connection is judged by: those of the policy in force at its hello,
 * and where that has changed since, those of the one in force when its handshake ends.
 *
 * Part of connection.c. */
#include "arm.h"
#include "connection.h"
#include "verdict.h"

#include <string.h>

bool verdict_find_rules(struct connection *connection, const struct route *route)
{
	const struct trusts *trusts;

	verdict_let_policy_go(connection);
	connection->version = policy_in_force_hold();
	trusts = policy_version_trusts(connection->version, connection->openssl);
	if (trusts != NULL)
		connection->rules = rules_for(trusts, route);
	return trusts != NULL;
}

void verdict_let_policy_go(struct connection *connection)
{
	policy_in_force_release(connection->version);
	connection->version = NULL;
	connection->rules = (struct rules){.trusts = NULL};
}

bool verdict_wants_proof(const struct connection *connection)
{
	return connection->by_random &&
	       rules_depend_on_endpoint(
		       connection->rules.trusts,
		       endpoint_route(connection->openssl, connection->ssl).descriptor);
}

enum reason verdict_judge_address(struct connection *connection, const struct route *route)
{
	const struct endpoint *peer = route->peer_known ? &route->peer : NULL;
	bool is_exempt = rules_exempt(&connection->rules, peer);
	enum reason reason = REASON_NONE;

	/* enforces from-at-hello, as from does */
	if (!is_exempt && !rules_admit_peer(&connection->rules, peer))
		reason = verdict_unless_observed(connection, REASON_PEER_ADDRESS);
	if (reason != REASON_NONE)
		return reason;
	if (is_exempt)
		verdict_count(connection, VERDICT_EXEMPT, REASON_NONE, NULL);
	if (is_exempt || !rules_enforce(&connection->rules)) {
		verdict_end_requests(connection); /* of a policy that was in force before */
		verdict_open(connection);
	}
	return REASON_NONE;
}

void verdict_choose_answer(struct connection *connection)
{
	connection->answer = openssl_is_quic(connection->openssl, connection->ssl)
				     ? ANSWER_REJECT /* it cannot be silenced */
				     : rules_answer(&connection->rules);
	connection->status = rules_status(&connection->rules);
}

void verdict_open(struct connection *connection)
{
	connection->stage = STAGE_OPEN;
	connection->observes = false;
	if (connection->host_guard == NULL) /* else a second one must ask for the same */
		hello_forget(&connection->hello);
	connection_give_back_verify(connection);
	connection->asks_later = false;
	arm_give_back_all(connection->openssl, connection->ssl, &connection->host);
}

/* ---- the policy has changed ---- */

/* What the hello asks for; where that is not kept, what the host has found. */
static const char *server_name(const struct connection *connection, size_t *length)
{
	const struct openssl *openssl = connection->openssl;
	const char *name;

	if (connection->hello.asked != NULL)
		return hello_server_name(&connection->hello, length);
	name = openssl->SSL_get_servername(connection->ssl, TLSEXT_NAMETYPE_host_name);
	name = connection_server_name(connection->ssl, name);
	*length = name ? strlen(name) : 0;
	return name;
}

/* Where no endpoint was known at the hello, the stream tells none either: it may be that of half a
 * connection. */
static bool find_rules_again(struct connection *connection, struct route *route)
{
	*route = connection_route(connection);
	if (!route->endpoint_known && connection->endpoint_known) {
		route->endpoint_known = true;
		route->endpoint = connection->endpoint;
	}
	/* enforces unknown-since-hello */
	if (!connection->endpoint_known)
		route->endpoint_known = false;
	return verdict_find_rules(connection, route);
}

/* For what the hello asks for. */
static enum reason narrow_again(struct connection *connection)
{
	const struct rules every = connection->rules;
	size_t length = 0;
	const char *name = server_name(connection, &length);
	enum reason reason = REASON_NONE;

	rules_narrow(&connection->rules, name, length);
	verdict_choose_answer(connection);
	/* enforces name-read-again */
	if (rules_name_servers(&every) && verdict_has_misread(connection, name, length))
		reason = verdict_unless_observed(connection, REASON_SERVER_NAME);
	return reason != REASON_NONE ? reason : verdict_guard_hosts(connection, &every);
}

enum reason verdict_find_rules_again(struct connection *connection, struct route *route)
{
	return find_rules_again(connection, route) ? narrow_again(connection) : REASON_POLICY_ERROR;
}

/* Of an open connection the hello is not kept, and in TLS 1.2 libssl tells the name of the session
 * that is resumed, whichever the hello asked for. */
static bool is_name_of_session(const struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;

	return connection->hello.asked == NULL && connection->spelling == NULL &&
	       openssl->SSL_session_reused(connection->ssl) != 0 &&
	       openssl->SSL_version(connection->ssl) != TLS1_3_VERSION;
}

/* As judge_hello() does it: where it was only observed that the second hello asks for another name
 * than the first, it is the first's that is known here. */
static enum reason judge_name_again(struct connection *connection)
{
	size_t length = 0;
	const char *name = server_name(connection, &length);
	const bool is_allowed = rules_allow_name(&connection->rules, name, length);
	enum reason reason = REASON_NONE;

	/* enforces second-hello-again */
	if (connection->hello.differs || is_name_of_session(connection))
		reason = verdict_unless_observed(connection, REASON_SERVER_NAME);
	if (reason == REASON_NONE)
		reason = narrow_again(connection);
	if (reason == REASON_NONE && !is_allowed)
		reason = verdict_unless_observed(connection, REASON_SERVER_NAME);
	if (reason == REASON_NONE && !rules_enforce(&connection->rules))
		verdict_open(connection);
	return reason;
}

enum reason verdict_judge_hello_again(struct connection *connection)
{
	struct route route;
	enum reason reason;

	if (!find_rules_again(connection, &route))
		return REASON_POLICY_ERROR;
	connection->unproven = verdict_wants_proof(connection);
	verdict_choose_answer(connection);
	connection->stage = STAGE_ARMED;
	connection->reason = REASON_NONE;
	reason = verdict_judge_address(connection, &route);
	if (reason == REASON_NONE && connection->stage != STAGE_OPEN)
		reason = judge_name_again(connection);
	if (reason != REASON_NONE || connection->stage == STAGE_OPEN)
		return reason;
	connection->is_acme = connection->is_acme && rules_allow_acme(&connection->rules);
	connection->arming.resumable =
		connection->arming.resumable && rules_resume(&connection->rules);
	connection->observes = rules_verify(&connection->rules) == VERIFY_OBSERVE;
	connection->arming.only_asks = connection->observes;
	connection->settled = connection->settled && connection->observes;
	if (connection->observes)
		connection->stage = STAGE_OPEN;
	return REASON_NONE;
}

void verdict_follow_policy(struct connection *connection)
{
	enum reason reason;

	if ((connection->stage != STAGE_ARMED && connection->stage != STAGE_OPEN &&
	     connection->stage != STAGE_ABANDONED) ||
	    connection->version == NULL || policy_in_force_is(connection->version))
		return;
	/* What the old one has verified is verified anew. */
	peer_forget(connection->openssl, &connection->peer);
	reason = verdict_judge_hello_again(connection);
	if (reason != REASON_NONE) {
		connection->settled = false;
		verdict_refuse(connection, reason);
	} else if (connection->stage == STAGE_OPEN && connection->muted) {
		verdict_unmute(connection);
	}
}
