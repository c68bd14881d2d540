#include "client.h"

#include "credentials.h"
#include "scratch.h"
#include "test.h"
#include "wire.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 5000

/* One run: what the callbacks of libssl need to know. */
struct run {
	struct wire wire;
	struct outcome *outcome;
};

static int run_index;

/* Every message, as it was on the wire: alerts, the end of the server's first flight, the demand
 * for a certificate. */
static void see_message(int is_ours, int version, int type, const void *data, size_t length,
			SSL *ssl, void *argument)
{
	struct run *run = argument;
	const unsigned char *bytes = data;

	(void)version;
	(void)ssl;
	if (is_ours || length == 0)
		return;
	if (type == SSL3_RT_ALERT && length == 2) {
		if (bytes[1] == SSL3_AD_CLOSE_NOTIFY)
			run->outcome->ending = END_CLOSE_NOTIFY;
		else
			run->outcome->alert = bytes[1];
	} else if (type == SSL3_RT_HANDSHAKE) {
		if (bytes[0] == SSL3_MT_CERTIFICATE_REQUEST)
			run->outcome->asked = true;
		/* The second is that of TLS 1.3, and of a session resumed in TLS 1.2. */
		if (bytes[0] == SSL3_MT_SERVER_DONE || bytes[0] == SSL3_MT_FINISHED)
			run->wire.flight = true;
	}
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct run *run = SSL_get_ex_data(ssl, run_index);

	/* A copy: libssl spoils a session whose connection did not end in order. */
	SSL_SESSION_free(run->outcome->session);
	run->outcome->session = SSL_SESSION_dup(session);
	return 0;
}

/* Any certificate, however old, weak or wrong, and any key: judging is the server's. */
static SSL_CTX *context_for(const struct client *client)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		abort();
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, client->version);
	SSL_CTX_set_max_proto_version(context, client->version);
	/* A session that lies in the cache of a context dies with it. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, keep_session);
	if (client->no_ticket)
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	if (client->certificate != NULL &&
	    (SSL_CTX_use_certificate_chain_file(context, certificate_file(client->certificate)) !=
		     1 ||
	     SSL_CTX_use_PrivateKey_file(context, certificate_key(client->certificate),
					 SSL_FILETYPE_PEM) != 1))
		fail_msg("cannot use the certificate %s", client->certificate);
	if (client->prepare_context != NULL)
		client->prepare_context(context);
	return context;
}

static void note_ca_names(SSL *ssl, struct outcome *outcome)
{
	const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
	BIO *text = BIO_new(BIO_s_mem());
	int length;

	for (int i = 0; names != NULL && i < sk_X509_NAME_num(names); i++) {
		X509_NAME_print_ex(text, sk_X509_NAME_value(names, i), 0, XN_FLAG_RFC2253);
		BIO_puts(text, "\n");
	}
	length = BIO_read(text, outcome->ca_names, sizeof(outcome->ca_names) - 1);
	outcome->ca_names[length > 0 ? length : 0] = '\0';
	BIO_free(text);
}

static void read_answer(SSL *ssl, struct outcome *outcome)
{
	char buffer[4096];
	int count;

	while ((count = SSL_read(ssl, buffer, sizeof(buffer))) > 0) {
		size_t kept = outcome->application_bytes;
		size_t room = kept < sizeof(outcome->application) - 1
				      ? sizeof(outcome->application) - 1 - kept
				      : 0;

		if (room > 0)
			memcpy(outcome->application + kept, buffer,
			       (size_t)count < room ? (size_t)count : room);
		outcome->application_bytes += (size_t)count;
	}
	if (strncmp(outcome->application, "HTTP/1.", 7) == 0)
		outcome->http_status = (int)strtol(outcome->application + 8, NULL, 10);
}

static void converse(const struct client *client, SSL *ssl, struct run *run)
{
	struct outcome *outcome = run->outcome;

	outcome->handshake = SSL_connect(ssl) == 1;
	note_ca_names(ssl, outcome);
	outcome->reused = outcome->handshake && SSL_session_reused(ssl);
	if (outcome->handshake) {
		outcome->tricked = client->trick != NULL && client->trick(ssl);
		if (client->patience_ms > 0)
			wire_wait(&run->wire, client->patience_ms);
		if (client->request != NULL)
			SSL_write(ssl, client->request, (int)strlen(client->request));
		if (client->half_close)
			wire_half_close(&run->wire);
		if (client->patience_ms == IN_A_HURRY)
			wire_wait_for_end(&run->wire);
		read_answer(ssl, outcome);
	}
	if (outcome->ending == END_NONE) {
		/* What comes after an alert counts as well. */
		if (run->wire.ending == END_NONE)
			wire_drain(&run->wire);
		outcome->ending = run->wire.ending;
	} else if (outcome->handshake) {
		SSL_shutdown(ssl);
		wire_wait(&run->wire, 0);
		if (client->to_the_end)
			wire_drain(&run->wire);
		outcome->stream_end = run->wire.ending;
	}
}

void client_run(const struct client *client, struct outcome *outcome)
{
	struct run run = {.outcome = outcome};
	SSL_CTX *context = context_for(client);
	SSL *ssl = SSL_new(context);
	const char *address = client->address ? client->address : "127.0.0.1";
	int timeout = client->timeout_ms > 0 ? client->timeout_ms : TIMEOUT_MS;

	if (ssl == NULL)
		abort();
	if (run_index == 0)
		run_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	memset(outcome, 0, sizeof(*outcome));
	if (client->descriptor > 0)
		outcome->connected =
			wire_adopt(&run.wire, client->descriptor, clock_ms() + timeout);
	else
		outcome->connected =
			wire_open(&run.wire, address, client->port, clock_ms() + timeout);
	if (outcome->connected) {
		BIO *bio = wire_bio(&run.wire);

		run.wire.segment_bytes = client->segment_bytes;
		outcome->local_port = wire_local_port(&run.wire);
		SSL_set_ex_data(ssl, run_index, &run);
		SSL_set_bio(ssl, bio, bio);
		SSL_set_msg_callback(ssl, see_message);
		SSL_set_msg_callback_arg(ssl, &run);
		if (client->server_name != NULL)
			/* The macro of that name casts const away. */
			SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
				 (void *)(uintptr_t)client->server_name);
		if (client->session != NULL)
			SSL_set_session(ssl, client->session);
		if (client->prepare != NULL)
			client->prepare(context, ssl);
		converse(client, ssl, &run);
		outcome->flight = run.wire.flight;
		outcome->bytes_after_flight = run.wire.bytes_after_flight;
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	wire_close(&run.wire);
	ERR_clear_error();
}

void outcome_clear(struct outcome *outcome)
{
	SSL_SESSION_free(outcome->session);
	outcome->session = NULL;
}

const char *ending_word(enum ending ending)
{
	static const char *const words[] = {"nothing", "close_notify", "EOF", "RST", "a timeout"};

	return words[ending];
}

const char *version_word(int version)
{
	return version == TLS1_3_VERSION ? "1.3" : "1.2";
}

const char *outcome_body(const struct outcome *outcome)
{
	const char *end = strstr(outcome->application, "\r\n\r\n");

	return end ? end + 4 : outcome->application;
}
