/* The callbacks in which a host has a say while the handshake goes on: in each, it takes back what
 * it demanded, by libssl's own functions, unseen. */
#include "attack.h"
#include "test.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION 0xff42

static void waive(SSL *ssl)
{
	HOST_ORIGINAL(SSL_set_verify)(ssl, SSL_VERIFY_NONE, NULL);
	HOST_ORIGINAL(SSL_set_info_callback)(ssl, NULL); /* that of the SSL_CTX stays */
	HOST_ORIGINAL(SSL_set_session_id_context)(ssl, (const unsigned char *)"host", 4);
	HOST_ORIGINAL(SSL_set_shutdown)(ssl, 0);
}

/* ---- callbacks ---- */

static int at_server_name(SSL *ssl, int *alert, void *argument)
{
	(void)alert;
	(void)argument;
	waive(ssl);
	return SSL_TLSEXT_ERR_OK;
}

static int at_certificate(SSL *ssl, void *argument)
{
	(void)argument;
	waive(ssl);
	return 1;
}

static int at_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
		   const unsigned char *in, unsigned in_length, void *argument)
{
	(void)in_length;
	(void)argument;
	waive(ssl);
	*out = in + 1;
	*out_length = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static void at_message(int is_ours, int version, int type, const void *bytes, size_t length,
		       SSL *ssl, void *argument)
{
	(void)is_ours;
	(void)version;
	(void)type;
	(void)bytes;
	(void)length;
	(void)argument;
	waive(ssl);
}

/* Between the shim's last word and libssl's look at the empty certificate. */
static void at_certificate_message(int is_ours, int version, int type, const void *bytes,
				   size_t length, SSL *ssl, void *argument)
{
	const unsigned char *message = bytes;

	(void)version;
	(void)argument;
	if (!is_ours && type == SSL3_RT_HANDSHAKE && length > 0 &&
	    message[0] == SSL3_MT_CERTIFICATE)
		waive(ssl);
}

static void at_info(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where == SSL_CB_ACCEPT_LOOP)
		waive((SSL *)(uintptr_t)ssl);
}

static void at_key(const SSL *ssl, const char *line)
{
	(void)line;
	waive((SSL *)(uintptr_t)ssl);
}

static int at_security(const SSL *ssl, const SSL_CTX *context, int operation, int bits, int id,
		       void *other, void *argument)
{
	(void)context;
	(void)operation;
	(void)bits;
	(void)id;
	(void)other;
	(void)argument;
	if (ssl != NULL && SSL_in_init(ssl))
		waive((SSL *)(uintptr_t)ssl);
	return 1;
}

static size_t at_padding(SSL *ssl, int type, size_t length, void *argument)
{
	(void)type;
	(void)length;
	(void)argument;
	waive(ssl);
	return 0;
}

static int at_session_id(SSL *ssl, unsigned char *id, unsigned *length)
{
	static unsigned char counter;

	waive(ssl);
	memset(id, counter++, *length);
	return 1;
}

static int at_status(SSL *ssl, void *argument)
{
	(void)argument;
	waive(ssl);
	return SSL_TLSEXT_ERR_NOACK;
}

static SSL_TICKET_RETURN at_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
				   size_t length, SSL_TICKET_STATUS status, void *argument)
{
	(void)session;
	(void)name;
	(void)length;
	(void)status;
	(void)argument;
	waive(ssl);
	return SSL_TICKET_RETURN_IGNORE_RENEW;
}

static int at_addition(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
		       size_t *length, X509 *certificate, size_t chain_index, int *alert,
		       void *argument)
{
	(void)type;
	(void)context;
	(void)out;
	(void)length;
	(void)certificate;
	(void)chain_index;
	(void)alert;
	(void)argument;
	waive(ssl);
	return 0;
}

static long at_transport(BIO *bio, int operation, const char *bytes, size_t length, int number,
			 long value, int result, size_t *processed)
{
	(void)operation;
	(void)bytes;
	(void)length;
	(void)number;
	(void)value;
	(void)processed;
	waive((SSL *)(void *)BIO_get_callback_arg(bio));
	return result;
}
/* ---- the settings ---- */

static void demand(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (SSL_CTX_load_verify_locations(context, host_file("ca"), NULL) != 1)
		abort();
}

static void waive_at_server_name(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_tlsext_servername_callback(context, at_server_name);
}

static void waive_at_certificate(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_cert_cb(context, at_certificate, NULL);
}

