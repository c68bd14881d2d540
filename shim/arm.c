#include "arm.h"

#include "hello.h"

#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

/* Hosts that never parsed a client certificate do so now, for strangers: libssl refuses longer
 * lists before parsing one. */
#define CERTIFICATE_LIST_MAX_BYTES (32L << 10)

/* SSL_OP_NO_RX_CERTIFICATE_COMPRESSION, of 3.2; nothing in older ones.  32 KiB may hold megabytes
 * of certificates, and before 3.5.5 no limit counts them (CVE-2025-66199). */
#define NO_RECEIVED_COMPRESSION (1UL << 33)

/* In place of the host's: SSL_set_verify(ssl, mode, NULL) would keep that one, which may accept
 * anything. */
static int keep_verdict(int good, X509_STORE_CTX *context)
{
	(void)context;
	return good;
}

bool arm_is_callback(SSL_verify_cb callback)
{
	return callback == keep_verdict;
}

static int never_resumable(SSL *ssl, int is_forward_secure)
{
	(void)ssl, (void)is_forward_secure;
	return 1;
}

static int no_early_data(SSL *ssl, void *argument)
{
	(void)ssl, (void)argument;
	return 0;
}

static void demand_certificate(const struct openssl *openssl, SSL *ssl, bool ends_well)
{
	int mode = openssl->SSL_get_verify_mode(ssl), demanded = mode;
	SSL_verify_cb callback = NULL;

	/* enforces demand */
	demanded |= SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (ends_well)
		demanded &= ~SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	/* enforces not-later */
	demanded &= ~(SSL_VERIFY_POST_HANDSHAKE | SSL_VERIFY_CLIENT_ONCE);
	/* enforces verify-callback */
	callback = keep_verdict;
	if (mode != demanded || openssl->SSL_get_verify_callback(ssl) != callback)
		openssl->SSL_set_verify(ssl, demanded, callback);
}

/* Add a copy of `name`, once. */
static bool add_name(const struct libcrypto *libcrypto, OPENSSL_STACK *names, const X509_NAME *name)
{
	X509_NAME *copy;

	for (int i = 0; i < libcrypto->OPENSSL_sk_num(names); i++)
		if (libcrypto->X509_NAME_cmp(libcrypto->OPENSSL_sk_value(names, i), name) == 0)
			return true;
	copy = libcrypto->X509_NAME_dup((X509_NAME *)(uintptr_t)name); /* const since 3.0 */
	if (copy == NULL || libcrypto->OPENSSL_sk_push(names, copy) <= 0) {
		libcrypto->X509_NAME_free(copy);
		return false;
	}
	return true;
}

/* The CA names that the CertificateRequest carries: the rules', and the host's where it asks for
 * certificates itself. */
static bool set_ca_names(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
			 const struct host_connection *host)
{
	const struct libcrypto *libcrypto = &openssl->crypto;
	OPENSSL_STACK *names = libcrypto->OPENSSL_sk_new_null();
	const STACK_OF(X509_NAME) *of_host =
		host_asks(host) ? openssl->SSL_get_client_CA_list(ssl) : NULL;
	const struct rule_in_force *rule;
	bool good = names != NULL;

	for (size_t i = 0; good && (rule = rules_at(rules, i)) != NULL; i++)
		for (size_t ca = 0; good && ca < trust_ca_count(rule->trust); ca++)
			good = add_name(
				libcrypto, names,
				libcrypto->X509_get_subject_name(trust_ca(rule->trust, ca)));
	for (int i = 0; good && of_host != NULL && i < libcrypto_stack_count(libcrypto, of_host);
	     i++)
		good = add_name(libcrypto, names, libcrypto_stack_at(libcrypto, of_host, i));
	if (good)
		openssl->SSL_set_client_CA_list(ssl, (STACK_OF(X509_NAME) *)names);
	else if (names != NULL)
		libcrypto->OPENSSL_sk_pop_free(names,
					       (OPENSSL_sk_freefunc)libcrypto->X509_NAME_free);
	return good;
}

void arm_forget_names(const struct openssl *openssl, SSL *ssl, const struct host_connection *host)
{
	if (!host_asks(host))
		openssl->SSL_set_client_CA_list(ssl, NULL);
}

/* The names of `ciphers` that ask for certificates, as SSL_set_cipher_list() takes them.  NULL: no
 * memory. */
static char *names_with_certificate(const struct openssl *openssl,
				    const STACK_OF(SSL_CIPHER) * ciphers, int count, size_t size)
{
	char *list = malloc(size), *end = list;

	for (int i = 0; list != NULL && i < count; i++) {
		const SSL_CIPHER *cipher = libcrypto_stack_at(&openssl->crypto, ciphers, i);

		/* Those of TLS 1.3 authenticate by whatever comes, and have a list of their own. */
		if (!suite_lacks_certificate(openssl, cipher) &&
		    openssl->SSL_CIPHER_get_auth_nid(cipher) != NID_auth_any) {
			end = stpcpy(end, openssl->SSL_CIPHER_get_name(cipher));
			*end++ = ':';
		}
	}
	if (list != NULL)
		end[end > list ? -1 : 0] = '\0';
	return list;
}

