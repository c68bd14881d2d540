/* door_data.c - what a host may do with a connection: nothing, before it is admitted or after it
 * was refused. */
#include "connection.h"
#include "doors.h"
#include "hooks.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

bool door_is_clients(const struct openssl *openssl, const SSL *ssl)
{
	return !openssl->SSL_is_server(ssl) && !connection_is_unjudged(ssl);
}

/* Before a host reads or writes: may the call go on?  It would drive the handshake itself, and go
 * on by itself when that is done: so it is driven here, and judged, whoever else was told of its
 * end.  And what came after a handshake that was refused may lie in libssl already: a host may take
 * the flags off that keep it there. */
static bool come_in(struct openssl *openssl, SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	if (connection != NULL && connection_may_talk(connection))
		return true;
	/* No flag and no BIO ends a connection of QUIC that libssl has taken for good; nor is a
	 * stream the SSL that was refused. */
	/* enforces refused-quic, as refused-inside-quic does, from 3.5 */
	if (openssl_is_quic(openssl, ssl) &&
	    connection_is_refused(openssl->SSL_get0_connection(ssl)))
		return false;
	/* Who calls says nothing: a host's callback that ends with the call jumps here, and the
	 * call returns to libssl. */
	if (openssl_is_quic(openssl, ssl) || openssl_is_inside_quic(openssl, ssl) ||
	    door_is_clients(openssl, ssl))
		return true;
	/* Nor from a BIO: from 3.2 on libssl frees what it is reading by, where a handshake goes on
	 * within its own call. */
	/* enforces not-from-a-callback */
	if (connection_is_within(ssl) || connection_is_in_door(ssl))
		return false;
	/* As libssl begins to read or write: a stale EAGAIN would have hosts try again. */
	errno = 0;
	/* enforces driven */
	if (!connection_is_refused(ssl) && door_handshake(openssl, ssl) != 1 &&
	    !connection_is_refused(ssl))
		return false;
	if (connection_answer(ssl)) {
		errno = EAGAIN;
		return false;
	}
	/* enforces refused-data */
	door_stay_refused(openssl, ssl);
	return true;
}

/* The same for who reads: what is `known` of the SSL is looked up once. */
static bool come_in_as(struct openssl *openssl, SSL *ssl, const struct connection *known)
{
	return (known != NULL && connection_may_talk(known)) || come_in(openssl, ssl);
}

/* A handshake within the call (renegotiation) ended unseen, or the host took the flags off in
 * between. */
static bool may_keep(const struct openssl *openssl, const SSL *ssl, const struct connection *known)
{
	const struct connection *connection = known ? known : connection_of(ssl);

	/* STAGE_NEW: a client of which the host only has set the info callback. */
	if (connection == NULL || connection->stage == STAGE_NEW)
		return openssl_is_quic(openssl, ssl) || !openssl->SSL_is_server(ssl);
	return connection_may_talk(connection);
}

/* `count` bytes that were read.  On the way of every read, and too large to be inlined by itself.
 */
static inline __attribute__((always_inline)) int keep_or_lose(const struct openssl *openssl,
							      const SSL *ssl,
							      const struct connection *known,
							      void *bytes, int count)
{
	/* enforces kept */
	if (count > 0 && !(known != NULL && connection_may_talk(known)) &&
	    !may_keep(openssl, ssl, known)) {
		memset(bytes, 0, (size_t)count);
		count = -1;
	}
	return count;
}

static void lose(void *bytes, size_t *count)
{
	memset(bytes, 0, *count);
	*count = 0;
}

static bool keep_or_lose_all(const struct openssl *openssl, const SSL *ssl,
			     const struct connection *known, void *bytes, size_t *count)
{
	/* enforces kept-ex */
	if (!may_keep(openssl, ssl, known)) {
		lose(bytes, count);
		return false;
	}
	return true;
}

/* The connection, where its requests are held against the rules; NULL where not.  One that was not
 * `known` before it came in may have become one. */
static struct connection *guarded(const SSL *ssl, struct connection *known)
{
	struct connection *connection = known ? known : connection_of(ssl);

