/* spelling.c - the server name as the host finds it: the one that the connection is judged by.
 *
 * Where sections go by server names, libssl's word is not enough.  To the policy case does not
 * matter, nor a dot behind the name (RFC 4343; RFC 6066, 3), and a host that compares bytes would
 * answer DIRECT.EXAMPLE by its default site.  Of a session that is resumed in TLS 1.2, libssl tells
 * the name of the session, or none where the host has no callback for names, whatever the hello
 * asks for.
 *
 * Part of connection.c. */
#include "connection.h"
#include "policy.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

/* RFC 6066, 3: the length of the list, the type of its only name, the length of that. */
#define HEAD_BYTES 5

/* The extension of the hello, and a NUL. */
struct spelling {
	unsigned char extension[HEAD_BYTES + TLSEXT_MAXLEN_host_name + 1];
	bool has_name;
};

static char *name_in(struct spelling *spelling)
{
	return (char *)spelling->extension + HEAD_BYTES;
}

static bool keep(struct connection *connection, const char *name, size_t length)
{
	const size_t list_length = length + 3;
	struct spelling *spelling = connection->spelling;

	if (spelling == NULL)
		spelling = connection->spelling = calloc(1, sizeof(*spelling));
	if (spelling == NULL)
		return false;
	*spelling = (struct spelling){.has_name = name != NULL};
	if (name == NULL)
		return true;
	spelling->extension[0] = (unsigned char)(list_length >> 8);
	spelling->extension[1] = (unsigned char)list_length;
	spelling->extension[2] = TLSEXT_NAMETYPE_host_name;
	spelling->extension[4] = (unsigned char)length;
	memcpy(name_in(spelling), name, length);
	return true;
}

void verdict_forget_name(struct connection *connection)
{
	free(connection->spelling);
	connection->spelling = NULL;
}

bool verdict_keep_name(struct connection *connection, const struct rules *rules, const char *name,
		       size_t length)
{
	char folded[NAME_BYTES + 1];

	if (!rules_name_servers(rules)) {
		verdict_forget_name(connection);
		return true;
	}
	/* What is no name stays as it is. */
	if (name != NULL && name_fold(folded, name, length))
		return keep(connection, folded, strlen(folded));
	return keep(connection, name, length);
}

bool verdict_has_misread(const struct connection *connection, const char *name, size_t length)
{
	const struct openssl *openssl = connection->openssl;
	char folded[NAME_BYTES + 1];
	const char *read;

	if (connection->spelling != NULL)
		return false;
	read = openssl->SSL_get_servername(connection->ssl, TLSEXT_NAMETYPE_host_name);
	if (name != NULL && name_fold(folded, name, length)) {
		name = folded;
		length = strlen(folded);
	}
	if (read == NULL || name == NULL)
		return read != name;
	return strlen(read) != length || memcmp(read, name, length) != 0;
}

const char *connection_server_name(const SSL *ssl, const char *name)
{
	const struct connection *connection = connection_of(ssl);

	if (connection == NULL || connection->spelling == NULL)
		return name;
	return connection->spelling->has_name ? name_in(connection->spelling) : NULL;
}

static bool policy_has_sections(void)
{
	struct policy_version *version = policy_in_force_hold();
	const bool has = version->policy != NULL && policy_names_servers(version->policy);

	policy_in_force_release(version);
	return has;
}

const char *connection_session_name(const char *name)
{
	static _Thread_local char folded[NAME_BYTES + 1] __attribute__((tls_model("initial-exec")));

	if (name == NULL || !name_fold(folded, name, strlen(name)) || !policy_has_sections())
		return name;
	return folded;
}

bool connection_server_name_extension(struct openssl *openssl, SSL *ssl,
				      const unsigned char **bytes, size_t *length)
{
	char folded[NAME_BYTES + 1];
	size_t name_length;
	const char *name = hello_name_of(*bytes, *length, &name_length);
	struct connection *connection;

	if (name == NULL || !name_fold(folded, name, name_length) ||
	    (strlen(folded) == name_length && memcmp(folded, name, name_length) == 0) ||
	    !policy_has_sections())
		return true;
	connection = connection_begin(openssl, ssl);
	if (connection == NULL || !keep(connection, folded, strlen(folded)))
		return false;
	*bytes = connection->spelling->extension;
	*length = HEAD_BYTES + strlen(folded);
	return true;
}
