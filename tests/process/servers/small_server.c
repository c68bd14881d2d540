/* small_server CERTIFICATE KEY [OPTION...] ADDRESS PORT [ADDRESS PORT...] - a TLS server for the
 * tests, of the plainest kind.
 *
 * One SSL_CTX for all of its ports, SSL_set_fd(), one connection at a time.  It knows nothing of
 * client certificates, unless told to, and nothing of the shim.
 *
 * - banner: the answer is written before anything is read; SSL_write() is the first call
 * - accept: SSL_accept() is the first call
 * - non-blocking: sockets do not block
 * - prefork: two children accept from the sockets of their parent
 * - reuseport: two children, each with sockets of its own
 * - report: own callbacks; the answer says how often each was called, and what their getters return
 * - demand=CA: certificates of CA are demanded, by the server's own means
 * - meddle: its callbacks change to another SSL_CTX and waive the client's certificate
 * - early: driven by SSL_read_early_data(), and the answer by SSL_write_early_data() where it may
 * - plain: with early, the answer by SSL_write(), which is then what drives the handshake on
 * - starttls: one line of plain text is read and answered before the handshake
 * - library: its SSL_CTX belongs to a library context that was made the default one meanwhile
 * - tenant: it begins under a library context that it frees after its first connection
 * - hang-up: after SSL_accept() it ends the connection; hastily: without SSL_shutdown(); socket:
 * that first, and the SSL after it
 * - mortal: a write to a client that has gone ends it, by SIGPIPE
 * - credulous: certificates are verified by a callback that accepts all, put there by a function
 *   that was found in libssl itself
 * - chroot=FOLDER: once it listens, that is its root directory, and it is nobody
 * - bypass: as meddle, by functions that it found in libssl itself, as one that loads libssl late
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HTTP_HEAD   "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n"
#define ANSWER      "the answer of the server itself, and nothing else\n"
#define PATIENCE_MS 5000
#define MAX_PORTS   8

struct options {
	bool banner, accept, non_blocking, prefork, reuse_port, report, meddle, bypass;
	bool hang_up, hastily, socket, mortal;
	bool early, plain, library, tenant, credulous, starttls;
	const char *demand; /* CA file; NULL: none */
	const char *root;   /* NULL: that of its start */
};

/* What the callbacks saw of the connection at hand. */
static struct {
	unsigned hello, info_start, info_done, verify, cert_verify;
} calls;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int see_hello(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)alert;
	(void)argument;
	calls.hello++;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void see_info(const SSL *ssl, int where, int value)
{
	(void)ssl;
	(void)value;
	if (where & SSL_CB_HANDSHAKE_START)
		calls.info_start++;
	if (where & SSL_CB_HANDSHAKE_DONE)
		calls.info_done++;
}

static int see_verify(int is_good, X509_STORE_CTX *store)
{
	(void)store;
	calls.verify++;
	return is_good;
}

static int see_cert_verify(X509_STORE_CTX *store, void *argument)
{
	(void)argument;
	calls.cert_verify++;
	return X509_verify_cert(store);
}

static int believe(X509_STORE_CTX *store, void *argument)
{
	(void)store;
	(void)argument;
	return 1;
}

/* ex_data, and so whatever was registered for new contexts, belongs to one library context. */
static void change_library_context(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	SSL_CTX_free(SSL_CTX_new(TLS_server_method()));
	OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_new());
#endif
}

static SSL_CTX *make_context(char **words, const struct options *options)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int mode = options->demand ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
				   : SSL_VERIFY_NONE;

	if (context == NULL || SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1)
		die(words[1]);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"small", 5);
	if (options->demand && SSL_CTX_load_verify_locations(context, options->demand, NULL) != 1)
		die(options->demand);
	SSL_CTX_set_verify(context, mode, options->report ? see_verify : NULL);
	if (options->report) {
		SSL_CTX_set_client_hello_cb(context, see_hello, NULL);
		SSL_CTX_set_info_callback(context, see_info);
		SSL_CTX_set_cert_verify_callback(context, see_cert_verify, NULL);
	}
	return context;
}

