#include "stranger.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_MS   5000
#define HANDSHAKE_MS 5000
#define ANSWER_MS    3000 /* until the first byte of an answer, and for all of it */
#define QUIET_MS     500  /* an answer that pauses so long is there */

struct visit {
	const struct stranger *stranger;
	struct sight *sight;
	int socket;
	long long deadline;
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* False: not in time. */
static bool await_socket(int socket, short events, long long deadline)
{
	struct pollfd polled = {.fd = socket, .events = events};
	long long left;
	int ready;

	do {
		left = deadline - now_ms();
		ready = left > 0 ? poll(&polled, 1, (int)left) : 0;
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* Not blocking; -1 with errno. */
static int connect_in_time(const struct addrinfo *address)
{
	int made = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;
	socklen_t size = sizeof(error);

	if (made < 0)
		return -1;
	if (connect(made, address->ai_addr, address->ai_addrlen) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		if (!await_socket(made, POLLOUT, now_ms() + CONNECT_MS))
			error = ETIMEDOUT;
		else if (getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
	}
	if (error == 0)
		return made;
	close(made);
	errno = error;
	return -1;
}

static void see_bytes(struct sight *sight, const char *bytes, size_t count)
{
	size_t room = sizeof(sight->text) - 1;

	if (sight->bytes < room) {
		size_t taken = count < room - sight->bytes ? count : room - sight->bytes;

		memcpy(sight->text + sight->bytes, bytes, taken);
	}
	sight->bytes += count;
}

static enum ending ending_of_error(int error)
{
	return error == ECONNRESET || error == EPIPE ? ENDING_RESET : ENDING_CLOSED;
}

/* Until it ends, pauses, or takes too long. */
static long long patience(const struct visit *visit)
{
	long long pause = now_ms() + QUIET_MS;

	return visit->sight->bytes > 0 && pause < visit->deadline ? pause : visit->deadline;
}

/* ---- without TLS ---- */

static void read_plain(struct visit *visit)
{
	char bytes[4096];
	ssize_t count;

	while (await_socket(visit->socket, POLLIN, patience(visit))) {
		count = recv(visit->socket, bytes, sizeof(bytes), 0);
		if (count > 0) {
			see_bytes(visit->sight, bytes, (size_t)count);
		} else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
			visit->sight->ending = count == 0 ? ENDING_CLOSED : ending_of_error(errno);
			return;
		}
	}
}

/* A request fits into the buffers of a new connection; what a server that ends it at once does not
 * take shows when it is read. */
static void talk_plain(struct visit *visit)
{
	ssize_t sent = send(visit->socket, visit->stranger->request, visit->stranger->request_bytes,
			    MSG_NOSIGNAL);

	(void)sent;
	visit->deadline = now_ms() + ANSWER_MS;
	read_plain(visit);
}

/* ---- with TLS ---- */

static struct sight *sight_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

static void see_alert(const SSL *ssl, int where, int value)
{
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		sight_of(ssl)->alert = value & 0xff;
}

/* The head of each record that comes: a server that speaks TLS begins with one of its types.  Of
 * what else comes OpenSSL has then read no more than these bytes. */
static void see_record(int is_sent, int version, int type, const void *bytes, size_t count,
		       SSL *ssl, void *unused)
{
	const unsigned char *head = bytes;
	struct sight *sight = sight_of(ssl);

	(void)version;
	(void)unused;
	if (is_sent || type != SSL3_RT_HEADER || count == 0 || sight->is_shaken ||
	    (*head >= SSL3_RT_CHANGE_CIPHER_SPEC && *head <= SSL3_RT_APPLICATION_DATA))
		return;
	sight->is_plain = true;
	see_bytes(sight, bytes, count);
}

/* Called where a certificate is asked for, and only there. */
static int see_request(SSL *ssl, void *unused)
{
	const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
	struct sight *sight = sight_of(ssl);

	(void)unused;
	sight->is_asked = true;
	if (sight->ca == NULL && names != NULL && sk_X509_NAME_num(names) > 0)
		sight->ca = X509_NAME_dup(sk_X509_NAME_value(names, 0));
	return 1;
}

/* A copy: the session itself is spoilt where its connection does not end in order. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct sight *sight = sight_of(ssl);

	sight->is_accepted = true;
	SSL_SESSION_free(sight->session);
	sight->session = SSL_SESSION_dup(session);
	return 0;
}

static bool use_certificate(SSL *ssl, const struct stranger *stranger)
{
	if (stranger->leaf == NULL)
		return true;
	if (SSL_use_certificate(ssl, stranger->leaf) != 1 ||
	    SSL_use_PrivateKey(ssl, stranger->key) != 1)
		return false;
	for (int i = 0; stranger->chain != NULL && i < sk_X509_num(stranger->chain); i++)
		if (SSL_add1_chain_cert(ssl, sk_X509_value(stranger->chain, i)) != 1)
			return false;
	return true;
}

static bool use_name(SSL *ssl, const struct stranger *stranger)
{
	/* The macro of that name casts const away. */
	return stranger->server_name == NULL ||
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)stranger->server_name) == 1;
}

