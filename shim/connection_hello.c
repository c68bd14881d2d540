/* connection_hello.c - the ClientHello has come: which accepted connection it is, which rule
 * applies, and what is demanded. */
#include "arm.h"
#include "connection.h"
#include "refuse.h"
#include "verdict.h"

/* From the hello on, the SSL's own info callback and verify settings are the shim's, and what the
 * host had there is kept. */
static void take_over_info(struct connection *connection, info_callback info)
{
	const struct openssl *openssl = connection->openssl;

	if (!connection->info_ours) {
		connection->host.info = openssl->SSL_get_info_callback(connection->ssl);
		if (connection->host.info == info) /* a copy by SSL_dup() */
			connection->host.info = NULL;
		connection->info_ours = true;
	}
	openssl->SSL_set_info_callback(connection->ssl, info);
}

static void take_over_verify(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;

	if (!connection->verify_ours) {
		connection->host.verify_mode = openssl->SSL_get_verify_mode(connection->ssl);
		connection->host.verify = openssl->SSL_get_verify_callback(connection->ssl);
		if (arm_is_callback(connection->host.verify)) { /* a copy by SSL_dup() */
			const SSL_CTX *context = openssl->SSL_get_SSL_CTX(connection->ssl);

			connection->host.verify_mode = openssl->SSL_CTX_get_verify_mode(context);
			connection->host.verify = openssl->SSL_CTX_get_verify_callback(context);
		}
		connection->verify_ours = true;
	}
	connection->asks_later = false;
}

void connection_give_back_verify(struct connection *connection)
{
	if (connection->verify_ours)
		connection->openssl->SSL_set_verify(connection->ssl, connection->host.verify_mode,
						    connection->host.verify);
	connection->verify_ours = false;
}

struct route connection_route(const struct connection *connection)
{
	struct route route = endpoint_route(connection->openssl, connection->ssl);

	if (connection->stream != NULL)
		guard_complete(&route, connection->stream);
	return route;
}

/* After a HelloRetryRequest.  The client chooses the random, and a host may use the SSL again for
 * another connection: a stream that a descriptor led to is known by a descriptor alone. */
static bool is_second_of_stream(const struct connection *connection, const struct route *route,
				const unsigned char *random)
{
	/* enforces stream-of-descriptor */
	if (!connection->by_random && !route->endpoint_known)
		return false;
	return connection->stream != NULL && guard_is_of(connection->stream, random);
}

/* The accepted connection that this hello came by.  Over none that is known: REASON_NONE, and the
 * route has no endpoint. */
static enum reason claim_stream(struct connection *connection, const unsigned char *random,
				struct route *route)
{
	enum claim claim;

	*route = endpoint_route(connection->openssl, connection->ssl);
	if (route->is_datagram)
		return REASON_NONE;
	if (is_second_of_stream(connection, route, random)) {
		*route = connection_route(connection);
		guard_asked_again(connection->stream);
		return REASON_NONE;
	}
	connection->by_random = false;
	/* The hello of a renegotiation is not on the wire. */
	if (route->descriptor < 0 && connection->renegotiates && connection->endpoint_known) {
		route->endpoint_known = true;
		route->endpoint = connection->endpoint;
		return REASON_NONE;
	}
	guard_let_go(connection->stream);
	connection->stream = NULL;
	claim = guard_claim(route, random, &connection->stream);
	connection->by_random = claim == CLAIM_MATCHED;
	if (claim == CLAIM_NONE || claim == CLAIM_MADE || claim == CLAIM_MATCHED)
		return REASON_NONE;
	connection->answer = ANSWER_CLOSE;
	connection->settled = claim == CLAIM_COPIED;
	return REASON_UNKNOWN_ENDPOINT;
}

enum reason connection_find_rules(struct connection *connection, const unsigned char *random)
{
	struct route route;
	enum reason reason;
	bool is_usable;

	guard_look();
	connection->answer = ANSWER_REJECT;
	connection->status = 0;
	reason = claim_stream(connection, random, &route);
	is_usable = verdict_find_rules(connection, &route);
	/* enforces policy-error */
	if (!is_usable)
		return REASON_POLICY_ERROR;
	if (reason != REASON_NONE)
		return reason;
	connection->unproven = verdict_wants_proof(connection);
	connection->endpoint_known = route.endpoint_known;
	connection->endpoint = route.endpoint;
	verdict_choose_answer(connection);
	return verdict_judge_address(connection, &route);
}

static bool is_datagram(const struct connection *connection)
{
	return openssl_is_quic(connection->openssl, connection->ssl) ||
	       connection->openssl->SSL_is_dtls(connection->ssl);
}

/* What the hello asks for, and which rule applies to that; STAGE_OPEN where it demands nothing. */
static enum reason judge_hello(struct connection *connection)
{
	enum reason reason =
		hello_examine(connection->openssl, connection->ssl, &connection->hello);
	const struct rules every = connection->rules;
	const char *name;
	size_t length = 0;
	bool is_allowed;