/* The calls that the meddling is made of. */
static struct {
	__typeof__(&SSL_set_SSL_CTX) set_context;
	__typeof__(&SSL_set_verify) set_verify;
	__typeof__(&SSL_set_info_callback) set_info_callback;
	__typeof__(&SSL_set_session_id_context) set_session_id_context;
	__typeof__(&SSL_set_shutdown) set_shutdown;
	__typeof__(&SSL_CTX_set_cert_verify_callback) set_cert_verify_callback;
} by = {SSL_set_SSL_CTX,       SSL_set_verify,
	SSL_set_info_callback, SSL_set_session_id_context,
	SSL_set_shutdown,      SSL_CTX_set_cert_verify_callback};

/* The same from libssl itself, whatever stands before it. */
static void bypass_replacements(void)
{
	const struct {
		const char *name;
		void *place;
	} functions[] = {
		{"SSL_set_SSL_CTX", &by.set_context},
		{"SSL_set_verify", &by.set_verify},
		{"SSL_set_info_callback", &by.set_info_callback},
		{"SSL_set_session_id_context", &by.set_session_id_context},
		{"SSL_set_shutdown", &by.set_shutdown},
		{"SSL_CTX_set_cert_verify_callback", &by.set_cert_verify_callback},
	};
	void *libssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_NOLOAD);

	if (libssl == NULL)
		libssl = dlopen("libssl.so.1.1", RTLD_NOW | RTLD_NOLOAD);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *found = libssl ? dlsym(libssl, functions[i].name) : NULL;

		if (found == NULL)
			die(functions[i].name);
		memcpy(functions[i].place, &found, sizeof(found));
	}
}

static void waive_certificate(SSL *ssl)
{
	by.set_verify(ssl, SSL_VERIFY_NONE, NULL);
	by.set_info_callback(ssl, NULL);
	by.set_session_id_context(ssl, (const unsigned char *)"small", 5);
	by.set_shutdown(ssl, 0);
}

/* What hosts do once they know the server name: another context, other settings - all laxer. */
static int meddle(SSL *ssl, int *alert, void *argument)
{
	(void)alert;
	by.set_context(ssl, argument);
	waive_certificate(ssl);
	return SSL_TLSEXT_ERR_OK;
}

/* The last word that a host has before its certificate is shown. */
static int meddle_again(SSL *ssl, void *argument)
{
	(void)argument;
	waive_certificate(ssl);
	return 1;
}

static void let_meddle(SSL_CTX *context, SSL_CTX *other)
{
	SSL_CTX_set_tlsext_servername_callback(context, meddle);
	SSL_CTX_set_tlsext_servername_arg(context, other);
	SSL_CTX_set_cert_cb(context, meddle_again, NULL);
	SSL_CTX_set_cert_cb(other, meddle_again, NULL);
}

/* Should the call be made again?  Waits until that makes sense. */
static bool is_to_be_repeated(SSL *ssl, int result)
{
	int error = SSL_get_error(ssl, result);
	struct pollfd waiting = {
		.fd = SSL_get_fd(ssl),
		.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
	};

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	return poll(&waiting, 1, PATIENCE_MS) == 1;
}

static bool accept_client(SSL *ssl)
{
	int result;

	while ((result = SSL_accept(ssl)) != 1 && is_to_be_repeated(ssl, result))
		;
	return result == 1;
}

/* False: the SSL has failed.  `answered`: the answer went out before the handshake's end. */
static bool answer_early(SSL *ssl, const struct options *options, bool *answered)
{
	char bytes[256];
	size_t count;
	int state;

	while ((state = SSL_read_early_data(ssl, bytes, sizeof(bytes), &count)) !=
	       SSL_READ_EARLY_DATA_FINISH)
		if (state == SSL_READ_EARLY_DATA_ERROR && !is_to_be_repeated(ssl, 0))
			return false;
	if (options->plain)
		return true;
	*answered =
		SSL_write_early_data(ssl, HTTP_HEAD ANSWER, strlen(HTTP_HEAD ANSWER), &count) == 1;
	return accept_client(ssl);
}

