#include "refuse.h"

#include "trust/trust.h"

#include <netinet/in.h>

/* libssl's own reasons for a handshake that failed on the certificate before there was one to
 * verify (sslerr.h; equal in all versions). */
enum {
	FAILED_NO_CERTIFICATE = 199,
	FAILED_BAD_SIGNATURE = 123,
	FAILED_LIST_TOO_LONG = 152,
	FAILED_NO_SHARED_CIPHER = 193
};

int refuse_verify_error(enum reason reason)
{
	switch ((int)reason) {
	case REASON_UNTRUSTED_ISSUER:
		return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY; /* unknown_ca */
	case REASON_EXPIRED:
	case REASON_NOT_YET_VALID:
		return X509_V_ERR_CERT_HAS_EXPIRED; /* certificate_expired */
	case REASON_WRONG_PURPOSE:
		return X509_V_ERR_INVALID_PURPOSE; /* unsupported_certificate */
	case REASON_BAD_CERTIFICATE:
		return X509_V_ERR_CERT_REJECTED; /* bad_certificate */
	case REASON_REVOKED:
		return X509_V_ERR_CERT_REVOKED; /* certificate_revoked */
	case REASON_CLIENT_MISMATCH:
	case REASON_NO_CRL:
		/* No error of a certificate has access_denied: what libssl does not know is
		 * certificate_unknown. */
		return X509_V_ERR_DIFFERENT_CRL_SCOPE;
	default:
		return X509_V_ERR_UNSPECIFIED; /* internal_error */
	}
}

int refuse_hello_alert(enum reason reason, bool is_second)
{
	switch ((int)reason) {
	case REASON_SERVER_NAME:
		/* RFC 8446, 4.1.2: the second hello is not the first's; RFC 6066, 3. */
		return is_second ? SSL_AD_ILLEGAL_PARAMETER : SSL_AD_UNRECOGNIZED_NAME;
	case REASON_NO_CERTIFICATE_CIPHER:
		return SSL_AD_HANDSHAKE_FAILURE;
	default:
		return SSL_AD_INTERNAL_ERROR;
	}
}

bool refuse_says_nothing(enum reason reason)
{
	return reason == REASON_PLAINTEXT || reason == REASON_UNCOVERED_TLS ||
	       reason == REASON_PEER_ADDRESS;
}

enum reason refuse_reason_of_failure(const struct openssl *openssl, bool suites_taken)
{
	unsigned long code = openssl->crypto.ERR_peek_last_error();

	if (openssl_error_library(openssl, code) != ERR_LIB_SSL)
		return REASON_NONE;
	switch (libcrypto_error_reason(code)) {
	case FAILED_NO_CERTIFICATE:
		return REASON_NO_CERTIFICATE;
	case FAILED_BAD_SIGNATURE:
		return REASON_BAD_SIGNATURE;
	case FAILED_LIST_TOO_LONG:
		return REASON_BAD_CERTIFICATE;
	case FAILED_NO_SHARED_CIPHER:
		return suites_taken ? REASON_NO_CERTIFICATE_CIPHER : REASON_NONE;
	default:
		return REASON_NONE;
	}
}

enum reason refuse_reason_of_alert(int alert)
{
	switch (alert) {
	case SSL_AD_CERTIFICATE_REQUIRED:
		return REASON_NO_CERTIFICATE;
	case SSL_AD_DECRYPT_ERROR:
		return REASON_BAD_SIGNATURE;
	default:
		return REASON_NONE;
	}
}

void refuse_mute(const struct openssl *openssl, SSL *ssl)
{
	openssl->SSL_set_shutdown(ssl, openssl->SSL_get_shutdown(ssl) | SSL_SENT_SHUTDOWN);
}

void refuse_unmute(const struct openssl *openssl, SSL *ssl)
{
	openssl->SSL_set_shutdown(ssl, openssl->SSL_get_shutdown(ssl) & ~SSL_SENT_SHUTDOWN);
}

void refuse_take_away(const struct openssl *openssl, SSL *ssl, BIO **kept_read, BIO **kept_write)
{
	BIO *nothing = openssl->crypto.BIO_new(openssl->BIO_s_null());
	BIO *nowhere = openssl->crypto.BIO_new(openssl->BIO_s_null());

	*kept_read = openssl->SSL_get_rbio(ssl);
	*kept_write = openssl->SSL_get_wbio(ssl);
	if (*kept_read != NULL)
		openssl->BIO_up_ref(*kept_read);
	if (*kept_write != NULL)
		openssl->BIO_up_ref(*kept_write);
	/* Without memory both are NULL, and libssl fails on every read and write: as good. */
	openssl->SSL_set0_rbio(ssl, nothing);
	openssl->SSL_set0_wbio(ssl, nowhere);
	openssl->SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

static const char *version_word(const struct openssl *openssl, const SSL *ssl)
{
	switch (openssl->SSL_version(ssl)) {
	case TLS1_3_VERSION:
		return "1.3";
	case TLS1_2_VERSION:
		return "1.2";
	case TLS1_1_VERSION:
		return "1.1";
	case TLS1_VERSION:
		return "1.0";
	default:
		return NULL;
	}
}

void refuse_name(const struct openssl *openssl, const SSL *ssl, const struct route *route,
		 struct refusal *refusal)
{
	refusal->endpoint_known = route->endpoint_known;
	refusal->endpoint = route->endpoint;
	refusal->peer_known = route->peer_known || route->shown_known;
	refusal->peer = route->shown_known ? route->shown : route->peer;
	if (ssl == NULL)
		return;
	if (refusal->server_name == NULL)
		refusal->server_name = openssl->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	refusal->tls_version = version_word(openssl, ssl);
}

void refuse_log(const struct openssl *openssl, const SSL *ssl, const struct route *route,
		const struct refusal *what, const X509 *leaf)
{
	struct refusal refusal = *what;
	char subject[512] = "";

	refuse_name(openssl, ssl, route, &refusal);
	refusal.subject = subject;
	if (leaf != NULL)
		name_print(&openssl->crypto, openssl->crypto.X509_get_subject_name(leaf), subject,
			   sizeof(subject));
	journal_refused(&refusal);
}
