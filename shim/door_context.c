/* door_context.c - the way in: every context that is made, by whatever API, and the callbacks
 * installed on it. */
#include "connection.h"
#include "doors.h"
#include "hooks.h"
#include "host.h"
#include "journal.h"
#include "serving.h"

#include <errno.h>
#include <string.h>

/* ---- OpenSSL calls the shim ---- */

static int on_client_hello(SSL *ssl, int *alert, void *argument)
{
	struct host_context *context = argument;
	struct openssl *openssl = context ? context->openssl : openssl_of(ssl, CALLER);
	int host_says;

	if (openssl == NULL)
		return SSL_CLIENT_HELLO_ERROR;
	serving_hello(openssl);
	/* The host's first: it may change the context (HAProxy), or ask to be called again. */
	host_says = host_client_hello(context, ssl, alert);
	return host_says == SSL_CLIENT_HELLO_SUCCESS
		       ? connection_hello(openssl, ssl, alert, door_info)
		       : host_says;
}

/* What the host has to say to a step, and writes meanwhile by a BIO, comes by no door. */
static void tell_host(const struct openssl *openssl, struct connection *connection, const SSL *ssl,
		      int where, int value)
{
	info_callback info = host_info(openssl, connection ? &connection->host : NULL, ssl);
	bool hushed;

	if (info == NULL)
		return;
	hushed = connection != NULL && connection_hush(connection);
	info(ssl, where, value);
	if (hushed)
		connection_unhush(connection);
	/* enforces refused-in-between */
	door_stay_refused(openssl, (SSL *)(uintptr_t)ssl);
}

static _Thread_local bool refused_inside_quic __attribute__((tls_model("initial-exec")));

bool door_refused_inside_quic(void)
{
	bool refused = refused_inside_quic;

	refused_inside_quic = false;
	return refused;
}

void door_info(const SSL *ssl, int where, int value)
{
	/* The callbacks of a QUIC connection get the connection, but for the alert: that comes from
	 * the TLS inside it, just before the call ends. */
	static _Thread_local int alert_inside_quic __attribute__((tls_model("initial-exec")));
	struct connection *connection = connection_of(ssl);
	struct openssl *openssl = connection ? connection->openssl : openssl_of(ssl, CALLER);

	if (openssl == NULL || connection_is_conversing(ssl))
		return;
	/* The last word on each step is ours; at the end, the first. */
	if (where == SSL_CB_ACCEPT_LOOP && connection != NULL)
		connection_step(connection);
	else if (where == SSL_CB_HANDSHAKE_DONE)
		connection_judge(openssl, (SSL *)(uintptr_t)ssl, true);
	else if (where == SSL_CB_ACCEPT_EXIT && connection != NULL)
		connection_settle(connection, value, alert_inside_quic);
	if (where == SSL_CB_HANDSHAKE_DONE && openssl_is_quic(openssl, ssl))
		refused_inside_quic = connection_is_refused(ssl);
	tell_host(openssl, connection, ssl, where, value);
	if (where == SSL_CB_WRITE_ALERT && openssl_is_inside_quic(openssl, ssl))
		alert_inside_quic = value & 0xff;
	else if (where == SSL_CB_ACCEPT_EXIT)
		alert_inside_quic = 0;
	if (where == SSL_CB_ACCEPT_LOOP && connection != NULL)
		connection_keep_armed(connection);
}

info_callback door_info_of_host(info_callback callback)
{
	return callback == door_info ? NULL : callback;
}

static int on_certificate(X509_STORE_CTX *store_context, void *argument)
{
	struct host_context *context = argument;
	const struct openssl *openssl = context ? context->openssl : openssl_at(CALLER);
	struct connection *connection;
	SSL *ssl;

	if (openssl == NULL)
		return 0;
	ssl = openssl->X509_STORE_CTX_get_ex_data(store_context,
						  openssl->SSL_get_ex_data_X509_STORE_CTX_idx());
	connection = connection_of(ssl);
	if (connection != NULL &&
	    (connection->stage == STAGE_ARMED || connection->stage == STAGE_REFUSED ||
	     connection_is_observed(connection)))
		return connection_verify(connection, context, store_context);
	/* An outgoing or open connection; or authentication after the handshake, on an admitted
	 * one. */
	return connection != NULL ? connection_verify_for_host(connection, context, store_context)
				  : host_verify(openssl, context, NULL, store_context);
}

