#include "answer_status.h"

#include "client_socket.h"
#include "wire/http1.h"
#include "wire/http2.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How long a client may take for the head of its request, and then until it closes. */
#define PATIENCE_MS 10000
/* What it sends after its head is read, so much at most: the body of a request that is under way.
 */
#define LINGER_MAX_BYTES (64u << 20)

enum phase { PHASE_HEAD, PHASE_WRITE, PHASE_NOTIFY, PHASE_LINGER, PHASE_OVER };

/* What the conversation waits for. */
enum need { NEED_NOTHING, NEED_READ, NEED_WRITE };

struct answer_status {
	const struct openssl *openssl;
	SSL *ssl;
	uint16_t status;
	bool is_http2;
	enum phase phase;
	long long begun, deadline;   /* clock_ms() */
	BIO *idle_read, *idle_write; /* what the SSL has in between; borrowed from it */
	struct client_socket socket;
	union {
		struct http1_head http1;
		struct http2_head http2;
	} head;
	size_t lingered;
	size_t answer_bytes, written;
	unsigned char answer[HTTP1_ANSWER_MAX_BYTES];
};
_Static_assert(HTTP1_ANSWER_MAX_BYTES >= HTTP2_ANSWER_MAX_BYTES, "either answer fits");

/* ---- where a status is possible ---- */

static _Atomic bool keys_asked;

void answer_status_keys_asked(void)
{
	atomic_store_explicit(&keys_asked, true, memory_order_relaxed);
}

bool answer_status_is_possible(const struct openssl *openssl, const SSL *ssl)
{
	return !openssl_is_quic(openssl, ssl) && openssl->SSL_is_dtls(ssl) == 0 &&
	       !atomic_load_explicit(&keys_asked, memory_order_relaxed);
}

/* ---- phase by phase ---- */

/* After a call that did not succeed. */
static enum need need_of(const struct answer_status *conversation)
{
	const struct openssl *openssl = conversation->openssl;
	int wants = openssl->SSL_want(conversation->ssl);

	if (wants == SSL_READING &&
	    openssl->BIO_test_flags(openssl->SSL_get_rbio(conversation->ssl),
				    BIO_FLAGS_SHOULD_RETRY) != 0)
		return NEED_READ;
	if (wants == SSL_WRITING &&
	    openssl->BIO_test_flags(openssl->SSL_get_wbio(conversation->ssl),
				    BIO_FLAGS_SHOULD_RETRY) != 0)
		return NEED_WRITE;
	return NEED_NOTHING;
}

static void compose(struct answer_status *conversation)
{
	if (conversation->is_http2)
		conversation->answer_bytes = http2_answer(
			conversation->answer, &conversation->head.http2, conversation->status);
	else
		conversation->answer_bytes =
			http1_answer((char *)conversation->answer, conversation->status,
				     conversation->head.http1.is_head);
	conversation->phase = PHASE_WRITE;
}

/* True where the head is there, or no better one will come. */
static bool feed(struct answer_status *conversation, const unsigned char *bytes, size_t count)
{
	if (conversation->is_http2)
		return http2_read(&conversation->head.http2, bytes, count) != HTTP2_MORE;
	return http1_read(&conversation->head.http1, bytes, count) != HTTP1_MORE;
}

static enum need read_head(struct answer_status *conversation)
{
	unsigned char bytes[4096];
	int count;

	while ((count = conversation->openssl->SSL_read(conversation->ssl, bytes, sizeof(bytes))) >
	       0) {
		if (feed(conversation, bytes, (size_t)count)) {
			compose(conversation);
			return NEED_NOTHING;
		}
	}
	if (need_of(conversation) == NEED_NOTHING) {
		conversation->phase = PHASE_OVER;
		return NEED_NOTHING;
	}
	/* Whoever is that slow may still want to know. */
	if (clock_ms() < conversation->deadline)
		return need_of(conversation);
	compose(conversation);
	return NEED_NOTHING;
}

