/* DTLS: the ways in that a datagram socket adds, and those that it shares with TLS. */
#include "attack.h"
#include "datagram_client.h"
#include "inside.h"
#include "test.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MOST_TRIES 3

/* ---- the host ---- */

static const unsigned char the_cookie[] = "as good as any other";

static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *length)
{
	(void)ssl;
	memcpy(cookie, the_cookie, sizeof(the_cookie));
	*length = sizeof(the_cookie);
	return 1;
}

static void be_connected(BIO *bio)
{
	BIO_ADDR *peer = BIO_ADDR_new();
	struct sockaddr_in address = {.sin_family = AF_INET};
	size_t size = sizeof(address.sin_addr);
	int descriptor = -1;

	BIO_get_fd(bio, &descriptor);
	if (BIO_dgram_get_peer(bio, peer) <= 0)
		exit(1);
	BIO_ADDR_rawaddress(peer, &address.sin_addr, &size);
	address.sin_port = BIO_ADDR_rawport(peer);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0)
		exit(1);
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, peer);
	BIO_ADDR_free(peer);
}

static bool connects_at_cookie;

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned length)
{
	bool is_good = length == sizeof(the_cookie) && memcmp(cookie, the_cookie, length) == 0;

	if (is_good && connects_at_cookie)
		be_connected(SSL_get_rbio(ssl));
	return is_good;
}

static unsigned check_identity(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
	(void)ssl, (void)identity, (void)size;
	memset(key, 7, 16);
	return 16;
}

static SSL_CTX *datagram_context(char **words)
{
	SSL_CTX *context = host_context(DTLS_server_method(), words);

	SSL_CTX_set_cookie_generate_cb(context, make_cookie);
	SSL_CTX_set_cookie_verify_cb(context, check_cookie);
	SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AES128_CM_SHA1_80");
	SSL_CTX_set_psk_server_callback(context, check_identity);
	return context;
}

static void say_ready(void)
{
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		exit(1);
}

/* Blocking; libssl returns when it has sent something again. */
static bool accept_patiently(SSL *ssl)
{
	int result = -1;

	for (int i = 0; i < MOST_TRIES && result != 1; i++) {
		result = SSL_accept(ssl);
		if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
			break;
	}
	return result == 1;
}

static void converse(SSL *ssl)
{
	if (accept_patiently(ssl) && host_read(ssl))
		host_answer(ssl);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* Whatever the handshake came to, what has come is read. */
static void read_anyway(SSL *ssl)
{
	accept_patiently(ssl);
	SSL_set_shutdown(ssl, 0);
	if (host_read(ssl))
		host_answer(ssl);
}
#endif

/* SRTP: the keys are the login, and the data goes by itself. */
static void take_keys(SSL *ssl)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	unsigned char keys[60];

	accept_patiently(ssl);
	if (SSL_export_keying_material(ssl, keys, sizeof(keys), label, sizeof(label) - 1, NULL, 0,
				       0) == 1)
		host_is_in("keys");
}

static void (*conversation)(SSL *ssl) = converse;

/* One client after another: a cookie first, then the socket is that client's until it has gone. */
static void serve_connected(SSL_CTX *context, int descriptor)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	BIO_ADDR *peer = BIO_ADDR_new();
	BIO *bio = BIO_new_dgram(descriptor, BIO_NOCLOSE);
	SSL *ssl = SSL_new(context);
	struct sockaddr_in address = {.sin_family = AF_INET};
	size_t size = sizeof(address.sin_addr);

	SSL_set_bio(ssl, bio, bio);
	while (DTLSv1_listen(ssl, peer) <= 0)
		ERR_clear_error();
	BIO_ADDR_rawaddress(peer, &address.sin_addr, &size);
	address.sin_port = BIO_ADDR_rawport(peer);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0) {
		BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, peer);
		conversation(ssl);
	}
	SSL_shutdown(ssl);
	SSL_free(ssl);
	BIO_ADDR_free(peer);
	if (connect(descriptor, &nobody, sizeof(nobody)) != 0)
		exit(1);
}

