/* host.h - what the host itself set, and what it is to see.
 *
 * The shim's callbacks take the places of the host's; these are kept here, called in their turn,
 * and answered by the getters as if the host were alone. Owner of struct host_context: its SSL_CTX,
 * from the making of it to its end.  Threads: as OpenSSL has it for the setters of an SSL_CTX
 * (before it is shared).
 */
#ifndef CFSHIM_HOST_H
#define CFSHIM_HOST_H

#include "openssl.h"

typedef void (*info_callback)(const SSL *ssl, int where, int value);
typedef int (*cert_verify_callback)(X509_STORE_CTX *context, void *argument);

/* One SSL_CTX. */
struct host_context {
	struct openssl *openssl;
	SSL_client_hello_cb_fn client_hello;
	void *client_hello_argument;
	info_callback info;
	cert_verify_callback cert_verify;
	void *cert_verify_argument;
	SSL_CTX_alpn_select_cb_func protocols;
	void *protocols_argument;
};

/* What the host set on one SSL, before and since the shim armed it. */
struct host_connection {
	int verify_mode;
	bool tickets_ours, names_ours;
	SSL_verify_cb verify;
	info_callback info;
	uint64_t options_ours; /* of the options that are set, those that are the shim's alone */
	size_t tickets;        /* where tickets_ours: how many the host would send */
	long certificate_list_bytes; /* its limit, where the shim's stands; 0: it stands */
	STACK_OF(X509_NAME) * names; /* where names_ours: of this very SSL; NULL: the context's */
};

/* NULL: a context that the shim did not see being made, or there was no memory for it. */
struct host_context *host_context_of(const SSL_CTX *context);

/* Does the host itself demand or ask for client certificates here, now or later? */
bool host_asks(const struct host_connection *host);

/* And in this very handshake, of which the version is settled?  In TLS 1.3 a host can put it off
 * until after it. */
bool host_asks_now(const struct openssl *openssl, const struct host_connection *host,
		   const SSL *ssl);

/* The host's ClientHello callback, or success where it has none. */
int host_client_hello(const struct host_context *context, SSL *ssl, int *alert);

/* The host's info callback: the SSL's before the context's, as libssl has it.  NULL: none. */
info_callback host_info(const struct openssl *openssl, const struct host_connection *host,
			const SSL *ssl);

/* The host's own verification of `store_context`, as libssl would run it: by its certificate-verify
 * callback, else by X509_verify_cert with its verify callback.  `host` is NULL where the shim has
 * not replaced the verify callback. */
int host_verify(const struct openssl *openssl, const struct host_context *context,
		const struct host_connection *host, X509_STORE_CTX *store_context);

/* From the making of a context to its end: called by OpenSSL's ex_data. */
struct host_context *host_context_begin(struct openssl *openssl, SSL_CTX *context);
void host_context_end(const SSL_CTX *context);

#endif