static enum need write_answer(struct answer_status *conversation)
{
	while (conversation->written < conversation->answer_bytes) {
		int count = conversation->openssl->SSL_write(
			conversation->ssl, conversation->answer + conversation->written,
			(int)(conversation->answer_bytes - conversation->written));

		if (count <= 0) {
			enum need need = need_of(conversation);

			if (need == NEED_NOTHING ||
			    clock_ms() >= conversation->deadline + PATIENCE_MS)
				conversation->phase = PHASE_OVER;
			return conversation->phase == PHASE_OVER ? NEED_NOTHING : need;
		}
		conversation->written += (size_t)count;
	}
	conversation->phase = PHASE_NOTIFY;
	return NEED_NOTHING;
}

static enum need notify(struct answer_status *conversation)
{
	const struct openssl *openssl = conversation->openssl;

	if (openssl->SSL_shutdown(conversation->ssl) < 0 && need_of(conversation) == NEED_WRITE &&
	    clock_ms() < conversation->deadline + PATIENCE_MS)
		return NEED_WRITE;
	/* Apache's BIO keeps what it is given until then. */
	openssl->crypto.BIO_ctrl(openssl->SSL_get_wbio(conversation->ssl), BIO_CTRL_FLUSH, 0, NULL);
	client_socket_say_no_more(&conversation->socket);
	conversation->deadline = clock_ms() + PATIENCE_MS;
	conversation->phase = PHASE_LINGER;
	return NEED_NOTHING;
}

static enum need linger(struct answer_status *conversation)
{
	unsigned char bytes[4096];
	enum need need;
	int count;

	while ((count = conversation->openssl->SSL_read(conversation->ssl, bytes, sizeof(bytes))) >
	       0) {
		conversation->lingered += (size_t)count;
		if (conversation->lingered > LINGER_MAX_BYTES)
			break;
	}
	need = count > 0 ? NEED_NOTHING : need_of(conversation);
	if (need == NEED_NOTHING || clock_ms() >= conversation->deadline)
		conversation->phase = PHASE_OVER;
	return conversation->phase == PHASE_OVER ? NEED_NOTHING : need;
}

static enum need converse(struct answer_status *conversation)
{
	static enum need (*const steps[])(struct answer_status *) = {
		[PHASE_HEAD] = read_head,
		[PHASE_WRITE] = write_answer,
		[PHASE_NOTIFY] = notify,
		[PHASE_LINGER] = linger,
	};
	enum need need = NEED_NOTHING;

	while (need == NEED_NOTHING && conversation->phase != PHASE_OVER)
		need = steps[conversation->phase](conversation);
	return need;
}

/* ---- the whole ---- */

struct answer_status *answer_status_begin(const struct openssl *openssl, SSL *ssl, uint16_t status)
{
	struct answer_status *conversation = calloc(1, sizeof(*conversation));
	const unsigned char *protocol = NULL;
	unsigned length = 0;

	if (conversation == NULL)
		return NULL;
	openssl->SSL_get0_alpn_selected(ssl, &protocol, &length);
	conversation->openssl = openssl;
	conversation->ssl = ssl;
	conversation->status = status;
	conversation->is_http2 = length == 2 && memcmp(protocol, "h2", 2) == 0;
	conversation->begun = clock_ms();
	conversation->deadline = conversation->begun + PATIENCE_MS;
	conversation->socket = client_socket_of(openssl, openssl->SSL_get_rbio(ssl));
	return conversation;
}

struct answer_status *answer_status_await_end(const struct openssl *openssl, SSL *ssl)
{
	struct answer_status *conversation;

	if (openssl->crypto.BIO_ctrl(openssl->SSL_get_wbio(ssl), BIO_CTRL_PENDING, 0, NULL) <= 0)
		return NULL;
	conversation = answer_status_begin(openssl, ssl, 0);
	if (conversation != NULL)
		conversation->phase = PHASE_LINGER;
	return conversation;
}

struct answer_status *answer_status_begin_at_once(const struct openssl *openssl, SSL *ssl,
						  uint16_t status, bool is_head)
{
	struct answer_status *conversation = answer_status_begin(openssl, ssl, status);

	if (conversation == NULL)
		return NULL;
	conversation->is_http2 = false;
	conversation->head.http1.is_head = is_head;
	compose(conversation);
	return conversation;
}

/* The SSL is still what it was at the end of its handshake: no other BIOs, no other part, and
 * nothing that libssl would say on its own account (a ticket, a hello). */
