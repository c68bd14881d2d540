/* A host whose own trust is wider than the rule's: what its store, its parameters or its process
 * hold good counts for itself alone. */
#include "attack.h"
#include "lax_host.h"
#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void insist(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

/* ---- stores ---- */

/* The policy's CA as well, so that the edge gets through the host's verification too. */
static X509_STORE *store_of(const char *name)
{
	X509_STORE *store = X509_STORE_new();

	if (X509_STORE_load_locations(store, host_file("ca"), NULL) != 1 ||
	    X509_STORE_load_locations(store, host_file(name), NULL) != 1)
		abort();
	return store;
}

static X509 *certificate_of(const char *name)
{
	FILE *file = fopen(host_file(name), "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (certificate == NULL)
		abort();
	fclose(file);
	return certificate;
}

static void add_to_own_store(SSL_CTX *context, const char *name)
{
	if (SSL_CTX_load_verify_locations(context, host_file(name), NULL) != 1)
		abort();
}

static void trust_both(SSL_CTX *context)
{
	insist(context);
	add_to_own_store(context, "ca");
	add_to_own_store(context, "other-ca");
}

static void verify_with_another_store(SSL_CTX *context)
{
	X509_STORE *store = store_of("other-ca");

	insist(context);
	SSL_CTX_set1_verify_cert_store(context, store);
	X509_STORE_free(store);
}

static void verify_here_with_another_store(SSL *ssl)
{
	X509_STORE *store = store_of("other-ca");

	SSL_set1_verify_cert_store(ssl, store);
	X509_STORE_free(store);
}

static void replace_the_store(SSL_CTX *context)
{
	insist(context);
	SSL_CTX_set_cert_store(context, store_of("other-ca"));
}

static void trust_the_system(SSL_CTX *context)
{
	insist(context);
	setenv(X509_get_default_cert_file_env(), host_file("other-ca"), 1);
	if (SSL_CTX_set_default_verify_paths(context) != 1)
		abort();
	add_to_own_store(context, "ca");
}

/* The foreign leaf itself is the anchor. */
static void trust_a_leaf(SSL_CTX *context)
{
	insist(context);
	add_to_own_store(context, "ca");
	add_to_own_store(context, "other");
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
}

static void hide_trust_settings(SSL_CTX *context)
{
	X509 *authority = certificate_of("other-ca");

	insist(context);
	add_to_own_store(context, "ca");
	if (X509_add1_trust_object(authority, OBJ_nid2obj(NID_email_protect)) != 1 ||
	    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) != 1)
		abort();
	X509_free(authority);
}

/* A CA that is trusted for mail alone serves for TLS. */
static void trust_for_mail(SSL_CTX *context)
{
	hide_trust_settings(context);
	SSL_CTX_set_trust(context, X509_TRUST_EMAIL);
}

/* What a TLSA record names needs no CA; the records are those of the foreigner and of the edge. */
static void dane_of_context(SSL_CTX *context)
{
	insist(context);
	if (SSL_CTX_dane_enable(context) <= 0)
		abort();
}

static void add_record(SSL *ssl, const char *name)
{
	X509 *certificate = certificate_of(name);
	unsigned char *bytes = NULL;
	int length = i2d_X509(certificate, &bytes);

	/* DANE-EE, the whole certificate, itself. */
	if (length <= 0 || SSL_dane_tlsa_add(ssl, 3, 0, 0, bytes, (size_t)length) != 1)
		abort();
	OPENSSL_free(bytes);
	X509_free(certificate);
}

static void dane_of_connection(SSL *ssl)
{
	if (SSL_dane_enable(ssl, "edge.test") <= 0)
		abort();
	add_record(ssl, "edge");
	add_record(ssl, "other");
}

/* ---- parameters ---- */

static void trust_the_rules_ca(SSL_CTX *context)
{
	insist(context);
	add_to_own_store(context, "ca");
}

static int no_signature(X509_STORE_CTX *store)
{
	(void)store;
	return 1;
}

static void trust_names(SSL_CTX *context)
{
	trust_the_rules_ca(context);
	X509_STORE_set_verify(SSL_CTX_get_cert_store(context), no_signature);
}

static void any_purpose(SSL_CTX *context)
{
	trust_the_rules_ca(context);
	SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
}

static void any_purpose_here(SSL *ssl)
{
	X509_VERIFY_PARAM_set_purpose(SSL_get0_param(ssl), X509_PURPOSE_ANY);
}

static void no_time(SSL_CTX *context)
{
	trust_the_rules_ca(context);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
}

static void no_time_here(SSL *ssl)
{
	X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_NO_CHECK_TIME);
}

#define FORTNIGHT (14L * 24 * 60 * 60)

/* The host's clock says what the certificate would like it to. */
static void a_fortnight_ago(SSL_CTX *context)
{
	insist(context);
	add_to_own_store(context, "expired-ca"); /* the CA as it was then */
	add_to_own_store(context, "ca");
	X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), time(NULL) - FORTNIGHT);
}

