#include "connection.h"

#include "arm.h"
#include "refuse.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define FINISHED_MAX_BYTES 64

static struct table connections; /* SSL -> struct connection */

struct connection *connection_of(const SSL *ssl)
{
	return table_get(&connections, ssl);
}

struct connection *connection_begin(struct openssl *openssl, SSL *ssl)
{
	struct connection *connection = connection_of(ssl);

	if (connection != NULL)
		return connection;
	connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		return NULL;
	connection->openssl = openssl;
	connection->ssl = ssl;
	if (table_put(&connections, ssl, connection))
		return connection;
	free(connection);
	return NULL;
}

static void forget_kept_bios(struct connection *connection)
{
	if (connection->kept_read != NULL)
		connection->openssl->BIO_free_all(connection->kept_read);
	if (connection->kept_write != NULL)
		connection->openssl->BIO_free_all(connection->kept_write);
	connection->kept_read = connection->kept_write = NULL;
}

static void refused(struct connection *connection, enum reason reason)
{
	connection->stage = STAGE_REFUSED;
	connection->reason = reason;
}

static bool is_silent(const struct connection *connection)
{
	return connection->answer != ANSWER_REJECT;
}

static void mute(struct connection *connection)
{
	refuse_mute(connection->openssl, connection->ssl);
	connection->muted = true;
}

static void unmute(struct connection *connection)
{
	refuse_unmute(connection->openssl, connection->ssl);
	connection->muted = false;
}

int connection_shutdown(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	if (connection == NULL)
		return 0;
	if (connection->taken_away)
		return SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;
	return connection->muted ? SSL_SENT_SHUTDOWN : 0;
}

/* Nothing of an earlier handshake counts in the next. */
static void begin_anew(struct connection *connection)
{
	peer_forget(connection->openssl, &connection->peer);
	connection->stage = STAGE_NEW;
	connection->hello_seen = connection->settled = connection->early_done = false;
	connection->muted = connection->taken_away = connection->host_verified = false;
}

void connection_clear(const SSL *ssl)
{
	struct connection *connection = connection_of(ssl);
	struct quiet quiet;

	if (connection == NULL)
		return;
	quiet = quiet_begin(connection->openssl);
	begin_anew(connection);
	hello_forget(&connection->hello);
	quiet_end(connection->openssl, quiet);
}

/* ---- hello ---- */

/* From the hello on, the SSL's own info callback and verify settings are the shim's, and what the
 * host had there is kept. */
static void take_over(struct connection *connection, info_callback info)
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
	if (!connection->info_ours) {
		connection->host.info = openssl->SSL_get_info_callback(connection->ssl);
		if (connection->host.info == info) /* a copy by SSL_dup() */
			connection->host.info = NULL;
		connection->info_ours = true;
	}
	openssl->SSL_set_info_callback(connection->ssl, info);
}

/* An SSL that was armed once, cleared, and is used again on an open port. */
static void give_back(struct connection *connection)
{
	if (connection->verify_ours)
		connection->openssl->SSL_set_verify(connection->ssl, connection->host.verify_mode,
						    connection->host.verify);
	connection->verify_ours = false;
}

/* Which rules apply; REASON_NONE and STAGE_OPEN where none of them demands anything. */
static enum reason find_rules(struct connection *connection)
{
	const struct trusts *trusts = policy_in_force_trusts(connection->openssl);
	struct route route;

	connection->answer = ANSWER_REJECT;
	/* enforces policy-error */
	if (trusts == NULL)
		return REASON_POLICY_ERROR;
	route = endpoint_route(connection->openssl, connection->ssl);
	connection->endpoint_known = route.endpoint_known;
	connection->endpoint = route.endpoint;
	connection->rules = rules_for(trusts, &route);
	connection->answer = openssl_is_quic(connection->openssl, connection->ssl)
				     ? ANSWER_REJECT /* it cannot be silenced */
				     : rules_answer(&connection->rules);
	if (!rules_enforce(&connection->rules)) {
		connection->stage = STAGE_OPEN;
		give_back(connection);
	}
	return REASON_NONE;
}

static enum reason find_rules_and_arm(struct connection *connection, info_callback info)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason = find_rules(connection);

	if (reason != REASON_NONE || connection->stage == STAGE_OPEN)
		return reason;
	take_over(connection, info);
	connection->stage = STAGE_ARMED;
	reason = hello_examine(openssl, connection->ssl, &connection->hello);
	if (reason != REASON_NONE)
		return reason;
	/* A host that verifies certificates itself has to see each. */
	connection->arming = (struct arming){
		.resumable = rules_resume(&connection->rules) && !host_asks(&connection->host),
	};
	return arm(openssl, connection->ssl, &connection->rules, &connection->host,
		   &connection->arming);
}

static void refuse_at_hello(struct connection *connection, enum reason reason)
{
	refused(connection, reason);
	connection->at_hello = true;
	if (is_silent(connection) || refuse_says_nothing(reason))
		mute(connection);
}