/* A stranger verifies nothing, and takes the oldest of ciphers. */
static SSL_CTX *make_context(const struct stranger *stranger)
{
	const bool is_new = stranger->speech == SPEECH_TLS_1_3;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		return NULL;
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, keep_session);
	SSL_CTX_set_cert_cb(context, see_request, NULL);
	SSL_CTX_set_info_callback(context, see_alert);
	SSL_CTX_set_msg_callback(context, see_record);
	if (SSL_CTX_set_min_proto_version(context, is_new ? TLS1_3_VERSION : TLS1_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(context, is_new ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(context, stranger->is_anonymous ? "aNULL:!eNULL:@SECLEVEL=0"
								    : "DEFAULT:@SECLEVEL=0") == 1)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

static SSL *make_ssl(SSL_CTX *context, const struct visit *visit)
{
	const struct stranger *stranger = visit->stranger;
	SSL *ssl = context ? SSL_new(context) : NULL;

	if (ssl == NULL)
		return NULL;
	SSL_set_app_data(ssl, visit->sight);
	SSL_set_connect_state(ssl);
	if (SSL_set_fd(ssl, visit->socket) == 1 && use_certificate(ssl, stranger) &&
	    use_name(ssl, stranger) &&
	    (stranger->session == NULL || SSL_set_session(ssl, stranger->session) == 1))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static bool is_unexpected_end(unsigned long error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
	return ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
	return error == 0;
#endif
}

static void see_failure(struct sight *sight, int ssl_error, int error)
{
	const unsigned long first = ERR_peek_error();
	const int reason = ERR_GET_REASON(first);

	if (ssl_error == SSL_ERROR_SYSCALL || ssl_error == SSL_ERROR_ZERO_RETURN ||
	    is_unexpected_end(first)) {
		sight->ending =
			ssl_error == SSL_ERROR_SYSCALL ? ending_of_error(error) : ENDING_CLOSED;
	} else if (sight->alert >= 0) {
		sight->ending = ENDING_CLOSED;
	} else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION) {
		sight->is_unspoken = true;
	} else {
		sight->own = ERR_reason_error_string(first);
		sight->own = sight->own ? sight->own : "OpenSSL failed";
	}
}

/* True: call it again. */
static bool wants_more(struct visit *visit, SSL *ssl, int result, long long deadline)
{
	const int error = errno;
	const int ssl_error = SSL_get_error(ssl, result);

	if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE)
		return await_socket(visit->socket,
				    ssl_error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
	see_failure(visit->sight, ssl_error, error);
	return false;
}

static bool shake_hands(struct visit *visit, SSL *ssl)
{
	struct sight *sight = visit->sight;
	int result;

	visit->deadline = now_ms() + HANDSHAKE_MS;
	do {
		ERR_clear_error();
		errno = 0;
		result = SSL_do_handshake(ssl);
		if (result != 1 && !wants_more(visit, ssl, result, visit->deadline))
			return false;
	} while (result != 1);
	sight->is_shaken = true;
	sight->is_resumed = SSL_session_reused(ssl) == 1;
	sight->version = SSL_version(ssl);
	sight->is_accepted |= sight->version < TLS1_3_VERSION;
	return true;
}

static void talk_tls(struct visit *visit, SSL *ssl)
{
	const struct stranger *stranger = visit->stranger;
	char bytes[4096];
	int result, error = 0;

	visit->deadline = now_ms() + ANSWER_MS;
	ERR_clear_error();
	/* It fits into the buffers of a new connection. */
	if (stranger->request_bytes > 0 &&
	    SSL_write(ssl, stranger->request, (int)stranger->request_bytes) <= 0)
		error = errno;
	do {
		ERR_clear_error();
		errno = 0;
		while ((result = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
			see_bytes(visit->sight, bytes, (size_t)result);
	} while (wants_more(visit, ssl, result, patience(visit)));
	/* A reset is told once, to the first call; reading then finds what had come before. */
	if (visit->sight->ending == ENDING_CLOSED)
		visit->sight->ending = ending_of_error(error);
}

static void visit_by_tls(struct visit *visit)
{
	SSL_CTX *context = make_context(visit->stranger);
	SSL *ssl = make_ssl(context, visit);

	if (ssl == NULL)
		see_failure(visit->sight, SSL_ERROR_SSL, 0);
	else if (shake_hands(visit, ssl))
		talk_tls(visit, ssl);
	if (visit->sight->is_plain) {
		visit->sight->own = NULL;
		visit->deadline = now_ms() + ANSWER_MS;
		read_plain(visit);
	}
	ERR_clear_error();
	SSL_free(ssl);
	SSL_CTX_free(context);
}

void stranger_go(struct sight *sight, const struct stranger *stranger,
		 const struct addrinfo *address)
{
	struct visit visit = {.stranger = stranger, .sight = sight};

	*sight = (struct sight){.alert = -1, .ending = ENDING_OPEN};
	visit.socket = connect_in_time(address);
	if (visit.socket < 0) {
		sight->unreached = errno;
		return;
	}
	if (stranger->speech == SPEECH_PLAIN)
		talk_plain(&visit);
	else
		visit_by_tls(&visit);
	close(visit.socket);
}

void sight_clear(struct sight *sight)
{
	SSL_SESSION_free(sight->session);
	X509_NAME_free(sight->ca);
	*sight = (struct sight){.alert = -1};
}
