#include "host.h"

#include "table.h"

#include <stdlib.h>

static struct table contexts; /* SSL_CTX -> struct host_context */

struct host_context *host_context_of(const SSL_CTX *context)
{
	return table_get(&contexts, context);
}

struct host_context *host_context_begin(struct openssl *openssl, SSL_CTX *context)
{
	struct host_context *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return NULL;
	made->openssl = openssl;
	host_context_end(context); /* a context whose end was not announced, at the same address */
	if (table_put(&contexts, context, made))
		return made;
	free(made);
	return NULL;
}

void host_context_end(const SSL_CTX *context)
{
	free(table_take(&contexts, context));
}

bool host_asks(const struct host_connection *host)
{
	return (host->verify_mode & SSL_VERIFY_PEER) != 0;
}

int host_client_hello(const struct host_context *context, SSL *ssl, int *alert)
{
	if (context == NULL || context->client_hello == NULL)
		return SSL_CLIENT_HELLO_SUCCESS;
	return context->client_hello(ssl, alert, context->client_hello_argument);
}

info_callback host_info(const struct openssl *openssl, const struct host_connection *host,
			const SSL *ssl)
{
	const struct host_context *context;

	if (host != NULL && host->info != NULL)
		return host->info;
	context = host_context_of(openssl->SSL_get_SSL_CTX(ssl));
	return context != NULL ? context->info : NULL;
}

static int keep_result(int good, X509_STORE_CTX *context)
{
	(void)context;
	return good;
}

/* libssl sets the SSL's verify callback on each verification; in its place it finds the shim's. */
static void restore_verify_callback(const struct openssl *openssl,
				    const struct host_connection *host,
				    X509_STORE_CTX *store_context)
{
	X509_STORE *store = openssl->X509_STORE_CTX_get0_store(store_context);
	SSL_verify_cb callback = host->verify;

	if (callback == NULL && store != NULL)
		callback = openssl->X509_STORE_get_verify_cb(store);
	openssl->X509_STORE_CTX_set_verify_cb(store_context, callback ? callback : keep_result);
}

int host_verify(const struct openssl *openssl, const struct host_context *context,
		const struct host_connection *host, X509_STORE_CTX *store_context)
{
	int result;

	if (host != NULL)
		restore_verify_callback(openssl, host, store_context);
	if (context != NULL && context->cert_verify != NULL)
		return context->cert_verify(store_context, context->cert_verify_argument);
	result = openssl->crypto.X509_verify_cert(store_context);
	/* libssl takes a failure to verify (below 0) as "not verified", but from a callback as "ask
	 * again". */
	return result < 0 ? 0 : result;
}