static void no_time_in_this_process(SSL_CTX *context)
{
	trust_the_rules_ca(context);
	host_changes_table("default", X509_V_FLAG_NO_CHECK_TIME, 0);
}

/* libssl asks for the parameters of that name. */
static void any_purpose_in_this_process(SSL_CTX *context)
{
	trust_the_rules_ca(context);
	host_changes_table("ssl_client", 0, X509_PURPOSE_ANY);
}

static int fits(const X509_PURPOSE *purpose, const X509 *certificate, int is_ca)
{
	(void)purpose;
	(void)certificate;
	(void)is_ca;
	return 1;
}

static void another_meaning_of_client(SSL_CTX *context)
{
	static char long_name[] = "SSL client", short_name[] = "sslclient";

	trust_the_rules_ca(context);
	if (X509_PURPOSE_add(X509_PURPOSE_SSL_CLIENT, X509_TRUST_SSL_CLIENT, 0, fits, long_name,
			     short_name, NULL) != 1)
		abort();
}

static const struct attack attacks[] = {
	{
		.name = "a foreign certificate at a host that trusts its CA",
		.source = "OpenSSL SSL_CTX_load_verify_locations(3)",
		.prepare = trust_both,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host with a store for verification",
		.source = "OpenSSL SSL_CTX_set1_verify_cert_store(3)",
		.prepare = verify_with_another_store,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host whose connection has such a store",
		.source = "OpenSSL SSL_set1_verify_cert_store(3)",
		.prepare = insist,
		.connect = verify_here_with_another_store,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host that replaces its store",
		.source = "OpenSSL SSL_CTX_set_cert_store(3)",
		.prepare = replace_the_store,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host that trusts what the system trusts",
		.source = "OpenSSL SSL_CTX_set_default_verify_paths(3), SSL_CERT_FILE",
		.prepare = trust_the_system,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate that is an anchor of the host itself",
		.source = "OpenSSL X509_VERIFY_PARAM_set_flags(3), X509_V_FLAG_PARTIAL_CHAIN",
		.prepare = trust_a_leaf,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate at a host that trusts its CA for mail",
		.source = "OpenSSL crypto/x509/x509_trust.c, X509_check_trust()",
		.prepare = trust_for_mail,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a foreign certificate that a TLSA record of the host names",
		.source = "RFC 6698, 2.1.1, usage 3",
		.prepare = dane_of_context,
		.connect = dane_of_connection,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "an impostor's certificate at a host whose store looks at no signature",
		.source = "OpenSSL X509_STORE_set_verify(3)",
		.prepare = trust_names,
		.client = {.certificate = "impostor"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a certificate of another purpose at a host that takes any",
		.source = "OpenSSL SSL_CTX_set_purpose(3)",
		.prepare = any_purpose,
		.client = {.certificate = "wrong-purpose"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate of another purpose at a host whose connection takes any",
		.source = "OpenSSL SSL_get0_param(3)",
		.prepare = trust_the_rules_ca,
		.connect = any_purpose_here,
		.client = {.certificate = "wrong-purpose"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate of another purpose in a process that takes any",
		.source = "OpenSSL crypto/x509/x509_vpm.c, X509_VERIFY_PARAM_lookup()",
		.prepare = any_purpose_in_this_process,
		.client = {.certificate = "wrong-purpose"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate of another purpose in a process that redefines purposes",
		.source = "OpenSSL crypto/x509/v3_purp.c, X509_PURPOSE_add()",
		.prepare = another_meaning_of_client,
		.client = {.certificate = "wrong-purpose"},
		.reason = "wrong-purpose",
	},
	{
		.name = "an expired certificate at a host that looks at no clock",
		.source = "OpenSSL X509_VERIFY_PARAM_set_flags(3), X509_V_FLAG_NO_CHECK_TIME",
		.prepare = no_time,
		.client = {.certificate = "expired"},
		.reason = "expired",
	},
	{
		.name = "a certificate of tomorrow at a host whose connection looks at no clock",
		.source = "OpenSSL SSL_get0_param(3)",
		.prepare = trust_the_rules_ca,
		.connect = no_time_here,
		.client = {.certificate = "not-yet-valid"},
		.reason = "not-yet-valid",
	},
	{
		.name = "an expired certificate at a host that verifies as of then",
		.source = "OpenSSL X509_VERIFY_PARAM_set_time(3)",
		.prepare = a_fortnight_ago,
		.client = {.certificate = "expired"},
		.reason = "expired",
		.edge_is_refused = true,
	},
	{
		.name = "an expired certificate in a process that looks at no clock",
		.source = "OpenSSL crypto/x509/x509_vpm.c, X509_VERIFY_PARAM_lookup()",
		.prepare = no_time_in_this_process,
		.client = {.certificate = "expired"},
		.reason = "expired",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "host_trusts_others", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