/* Take suites that ask for no certificate (anonymous, PSK, SRP) out of the SSL's list, where the
 * client offers any: Debian's default list has them, and making another costs a third of a million
 * instructions.  False where nothing would be left, or no memory. */
static bool filter_ciphers(const struct openssl *openssl, SSL *ssl, bool *suites_taken)
{
	const STACK_OF(SSL_CIPHER) *ciphers = openssl->SSL_get_ciphers(ssl);
	int count = ciphers ? libcrypto_stack_count(&openssl->crypto, ciphers) : 0;
	size_t size = 1;
	bool good;
	char *list;

	for (int i = 0; i < count; i++) {
		const SSL_CIPHER *cipher = libcrypto_stack_at(&openssl->crypto, ciphers, i);

		if (!*suites_taken && suite_lacks_certificate(openssl, cipher))
			*suites_taken = hello_offers(openssl, ssl, cipher);
		size += strlen(openssl->SSL_CIPHER_get_name(cipher)) + 1;
	}
	if (!*suites_taken)
		return true;
	list = names_with_certificate(openssl, ciphers, count, size);
	good = list != NULL && openssl->SSL_set_cipher_list(ssl, list) == 1;
	free(list);
	return good;
}

/* Every way into a session that was not verified in this very handshake. */
static void close_other_ways_in(const struct openssl *openssl, SSL *ssl, bool resumable)
{
	if (!resumable) {
		/* enforces not-resumable */
		openssl->SSL_set_not_resumable_session_callback(ssl, never_resumable);
		/* enforces no-tickets */
		openssl->SSL_set_num_tickets(ssl, 0);
	}
	/* enforces psk */
	openssl->SSL_set_psk_server_callback(ssl, NULL);
	/* enforces psk-session */
	openssl->SSL_set_psk_find_session_callback(ssl, NULL);
	/* enforces session-secret */
	openssl->SSL_set_session_secret_cb(ssl, NULL, NULL);
	/* enforces early-data */
	openssl->SSL_set_allow_early_data_cb(ssl, no_early_data, NULL);
	/* enforces renegotiation */
	if (!openssl_is_quic(openssl, ssl)) { /* there it would wait for a lock for ever */
		openssl->SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
		openssl->SSL_set_options(ssl, NO_RECEIVED_COMPRESSION);
	}
	/* enforces raw-public-key, from 3.2 */
	if (openssl->SSL_set1_client_cert_type != NULL)
		openssl->SSL_set1_client_cert_type(ssl, NULL, 0);
}

enum reason arm_was_undone(const struct openssl *openssl, const SSL *ssl)
{
	const SSL_CIPHER *chosen = openssl->SSL_get_pending_cipher(ssl);

	/* enforces suites-again */
	if (chosen != NULL && suite_lacks_certificate(openssl, chosen))
		return REASON_NO_CERTIFICATE_CIPHER;
	/* enforces early-data-again */
	if (openssl->SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED)
		return REASON_RESUMED_UNVERIFIED;
	return REASON_NONE;
}

void arm_again(const struct openssl *openssl, SSL *ssl, const struct arming *arming)
{
	demand_certificate(openssl, ssl, arming->ends_well);
	close_other_ways_in(openssl, ssl, arming->resumable);
}

enum reason arm(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
		const struct host_connection *host, struct arming *arming)
{
	unsigned char digest[TRUST_DIGEST_BYTES];
	long list_bytes = openssl->SSL_ctrl(ssl, SSL_CTRL_GET_MAX_CERT_LIST, 0, NULL);

	rules_digest(rules, digest);
	arm_again(openssl, ssl, arming);
	/* enforces certificate-list */
	if (list_bytes > CERTIFICATE_LIST_MAX_BYTES)
		openssl->SSL_ctrl(ssl, SSL_CTRL_SET_MAX_CERT_LIST, CERTIFICATE_LIST_MAX_BYTES,
				  NULL);
	/* enforces suites */
	if (!filter_ciphers(openssl, ssl, &arming->suites_taken))
		return REASON_NO_CERTIFICATE_CIPHER;
	/* enforces session-id-context */
	if (openssl->SSL_set_session_id_context(ssl, digest, sizeof(digest)) != 1)
		return REASON_INTERNAL;
	return set_ca_names(openssl, ssl, rules, host) ? REASON_NONE : REASON_INTERNAL;
}
