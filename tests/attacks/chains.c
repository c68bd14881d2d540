/* Chains that seem to lead to the CA, and what stands between is no CA, or not one of its own. */
#include "attack.h"
#include "explicit_curve.h"
#include "lax_host.h"
#include "odd_certificates.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#define CAS          "ca"
#define KEY_ID       "subjectKeyIdentifier=hash\n"
#define ANY_CA_WORDS "basicConstraints=critical,CA:TRUE\n" KEY_ID
#define CA_WORDS     ANY_CA_WORDS "keyUsage=critical,keyCertSign,cRLSign\n"
#define LEAF_WORDS   "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
#define CLIENT_WORDS LEAF_WORDS "extendedKeyUsage=clientAuth\n"

static void make_version_1(X509 *x509)
{
	X509_set_version(x509, 0);
}

/* An intermediate with these words, and a client's certificate below it, which sends it along. */
#define BELOW(of, ...)                                                                        \
	{.name = of "-ca", .issuer = "ca", __VA_ARGS__},                                      \
	{                                                                                     \
		.name = of, .issuer = of "-ca", .extensions = CLIENT_WORDS, .chain = of "-ca" \
	}

static const struct odd_certificate odds[] = {
	{.name = "below-edge", .issuer = "edge", .extensions = CLIENT_WORDS, .chain = "edge"},
	{.name = "below-recipe",
	 .issuer = "edge-no-eku",
	 .extensions = CLIENT_WORDS,
	 .chain = "edge-no-eku"},
	BELOW("below-nothing", .extensions = KEY_ID),
	BELOW("below-version-1", .touch = make_version_1),
	BELOW("no-certificate-signing",
	      .extensions = ANY_CA_WORDS "keyUsage=critical,digitalSignature,cRLSign\n"),
	BELOW("no-constraints", .extensions = "keyUsage=critical,keyCertSign\n" KEY_ID),
	BELOW("netscape-ca", .extensions = "nsCertType=sslCA\n" KEY_ID),
	{.name = "ca-across",
	 .subject = "cfshim test CA",
	 .issuer = "other-ca",
	 .key = "ca",
	 .extensions = CA_WORDS,
	 .chain = "other-ca"},
	{.name = "two-ways",
	 .issuer = "edge-no-eku",
	 .extensions = CLIENT_WORDS,
	 .chain = "edge-no-eku ca-across"},
	{.name = "forged-intermediate",
	 .subject = "cfshim test intermediate CA",
	 .issuer = "ca",
	 .signed_by = "other-ca",
	 .extensions = CA_WORDS},
	{.name = "of-forged-intermediate",
	 .issuer = "forged-intermediate",
	 .extensions = CLIENT_WORDS,
	 .chain = "forged-intermediate"},
	{.name = "of-other-with-ca",
	 .issuer = "other-ca",
	 .extensions = CLIENT_WORDS,
	 .chain = "other-ca ca"},
	{.name = "own-generator-ca",
	 .subject = "cfshim test CA",
	 .make_key = own_generator_key,
	 .extensions = CA_WORDS},
	{.name = "own-generator",
	 .issuer = "own-generator-ca",
	 .extensions = CLIENT_WORDS,
	 .chain = "own-generator-ca"},
};

HOST_FORGIVING(forgives_signature, CAS, X509_V_ERR_CERT_SIGNATURE_FAILURE)
HOST_FORGIVING(forgives_root, CAS, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
HOST_FORGIVING(forgives_no_ca, CAS, X509_V_ERR_INVALID_CA, X509_V_ERR_INVALID_PURPOSE)
HOST_FORGIVING(forgives_key_usage, CAS, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_INVALID_CA,
	       X509_V_ERR_INVALID_PURPOSE)

/* As crypt32 had it: a root is known by its public key, and checked with the parameters that it
 * brings. */
static int know_root_by_key(X509_STORE_CTX *context, void *argument)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(context);
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(context);
	X509 *root = sent != NULL ? sk_X509_value(sent, sk_X509_num(sent) - 1) : NULL;
	FILE *file = fopen(host_file("ca"), "re");
	X509 *known = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	const ASN1_BIT_STRING *key = root ? X509_get0_pubkey_bitstr(root) : NULL;
	bool good = key != NULL && known != NULL &&
		    ASN1_STRING_cmp(key, X509_get0_pubkey_bitstr(known)) == 0 &&
		    X509_verify(leaf, X509_get0_pubkey(root)) == 1;

	(void)argument;
	/* The edge sends no root. */
	if (!good)
		good = X509_verify_cert(context) == 1;
	X509_free(known);
	if (file != NULL)
		fclose(file);
	return good;
}