static bool is_as_it_was(struct answer_status *conversation)
{
	const struct openssl *openssl = conversation->openssl;
	BIO *read = openssl->SSL_get_rbio(conversation->ssl);
	BIO *write = openssl->SSL_get_wbio(conversation->ssl);

	if (conversation->idle_read == NULL) {
		conversation->idle_read = read;
		conversation->idle_write = write;
	}
	return read != NULL && write != NULL && read == conversation->idle_read &&
	       write == conversation->idle_write && openssl->SSL_is_server(conversation->ssl) &&
	       openssl->SSL_is_init_finished(conversation->ssl);
}

static void set_bios(const struct answer_status *conversation, BIO *read, BIO *write)
{
	const struct openssl *openssl = conversation->openssl;

	openssl->BIO_up_ref(read);
	openssl->BIO_up_ref(write);
	openssl->SSL_set0_rbio(conversation->ssl, read);
	openssl->SSL_set0_wbio(conversation->ssl, write);
}

/* What the host finds in between: the end of everything, unless SSL_get_error() is asked, which
 * looks at these flags. */
static void rest(const struct answer_status *conversation, int quiet_shutdown)
{
	const struct openssl *openssl = conversation->openssl;

	set_bios(conversation, conversation->idle_read, conversation->idle_write);
	openssl->BIO_set_flags(conversation->idle_read, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
	openssl->BIO_set_flags(conversation->idle_write, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
	openssl->SSL_set_shutdown(conversation->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	openssl->SSL_set_quiet_shutdown(conversation->ssl, quiet_shutdown);
}

/* One bout of it; `held`: the host's call waits. */
static enum need bout(struct answer_status *conversation, BIO *read, BIO *write, bool may_hold)
{
	const struct openssl *openssl = conversation->openssl;
	const int quiet_shutdown = openssl->SSL_get_quiet_shutdown(conversation->ssl);
	const bool held = client_socket_never_block(&conversation->socket);
	const struct signal_held signal_held = signal_hold();
	enum need need;

	/* What the SSL has in between belongs to it: kept for the while. */
	openssl->BIO_up_ref(conversation->idle_read);
	openssl->BIO_up_ref(conversation->idle_write);
	set_bios(conversation, read, write);
	openssl->SSL_set_shutdown(conversation->ssl,
				  conversation->phase == PHASE_LINGER ? SSL_SENT_SHUTDOWN : 0);
	openssl->SSL_set_quiet_shutdown(conversation->ssl, 0);
	while ((need = converse(conversation)) != NEED_NOTHING && held && may_hold)
		if (!client_socket_wait(&conversation->socket, need == NEED_WRITE,
					conversation->begun + PATIENCE_MS)) {
			/* One last look: an answer may be due. */
			conversation->deadline = 0;
			need = converse(conversation);
			break;
		}
	rest(conversation, quiet_shutdown);
	openssl->crypto.BIO_free(conversation->idle_read);
	openssl->crypto.BIO_free(conversation->idle_write);
	signal_let_go(&signal_held);
	if (held)
		client_socket_block_again(&conversation->socket);
	return held && may_hold ? NEED_NOTHING : need;
}

bool answer_status_go_on(struct answer_status *conversation, BIO *read, BIO *write)
{
	if (read == NULL || write == NULL || !is_as_it_was(conversation))
		return false;
	return bout(conversation, read, write, true) != NEED_NOTHING;
}

void answer_status_hang_up(struct answer_status *conversation, BIO *read, BIO *write)
{
	if (read == NULL || write == NULL || !is_as_it_was(conversation))
		return;
	if (bout(conversation, read, write, false) == NEED_NOTHING ||
	    conversation->phase == PHASE_LINGER)
		return;
	conversation->phase = PHASE_NOTIFY;
	(void)bout(conversation, read, write, false);
}

/* A host that frees its SSL and then closes the socket: what the client has sent meanwhile would
 * make that a reset, which overtakes what was said. */
void answer_status_end(struct answer_status *conversation)
{
	if (conversation != NULL && conversation->phase != PHASE_OVER) {
		client_socket_say_no_more(&conversation->socket);
		client_socket_drain(&conversation->socket);
	}
	free(conversation);
}
