/* requests.c - a connection whose requests are held against the rules, since those of its endpoint
 * differ in whom they admit.
 *
 * Part of connection.c.  The host reads by the doors alone: in between libssl has been told that
 * the client has said its last word, so who reads by a BIO, or past the doors, finds the end. */
#include "answer_status.h"
#include "client_socket.h"
#include "connection.h"
#include "host_guard.h"
#include "refuse.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

/* RFC 9110, 15.5.20: a client may try again, on a connection of its own. */
#define STATUS_MISDIRECTED 421

/* Those whose doors this thread is in, the latest last: one may read another's by its BIO.  Of more
 * than so many the earliest is forgotten, and refused where its handshake ends. */
#define INSIDE_MAX 16
static _Thread_local const SSL *inside[INSIDE_MAX] __attribute__((tls_model("initial-exec")));
static _Thread_local unsigned inside_count __attribute__((tls_model("initial-exec")));

static void take_out(unsigned place)
{
	inside_count--;
	for (; place < inside_count; place++)
		inside[place] = inside[place + 1];
}

static void come_inside(const SSL *ssl)
{
	if (inside_count == INSIDE_MAX)
		take_out(0);
	inside[inside_count++] = ssl;
}

/* Not always the latest goes first: a thread may go on with another one's call meanwhile. */
static bool go_outside(const SSL *ssl)
{
	for (unsigned place = inside_count; place > 0; place--)
		if (inside[place - 1] == ssl) {
			take_out(place - 1);
			return true;
		}
	return false;
}

void verdict_leave_doors(const SSL *ssl)
{
	bool was_inside;

	do
		was_inside = go_outside(ssl);
	while (was_inside);
}

bool connection_is_in_door(const SSL *ssl)
{
	unsigned place = 0;

	while (place < inside_count && inside[place] != ssl)
		place++;
	return place < inside_count;
}

static struct host_guard *guard_of(const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	return connection != NULL ? connection->host_guard : NULL;
}

/* ---- which connections ---- */

enum reason verdict_guard_hosts(struct connection *connection, const struct rules *rules)
{
	const struct openssl *openssl = connection->openssl;

	/* Where the endpoint is not known, every rule has to admit. */
	if (connection->rules.one == NULL || !rules_guard_hosts(rules)) {
		verdict_end_requests(connection); /* of a policy that was in force before */
		return REASON_NONE;
	}
	/* enforces no-h3 */
	if (openssl_is_quic(openssl, connection->ssl) || openssl->SSL_is_dtls(connection->ssl))
		return REASON_SERVER_NAME;
	if (connection->host_guard == NULL)
		connection->host_guard = calloc(1, sizeof(*connection->host_guard));
	if (connection->host_guard == NULL)
		return REASON_INTERNAL;
	policy_in_force_release(connection->host_guard->version);
	connection->host_guard->version = policy_in_force_share(connection->version);
	connection->host_guard->rules = *rules;
	connection->host_guard->admitted_by = connection->rules.one;
	if (connection->host_guard->denied_by != NULL) /* it was of the version before */
		connection->host_guard->denied_by = connection->rules.one;
	arm_refuse_early_data(openssl, connection->ssl);
	return REASON_NONE;
}

/* For a line when nobody can be asked any more. */
static void keep_names(struct connection *connection)
{
	struct host_guard *guard = connection->host_guard;
	struct refusal names = {.reason = REASON_NONE};

	guard->route = connection_route(connection);
	refuse_name(connection->openssl, connection->ssl, &guard->route, &names);
	free(guard->asked);
	guard->asked = names.server_name != NULL ? strdup(names.server_name) : NULL;
	guard->tls_version = names.tls_version;
}

void verdict_begin_requests(struct connection *connection)
{
	const unsigned char *protocol = NULL;
	unsigned length = 0;

	if (!verdict_has_finished(connection))
		return;
	connection->openssl->SSL_get0_alpn_selected(connection->ssl, &protocol, &length);
	/* Its callback was set past the door that hides it. */
	/* enforces no-h2 */
	if (length >= 2 && memcmp(protocol, "h2", 2) == 0)
		verdict_refuse(connection, REASON_SERVER_NAME);
	/* enforces by-doors */
	if (!connection_is_in_door(connection->ssl))
		verdict_refuse(connection, REASON_UNCOVERED_TLS);
	if (connection->stage == STAGE_REFUSED)
		connection->settled = false; /* as observed, it was */
	connection->host_guard->has_begun = true;
	keep_names(connection);
	connection->host_guard->socket = client_socket_of(
		connection->openssl, connection->openssl->SSL_get_rbio(connection->ssl));
}

