#include "connection.h"

#include "arm.h"
#include "refuse.h"
#include "rules.h"
#include "table.h"

#include <openssl/obj_mac.h>
#include <stdlib.h>

/* libssl's own reasons for a handshake that failed on the certificate before there was one to
 * verify (sslerr.h; equal in all versions). */
enum { FAILED_NO_CERTIFICATE = 199, FAILED_BAD_SIGNATURE = 123, FAILED_LIST_TOO_LONG = 152 };

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

static void forget_leaf(struct connection *connection)
{
	if (connection->leaf != NULL)
		connection->openssl->crypto.X509_free(connection->leaf);
	connection->leaf = NULL;
	connection->verified = false;
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

/* ---- hello ---- */

/* From the hello on, the SSL's own info callback and verify settings are the shim's, and what the
 * host had there is kept. */
static void take_over(struct connection *connection, info_callback info)
{
	const struct openssl *openssl = connection->openssl;

	if (!connection->verify_ours) {
		connection->host.verify_mode = openssl->SSL_get_verify_mode(connection->ssl);
		connection->host.verify = openssl->SSL_get_verify_callback(connection->ssl);
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
	if (trusts == NULL)
		return REASON_POLICY_ERROR;
	route = endpoint_route(connection->openssl, connection->ssl);
	connection->rules = rules_for(trusts, &route);
	connection->answer = rules_answer(&connection->rules);
	if (!rules_enforce(&connection->rules)) {
		connection->stage = STAGE_OPEN;
		give_back(connection);
	}
	return REASON_NONE;
}

static enum reason find_rules_and_arm(struct connection *connection, info_callback info)
{
	enum reason reason = find_rules(connection);

	if (reason != REASON_NONE || connection->stage == STAGE_OPEN)
		return reason;
	take_over(connection, info);
	connection->stage = STAGE_ARMED;
	return arm(connection->openssl, connection->ssl, &connection->rules, &connection->host);
}

int connection_hello(struct openssl *openssl, SSL *ssl, int *alert, info_callback info)
{
	struct connection *connection = connection_begin(openssl, ssl);
	struct quiet quiet = quiet_begin(openssl);
	enum reason reason = REASON_INTERNAL;

	if (connection != NULL) {
		forget_leaf(connection);
		forget_kept_bios(connection); /* a host may clear a refused SSL and use it again */
		connection->stage = STAGE_NEW;
		connection->settled = connection->early_done = false;
		connection->host_verified = false;
		reason = find_rules_and_arm(connection, info);
		connection->at_hello = reason != REASON_NONE;
		if (reason != REASON_NONE) {
			refused(connection, reason);
			if (is_silent(connection))
				refuse_mute(openssl, ssl);
		}
	}
	quiet_end(openssl, quiet);
	if (reason == REASON_NONE)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

/* ---- while the handshake goes on ---- */

void connection_keep_armed(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	struct quiet quiet;

	if (connection->stage != STAGE_ARMED)
		return;
	quiet = quiet_begin(openssl);
	arm_again(openssl, connection->ssl);
	/* Within the handshake nobody but libssl writes, and what it may have to say is an alert.
	 */
	if (is_silent(connection))
		refuse_mute(openssl, connection->ssl);
	else if (connection->early_done)
		refuse_unmute(openssl, connection->ssl);
	quiet_end(openssl, quiet);
}

/* ---- verify ---- */

static enum reason verify_chain(struct connection *connection, X509 *leaf,
				STACK_OF(X509) * intermediates)
{
	const struct libcrypto *libcrypto = &connection->openssl->crypto;
	enum reason reason = rules_judge(&connection->rules, libcrypto, leaf, intermediates);

	forget_leaf(connection);
	if (libcrypto->X509_up_ref(leaf) != 1)
		return REASON_INTERNAL;
	connection->leaf = leaf;
	connection->verified = reason == REASON_NONE;
	return reason;
}

int connection_verify(struct connection *connection, const struct host_context *context,
		      X509_STORE_CTX *store_context)
{
	const struct openssl *openssl = connection->openssl;
	struct quiet quiet = quiet_begin(openssl);
	enum reason reason =
		verify_chain(connection, openssl->crypto.X509_STORE_CTX_get0_cert(store_context),
			     openssl->X509_STORE_CTX_get0_untrusted(store_context));

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
		   connection->reason, connection->answer, connection->leaf);
	forget_leaf(connection);
	refuse_answer(&route, connection->answer);
}

/* The handshake failed by itself.  Was it over the certificate? */
static enum reason reason_of_failure(const struct openssl *openssl)
{
	unsigned long code = openssl->crypto.ERR_peek_last_error();

	if (openssl_error_library(openssl, code) != ERR_LIB_SSL)
		return REASON_NONE;
	switch (libcrypto_error_reason(code)) {
	case FAILED_NO_CERTIFICATE:
		return REASON_NO_CERTIFICATE;
	case FAILED_BAD_SIGNATURE:
		return REASON_BAD_SIGNATURE;
	case FAILED_LIST_TOO_LONG:
		return REASON_BAD_CERTIFICATE;
	default:
		return REASON_NONE;
	}
}

static void settle_armed(struct connection *connection, int result)
{
	const struct openssl *openssl = connection->openssl;
	enum reason reason;

	if (result > 0 || openssl->SSL_want(connection->ssl) != SSL_NOTHING) {
		/* It goes on with a later call, before which the host must find the SSL as it
		 * knows it; but after early data it could write now. */
		if (connection->early_done)
			refuse_mute(openssl, connection->ssl);
		else if (is_silent(connection))
			refuse_unmute(openssl, connection->ssl);
		return;
	}
	reason = reason_of_failure(openssl);
	connection->stage = STAGE_ABANDONED;
	if (reason != REASON_NONE)
		refused(connection, reason);
}

void connection_settle(struct connection *connection, int result)
{
	struct quiet quiet;

	if (connection->stage != STAGE_ARMED &&
	    (connection->stage != STAGE_REFUSED || connection->settled))
		return;
	quiet = quiet_begin(connection->openssl);
	if (connection->stage == STAGE_ARMED)
		settle_armed(connection, result);
	if (connection->stage == STAGE_REFUSED)
		settle_refusal(connection);
	quiet_end(connection->openssl, quiet);
}

/* ---- judge ---- */

static enum reason reason_without_certificate(const struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	const SSL_CIPHER *cipher = openssl->SSL_get_current_cipher(connection->ssl);
	int authentication = cipher ? openssl->SSL_CIPHER_get_auth_nid(cipher) : NID_undef;

	if (authentication == NID_auth_null || authentication == NID_auth_psk ||
	    authentication == NID_auth_srp)
		return REASON_NO_CERTIFICATE_CIPHER;
	return REASON_NO_CERTIFICATE;
}

/* A reference.  Not by SSL_get1_peer_certificate(): Debian's calls SSL_get0_peer_certificate() by
 * name, and that is the door which hides the certificate from the host. */
static X509 *peer_certificate(const struct openssl *openssl, const SSL *ssl)
{
	X509 *peer;

	if (openssl->SSL_get0_peer_certificate == NULL)
		return openssl->SSL_get_peer_certificate(ssl);
	peer = openssl->SSL_get0_peer_certificate(ssl);
	return peer != NULL && openssl->crypto.X509_up_ref(peer) == 1 ? peer : NULL;
}

/* What libssl's own result says counts for nothing: it is "OK" where no certificate came at all. */
static enum reason judge_peer(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	SSL *ssl = connection->ssl;
	enum reason reason;
	X509 *peer;

	if (openssl->SSL_session_reused(ssl))
		return REASON_RESUMED_UNVERIFIED;
	peer = peer_certificate(openssl, ssl);
	if (peer == NULL)
		return reason_without_certificate(connection);
	if (connection->verified && openssl->X509_cmp(connection->leaf, peer) == 0)
		reason = REASON_NONE;
	else /* the host's own callback stood in the place of ours */
		reason = verify_chain(connection, peer, openssl->SSL_get_peer_cert_chain(ssl));
	openssl->crypto.X509_free(peer);
	return reason;
}

static void judge_armed(struct connection *connection)
{
	const struct openssl *openssl = connection->openssl;
	char finished[FINISHED_MAX_BYTES];
	enum reason reason;

	/* With early data this comes once before the client's second flight: until that, the host
	 * may not write. */
	if (openssl->SSL_get_peer_finished(connection->ssl, finished, sizeof(finished)) == 0) {
		connection->early_done = true;
		refuse_mute(openssl, connection->ssl);
		return;
	}
	reason = judge_peer(connection);
	if (reason == REASON_NONE) {
		connection->stage = STAGE_ADMITTED;
		forget_leaf(connection);
		refuse_unmute(openssl, connection->ssl);
	} else {
		refused(connection, reason);
	}
}

/* libssl takes the handshake for good, so everything has to be taken away. */
static void refuse_at_end(struct connection *connection)
{
	settle_refusal(connection);
	if (connection->kept_read == NULL && connection->kept_write == NULL)
		refuse_take_away(connection->openssl, connection->ssl, &connection->kept_read,
				 &connection->kept_write);
}

void connection_judge(struct openssl *openssl, SSL *ssl)
{
	struct connection *connection;
	struct quiet quiet;

	if (!openssl->SSL_is_server(ssl))
		return;
	connection = connection_begin(openssl, ssl);
	quiet = quiet_begin(openssl);
	if (connection == NULL) {
		BIO *lost[2];

		refuse_take_away(openssl, ssl, &lost[0], &lost[1]);
	} else {
		if (connection->stage == STAGE_NEW) {
			/* The hello did not come by: a host set its own callback over ours, unseen.
			 */
			enum reason reason = find_rules(connection);

			if (reason != REASON_NONE || connection->stage != STAGE_OPEN)
				refused(connection, reason ? reason : REASON_INTERNAL);
		} else if (connection->stage == STAGE_ARMED ||
			   connection->stage == STAGE_ABANDONED) {
			judge_armed(connection);
		}
		if (connection->stage == STAGE_REFUSED)
			refuse_at_end(connection);
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
	forget_leaf(connection);
	forget_kept_bios(connection);
	free(connection);
	quiet_end(openssl, quiet);
}