/* Of an OpenSSL that lacks a function which the shim needs. */
static int refuse_hello(SSL *ssl, int *alert, void *argument)
{
	const struct openssl *openssl = argument;

	(void)ssl;
	journal_uncovered(openssl->name, openssl->missing);
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

static void on_context_made(void *context, void *slot, CRYPTO_EX_DATA *data, int index, long number,
			    void *argument)
{
	struct openssl *openssl = argument;
	int error_number = errno;
	struct host_context *made;

	(void)slot, (void)data, (void)index, (void)number;
	/* enforces missing-symbol-unseen */
	if (!openssl_is_ready(openssl)) {
		if (openssl->SSL_CTX_set_client_hello_cb != NULL)
			openssl->SSL_CTX_set_client_hello_cb(context, refuse_hello, openssl);
		return;
	}
	/* Without memory for it the host's callbacks are lost, and the shim's are not. */
	made = host_context_begin(openssl, context);
	/* enforces hello-callback */
	openssl->SSL_CTX_set_client_hello_cb(context, on_client_hello, made);
	/* enforces info-callback */
	openssl->SSL_CTX_set_info_callback(context, door_info);
	/* enforces certificate-callback */
	openssl->SSL_CTX_set_cert_verify_callback(context, on_certificate, made);
	serving_context_made(openssl);
	errno = error_number;
}

static void on_context_freed(void *context, void *slot, CRYPTO_EX_DATA *data, int index,
			     long number, void *argument)
{
	(void)slot, (void)data, (void)index, (void)number, (void)argument;
	host_context_end(context);
}

static void on_ssl_made(void *ssl, void *slot, CRYPTO_EX_DATA *data, int index, long number,
			void *argument)
{
	(void)slot, (void)data, (void)index, (void)number;
	connection_end(ssl); /* of one whose end was not announced, at the same address */
	openssl_has_made(argument, ssl);
}

static void on_ssl_freed(void *ssl, void *slot, CRYPTO_EX_DATA *data, int index, long number,
			 void *argument)
{
	(void)slot, (void)data, (void)index, (void)number, (void)argument;
	connection_end(ssl);
	openssl_has_freed(ssl);
}

/* ---- registration ---- */

bool door_register(struct openssl *openssl)
{
	struct quiet quiet;
	bool registered = atomic_load_explicit(&openssl->registered, memory_order_acquire);

	if (registered)
		return openssl_is_ready(openssl);
	/* Contexts that no replaced function refuses are to refuse everybody. */
	if (openssl->CRYPTO_get_ex_new_index == NULL || openssl->crypto.ERR_set_mark == NULL ||
	    openssl->crypto.ERR_pop_to_mark == NULL)
		return false;
	quiet = quiet_begin(openssl);
	/* Two threads may both register; every callback bears being called twice for one object. */
	registered =
		openssl->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, openssl,
						 on_context_made, NULL, on_context_freed) >= 0 &&
		openssl->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, openssl, on_ssl_made, NULL,
						 on_ssl_freed) >= 0;
	if (registered)
		atomic_store_explicit(&openssl->registered, true, memory_order_release);
	quiet_end(openssl, quiet);
	return registered && openssl_is_ready(openssl);
}

/* Where the shim could not see a context, none is made. */
static bool may_make_context(struct openssl *openssl)
{
	bool registered = openssl != NULL && door_register(openssl);

	if (openssl == NULL)
		return false;
	/* enforces missing-symbol */
	if (!registered) {
		journal_uncovered(openssl->name,
				  openssl->missing ? openssl->missing : "registration failed");
		return false;
	}
	return true;
}

/* ---- replaced functions ---- */

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	struct openssl *openssl = openssl_now_of(method, CALLER);

	return may_make_context(openssl) ? openssl->SSL_CTX_new(method) : NULL;
}

SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library, const char *properties, const SSL_METHOD *method)
{
	struct openssl *openssl = openssl_now_of(method, CALLER);

	/* A host that looks it up finds it here, where libssl has none; so with its kin. */
	if (!may_make_context(openssl) || openssl->SSL_CTX_new_ex == NULL)
		return NULL;
	return openssl->SSL_CTX_new_ex(library, properties, method);
}