/* The first that comes is the client. */
static void serve_unconnected(SSL_CTX *context, int descriptor)
{
	BIO *bio = BIO_new_dgram(descriptor, BIO_NOCLOSE);
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
	SSL *ssl = SSL_new(context);

	poll(&waiting, 1, -1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	conversation(ssl);
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

/* The same, and who has brought the cookie has the socket until he has gone. */
static void serve_as_the_cookie_comes(SSL_CTX *context, int descriptor)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	connects_at_cookie = true;
	SSL_CTX_set_options(context, SSL_OP_COOKIE_EXCHANGE);
	serve_unconnected(context, descriptor);
	if (connect(descriptor, &nobody, sizeof(nobody)) != 0)
		exit(1);
}

/* libssl sees no socket. */
static void converse_by_memory(SSL_CTX *context, int descriptor)
{
	struct timeval patience = {.tv_usec = 500000};
	BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());
	SSL *ssl = SSL_new(context);

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(ssl, 1500);
	BIO_set_mem_eof_return(input, -1);
	BIO_set_mem_eof_return(output, -1);
	SSL_set_bio(ssl, input, output);
	SSL_set_accept_state(ssl);
	host_converse(ssl, input, output, descriptor);
	SSL_free(ssl);
}

static void serve_by_memory(SSL_CTX *context, int descriptor)
{
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	char byte;
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	poll(&waiting, 1, -1);
	recvfrom(descriptor, &byte, 1, MSG_PEEK, (struct sockaddr *)&peer, &length);
	if (connect(descriptor, (struct sockaddr *)&peer, length) != 0)
		exit(1);
	converse_by_memory(context, descriptor);
	if (connect(descriptor, &nobody, sizeof(nobody)) != 0)
		exit(1);
}

/* A process for each port. */
static int serve_ports(char **words, void (*serve)(SSL_CTX *context, int descriptor),
		       in_addr_t where)
{
	SSL_CTX *context = datagram_context(words);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(where)};
	int descriptors[SERVER_MAX_PORTS] = {-1, -1};
	size_t count = 0;

	for (; words[2 + count] != NULL; count++) {
		address.sin_port = htons((uint16_t)strtoul(words[2 + count], NULL, 10));
		descriptors[count] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (bind(descriptors[count], (struct sockaddr *)&address, sizeof(address)) != 0)
			return 1;
	}
	say_ready();
	if (count > 1 && fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		for (;;)
			serve(context, descriptors[SECOND]);
	}
	for (;;)
		serve(context, descriptors[ENFORCED]);
}

static int host_connected(char **words)
{
	return serve_ports(words, serve_connected, INADDR_LOOPBACK);
}

static int host_unconnected(char **words)
{
	return serve_ports(words, serve_unconnected, INADDR_LOOPBACK);
}

static int host_on_any_address(char **words)
{
	return serve_ports(words, serve_unconnected, INADDR_ANY);
}

static int host_connecting_at_cookie(char **words)
{
	return serve_ports(words, serve_as_the_cookie_comes, INADDR_ANY);
}

static int host_by_memory(char **words)
{
	return serve_ports(words, serve_by_memory, INADDR_LOOPBACK);
}

/* What an earlier client said at last is nobody's first datagram. */
static void await_hello(int descriptor)
{
	unsigned char byte = 0;

	while (recv(descriptor, &byte, 1, MSG_PEEK) != 1 || byte != SSL3_RT_HANDSHAKE)
		recv(descriptor, &byte, 1, MSG_DONTWAIT);
}

/* TLS of which each piece is a datagram, as in OpenVPN; and something that listens. */
static int host_of_tls_beside_listener(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int descriptor = host_socket(SOCK_DGRAM, words[2 + ENFORCED]);

	host_socket(SOCK_STREAM, words[2 + SECOND]);
	say_ready();
	for (;;) {
		await_hello(descriptor);
		serve_by_memory(context, descriptor);
	}
	return 1;
}

/* What listens has nothing to do with datagrams. */
static int host_by_memory_beside_listener(char **words)
{
	host_socket(SOCK_STREAM, words[2 + SECOND]);
	return host_by_memory(words);
}

/* Its datagrams are the pieces of a stream; beside it a socket for datagrams. */
static int host_of_stream(char **words)
{
	SSL_CTX *context = datagram_context(words);
	int listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]), client;

	host_socket(SOCK_DGRAM, words[2 + SECOND]);
	say_ready();
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		converse_by_memory(context, client);
		close(client);
	}
	return 1;
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static int host_reading_anyway(char **words)
{
	conversation = read_anyway;
	return serve_ports(words, serve_connected, INADDR_LOOPBACK);
}
#endif