/* It has found the end of everything. */
static void tell_of_unseen_reader(struct connection *connection)
{
	const struct host_guard *guard = connection->host_guard;
	const struct refusal refusal = {.reason = REASON_UNCOVERED_TLS,
					.answer = ANSWER_CLOSE,
					.server_name = guard->asked,
					.tls_version = guard->tls_version};

	verdict_count(connection, VERDICT_REFUSED, refusal.reason, &guard->route);
	refuse_log(connection->openssl, NULL, &guard->route, &refusal, connection->peer.leaf);
}

void verdict_end_requests(struct connection *connection)
{
	const struct host_guard *guard = connection->host_guard;

	if (guard != NULL && guard->has_begun && !guard->has_read &&
	    connection_may_talk(connection) && !client_socket_is_gone(&guard->socket))
		tell_of_unseen_reader(connection);
	if (guard != NULL)
		policy_in_force_release(guard->version);
	host_guard_free(connection->host_guard);
	connection->host_guard = NULL;
}

const char *verdict_host_denied(const struct connection *connection, size_t *length)
{
	const struct host_guard *guard = connection->host_guard;

	if (guard == NULL || guard->denied_host[0] == '\0')
		return NULL;
	*length = strlen(guard->denied_host);
	return guard->denied_host;
}

/* HTTP/2 is not offered: its requests would be those of several hosts at once. */
size_t connection_protocols(unsigned char *left, const unsigned char *offered, size_t length)
{
	size_t at = 0, kept = 0;

	while (at < length && offered[at] < length - at) {
		const size_t whole = 1u + offered[at];

		if (whole != 3 || memcmp(offered + at + 1, "h2", 2) != 0) {
			memcpy(left + kept, offered + at, whole);
			kept += whole;
		}
		at += whole;
	}
	return kept;
}

/* ---- the doors ---- */

void connection_door_opens(const SSL *ssl, const struct connection *connection)
{
	struct host_guard *guard = connection != NULL ? connection->host_guard : NULL;
	int flags;

	come_inside(ssl);
	if (guard == NULL)
		return;
	atomic_fetch_add(&guard->within, 1);
	if (!guard->is_shut || guard->is_over)
		return;
	guard->is_shut = false;
	flags = connection->openssl->SSL_get_shutdown(ssl);
	if (!guard->has_ended)
		connection->openssl->SSL_set_shutdown(connection->ssl,
						      flags & ~SSL_RECEIVED_SHUTDOWN);
}

/* Of one that came in before there was a guard nobody knows. */
static bool leaves_others_within(struct host_guard *guard)
{
	unsigned within = atomic_load(&guard->within);

	while (within > 0)
		if (atomic_compare_exchange_weak(&guard->within, &within, within - 1))
			return within > 1;
	return false;
}

void connection_door_shuts(const SSL *ssl, const struct connection *connection)
{
	struct host_guard *guard = connection != NULL ? connection->host_guard : NULL;
	int flags;

	(void)go_outside(ssl);
	if (guard == NULL || leaves_others_within(guard) || !guard->has_begun || guard->is_shut ||
	    !connection_may_talk(connection))
		return;
	guard->is_shut = true;
	flags = connection->openssl->SSL_get_shutdown(ssl);
	guard->has_ended = (flags & SSL_RECEIVED_SHUTDOWN) != 0;
	/* enforces shut-between-doors */
	connection->openssl->SSL_set_shutdown(connection->ssl, flags | SSL_RECEIVED_SHUTDOWN);
}

int connection_flags_for_host(const SSL *ssl, int flags)
{
	const struct host_guard *guard = guard_of(ssl);

	if (guard != NULL && guard->is_shut && !guard->has_ended && !guard->is_over)
		flags &= ~SSL_RECEIVED_SHUTDOWN;
	return flags;
}

int connection_flags_of_host(const SSL *ssl, int flags)
{
	struct host_guard *guard = guard_of(ssl);

	if (guard == NULL || !guard->is_shut)
		return flags;
	guard->has_ended = (flags & SSL_RECEIVED_SHUTDOWN) != 0;
	/* enforces shut-for-the-host */
	flags |= SSL_RECEIVED_SHUTDOWN;
	return flags;
}

/* ---- reading ---- */

/* From an answer of the host's that is under way nothing is taken: it may be finished, and then
 * finds that the client has said its last word. */
