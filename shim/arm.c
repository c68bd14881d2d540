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

static int demanded_mode(int mode, bool ends_well)
{
	/* enforces demand */
	mode |= SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (ends_well)
		mode &= ~SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	/* enforces not-later */
	mode &= ~(SSL_VERIFY_POST_HANDSHAKE | SSL_VERIFY_CLIENT_ONCE);
	return mode;
}

/* Where the host asks as well, it insists or not, as without the shim. */
static int asking_mode(const struct openssl *openssl, const SSL *ssl,
		       const struct host_connection *host)
{
	if (host_asks_now(openssl, host, ssl))
		return host->verify_mode & ~SSL_VERIFY_POST_HANDSHAKE;
	return SSL_VERIFY_PEER;
}

static void set_mode(const struct openssl *openssl, SSL *ssl, int before, int mode)
{
	if (before != mode || openssl->SSL_get_verify_callback(ssl) != keep_verdict)
		openssl->SSL_set_verify(ssl, mode, keep_verdict);
}

void arm_refuse_early_data(const struct openssl *openssl, SSL *ssl)
{
	openssl->SSL_set_allow_early_data_cb(ssl, no_early_data, NULL);
}

static void demand_certificate(const struct openssl *openssl, SSL *ssl, bool ends_well)
{
	int mode = openssl->SSL_get_verify_mode(ssl);

	set_mode(openssl, ssl, mode, demanded_mode(mode, ends_well));
}

/* What the host has set meanwhile, by whichever way, is its own. */
static void ask_for_certificate(const struct openssl *openssl, SSL *ssl,
				struct host_connection *host, struct arming *arming)
{
	int mode = openssl->SSL_get_verify_mode(ssl);
	SSL_verify_cb callback = openssl->SSL_get_verify_callback(ssl);

	if (arming->has_asked && mode != arming->asked_mode)
		host->verify_mode = mode;
	if (callback != keep_verdict)
		host->verify = callback;
	arming->has_asked = true;
	arming->asked_mode = asking_mode(openssl, ssl, host);
	set_mode(openssl, ssl, mode, arming->asked_mode);
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

static void free_names(const struct libcrypto *libcrypto, STACK_OF(X509_NAME) * names)
{
	if (names != NULL)
		libcrypto->OPENSSL_sk_pop_free((OPENSSL_STACK *)names,
					       (OPENSSL_sk_freefunc)libcrypto->X509_NAME_free);
}

/* Add copies of all of `more`; NULL: nothing. */
static bool add_names(const struct libcrypto *libcrypto, OPENSSL_STACK *names,
		      const STACK_OF(X509_NAME) * more)
{
	int count = more ? libcrypto_stack_count(libcrypto, more) : 0;

	for (int i = 0; i < count; i++)
		if (!add_name(libcrypto, names, libcrypto_stack_at(libcrypto, more, i)))
			return false;
	return true;
}

/* Its own list for client certificates, where there is one, and not the context's: setting another
 * frees it. */
static bool keep_names(const struct openssl *openssl, SSL *ssl, struct host_connection *host)
{
	const struct libcrypto *libcrypto = &openssl->crypto;
	const STACK_OF(X509_NAME) *own = openssl->SSL_get_client_CA_list(ssl);
	OPENSSL_STACK *kept = NULL;

	if (own != NULL &&
	    own != openssl->SSL_CTX_get_client_CA_list(openssl->SSL_get_SSL_CTX(ssl))) {
		kept = libcrypto->OPENSSL_sk_new_null();
		if (kept == NULL || !add_names(libcrypto, kept, own)) {
			free_names(libcrypto, (STACK_OF(X509_NAME) *)kept);
			return false;
		}
	}
	host->names = (STACK_OF(X509_NAME) *)kept;
	return true;
}

static bool add_names_of_rules(const struct libcrypto *libcrypto, OPENSSL_STACK *names,
			       const struct rules *rules)
{
	const struct rule_in_force *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		for (size_t ca = 0; ca < trust_ca_count(rule->trust); ca++)
			if (!add_name(libcrypto, names,
				      libcrypto->X509_get_subject_name(trust_ca(rule->trust, ca))))
				return false;
	return true;
}

/* What libssl would tell the client if the host were alone: get_ca_names() in ssl/statem. */
static const STACK_OF(X509_NAME) * names_of_host(const struct openssl *openssl, const SSL *ssl)
{
	const STACK_OF(X509_NAME) *names = openssl->SSL_get_client_CA_list(ssl);

	if (names != NULL && libcrypto_stack_count(&openssl->crypto, names) > 0)
		return names;
	return openssl->SSL_get0_CA_list(ssl);
}

void arm_names(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
	       struct host_connection *host)
{
	const struct libcrypto *libcrypto = &openssl->crypto;
	OPENSSL_STACK *names;