static int host_of_keys(char **words)
{
	conversation = take_keys;
	return serve_ports(words, serve_connected, INADDR_LOOPBACK);
}

/* ---- the client ---- */

/* DTLS in a stream, and TLS in datagrams. */
static void visit_by_stream(const struct client *client, struct outcome *outcome)
{
	struct client visitor = *client;

	visitor.descriptor = datagram_client_connect(client, SOCK_STREAM);
	datagram_client_run(&visitor, outcome);
}

static void visit_by_datagrams(const struct client *client, struct outcome *outcome)
{
	struct client visitor = *client;

	visitor.descriptor = inside_datagrams(datagram_client_connect(client, SOCK_DGRAM));
	client_run(&visitor, outcome);
}

static unsigned offer_identity(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
			       unsigned char *key, unsigned size)
{
	(void)ssl, (void)hint, (void)size;
	strncpy(identity, "anybody", identity_size);
	memset(key, 7, 16);
	return 16;
}

static void offer_psk(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_psk_client_callback(ssl, offer_identity);
	SSL_set_cipher_list(ssl, "PSK");
}

static bool was_psk(SSL *ssl)
{
	return strstr(SSL_get_cipher_name(ssl), "PSK") != NULL;
}

static bool was_resumed(SSL *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

static void offer_srtp(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_tlsext_use_srtp(ssl, "SRTP_AES128_CM_SHA1_80");
}

static void resume_across_ports(struct victim *victim, const struct client *client,
				struct outcome *outcome)
{
	struct client giver = *client, taker = *client;

	giver.port = victim->server->ports[SECOND];
	giver.trick = NULL;
	giver.prepare = NULL;
	taker.session = attack_session(victim, &giver);
	attack_run(victim, &taker, outcome);
	SSL_SESSION_free(taker.session);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* Holds back what begins with ChangeCipherSpec until the first application data has gone out. */
static struct {
	unsigned char bytes[4096];
	size_t length;
} held;

static int reorder(BIO *bio, const char *bytes, int size)
{
	bool holds = held.length > 0 || bytes[0] == SSL3_RT_CHANGE_CIPHER_SPEC;

	if (bytes[0] == SSL3_RT_APPLICATION_DATA && held.length > 0) {
		BIO_write(BIO_next(bio), bytes, size);
		BIO_write(BIO_next(bio), held.bytes, (int)held.length);
		held.length = 0;
		return size;
	}
	if (!holds || held.length + (size_t)size > sizeof(held.bytes))
		return BIO_write(BIO_next(bio), bytes, size);
	memcpy(held.bytes + held.length, bytes, (size_t)size);
	held.length += (size_t)size;
	return size;
}

static long pass_control(BIO *bio, int command, long number, void *pointer)
{
	return BIO_ctrl(BIO_next(bio), command, number, pointer);
}

static void send_data_first(SSL_CTX *context, SSL *ssl)
{
	static BIO_METHOD *method;
	BIO *filter, *out = SSL_get_wbio(ssl);

	(void)context;
	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "reorder");
		BIO_meth_set_write(method, reorder);
		BIO_meth_set_ctrl(method, pass_control);
	}
	filter = BIO_new(method);
	BIO_set_init(filter, 1);
	BIO_up_ref(out);
	held.length = 0;
	SSL_set0_wbio(ssl, BIO_push(filter, out));
}
#endif

/* ---- the table ---- */

#define DATAGRAMS                                                              \
	.datagrams = true, .versions = ONLY_1_2, .visit = datagram_client_run, \
	.unsanitized = DATAGRAMS_UNSANITIZED