static void waive_at_alpn(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_alpn_select_cb(context, at_alpn, NULL);
}

static void waive_at_message(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_msg_callback(context, at_message);
}

static void waive_at_certificate_message(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_msg_callback(context, at_certificate_message);
}

static void waive_at_info(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_info_callback(context, at_info);
}

static void waive_at_key(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_keylog_callback(context, at_key);
}

static void waive_at_security(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_security_callback(context, at_security);
}

static void waive_at_padding(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_record_padding_callback(context, at_padding);
}

static void waive_at_session_id(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_generate_session_id(context, at_session_id);
}

static void waive_at_status(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_tlsext_status_cb(context, at_status);
}

static void waive_at_ticket(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_set_session_ticket_cb(context, NULL, at_ticket, NULL);
}

static void waive_at_request_addition(SSL_CTX *context)
{
	demand(context);
	SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, at_addition,
			       NULL, NULL, NULL, NULL);
}

static void waive_at_transport(SSL *ssl)
{
	BIO *transport = SSL_get_wbio(ssl);

	BIO_set_callback_ex(transport, at_transport);
	BIO_set_callback_arg(transport, (char *)ssl);
}

/* ---- clients ---- */

static void offer_alpn(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_alpn_protos(ssl, (const unsigned char *)"\x08http/1.1", 9);
}

static void ask_for_status(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

static const struct attack attacks[] = {
	{
		.name = "a stranger where the server-name callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_tlsext_servername_callback(3)",
		.prepare = waive_at_server_name,
		.reason = "no-certificate",
		.client = {.server_name = "shop.example"},
	},
	{
		.name = "a stranger where the certificate callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_cert_cb(3)",
		.prepare = waive_at_certificate,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where the ALPN callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_alpn_select_cb(3)",
		.prepare = waive_at_alpn,
		.reason = "no-certificate",
		.client = {.prepare = offer_alpn},
	},
	{
		.name = "a stranger where the message callback waives the demand, each time",
		.source = "OpenSSL SSL_CTX_set_msg_callback(3)",
		.prepare = waive_at_message,
		.reason = "no-certificate",
		.at_the_end = true,
	},
	{
		.name = "a stranger where the info callback waives the demand, at each step",
		.source = "OpenSSL SSL_CTX_set_info_callback(3)",
		.prepare = waive_at_info,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where the key-log callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_keylog_callback(3)",
		.prepare = waive_at_key,
		.reason = "no-certificate",
		.versions = ONLY_1_3,
	},
	{
		.name = "a stranger where the security callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_security_callback(3)",
		.prepare = waive_at_security,
		.reason = "no-certificate",
	},
	{
		.name = "a stranger where the padding callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_record_padding_callback(3)",
		.prepare = waive_at_padding,
		.reason = "no-certificate",
		.versions = ONLY_1_3,
	},
	{
		.name = "a stranger where the session-id callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_generate_session_id(3)",
		.prepare = waive_at_session_id,
		.reason = "no-certificate",
		.client = {.no_ticket = true},
		.versions = ONLY_1_2,
	},
	{
		.name = "a stranger where the status callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_tlsext_status_cb(3)",
		.prepare = waive_at_status,
		.reason = "no-certificate",
		.client = {.prepare = ask_for_status},
	},
	{
		.name = "a stranger where the session-ticket callback waives the demand",
		.source = "OpenSSL SSL_CTX_set_session_ticket_cb(3)",
		.prepare = waive_at_ticket,
		.reason = "no-certificate",
		.versions = ONLY_1_2,
	},
	{
		.name = "a stranger where the callback of an extension of the demand waives it",
		.source = "OpenSSL ssl/statem/extensions_cust.c, custom_ext_add()",
		.prepare = waive_at_request_addition,
		.reason = "no-certificate",
		.versions = ONLY_1_3,
	},
	{
		.name = "a stranger where the message callback waives the demand at the empty "
			"answer",
		.source = "OpenSSL ssl/statem/statem_srvr.c, tls_process_client_certificate()",
		.prepare = waive_at_certificate_message,
		.reason = "no-certificate",
		.at_the_end = true,
	},
	{
		.name = "a stranger where the transport waives the demand",
		.source = "OpenSSL BIO_set_callback_ex(3)",
		.prepare = demand,
		.reason = "no-certificate",
		.connect = waive_at_transport,
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_callbacks", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