	if (host->names_ours)
		return;
	names = libcrypto->OPENSSL_sk_new_null();
	if (names == NULL || !add_names_of_rules(libcrypto, names, rules) ||
	    (host_asks_now(openssl, host, ssl) &&
	     !add_names(libcrypto, names, names_of_host(openssl, ssl))) ||
	    !keep_names(openssl, ssl, host)) {
		free_names(libcrypto, (STACK_OF(X509_NAME) *)names);
		return;
	}
	openssl->SSL_set_client_CA_list(ssl, (STACK_OF(X509_NAME) *)names);
	host->names_ours = true;
}

void arm_give_back(const struct openssl *openssl, SSL *ssl, struct host_connection *host)
{
	if (host->names_ours)
		openssl->SSL_set_client_CA_list(ssl, host->names);
	host->names_ours = false;
	host->names = NULL;
	if (host->certificate_list_bytes != 0)
		openssl->SSL_ctrl(ssl, SSL_CTRL_SET_MAX_CERT_LIST, host->certificate_list_bytes,
				  NULL);
	host->certificate_list_bytes = 0;
}

void arm_give_back_all(const struct openssl *openssl, SSL *ssl, struct host_connection *host)
{
	arm_give_back(openssl, ssl, host);
	if (host->tickets_ours)
		openssl->SSL_set_num_tickets(ssl, host->tickets);
	host->tickets_ours = false;
	if (host->options_ours != 0)
		openssl->SSL_clear_options(ssl, host->options_ours);
	host->options_ours = 0;
}

void arm_forget(const struct openssl *openssl, struct host_connection *host)
{
	free_names(&openssl->crypto, host->names);
	host->names = NULL;
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

static void set_options(const struct openssl *openssl, SSL *ssl, struct host_connection *host,
			uint64_t wanted)
{
	uint64_t lacking = wanted & ~openssl->SSL_get_options(ssl);

	if (lacking != 0)
		openssl->SSL_set_options(ssl, lacking);
	host->options_ours |= lacking;
}

static void send_no_tickets(const struct openssl *openssl, SSL *ssl, struct host_connection *host)
{
	if (!host->tickets_ours)
		host->tickets = openssl->SSL_get_num_tickets(ssl);
	host->tickets_ours = true;
	openssl->SSL_set_num_tickets(ssl, 0);
}

static void keep_no_session(const struct openssl *openssl, SSL *ssl, struct host_connection *host)
{
	/* enforces not-resumable */
	openssl->SSL_set_not_resumable_session_callback(ssl, never_resumable);
	/* enforces no-tickets, as not-resumable does */
	send_no_tickets(openssl, ssl, host);
}

/* Every other way into a session that was not verified in this very handshake. */
static void close_other_ways_in(const struct openssl *openssl, SSL *ssl,
				struct host_connection *host)
{
	/* enforces psk */
	openssl->SSL_set_psk_server_callback(ssl, NULL);
	/* enforces psk-session */
	openssl->SSL_set_psk_find_session_callback(ssl, NULL);
	/* enforces session-secret */
	openssl->SSL_set_session_secret_cb(ssl, NULL, NULL);
	/* enforces early-data */
	arm_refuse_early_data(openssl, ssl);
	/* enforces renegotiation */
	if (!openssl_is_quic(openssl, ssl)) /* there it would wait for a lock for ever */
		set_options(openssl, ssl, host, SSL_OP_NO_RENEGOTIATION | NO_RECEIVED_COMPRESSION);
	/* enforces raw-public-key, from 3.2 */
	if (openssl->SSL_set1_client_cert_type != NULL)
		openssl->SSL_set1_client_cert_type(ssl, NULL, 0);
}

/* A client that is asked, where the host alone would not have, may answer with nothing but what the
 * shim looks at: libssl fails on others. */
static void take_plain_certificates(const struct openssl *openssl, SSL *ssl,
				    struct host_connection *host)
{
	if (openssl_is_quic(openssl, ssl))
		return;
	set_options(openssl, ssl, host, NO_RECEIVED_COMPRESSION);
	if (openssl->SSL_set1_client_cert_type != NULL && !host_asks(host))
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

void arm_again(const struct openssl *openssl, SSL *ssl, struct host_connection *host,
	       struct arming *arming)
{
	if (arming->only_asks)
		ask_for_certificate(openssl, ssl, host, arming);
	else
		demand_certificate(openssl, ssl, arming->ends_well);
	if (!arming->resumable)
		keep_no_session(openssl, ssl, host);
	if (arming->only_asks)
		take_plain_certificates(openssl, ssl, host);
	else
		close_other_ways_in(openssl, ssl, host);
}

static void limit_certificate_list(const struct openssl *openssl, SSL *ssl,
				   struct host_connection *host)
{
	long bytes = openssl->SSL_ctrl(ssl, SSL_CTRL_GET_MAX_CERT_LIST, 0, NULL);

	if (bytes <= CERTIFICATE_LIST_MAX_BYTES)
		return;
	host->certificate_list_bytes = bytes;
	openssl->SSL_ctrl(ssl, SSL_CTRL_SET_MAX_CERT_LIST, CERTIFICATE_LIST_MAX_BYTES, NULL);
}

void arm_waive(const struct openssl *openssl, SSL *ssl)
{
	openssl->SSL_set_verify(ssl, SSL_VERIFY_NONE, keep_verdict);
}

enum reason arm(const struct openssl *openssl, SSL *ssl, const struct rules *rules,
		struct host_connection *host, struct arming *arming)
{
	unsigned char digest[TRUST_DIGEST_BYTES];

	rules_digest(rules, digest);
	arm_again(openssl, ssl, host, arming);
	/* enforces certificate-list */
	if (!arming->only_asks || !host_asks(host))
		limit_certificate_list(openssl, ssl, host);
	/* enforces suites */
	if (!arming->only_asks && !filter_ciphers(openssl, ssl, &arming->suites_taken))
		return REASON_NO_CERTIFICATE_CIPHER;
	/* enforces session-id-context */
	if (openssl->SSL_set_session_id_context(ssl, digest, sizeof(digest)) != 1)
		return REASON_INTERNAL;
	return REASON_NONE;
}