	return connection != NULL && connection->host_guard != NULL ? connection : NULL;
}

int SSL_write(SSL *ssl, const void *bytes, int count)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl);
	int written;

	if (!come_in_as(openssl, ssl, known))
		return -1;
	known = guarded(ssl, known);
	if (known == NULL)
		return openssl->SSL_write(ssl, bytes, count);
	connection_door_opens(ssl, known);
	written = openssl->SSL_write(ssl, bytes, count);
	connection_door_shuts(ssl, known);
	if (written > 0)
		connection_wrote(known, bytes, (size_t)written);
	return written;
}

int SSL_write_ex(SSL *ssl, const void *bytes, size_t count, size_t *written)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl);
	int result;

	if (!come_in_as(openssl, ssl, known))
		return 0;
	known = guarded(ssl, known);
	if (known == NULL)
		return openssl->SSL_write_ex(ssl, bytes, count, written);
	connection_door_opens(ssl, known);
	result = openssl->SSL_write_ex(ssl, bytes, count, written);
	connection_door_shuts(ssl, known);
	if (result == 1)
		connection_wrote(known, bytes, *written);
	return result;
}

int SSL_write_ex2(SSL *ssl, const void *bytes, size_t count, uint64_t flags, size_t *written)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl);
	int result;

	if (openssl->SSL_write_ex2 == NULL || !come_in_as(openssl, ssl, known))
		return 0;
	known = guarded(ssl, known);
	if (known == NULL)
		return openssl->SSL_write_ex2(ssl, bytes, count, flags, written);
	connection_door_opens(ssl, known);
	result = openssl->SSL_write_ex2(ssl, bytes, count, flags, written);
	connection_door_shuts(ssl, known);
	if (result == 1)
		connection_wrote(known, bytes, *written);
	return result;
}

/* These two write at once, whatever state the handshake is in: by the first a server answers whom
 * it has not verified, or (3.x, where the SSL is used again) whoever comes next; and the second has
 * the kernel do it, under the keys of the server's flight. */
static bool may_write_at_once(const struct openssl *openssl, const SSL *ssl)
{
	const struct connection *connection = connection_of(ssl);

	if (connection == NULL || door_is_clients(openssl, ssl))
		return true;
	/* What was admitted was the client before: no hello has come since. */
	/* enforces half-rtt-anew */
	if (openssl->SSL_in_before(ssl))
		return false;
	return connection_may_talk(connection);
}

int SSL_write_early_data(SSL *ssl, const void *bytes, size_t count, size_t *written)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* enforces half-rtt-call */
	if (!may_write_at_once(openssl, ssl))
		return 0;
	return openssl->SSL_write_early_data(ssl, bytes, count, written);
}

ossl_ssize_t SSL_sendfile(SSL *ssl, int descriptor, off_t offset, size_t size, int flags)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	const struct connection *known;
	ossl_ssize_t written;

	/* enforces half-rtt-file */
	if (!may_write_at_once(openssl, ssl))
		return -1;
	if (openssl->SSL_sendfile == NULL)
		return -1;
	written = openssl->SSL_sendfile(ssl, descriptor, offset, size, flags);
	known = written > 0 ? guarded(ssl, NULL) : NULL;
	if (known != NULL)
		connection_wrote(known, NULL, (size_t)written);
	return written;
}

/* As SSL_read() and SSL_peek() of a guarded connection; one that is refused for its request is
 * answered like any other. */
static int read_guarded(struct openssl *openssl, SSL *ssl, struct connection *known, void *bytes,
			int size, bool peeks)
{
	const int count = connection_read(known, bytes, size, peeks);

	if (count > 0 || !connection_is_refused(ssl))
		return count;
	return come_in(openssl, ssl) ? openssl->SSL_read(ssl, bytes, size) : -1;
}

static int read_guarded_ex(struct openssl *openssl, SSL *ssl, struct connection *known, void *bytes,
			   size_t size, bool peeks, size_t *count)
{
	const int most = size < INT_MAX ? (int)size : INT_MAX;
	const int come = read_guarded(openssl, ssl, known, bytes, most, peeks);

	*count = come > 0 ? (size_t)come : 0;
	return come > 0;
}

