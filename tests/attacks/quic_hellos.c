/* QUIC that is not libssl's own: the host gets the key to write with before the client's
 * certificate has come, and what it then sends never passes through libssl. */
#include "attack.h"
#include "scratch.h"
#include "test.h"

#include <openssl/err.h>
#include <string.h>

enum { PARAMETERS = 57, PARAMETERS_OF_DRAFTS = 0xffa5 };

/* initial_max_data, of 64 bytes. */
static const unsigned char parameters[] = {4, 2, 0x40, 64};

/* ---- the extension, in a TLS of which it is no part ---- */

static bool sent;

static int add_parameters(SSL *ssl, unsigned type, unsigned place, const unsigned char **bytes,
			  size_t *length, X509 *certificate, size_t index, int *alert,
			  void *argument)
{
	(void)ssl, (void)type, (void)place, (void)certificate;
	(void)index, (void)alert, (void)argument;
	*bytes = parameters;
	*length = sizeof(parameters);
	sent = true;
	return 1;
}

static int take_parameters(SSL *ssl, unsigned type, unsigned place, const unsigned char *bytes,
			   size_t length, X509 *certificate, size_t index, int *alert,
			   void *argument)
{
	(void)ssl, (void)type, (void)place, (void)bytes, (void)length;
	(void)certificate, (void)index, (void)alert, (void)argument;
	return 1;
}

static void add_extension(SSL_CTX *context, unsigned type)
{
	sent = false;
	if (SSL_CTX_add_custom_ext(context, type,
				   SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS,
				   add_parameters, NULL, NULL, take_parameters, NULL) != 1)
		abort();
}

static void send_parameters(SSL_CTX *context)
{
	add_extension(context, PARAMETERS);
}

static void send_parameters_of_drafts(SSL_CTX *context)
{
	add_extension(context, PARAMETERS_OF_DRAFTS);
}

static bool were_sent(SSL *ssl)
{
	(void)ssl;
	return sent;
}

/* ---- QUIC by way of libssl's log of keys ---- */

static void log_key(const SSL *ssl, const char *line)
{
	static const char key[] = "SERVER_TRAFFIC_SECRET_0 ";

	(void)ssl;
	if (strncmp(line, key, sizeof(key) - 1) == 0)
		host_is_in("write secret");
}

static void log_keys(SSL_CTX *context)
{
	add_extension(context, PARAMETERS);
	SSL_CTX_set_keylog_callback(context, log_key);
}

static void log_keys_of_drafts(SSL_CTX *context)
{
	add_extension(context, PARAMETERS_OF_DRAFTS);
	SSL_CTX_set_keylog_callback(context, log_key);
}

/* ---- QUIC by callbacks: its frames travel on a TCP connection, each with kind and length ---- */

#if OPENSSL_VERSION_NUMBER >= 0x30500000L

#include <openssl/core_dispatch.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { FRAME_CRYPTO, FRAME_DATA, FRAME_ALERT };
enum { FRAME_MAX = 16384, APPLICATION_LEVEL = 3, TO_WRITE = 1, PATIENCE_MS = 5000 };

struct end {
	int descriptor;
	bool is_host;
	struct outcome *outcome; /* the client's */
	unsigned char frame[FRAME_MAX];
	size_t length, taken;
};

static void send_frame(const struct end *end, enum kind kind, const void *bytes, size_t length)
{
	unsigned char header[] = {(unsigned char)kind, (unsigned char)(length >> 8),
				  (unsigned char)length};

	send(end->descriptor, header, sizeof(header), MSG_NOSIGNAL);
	send(end->descriptor, bytes, length, MSG_NOSIGNAL);
}

static bool receive_bytes(struct end *end, unsigned char *bytes, size_t length)
{
	struct pollfd waiting = {.fd = end->descriptor, .events = POLLIN};

	if (poll(&waiting, 1, PATIENCE_MS) == 1 &&
	    recv(end->descriptor, bytes, length, MSG_WAITALL) == (ssize_t)length)
		return true;
	if (end->outcome != NULL)
		end->outcome->ending = waiting.revents == 0 ? END_TIMEOUT : END_EOF;
	return false;
}

/* What is no handshake's is taken on the way. */
static bool receive_frame(struct end *end)
{
	unsigned char header[3];

	while (receive_bytes(end, header, sizeof(header))) {
		size_t length = (size_t)header[1] << 8 | header[2];

		if (length > FRAME_MAX || !receive_bytes(end, end->frame, length))
			return false;
		end->length = length;
		end->taken = 0;
		if (header[0] == FRAME_CRYPTO)
			return true;
		if (end->outcome == NULL || length >= sizeof(end->outcome->application))
			continue;
		if (header[0] == FRAME_ALERT)
			end->outcome->alert = end->frame[0];
		else
			memcpy(end->outcome->application, end->frame, length);
		if (header[0] == FRAME_DATA)
			end->outcome->application_bytes += length;
	}
	return false;
}

static int send_crypto(SSL *ssl, const unsigned char *bytes, size_t length, size_t *consumed,
		       void *argument)
{
	(void)ssl;
	send_frame(argument, FRAME_CRYPTO, bytes, length);
	*consumed = length;
	return 1;
}