static bool read_request(SSL *ssl)
{
	char request[4096];
	int count;

	while ((count = SSL_read(ssl, request, sizeof(request))) <= 0 &&
	       is_to_be_repeated(ssl, count))
		;
	return count > 0;
}

static bool has_certificate(SSL *ssl)
{
	X509 *certificate = SSL_get_peer_certificate(ssl);
	bool there = certificate != NULL || SSL_get_peer_cert_chain(ssl) != NULL ||
		     SSL_get0_verified_chain(ssl) != NULL;

	X509_free(certificate);
	return there;
}

static void write_answer(SSL *ssl, const struct options *options)
{
	char answer[512];
	int length;
	int count;

	if (options->report)
		length = snprintf(answer, sizeof(answer),
				  HTTP_HEAD "hello=%u start=%u done=%u verify=%u cert-verify=%u "
					    "mode=%d own-info=%d own-verify=%d certificate=%d\n",
				  calls.hello, calls.info_start, calls.info_done, calls.verify,
				  calls.cert_verify, SSL_get_verify_mode(ssl),
				  SSL_CTX_get_info_callback(SSL_get_SSL_CTX(ssl)) == see_info,
				  SSL_get_verify_callback(ssl) == see_verify, has_certificate(ssl));
	else
		length = snprintf(answer, sizeof(answer), "%s%s", HTTP_HEAD, ANSWER);
	while ((count = SSL_write(ssl, answer, length)) <= 0 && is_to_be_repeated(ssl, count))
		;
}

/* As SMTP has it, but for the greeting. */
static bool agree_to_begin(int descriptor)
{
	char byte = 0;

	while (byte != '\n')
		if (read(descriptor, &byte, 1) != 1)
			return false;
	return write(descriptor, "220 go ahead\r\n", 14) == 14;
}

static void serve_client(SSL_CTX *context, int descriptor, const struct options *options)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	SSL *ssl = SSL_new(context);
	bool answered = false;

	memset(&calls, 0, sizeof(calls));
	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (options->non_blocking)
		fcntl(descriptor, F_SETFL, O_NONBLOCK);
	SSL_set_fd(ssl, descriptor);
	SSL_set_accept_state(ssl);
	if (options->starttls && !agree_to_begin(descriptor)) {
		SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	} else if (options->hang_up) {
		accept_client(ssl);
		if (!options->hastily)
			SSL_shutdown(ssl);
	} else if (options->early ? answer_early(ssl, options, &answered)
				  : !options->accept || accept_client(ssl)) {
		if (!answered && (options->banner || read_request(ssl)))
			write_answer(ssl, options);
		SSL_shutdown(ssl);
	}
	descriptor = SSL_get_fd(ssl); /* as hosts do that keep it nowhere else */
	if (options->socket)
		close(descriptor);
	SSL_free(ssl);
	if (!options->socket)
		close(descriptor);
}

/* As one that has a library context for each of its tenants, and frees it with them. */
static void change_tenant(unsigned served)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	/* The first connection is that of a test that looks whether the server is there. */
	enum { TENANT_CONNECTIONS = 2 };
	static OSSL_LIB_CTX *tenant, *before;

	if (served == 0) {
		tenant = OSSL_LIB_CTX_new();
		before = OSSL_LIB_CTX_set0_default(tenant);
	} else if (served == TENANT_CONNECTIONS) {
		OSSL_LIB_CTX_set0_default(before);
		OSSL_LIB_CTX_free(tenant);
	}
#else
	(void)served;
#endif
}

