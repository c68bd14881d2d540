/* door_protocols.c - the protocols that a client offers by ALPN, as the host's callback finds them:
 * on a connection whose requests are guarded by host there is none that cannot be. */
#include "connection.h"
#include "hooks.h"

#include <stdlib.h>
#include <string.h>

/* The host has chosen one of `left`, which libssl is to find among those that were offered. */
static bool choose_again(const unsigned char **chosen, unsigned char chosen_bytes,
			 const unsigned char *offered, size_t length)
{
	for (size_t at = 0; at < length; at += 1u + offered[at]) {
		if (offered[at] != chosen_bytes ||
		    memcmp(offered + at + 1, *chosen, chosen_bytes) != 0)
			continue;
		*chosen = offered + at + 1;
		return true;
	}
	return false;
}

static int on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_bytes,
			const unsigned char *offered, unsigned length, void *argument)
{
	const struct host_context *host = argument;
	unsigned char *left;
	size_t kept = length;
	int result = SSL_TLSEXT_ERR_ALERT_FATAL; /* to who speaks nothing else */

	if (!connection_is_guarded(ssl))
		return host->protocols(ssl, chosen, chosen_bytes, offered, length,
				       host->protocols_argument);
	left = malloc(length > 0 ? length : 1);
	if (left == NULL)
		return result;
	memcpy(left, offered, length);
	/* enforces no-h2-offered */
	kept = connection_protocols(left, offered, length);
	if (kept > 0)
		result = host->protocols(ssl, chosen, chosen_bytes, left, (unsigned)kept,
					 host->protocols_argument);
	if (result == SSL_TLSEXT_ERR_OK && *chosen >= left && *chosen < left + length &&
	    !choose_again(chosen, *chosen_bytes, offered, length))
		result = SSL_TLSEXT_ERR_ALERT_FATAL;
	free(left);
	return result;
}

void SSL_CTX_set_alpn_select_cb(SSL_CTX *context, SSL_CTX_alpn_select_cb_func callback,
				void *argument)
{
	struct host_context *host = host_context_of(context);
	const struct openssl *openssl = openssl_at(CALLER);

	if (host != NULL) {
		host->protocols = callback;
		host->protocols_argument = argument;
	}
	if (openssl == NULL)
		return;
	if (host != NULL && callback != NULL)
		host->openssl->SSL_CTX_set_alpn_select_cb(context, on_protocols, host);
	else
		openssl->SSL_CTX_set_alpn_select_cb(context, callback, argument);
}
