/* counting.c - what of a connection goes into the counters, once.
 *
 * Part of connection.c.  A refusal is counted where its line is written, each of them; any other
 * verdict only where nothing was counted yet, of the connection or, before TLS, of its socket. */
#include "counters.h"
#include "host_guard.h"
#include "verdict.h"

#include <string.h>

static bool is_first(struct connection *connection)
{
	bool socket_counted =
		connection->stream != NULL && atomic_exchange(&connection->stream->counted, true);
	bool first = !connection->counted && !socket_counted;

	connection->counted = true;
	return first;
}

/* What the hello asks for; once that is over and forgotten, as libssl has it. */
static const char *asked_name(const struct connection *connection,
			      char name[TLSEXT_MAXLEN_host_name + 1])
{
	size_t length;
	const char *asked = hello_server_name(&connection->hello, &length);

	if (asked == NULL && connection->at_hello)
		return NULL;
	if (asked == NULL)
		return connection->openssl->SSL_get_servername(connection->ssl,
							       TLSEXT_NAMETYPE_host_name);
	memcpy(name, asked, length);
	name[length] = '\0';
	return name;
}

void verdict_count(struct connection *connection, enum verdict verdict, enum reason reason,
		   const struct route *route)
{
	bool has_line = verdict == VERDICT_REFUSED || verdict == VERDICT_OBSERVED;
	const struct host_guard *guard = connection->host_guard;
	/* The handshake's are let go of by the time that a request is refused. */
	const struct rule_in_force *rule = connection->rules.one == NULL && guard != NULL
						   ? guard->admitted_by
						   : connection->rules.one;
	char name[TLSEXT_MAXLEN_host_name + 1];
	struct counted counted = {
		.by_address = rule != NULL && counters_are_by_address(rule->rule),
		.server = rule ? rule->rule->server : NULL,
	};

	/* A child frees what its parent goes on with. */
	if (verdict == VERDICT_ABANDONED && connection->stream != NULL &&
	    !atomic_load(&connection->stream->asked))
		return;
	if (!is_first(connection) && !has_line)
		return;
	counted.server_name = asked_name(connection, name);
	if (route != NULL && route->endpoint_known)
		counted.endpoint = &route->endpoint;
	else if (connection->endpoint_known)
		counted.endpoint = &connection->endpoint;
	if (route != NULL && (route->shown_known || route->peer_known))
		counted.peer = route->shown_known ? &route->shown : &route->peer;
	counters_count(verdict, reason, &counted);
}