static void serve(SSL_CTX *context, struct pollfd *listeners, nfds_t count,
		  const struct options *options)
{
	unsigned served = 0;

	while (poll(listeners, count, -1) > 0) {
		for (nfds_t i = 0; i < count; i++) {
			int descriptor = -1;

			/* Another child may have been quicker. */
			if (listeners[i].revents != 0)
				descriptor = accept(listeners[i].fd, NULL, NULL);
			if (descriptor < 0)
				continue;
			if (options->tenant)
				change_tenant(++served);
			serve_client(context, descriptor, options);
		}
	}
}

/* "::" takes both families. */
static int listen_at(const char *address, const char *port, const struct options *options)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
	int descriptor = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	int off = 0;

	inet_pton(AF_INET, address, &four.sin_addr);
	six.sin6_port = four.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_six)
		setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (options->reuse_port)
		setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(descriptor, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		 is_six ? sizeof(six) : sizeof(four)) != 0 ||
	    listen(descriptor, 64) != 0 || fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0)
		die(port);
	return descriptor;
}

static nfds_t listen_at_all(char **words, struct pollfd *listeners, const struct options *options)
{
	nfds_t count = 0;

	for (; words[0] != NULL && words[1] != NULL && count < MAX_PORTS; words += 2) {
		listeners[count].fd = listen_at(words[0], words[1], options);
		listeners[count++].events = POLLIN;
	}
	return count;
}

/* Takes the options from the front of `words`; returns what is left. */
static char **parse_options(char **words, struct options *options)
{
	struct {
		const char *word;
		bool *is_set;
	} const known[] = {
		{"banner", &options->banner},   {"accept", &options->accept},
		{"prefork", &options->prefork}, {"reuseport", &options->reuse_port},
		{"report", &options->report},   {"meddle", &options->meddle},
		{"bypass", &options->bypass},   {"non-blocking", &options->non_blocking},
		{"early", &options->early},     {"plain", &options->plain},
		{"tenant", &options->tenant},   {"hang-up", &options->hang_up},
		{"hastily", &options->hastily}, {"mortal", &options->mortal},
		{"socket", &options->socket},   {"starttls", &options->starttls},
		{"library", &options->library}, {"credulous", &options->credulous},
	};

	for (; *words != NULL; words++) {
		size_t i = 0;

		if (strncmp(*words, "demand=", 7) == 0) {
			options->demand = *words + 7;
			continue;
		}
		if (strncmp(*words, "chroot=", 7) == 0) {
			options->root = *words + 7;
			continue;
		}
		while (i < sizeof(known) / sizeof(known[0]) && strcmp(*words, known[i].word) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			break;
		*known[i].is_set = true;
	}
	return words;
}

int main(int count, char **words)
{
	struct options options = {.banner = false};
	struct pollfd listeners[MAX_PORTS];
	nfds_t listener_count;
	char **endpoints;
	SSL_CTX *context;

	if (count < 5)
		return 2;
	endpoints = parse_options(words + 3, &options);
	signal(SIGPIPE, options.mortal ? SIG_DFL : SIG_IGN);
	if (options.library)
		change_library_context();
	context = make_context(words, &options);
	if (options.bypass || options.credulous)
		bypass_replacements();
	if (options.credulous)
		by.set_cert_verify_callback(context, believe, NULL);
	if (options.meddle || options.bypass)
		let_meddle(context, make_context(words, &options));
	if (options.tenant)
		change_tenant(0);
	listener_count = options.reuse_port ? 0 : listen_at_all(endpoints, listeners, &options);
	if (options.root != NULL && (chroot(options.root) != 0 || chdir("/") != 0 ||
				     setgid(65534) != 0 || setuid(65534) != 0))
		die(options.root);
	for (int i = 0; i < 2 && (options.prefork || options.reuse_port); i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (options.reuse_port)
				listener_count = listen_at_all(endpoints, listeners, &options);
			serve(context, listeners, listener_count, &options);
		}
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	if (options.prefork || options.reuse_port)
		return 0;
	serve(context, listeners, listener_count, &options);
	return 0;
}