int connection_hello(struct openssl *openssl, SSL *ssl, int *alert, info_callback info)
{
	struct connection *connection = connection_begin(openssl, ssl);
	struct quiet quiet = quiet_begin(openssl);
	enum reason reason = REASON_INTERNAL;

	if (connection != NULL) {
		if (connection->stage != STAGE_ARMED) /* else it may be a second one */
			hello_forget(&connection->hello);
		begin_anew(connection);
		forget_kept_bios(connection); /* a host may clear a refused SSL and use it again */
		connection->hello_seen = connection->within = true;
		connection->at_hello = false;
		reason = find_rules_and_arm(connection, info);
		if (reason != REASON_NONE) {
			refuse_at_hello(connection, reason);
		} else if (connection->stage == STAGE_ARMED && is_silent(connection)) {
			/* enforces silence-at-hello */
			mute(connection);
		}
	}
	quiet_end(openssl, quiet);
	if (reason == REASON_NONE)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = refuse_hello_alert(reason);
	return SSL_CLIENT_HELLO_ERROR;
}

/* ---- while the handshake goes on ---- */

void connection_step(struct connection *connection)
{
	connection->within = true;
}

bool connection_hush(struct connection *connection)
{
	if (connection->muted || connection->taken_away || !connection_is_within(connection->ssl))
		return false;
	/* enforces hush */
	mute(connection);
	return true;
}

void connection_unhush(struct connection *connection)
{
	unmute(connection);
}

/* ---- verify ---- */

/* What becomes of the session of this handshake, once its certificate has passed. */
static void keep_session(const struct connection *connection)
{
	if (!connection->arming.resumable)
		return;
	/* Asked since the hello: it would not see the certificate of a resumed session. */
	if (host_asks(&connection->host))
		peer_spoil_session(connection->openssl, connection->ssl);
	else
		peer_keep_session(connection->openssl, connection->ssl, &connection->peer,
				  &connection->rules);
}

int connection_verify(struct connection *connection, const struct host_context *context,
		      X509_STORE_CTX *store_context)
{
	const struct openssl *openssl = connection->openssl;
	struct quiet quiet = quiet_begin(openssl);
	enum reason reason = peer_verify(openssl, &connection->peer, &connection->rules,
					 openssl->crypto.X509_STORE_CTX_get0_cert(store_context),
					 openssl->X509_STORE_CTX_get0_untrusted(store_context));

	if (reason == REASON_NONE)
		keep_session(connection);
	quiet_end(openssl, quiet);
	if (reason != REASON_NONE) {
		refused(connection, reason);
		openssl->X509_STORE_CTX_set_error(store_context, refuse_verify_error(reason));
		return 0;
	}
	if (host_asks(&connection->host))
		return connection_verify_for_host(connection, context, store_context);
	openssl->X509_STORE_CTX_set_error(store_context, X509_V_OK);
	return 1;
}

int connection_verify_for_host(struct connection *connection, const struct host_context *context,
			       X509_STORE_CTX *store_context)
{
	int result = host_verify(connection->openssl, context,
				 connection->verify_ours ? &connection->host : NULL, store_context);

	connection->host_verified = result > 0;
	return result;
}

/* ---- settle: before judge, which refuses at the very end ---- */

/* Logged and answered, once. */
static void settle_refusal(struct connection *connection)
{
	struct route route;

	if (connection->settled)
		return;
	connection->settled = true;
	route = endpoint_route(connection->openssl, connection->ssl);
	refuse_log(connection->openssl, connection->at_hello ? NULL : connection->ssl, &route,
		   connection->reason, connection->answer, connection->peer.leaf);
	peer_forget(connection->openssl, &connection->peer);
	refuse_answer(&route, connection->answer);
}

/* Is the handshake to go on with a later call?  OpenSSL's QUIC says so neither by SSL_want() nor by
 * the error queue, but its TLS has sent an alert where not. */
static bool goes_on(const struct connection *connection, int alert)
{
	const struct openssl *openssl = connection->openssl;

	if (openssl_is_quic(openssl, connection->ssl))
		return alert == 0;
	return openssl->SSL_want(connection->ssl) != SSL_NOTHING;
}

static void settle_armed(struct connection *connection, int result, int alert)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason;

	if (result > 0 || goes_on(connection, alert)) {
		/* It goes on with a later call, before which the host must find the SSL as it
		 * knows it; but after early data it could write now. */
		if (connection->early_done) {
			/* enforces half-rtt-later */
			mute(connection);
		} else if (is_silent(connection)) {
			unmute(connection);
		}
		return;
	}
	reason = alert != 0 ? refuse_reason_of_alert(alert)
			    : refuse_reason_of_failure(openssl, connection->arming.suites_taken);
	hello_forget(&connection->hello);
	connection->stage = STAGE_ABANDONED;
	if (reason != REASON_NONE)
		refused(connection, reason);
}

