/* spelling.c - the server name as the host finds it: where the policy has sections of server names,
 * spelled as those are.
 *
 * To the policy case does not matter, nor a dot behind the name (RFC 4343; RFC 6066, 3).  A host
 * that compares bytes would answer DIRECT.EXAMPLE by its default site, which may be another
 * section's.
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
	unsigned char head[HEAD_BYTES];
	char name[NAME_BYTES + 1];
};

/* Does the policy in force spell it otherwise?  What is no name stays as it is. */
static bool differs(char folded[NAME_BYTES + 1], const char *name, size_t length)
{
	struct policy_version *version;
	bool has_sections;

	if (!name_fold(folded, name, length) ||
	    (strlen(folded) == length && memcmp(folded, name, length) == 0))
		return false;
	version = policy_in_force_hold();
	has_sections = version->policy != NULL && policy_names_servers(version->policy);
	policy_in_force_release(version);
	return has_sections;
}

static bool keep(struct connection *connection, const char *folded)
{
	const unsigned length = (unsigned)strlen(folded);
	struct spelling *spelling = connection->spelling;

	if (spelling == NULL)
		spelling = connection->spelling = calloc(1, sizeof(*spelling));
	if (spelling == NULL)
		return false;
	spelling->head[1] = (unsigned char)(length + 3);
	spelling->head[2] = TLSEXT_NAMETYPE_host_name;
	spelling->head[4] = (unsigned char)length;
	memcpy(spelling->name, folded, length + 1);
	return true;
}

bool verdict_spell(struct connection *connection, const char *name, size_t length)
{
	char folded[NAME_BYTES + 1];

	return name == NULL || !differs(folded, name, length) || keep(connection, folded);
}

bool verdict_was_misspelled(const struct connection *connection, const char *name, size_t length)
{
	char folded[NAME_BYTES + 1];

	return name != NULL && connection->spelling == NULL && differs(folded, name, length);
}

/* NULL: no memory; at the hello the client is refused for that. */
static const struct spelling *spell(struct openssl *openssl, SSL *ssl, const char *folded)
{
	struct connection *connection = connection_begin(openssl, ssl);

	return connection != NULL && keep(connection, folded) ? connection->spelling : NULL;
}

const char *connection_server_name(struct openssl *openssl, const SSL *ssl, const char *name)
{
	char folded[NAME_BYTES + 1];
	const struct spelling *spelling;

	if (name == NULL || !openssl->SSL_is_server(ssl) || !differs(folded, name, strlen(name)))
		return name;
	spelling = spell(openssl, (SSL *)(uintptr_t)ssl, folded);
	return spelling != NULL ? spelling->name : NULL;
}

bool connection_server_name_extension(struct openssl *openssl, SSL *ssl,
				      const unsigned char **bytes, size_t *length)
{
	char folded[NAME_BYTES + 1];
	size_t name_length;
	const char *name = hello_name_of(*bytes, *length, &name_length);
	const struct spelling *spelling;

	if (name == NULL || !differs(folded, name, name_length))
		return true;
	spelling = spell(openssl, ssl, folded);
	if (spelling == NULL)
		return false;
	*bytes = spelling->head;
	*length = HEAD_BYTES + strlen(folded);
	return true;
}