static const struct attack attacks[] = {
	{
		DATAGRAMS,
		.name = "an open server name, where names differ: nothing there tells requests "
			"apart",
		.source = "RFC 6347, RFC 6066 3",
		.host = host_connected,
		.client = {.server_name = "open.example"},
		.second = "verify = off",
		.sections = "[port {enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced} server open.example]\nverify = off\n"
			    "[port {second}]\nverify = off\n",
		.reason = "server-name",
		.alert = 112,
		.edge_is_refused = true,
	},
	{
		DATAGRAMS,
		.name = "a stranger behind a cookie",
		.source = "RFC 6347 4.2.1; OpenSSL ssl/d1_lib.c, DTLSv1_listen()",
		.host = host_connected,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		DATAGRAMS,
		.name = "a foreign certificate",
		.source = "RFC 6347 4.2",
		.host = host_connected,
		.client = {.certificate = "other"},
		.second = "verify = off",
		.reason = "untrusted-issuer",
	},
	{
		DATAGRAMS,
		.name = "a stranger on a socket that nobody connected",
		.source = "OpenSSL crypto/bio/bss_dgram.c, dgram_read()",
		.host = host_unconnected,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		DATAGRAMS,
		.name = "a stranger on a socket of every address",
		.source = "ip(7), IP_PKTINFO",
		.host = host_on_any_address,
		.sections = "[port 127.0.0.1:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n[port *]\nca = {ca}\n",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		DATAGRAMS,
		.name = "a stranger on a socket of every address that is connected in the midst of "
			"the handshake",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_early_post_process_client_hello()",
		.host = host_connecting_at_cookie,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		DATAGRAMS,
		.name = "a stranger on a socket of every address that is connected later",
		.source = "ip(7), IP_PKTINFO",
		.host = host_connecting_at_cookie,
		.sections = "[port 127.0.0.1:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n[port *]\nca = {ca}\n",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		DATAGRAMS,
		.name = "a stranger whose datagrams come by memory",
		.source = "OpenSSL crypto/bio/bss_mem.c",
		.host = host_by_memory,
		/* On a port that is named it would get no datagram. */
		.second = "verify = off",
		.sections = "[port *]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {second}]\nverify = off\n",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		DATAGRAMS,
		.name = "a stranger whose datagrams come by memory, beside an open listener",
		.source = "OpenSSL crypto/bio/bss_mem.c",
		.host = host_by_memory_beside_listener,
		.second = "verify = off",
		.sections = "[port *]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {second}]\nverify = off\n",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		.datagrams = true,
		.visit = visit_by_datagrams,
		.name = "a stranger whose TLS comes by memory out of datagrams, beside an open "
			"listener",
		.source = "OpenVPN src/openvpn/ssl_openssl.c, key_state_ssl_init()",
		.host = host_of_tls_beside_listener,
		.second = "verify = off",
		.sections = "[port *]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {second}]\nverify = off\n",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		.datagrams = true,
		.versions = ONLY_1_2,
		.visit = visit_by_stream,
		.name = "a stranger whose datagrams come out of a stream, beside open ones",
		.source = "OpenSSL crypto/bio/bss_mem.c; OpenVPN's packets over TCP",
		.host = host_of_stream,
		.rule = "ca = {ca}\nplaintext = allow",
		.second = "verify = off",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		DATAGRAMS,
		.name = "a pre-shared key over datagrams",
		.source = "RFC 4279; OpenSSL ssl/statem/statem_srvr.c, "
			  "tls_process_cke_psk_preamble()",
		.host = host_connected,
		.client = {.prepare = offer_psk, .trick = was_psk},
		.second = "verify = off",
		.reason = "no-certificate-cipher",
	},
	{
		DATAGRAMS,
		.name = "a session of the open port over datagrams",
		.source = "RFC 6347 4.2.8; OpenSSL ssl/ssl_sess.c, ssl_get_prev_session()",
		.host = host_connected,
		.attack = resume_across_ports,
		.client = {.trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L /* 1.1.1 loses it */
	{
		DATAGRAMS,
		.name = "data that overtakes Finished",
		.source = "RFC 6347 4.1.2.4; OpenSSL ssl/record/rec_layer_d1.c, buffered_app_data",
		.host = host_reading_anyway,
		.attack = resume_across_ports,
		.client = {.prepare = send_data_first, .trick = was_resumed},
		.second = "verify = off",
		.reason = "no-certificate",
	},
#endif
	{
		DATAGRAMS,
		.name = "keys for SRTP out of a refused handshake",
		.source = "RFC 5764 4.2; stunnel CVE-2021-20230",
		.host = host_of_keys,
		.client = {.prepare = offer_srtp},
		.without_answer = true,
		.edge_is_refused = true,
		.reason = "no-certificate",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "datagrams", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