static int receive_crypto(SSL *ssl, const unsigned char **bytes, size_t *length, void *argument)
{
	struct end *end = argument;

	(void)ssl;
	*length = 0;
	if (end->taken == end->length && !receive_frame(end))
		return end->is_host; /* 0 bytes: later; the client has seen the end */
	*bytes = end->frame + end->taken;
	*length = end->length - end->taken;
	return 1;
}

static int release_crypto(SSL *ssl, size_t length, void *argument)
{
	struct end *end = argument;

	(void)ssl;
	end->taken += length;
	return 1;
}

/* With the key to write with, a host need not wait: that is 0.5-RTT data. */
static int take_secret(SSL *ssl, uint32_t level, int direction, const unsigned char *secret,
		       size_t length, void *argument)
{
	const struct end *end = argument;

	(void)ssl, (void)secret, (void)length;
	if (end->is_host && level == APPLICATION_LEVEL && direction == TO_WRITE) {
		host_is_in("write secret");
		send_frame(end, FRAME_DATA, SERVER_ANSWER, strlen(SERVER_ANSWER));
	}
	return 1;
}

static int see_parameters(SSL *ssl, const unsigned char *bytes, size_t length, void *argument)
{
	(void)ssl, (void)bytes, (void)length, (void)argument;
	return 1;
}

static int send_alert(SSL *ssl, unsigned char alert, void *argument)
{
	(void)ssl;
	if (alert != SSL_AD_CLOSE_NOTIFY)
		send_frame(argument, FRAME_ALERT, &alert, 1);
	return 1;
}

static SSL *quic_over(SSL_CTX *context, struct end *end)
{
	static const OSSL_DISPATCH callbacks[] = {
		{OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_SEND, (void (*)(void))send_crypto},
		{OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_RECV_RCD, (void (*)(void))receive_crypto},
		{OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_RELEASE_RCD, (void (*)(void))release_crypto},
		{OSSL_FUNC_SSL_QUIC_TLS_YIELD_SECRET, (void (*)(void))take_secret},
		{OSSL_FUNC_SSL_QUIC_TLS_GOT_TRANSPORT_PARAMS, (void (*)(void))see_parameters},
		{OSSL_FUNC_SSL_QUIC_TLS_ALERT, (void (*)(void))send_alert},
		{0, NULL},
	};
	SSL *ssl = SSL_new(context);

	if (ssl == NULL || SSL_set_quic_tls_cbs(ssl, callbacks, end) != 1 ||
	    SSL_set_quic_tls_transport_params(ssl, parameters, sizeof(parameters)) != 1)
		abort();
	return ssl;
}

static int host_of_quic(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int listener = host_socket(SOCK_STREAM, words[2]);

	SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
	for (int descriptor; (descriptor = accept(listener, NULL, NULL)) >= 0; close(descriptor)) {
		struct end end = {.descriptor = descriptor, .is_host = true};
		SSL *ssl = quic_over(context, &end);

		SSL_accept(ssl);
		SSL_free(ssl);
	}
	return 1;
}

/* Without a certificate, to the end of what the host sends. */
static void connect_by_quic(struct victim *victim, const struct client *client,
			    struct outcome *outcome)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	struct end end = {.outcome = outcome};
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)victim->server->ports[ENFORCED]),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	SSL *ssl = quic_over(context, &end);

	(void)client;
	memset(outcome, 0, sizeof(*outcome));
	victim_watch(victim);
	end.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	outcome->connected =
		connect(end.descriptor, (struct sockaddr *)&address, sizeof(address)) == 0;
	outcome->handshake = SSL_connect(ssl) == 1;
	while (outcome->ending == END_NONE)
		receive_frame(&end);
	close(end.descriptor);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
}
#endif

static const struct attack attacks[] = {
	{
		.name = "a client of QUIC by libssl's log of keys",
		.source = "RFC 9001, 8.2; HAProxy src/quic_openssl_compat.c",
		.prepare = log_keys,
		.client = {.prepare_context = send_parameters, .trick = were_sent},
		.versions = ONLY_1_3,
		.reason = "uncovered-tls",
		.alert = NO_ALERT,
		.without_answer = true,
	},
	{
		.name = "a client of QUIC as it was in drafts",
		.source = "draft-ietf-quic-tls-27, 8.2",
		.prepare = log_keys_of_drafts,
		.client = {.prepare_context = send_parameters_of_drafts, .trick = were_sent},
		.versions = ONLY_1_3,
		.reason = "uncovered-tls",
		.alert = NO_ALERT,
		.without_answer = true,
	},
	{
		/* libssl keeps of a hello what itself or the host knows: nobody sees it. */
		.name = "a hello of QUIC where nobody speaks it",
		.source = "OpenSSL ssl/statem/extensions.c, tls_collect_extensions()",
		.client = {.prepare_context = send_parameters, .trick = were_sent},
		.versions = ONLY_1_3,
		.reason = "no-certificate",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
	{
		.name = "a client of QUIC by callbacks",
		.source = "SSL_set_quic_tls_cbs(3)",
		.host = host_of_quic,
		.attack = connect_by_quic,
		.versions = ONLY_1_3,
		.reason = "plaintext", /* on the wire of this host it is not TLS */
		.alert = NO_ALERT,
		.edge_is_refused = true,
	},
#endif
};

int main(int count, char **words)
{
	return attacks_main(count, words, "quic_hellos", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