	reason = verdict_unless_observed(connection, reason);
	if (reason != REASON_NONE)
		return reason;
	name = hello_server_name(&connection->hello, &length);
	if (!verdict_keep_name(connection, &every, name, length))
		return REASON_INTERNAL;
	is_allowed = rules_allow_name(&connection->rules, name, length);
	/* enforces server-sections */
	rules_narrow(&connection->rules, name, length);
	/* enforces only-names */
	if (!is_allowed)
		reason = verdict_unless_observed(connection, REASON_SERVER_NAME);
	if (reason != REASON_NONE)
		return reason;
	verdict_choose_answer(connection);
	reason = verdict_guard_hosts(connection, &every);
	if (reason != REASON_NONE)
		return reason;
	if (!rules_enforce(&connection->rules)) {
		verdict_open(connection);
		return REASON_NONE;
	}
	/* A host that asks for certificates itself would not let it finish either. */
	connection->is_acme = hello_is_acme(&connection->hello) &&
			      rules_allow_acme(&connection->rules) &&
			      !host_asks(&connection->host) && !is_datagram(connection);
	return REASON_NONE;
}

static enum reason find_rules_and_arm(struct connection *connection, info_callback info)
{
	const struct openssl *openssl = connection->openssl;
	const unsigned char *random;
	enum reason reason;

	if (openssl->SSL_client_hello_get0_random(connection->ssl, &random) != HELLO_RANDOM_BYTES)
		return REASON_INTERNAL;
	reason = connection_find_rules(connection, random);
	if (reason != REASON_NONE || connection->stage == STAGE_OPEN)
		return reason;
	take_over_verify(connection);
	take_over_info(connection, info);
	arm_give_back(openssl, connection->ssl, &connection->host); /* of the hello before */
	connection->stage = STAGE_ARMED;
	reason = judge_hello(connection);
	if (reason != REASON_NONE || connection->stage == STAGE_OPEN)
		return reason;
	if (rules_verify(&connection->rules) == VERIFY_OBSERVE) {
		verdict_observe(connection);
		return REASON_NONE;
	}
	connection->arming = (struct arming){
		.resumable = verdict_may_resume(connection),
		.ends_well = verdict_may_finish(connection),
	};
	reason = arm(openssl, connection->ssl, &connection->rules, &connection->host,
		     &connection->arming);
	if (connection->is_acme)
		arm_waive(openssl, connection->ssl);
	return reason;
}

/* The connection is open, if it is the right one: until that is proven nothing of the client's may
 * reach the host, and libssl's word that the handshake is done must not be missed. */
static void await_proof(struct connection *connection, info_callback info)
{
	take_over_info(connection, info);
	/* enforces early-data-unproven, as half-rtt-unproven does */
	arm_refuse_early_data(connection->openssl, connection->ssl);
}

static void refuse_at_hello(struct connection *connection, enum reason reason)
{
	verdict_refuse(connection, reason);
	connection->at_hello = true;
	if (verdict_is_silent(connection) || refuse_says_nothing(reason))
		verdict_mute(connection);
}

/* After a HelloRetryRequest. */
static bool may_be_second(const struct connection *connection)
{
	return connection->stage == STAGE_ARMED || connection_is_observed(connection) ||
	       (connection->stage == STAGE_OPEN && connection->hello_seen &&
		connection->host_guard != NULL);
}

int connection_hello(struct openssl *openssl, SSL *ssl, int *alert, info_callback info)
{
	struct connection *connection = connection_begin(openssl, ssl);
	struct quiet quiet = quiet_begin(openssl);
	enum reason reason = REASON_INTERNAL;

	if (connection != NULL && !connection->conversing) {
		if (!may_be_second(connection))
			hello_forget(&connection->hello);
		verdict_forget_name(connection);
		connection_begin_anew(connection);
		verdict_forget_bios(
			connection); /* a host may clear a refused SSL and use it again */
		connection->hello_seen = connection->within = true;
		connection->at_hello = false;
		connection->renegotiates = verdict_has_finished(connection);
		connection->counted = connection->counted && connection->renegotiates;
		if (!connection->renegotiates)
			verdict_end_requests(connection);
		reason = find_rules_and_arm(connection, info);
		if (reason != REASON_NONE) {
			refuse_at_hello(connection, reason);
		} else if (connection->stage == STAGE_ARMED && verdict_is_silent(connection)) {
			/* enforces silence-at-hello */
			verdict_mute(connection);
		} else if (connection->stage == STAGE_OPEN && connection->unproven) {
			await_proof(connection, info);
		}
	}
	quiet_end(openssl, quiet);
	if (reason == REASON_NONE)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = refuse_hello_alert(reason, connection != NULL && connection->hello.is_second);
	return SSL_CLIENT_HELLO_ERROR;
}