int SSL_read(SSL *ssl, void *bytes, int size)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl), *requests;

	if (!come_in_as(openssl, ssl, known))
		return -1;
	requests = guarded(ssl, known);
	if (requests != NULL)
		return read_guarded(openssl, ssl, requests, bytes, size, false);
	return keep_or_lose(openssl, ssl, known, bytes, openssl->SSL_read(ssl, bytes, size));
}

int SSL_read_ex(SSL *ssl, void *bytes, size_t size, size_t *count)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl), *requests;

	if (!come_in_as(openssl, ssl, known))
		return 0;
	requests = guarded(ssl, known);
	if (requests != NULL)
		return read_guarded_ex(openssl, ssl, requests, bytes, size, false, count);
	return openssl->SSL_read_ex(ssl, bytes, size, count) == 1 &&
	       keep_or_lose_all(openssl, ssl, known, bytes, count);
}

int SSL_peek(SSL *ssl, void *bytes, int size)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl), *requests;

	if (!come_in_as(openssl, ssl, known))
		return -1;
	requests = guarded(ssl, known);
	if (requests != NULL)
		return read_guarded(openssl, ssl, requests, bytes, size, true);
	return keep_or_lose(openssl, ssl, known, bytes, openssl->SSL_peek(ssl, bytes, size));
}

int SSL_peek_ex(SSL *ssl, void *bytes, size_t size, size_t *count)
{
	struct openssl *openssl = openssl_of(ssl, CALLER);
	struct connection *known = connection_of(ssl), *requests;

	if (!come_in_as(openssl, ssl, known))
		return 0;
	requests = guarded(ssl, known);
	if (requests != NULL)
		return read_guarded_ex(openssl, ssl, requests, bytes, size, true, count);
	return openssl->SSL_peek_ex(ssl, bytes, size, count) == 1 &&
	       keep_or_lose_all(openssl, ssl, known, bytes, count);
}

/* None is taken before the verdict; where a host has it taken, unseen, it is lost. */
int SSL_read_early_data(SSL *ssl, void *bytes, size_t size, size_t *count)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);
	int status;

	connection_door_opens(ssl, connection_of(ssl));
	status = openssl->SSL_read_early_data(ssl, bytes, size, count);
	connection_door_shuts(ssl, connection_of(ssl));
	if (status != SSL_READ_EARLY_DATA_SUCCESS)
		return status;
	/* Debian's libssl reads it by SSL_read_ex(), by name, and others do not. */
	/* enforces kept-early, as kept-ex driven do */
	if (!may_keep(openssl, ssl, NULL) || guarded(ssl, NULL) != NULL) {
		lose(bytes, count);
		status = SSL_READ_EARLY_DATA_ERROR;
	}
	return status;
}

/* Flags that are the shim's stay. */
void SSL_set_shutdown(SSL *ssl, int flags)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* enforces refused-flags */
	flags |= connection_shutdown(ssl);
	flags = connection_flags_of_host(ssl, flags);
	openssl->SSL_set_shutdown(ssl, flags);
}

int SSL_shutdown(SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	int result;

	connection_hang_up(ssl);
	connection_door_opens(ssl, connection_of(ssl));
	result = openssl->SSL_shutdown(ssl);
	connection_door_shuts(ssl, connection_of(ssl));
	return result;
}

/* What libssl holds of a refused client is none of the host's. */
int SSL_pending(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	const size_t kept = connection_kept(ssl);

	if (connection_is_refused(ssl))
		return 0;
	return kept < INT_MAX / 2 ? (int)kept + openssl->SSL_pending(ssl) : INT_MAX;
}

int SSL_has_pending(const SSL *ssl)
{
	const struct openssl *openssl = openssl_of(ssl, CALLER);

	/* As long as it is answered, this tells the host to call, which moves the answer on. */
	if (connection_is_refused(ssl) && !connection_is_answered(ssl))
		return 0;
	return connection_kept(ssl) > 0 ? 1 : openssl->SSL_has_pending(ssl);
}