static void refuse_request(struct connection *connection)
{
	struct host_guard *guard = connection->host_guard;
	const struct rule *rule = guard->denied_by->rule;
	const struct quiet quiet = quiet_begin(connection->openssl);

	connection->reason = REASON_SERVER_NAME;
	connection->answer = rule->refuse;
	connection->status = rule->status != 0 ? rule->status : STATUS_MISDIRECTED;
	guard->is_over = true;
	if (connection->answer == ANSWER_REJECT && !host_guard_is_idle(guard)) {
		const struct route route = connection_route(connection);

		verdict_log(connection, &route);
	} else {
		connection->settled = false; /* of what was observed */
		if (connection->answer == ANSWER_REJECT)
			connection->conversation =
				answer_status_begin_at_once(connection->openssl, connection->ssl,
							    connection->status, guard->denied_head);
		verdict_refuse(connection, REASON_SERVER_NAME);
		verdict_refuse_for_good(connection);
	}
	quiet_end(connection->openssl, quiet);
}

/* As libssl has it; a handshake within the call may have ended otherwise. */
static int read_within(const struct connection *connection, void *bytes, int size)
{
	int count;

	connection_door_opens(connection->ssl, connection);
	count = connection->openssl->SSL_read(connection->ssl, bytes, size);
	connection_door_shuts(connection->ssl, connection);
	if (count > 0 && (connection->host_guard == NULL || !connection_may_talk(connection))) {
		memset(bytes, 0, (size_t)count);
		count = -1;
	}
	return count;
}

/* The client has said its last word, as far as the host is concerned: 0, by which libssl says that,
 * whoever else is within a door. */
static int read_end(const struct connection *connection, void *bytes, int size)
{
	const struct openssl *openssl = connection->openssl;
	int count;

	openssl->SSL_set_shutdown(connection->ssl, openssl->SSL_get_shutdown(connection->ssl) |
							   SSL_RECEIVED_SHUTDOWN);
	count = openssl->SSL_read(connection->ssl, bytes, size);
	if (count > 0)
		memset(bytes, 0, (size_t)count);
	return count > 0 ? -1 : count;
}

/* Into the host's own memory, where nothing is held. */
static int read_through(const struct connection *connection, char *bytes, int size)
{
	int count = read_within(connection, bytes, size);

	if (count > 0) {
		const size_t come = (size_t)count;
		const size_t clear = host_guard_look(connection->host_guard, bytes, come);

		/* enforces held-back */
		if (clear < come) {
			memset(bytes + clear, 0, come - clear);
			count = (int)clear;
		}
	}
	return count;
}

/* Beside it: not more than the host can take at once, so that the end of what it is given is the
 * end of a record where it would be. */
static int read_aside(const struct connection *connection, size_t size)
{
	char bytes[4096];
	const size_t held = connection->host_guard->held_bytes;
	size_t most = size > held ? size - held : 1;
	int count;

	if (most > sizeof(bytes))
		most = sizeof(bytes);
	count = read_within(connection, bytes, (int)most);
	if (count > 0)
		host_guard_hold(connection->host_guard, bytes, (size_t)count);
	return count;
}

int connection_read(struct connection *connection, void *bytes, int size, bool peeks)
{
	int count;

	if (connection->host_guard != NULL)
		connection->host_guard->has_read = true;
	while (size > 0 && connection->host_guard != NULL && !connection->host_guard->is_over) {
		struct host_guard *guard = connection->host_guard;
		const size_t taken = host_guard_take(guard, bytes, (size_t)size, peeks);

		if (taken > 0)
			return (int)taken;
		if (host_guard_denies(guard)) {
			refuse_request(connection);
			break;
		}
		if (guard->held_bytes > 0 || peeks) {
			count = read_aside(connection, (size_t)size);
			if (count <= 0)
				return count;
			continue;
		}
		count = read_through(connection, bytes, size);
		if (count > 0 || connection->host_guard == NULL ||
		    (connection->host_guard->held_bytes == 0 &&
		     !host_guard_denies(connection->host_guard)))
			return count;
	}
	if (!connection_may_talk(connection))
		return -1;
	if (connection->host_guard != NULL && connection->host_guard->is_over)
		return read_end(connection, bytes, size);
	return read_within(connection, bytes, size);
}

size_t connection_kept(const SSL *ssl)
{
	const struct host_guard *guard = guard_of(ssl);

	return guard != NULL && !guard->is_over ? guard->held_clear : 0;
}

/* ---- writing ---- */

void connection_wrote(const struct connection *connection, const void *bytes, size_t count)
{
	if (connection->host_guard == NULL)
		return;
	if (bytes != NULL)
		host_guard_answered(connection->host_guard, bytes, count);
	else
		host_guard_answered_unseen(connection->host_guard, count);
}