/* libssl calls this for each SSL_CTX, also where its own SSL_CTX_new() was reached by dlsym() or
 * from within the library: the last moment to register, and the first at which
 * CRYPTO_set_mem_functions() of the host can no longer come to harm. */
static int new_context_data(struct openssl *openssl, int class_index, void *context,
			    CRYPTO_EX_DATA *data)
{
	int result;

	if (!may_make_context(openssl))
		return 0;
	result = openssl->CRYPTO_new_ex_data(class_index, context, data);
	/* ex_data belongs to a library context (3.0): where the host has changed its default one,
	 * nothing is registered there. */
	/* enforces library-context */
	if (result == 1 && host_context_of(context) == NULL)
		on_context_made(context, NULL, data, 0, 0, openssl);
	return result;
}

int CRYPTO_new_ex_data(int class_index, void *object, CRYPTO_EX_DATA *data)
{
	__typeof__(&CRYPTO_new_ex_data) original;
	const struct openssl *openssl;
	void *found;

	if (class_index == CRYPTO_EX_INDEX_SSL_CTX)
		return new_context_data(openssl_now_at(CALLER), class_index, object, data);
	openssl = openssl_around(CALLER);
	if (openssl != NULL && openssl->CRYPTO_new_ex_data != NULL)
		return openssl->CRYPTO_new_ex_data(class_index, object, data);
	found = openssl_original(CALLER, "CRYPTO_new_ex_data");
	memcpy(&original, &found, sizeof(original));
	return original != NULL ? original(class_index, object, data) : 0;
}

void CRYPTO_free_ex_data(int class_index, void *object, CRYPTO_EX_DATA *data)
{
	const struct openssl *openssl = openssl_around(CALLER);
	__typeof__(&CRYPTO_free_ex_data) original = openssl ? openssl->CRYPTO_free_ex_data : NULL;

	if (original == NULL) {
		void *found = openssl_original(CALLER, "CRYPTO_free_ex_data");

		memcpy(&original, &found, sizeof(original));
	}
	if (original != NULL)
		original(class_index, object, data);
	if (class_index == CRYPTO_EX_INDEX_SSL)
		on_ssl_freed(object, NULL, data, 0, 0, NULL);
	else if (class_index == CRYPTO_EX_INDEX_SSL_CTX)
		host_context_end(object);
}

/* A callback of the host is kept where the shim's has taken its place; on a context that is none of
 * the shim's it goes where it belongs. */

void SSL_CTX_set_client_hello_cb(SSL_CTX *context, SSL_client_hello_cb_fn callback, void *argument)
{
	struct host_context *host = host_context_of(context);
	const struct openssl *openssl = openssl_at(CALLER);

	if (host != NULL) {
		host->client_hello = callback;
		host->client_hello_argument = argument;
	} else if (openssl != NULL) {
		openssl->SSL_CTX_set_client_hello_cb(context, callback, argument);
	}
}

void SSL_CTX_set_info_callback(SSL_CTX *context, info_callback callback)
{
	struct host_context *host = host_context_of(context);
	const struct openssl *openssl = openssl_at(CALLER);

	if (host != NULL)
		host->info = door_info_of_host(callback);
	else if (openssl != NULL)
		openssl->SSL_CTX_set_info_callback(context, callback);
}

info_callback SSL_CTX_get_info_callback(SSL_CTX *context)
{
	const struct host_context *host = host_context_of(context);
	const struct openssl *openssl = openssl_at(CALLER);

	if (host != NULL)
		return host->info;
	return openssl != NULL ? openssl->SSL_CTX_get_info_callback(context) : NULL;
}

void SSL_CTX_set_cert_verify_callback(SSL_CTX *context, cert_verify_callback callback,
				      void *argument)
{
	struct host_context *host = host_context_of(context);
	const struct openssl *openssl = openssl_at(CALLER);

	if (host != NULL) {
		host->cert_verify = callback;
		host->cert_verify_argument = argument;
	} else if (openssl != NULL) {
		openssl->SSL_CTX_set_cert_verify_callback(context, callback, argument);
	}
}