static void root_by_key(SSL_CTX *context)
{
	host_demands(context, CAS);
	SSL_CTX_set_cert_verify_callback(context, know_root_by_key, NULL);
}

static const struct attack attacks[] = {
	{
		.name = "a certificate of a CA with the same name and another key",
		.source = "RFC 5280 6.1.3 (a)(1)",
		.prepare = forgives_signature,
		.client = {.certificate = "impostor"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "an intermediate CA that the CA did not sign",
		.source = "RFC 5280 6.1.3 (a)(1)",
		.prepare = forgives_signature,
		.client = {.certificate = "of-forged-intermediate"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a chain of another CA with the right one at its end",
		.source = "RFC 5280 6.1.3 (a)(4)",
		.prepare = forgives_root,
		.client = {.certificate = "of-other-with-ca"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a root with the CA's public key on a curve of its own generator",
		.source = "CVE-2020-0601",
		.prepare = root_by_key,
		.client = {.certificate = "own-generator"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a certificate that the edge's own key signed",
		.source = "RFC 5280 4.2.1.3; CVE-2002-0862",
		.prepare = forgives_key_usage,
		.client = {.certificate = "below-edge"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate that a client with no key usage signed",
		.source = "RFC 5280 6.1.4 (k); CVE-2002-0862",
		.prepare = forgives_no_ca,
		.client = {.certificate = "below-recipe"},
		.reason = "bad-certificate",
	},
	{
		.name = "a client as a CA, and another way up from it",
		.source = "CVE-2015-1793",
		.prepare = forgives_no_ca,
		.client = {.certificate = "two-ways"},
		.reason = "bad-certificate",
	},
	{
		.name = "an intermediate CA without basic constraints",
		.source = "RFC 5280 6.1.4 (k); CVE-2021-3450",
		.prepare = forgives_no_ca,
		.client = {.certificate = "below-nothing"},
		.reason = "bad-certificate",
	},
	{
		.name = "an intermediate CA that only its key usage makes one",
		.source = "RFC 5280 6.1.4 (k); OpenSSL check_ca()",
		.prepare = forgives_no_ca,
		.client = {.certificate = "no-constraints"},
		.reason = "bad-certificate",
	},
	{
		.name = "an intermediate CA that only its Netscape type makes one",
		.source = "RFC 5280 6.1.4 (k); OpenSSL check_ca()",
		.prepare = forgives_no_ca,
		.client = {.certificate = "netscape-ca"},
		.reason = "bad-certificate",
	},
	{
		.name = "an intermediate CA of version 1",
		.source = "RFC 5280 6.1.4 (k); GnuTLS CVE-2014-0092",
		.prepare = forgives_no_ca,
		.client = {.certificate = "below-version-1"},
		.reason = "bad-certificate",
	},
	{
		.name = "an intermediate CA that may not sign certificates",
		.source = "RFC 5280 6.1.4 (n)",
		.prepare = forgives_key_usage,
		.client = {.certificate = "no-certificate-signing"},
		.reason = "bad-certificate",
	},
};

int main(int count, char **words)
{
	odd_certificates_use(odds, sizeof(odds) / sizeof(odds[0]));
	return attacks_main(count, words, "chains", attacks, sizeof(attacks) / sizeof(attacks[0]));
}