void connection_settle(struct connection *connection, int result, int alert)
{
	struct quiet quiet;

	connection->within = false;
	if (connection->stage != STAGE_ARMED &&
	    (connection->stage != STAGE_REFUSED || connection->settled))
		return;
	quiet = quiet_begin(connection->openssl);
	if (connection->stage == STAGE_ARMED)
		settle_armed(connection, result, alert);
	if (connection->stage == STAGE_REFUSED)
		settle_refusal(connection);
	quiet_end(connection->openssl, quiet);
}

/* libssl would take the handshake for good, so everything has to be taken away. */
static void refuse_for_good(struct connection *connection)
{
	settle_refusal(connection);
	if (connection->taken_away)
		return;
	connection->taken_away = true;
	forget_kept_bios(connection);
	/* A QUIC connection's BIOs are those of all of its listener. */
	if (openssl_is_quic(connection->openssl, connection->ssl))
		return;
	/* enforces both-ways */
	refuse_take_away(connection->openssl, connection->ssl, &connection->kept_read,
			 &connection->kept_write);
}

void connection_keep_armed(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	struct quiet quiet;

	if (connection->stage != STAGE_ARMED)
		return;
	quiet = quiet_begin(openssl);
	/* enforces armed-again */
	arm_again(openssl, connection->ssl, connection->arming.resumable);
	/* enforces suites-again */
	if (arm_was_undone(openssl, connection->ssl)) {
		refused(connection, REASON_NO_CERTIFICATE_CIPHER);
		refuse_for_good(connection);
	} else if (is_silent(connection)) {
		/* Within the handshake nobody but libssl writes, and what it may have to say is an
		 * alert. */
		/* enforces silence */
		mute(connection);
	} else if (connection->early_done) {
		unmute(connection);
	}
	quiet_end(openssl, quiet);
}

/* ---- judge ---- */

static void judge_armed(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	char finished[FINISHED_MAX_BYTES];
	enum reason reason = REASON_NONE;

	/* With early data this comes once before the client's second flight: until that, the host
	 * may not write. */
	if (openssl->SSL_get_peer_finished(connection->ssl, finished, sizeof(finished)) == 0) {
		connection->early_done = true;
		/* enforces half-rtt */
		mute(connection);
		return;
	}
	/* enforces end */
	reason = peer_judge(openssl, connection->ssl, &connection->peer, &connection->rules,
			    connection->arming.resumable);
	connection->hello_seen = false;
	hello_forget(&connection->hello);
	if (reason == REASON_NONE) {
		connection->stage = STAGE_ADMITTED;
		peer_forget(openssl, &connection->peer);
		unmute(connection);
	} else {
		refused(connection, reason);
	}
}

/* No hello of this handshake came by: libssl declined a renegotiation, and the certificate is the
 * one that was judged; or a host set its own callback over ours, unseen. */
static void judge_without_hello(struct connection *connection)
{
	enum reason reason;

	if (connection->stage == STAGE_ADMITTED) {
		connection->stage = STAGE_ARMED;
		return;
	}
	/* Another handshake on an SSL that was refused, and cleared unseen: refused as well. */
	if (connection->stage == STAGE_REFUSED)
		connection->settled = connection->taken_away = false;
	if (connection->stage != STAGE_NEW && connection->stage != STAGE_OPEN)
		return;
	connection->stage = STAGE_NEW;
	reason = find_rules(connection);
	if (reason != REASON_NONE || connection->stage != STAGE_OPEN)
		refused(connection, reason ? reason : REASON_INTERNAL);
}

/* A descriptor may be another connection's by now: a host that closes one twice has that happen to
 * it. */
static bool has_moved(const struct connection *connection)
{
	struct route route = endpoint_route(connection->openssl, connection->ssl);

	return connection->endpoint_known && route.endpoint_known &&
	       memcmp(&route.endpoint, &connection->endpoint, sizeof(route.endpoint)) != 0;
}

static void judge(struct connection *connection, bool anew)
{
	/* enforces unseen-hello */
	if (!connection->hello_seen && (anew || connection->stage == STAGE_NEW))
		judge_without_hello(connection);
	if ((connection->stage == STAGE_OPEN || connection->stage == STAGE_ARMED) &&
	    connection->hello_seen && has_moved(connection)) {
		connection->answer = ANSWER_CLOSE;
		refused(connection, REASON_UNKNOWN_ENDPOINT);
	}
	if (connection->stage == STAGE_OPEN)
		connection->hello_seen = false;
	else if (connection->stage == STAGE_ARMED || connection->stage == STAGE_ABANDONED)
		judge_armed(connection);
	if (connection->stage == STAGE_REFUSED)
		refuse_for_good(connection);
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

/* ---- end ---- */

void connection_end(const SSL *ssl)
{
	struct connection *connection = table_take(&connections, ssl);
	const struct openssl *openssl;
	struct quiet quiet;

	if (connection == NULL)
		return;
	openssl = connection->openssl;
	quiet = quiet_begin(openssl);
	peer_forget(openssl, &connection->peer);
	hello_forget(&connection->hello);
	forget_kept_bios(connection);
	free(connection);
	quiet_end(openssl, quiet);
}
