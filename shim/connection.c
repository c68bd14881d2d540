#include "connection.h"

#include "arm.h"
#include "refuse.h"
#include "table.h"
#include "verdict.h"

#include <stdlib.h>

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

void connection_begin_anew(struct connection *connection)
{
	peer_forget(connection->openssl, &connection->peer);
	connection->stage = STAGE_NEW;
	connection->hello_seen = connection->settled = connection->early_done = false;
	connection->muted = connection->taken_away = connection->host_verified = false;
	verdict_end_answer(connection);
	verdict_let_policy_go(connection);
	connection->is_acme = connection->observes = connection->told = false;
	connection->came_without = false;
	connection->reason = REASON_NONE;
}

void connection_clear(const SSL *ssl)
{
	struct connection *connection = connection_of(ssl);
	struct quiet quiet;

	/* One of QUIC is never cleared: libssl declines. */
	if (connection == NULL || connection->conversing ||
	    openssl_is_quic(connection->openssl, ssl))
		return;
	quiet = quiet_begin(connection->openssl);
	verdict_end_requests(connection);
	connection_begin_anew(connection);
	connection->counted = false;
	hello_forget(&connection->hello);
	quiet_end(connection->openssl, quiet);
}

/* ---- while the handshake goes on ---- */

void connection_step(struct connection *connection)
{
	connection->within = true;
}

static void keep_armed(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason;

	connection->arming.ends_well = verdict_may_finish(connection);
	/* enforces armed-again */
	arm_again(openssl, connection->ssl, &connection->host, &connection->arming);
	if (connection->is_acme)
		arm_waive(openssl, connection->ssl);
	arm_names(openssl, connection->ssl, &connection->rules, &connection->host);
	reason = arm_was_undone(openssl, connection->ssl);
	if (reason != REASON_NONE)
		verdict_refuse(connection, reason);
	else
		verdict_foresee(connection);
	/* Within the handshake nobody but libssl writes, and what it may have to say is an alert.
	 */
	if (connection->stage == STAGE_ARMED && verdict_is_silent(connection)) {
		/* enforces silence */
		verdict_mute(connection);
	} else if (connection->stage == STAGE_ARMED && connection->early_done) {
		verdict_unmute(connection);
	}
}

void connection_keep_armed(struct connection *connection)
{
	struct quiet quiet;

	if (connection->stage != STAGE_ARMED && !connection_is_observed(connection))
		return;
	quiet = quiet_begin(connection->openssl);
	guard_look();
	/* enforces policy-on-the-way, as policy-at-the-end does */
	verdict_follow_policy(connection);
	if (connection_is_observed(connection))
		verdict_observe_again(connection);
	if (connection->stage == STAGE_ARMED)
		keep_armed(connection);
	if (connection->stage == STAGE_REFUSED)
		verdict_refuse_for_good(connection);
	quiet_end(connection->openssl, quiet);
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

/* The policy that has come meanwhile demands nothing, or refuses it whatever the certificate. */
static int verify_after_change(struct connection *connection, const struct host_context *context,
			       X509_STORE_CTX *store_context)
{
	if (connection->stage == STAGE_OPEN) /* libssl has begun with the shim's verify callback */
		return host_verify(connection->openssl, context, &connection->host, store_context);
	connection->openssl->X509_STORE_CTX_set_error(store_context,
						      refuse_verify_error(connection->reason));
	return 0;
}

int connection_verify(struct connection *connection, const struct host_context *context,
		      X509_STORE_CTX *store_context)
{
	const struct openssl *openssl = connection->openssl;
	struct quiet quiet = quiet_begin(openssl);
	enum reason reason;

	verdict_follow_policy(connection);
	if (connection->stage != STAGE_ARMED && !connection_is_observed(connection)) {
		quiet_end(openssl, quiet);
		return verify_after_change(connection, context, store_context);
	}
	reason = peer_verify(openssl, &connection->peer, &connection->rules,
			     openssl->crypto.X509_STORE_CTX_get0_cert(store_context),
			     openssl->X509_STORE_CTX_get0_untrusted(store_context));
	if (reason == REASON_NONE)
		keep_session(connection);
	quiet_end(openssl, quiet);
	if (reason != REASON_NONE && !connection->observes && !verdict_may_finish(connection)) {
		verdict_refuse(connection, reason);
		openssl->X509_STORE_CTX_set_error(store_context, refuse_verify_error(reason));
		return 0;
	}
	/* What is wrong with it is not the host's to see, nor the certificate, unless it is only
	 * observed: judged at the end. */
	if ((reason == REASON_NONE || connection->observes) &&
	    host_asks_now(openssl, &connection->host, connection->ssl))
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
	/* The host is to find it in the session, too, which is none to resume. */
	if (connection->host_verified && (connection->verify_ours || connection->asks_later))
		peer_spoil_session(connection->openssl, connection->ssl);
	return result;
}

bool connection_hides_session(const struct openssl *openssl, const SSL_SESSION *session)
{
	unsigned length = 0;
	const unsigned char *context = openssl->SSL_SESSION_get0_id_context(session, &length);

	return rules_is_digest(context, length);
}

/* ---- end ---- */

void connection_end(const SSL *ssl)
{
	struct connection *connection = table_take(&connections, ssl);
	const struct openssl *openssl;
	struct quiet quiet;

	verdict_leave_doors(ssl);
	if (connection == NULL)
		return;
	openssl = connection->openssl;
	quiet = quiet_begin(openssl);
	/* From 3.2 on libssl has freed name and session before it says so: not to be asked. */
	connection->at_hello = true;
	verdict_end_answer(connection);
	verdict_end_requests(connection);
	if (connection->stage == STAGE_ARMED || connection_is_observed(connection))
		verdict_count(connection, VERDICT_ABANDONED, REASON_NONE, NULL);
	peer_forget(openssl, &connection->peer);
	hello_forget(&connection->hello);
	verdict_forget_name(connection);
	arm_forget(openssl, &connection->host);
	verdict_forget_bios(connection);
	if (connection->stage == STAGE_ARMED)
		guard_abandon(connection->stream);
	verdict_let_policy_go(connection);
	guard_let_go(connection->stream);
	free(connection);
	quiet_end(openssl, quiet);
}
