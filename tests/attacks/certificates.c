/* Certificates that say too little, too much, or something else: the CA signed them, or seems to
 * have, and the edge holds none of them. */
#include "attack.h"
#include "lax_host.h"
#include "odd_certificates.h"

#include <openssl/x509v3.h>

#define CA_WORDS                                  \
	"basicConstraints=critical,CA:TRUE\n"     \
	"keyUsage=critical,keyCertSign,cRLSign\n" \
	"subjectKeyIdentifier=hash\n"
#define LEAF_WORDS                             \
	"basicConstraints=critical,CA:FALSE\n" \
	"keyUsage=critical,digitalSignature\n"
#define CLIENT_WORDS LEAF_WORDS "extendedKeyUsage=clientAuth\n"

#define CAS      "ca rsa-ca server-ca"
#define BOTH_CAS "ca = {rsa-ca}\nca = {ca}"

/* A line break, an escape of the terminal, and what looks like a line of the log. */
static void put_forged_line(X509 *x509)
{
	static const unsigned char text[] =
		"\n\x1b[2J\0cfshim[1]: refused reason=no-certificate port=1 answer=\"reject\" "
		"subject=\"CN=nobody\" dropped=0\n";

	X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_organizationalUnitName,
				   MBSTRING_ASC, text, (int)sizeof(text) - 1, -1, 0);
}

/* The holder of the edge's certificate signs for somebody else (RFC 3820): the issuer's name and
 * one more part. */
static void name_proxy(X509 *x509)
{
	X509_NAME *name = X509_NAME_dup(X509_get_issuer_name(x509));

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"proxy", -1, -1,
				   0);
	X509_set_subject_name(x509, name);
	X509_NAME_free(name);
}

static const struct odd_certificate odds[] = {
	{.name = "rsa-ca", .key = "rsa 2048", .extensions = CA_WORDS},
	{.name = "any-purpose",
	 .issuer = "ca",
	 .extensions = LEAF_WORDS "extendedKeyUsage=anyExtendedKeyUsage\n"},
	{.name = "mail-only",
	 .issuer = "ca",
	 .extensions = LEAF_WORDS "extendedKeyUsage=emailProtection,codeSigning\n"},
	{.name = "encipherment",
	 .issuer = "ca",
	 .extensions = "keyUsage=critical,keyEncipherment,keyCertSign\n"
		       "extendedKeyUsage=clientAuth\n"},
	{.name = "netscape-server", .issuer = "ca", .extensions = "nsCertType=server\n"},
	{.name = "critical-unknown",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS "1.3.6.1.4.1.99999.1=critical,DER:0500\n"},
	{.name = "md5", .issuer = "rsa-ca", .digest = "MD5", .extensions = CLIENT_WORDS},
	{.name = "sha1", .issuer = "ca", .digest = "SHA1", .extensions = CLIENT_WORDS},
	{.name = "rsa-1024", .issuer = "ca", .key = "rsa 1024", .extensions = CLIENT_WORDS},
	{.name = "p-192", .issuer = "ca", .key = "ec prime192v1", .extensions = CLIENT_WORDS},
	{.name = "forged-line",
	 .issuer = "other-ca",
	 .extensions = CLIENT_WORDS,
	 .touch = put_forged_line},
	{.name = "proxy",
	 .issuer = "edge",
	 .extensions = "1.3.6.1.5.5.7.1.14=critical,DER:300C300A06082B06010505071501\n"
		       "keyUsage=critical,digitalSignature\n",
	 .touch = name_proxy,
	 .chain = "edge"},
	{.name = "plain-ca", .extensions = "basicConstraints=critical,CA:TRUE\n"},
};

static void any_strength(SSL_CTX *context)
{
	host_demands(context, CAS);
}

static void any_strength_and_curve(SSL_CTX *context)
{
	host_demands(context, CAS);
	/* The macro of that name casts const away. */
	SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, (void *)(uintptr_t) "P-256:P-192");
}

static void any_time(SSL_CTX *context)
{
	host_demands(context, CAS);
	host_sets_flags(context, X509_V_FLAG_NO_CHECK_TIME);
}

static void any_purpose(SSL_CTX *context)
{
	host_demands(context, CAS);
	SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
}

static void any_extension(SSL_CTX *context)
{
	host_demands(context, CAS);
	host_sets_flags(context, X509_V_FLAG_IGNORE_CRITICAL);
}

static void proxies(SSL_CTX *context)
{
	host_demands(context, CAS);
	host_sets_flags(context, X509_V_FLAG_ALLOW_PROXY_CERTS);
}

static void two_cas(SSL_CTX *context)
{
	host_demands(context, "ca other-ca plain-ca");
}

/* As nginx's optional_no_ca. */
HOST_FORGIVING(any_issuer, CAS, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	       X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	       X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED)

static void groups_of_client(SSL_CTX *context, SSL *ssl)
{
	(void)context;
	SSL_ctrl(ssl, SSL_CTRL_SET_GROUPS_LIST, 0, (void *)(uintptr_t) "P-256:P-192");
}

static const struct attack attacks[] = {
	{
		.name = "a certificate of the edge's that has expired",
		.source = "RFC 5280 6.1.3 (a)(2); X509_V_FLAG_NO_CHECK_TIME",
		.prepare = any_time,
		.client = {.certificate = "expired"},
		.reason = "expired",
	},
	{
		.name = "an expired certificate beside the CA of its time",
		.source = "RFC 5280 6.1.3 (a)(2); X509_V_FLAG_NO_CHECK_TIME",
		.prepare = any_time,
		.client = {.certificate = "expired"},
		.rule = "ca = {expired-ca}\nca = {ca}",
		.reason = "expired",
	},
	{
		.name = "a certificate that is not valid yet",
		.source = "RFC 5280 6.1.3 (a)(2); X509_V_FLAG_NO_CHECK_TIME",
		.prepare = any_time,
		.client = {.certificate = "not-yet-valid"},
		.reason = "not-yet-valid",
	},
	{
		.name = "a self-signed certificate with the edge's name",
		.source = "nginx ngx_ssl_verify_error_optional()",
		.prepare = any_issuer,
		.client = {.certificate = "self-signed"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a certificate of another CA with the edge's name",
		.source = "nginx ngx_ssl_verify_error_optional()",
		.prepare = any_issuer,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a certificate of a CA that only the host trusts",
		.source = "RFC 5280 6.1.1 (d)",
		.prepare = two_cas,
		.client = {.certificate = "other"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a subject that forges a line of the log",
		.source = "CWE-117; RFC 4514 2.4",
		.prepare = two_cas,
		.client = {.certificate = "forged-line"},
		.reason = "untrusted-issuer",
	},
	{
		.name = "a certificate for servers only",
		.source = "Envoy CVE-2022-21657; RFC 5280 4.2.1.12",
		.prepare = any_purpose,
		.client = {.certificate = "wrong-purpose"},
		.reason = "wrong-purpose",
	},
	{
		.name = "the server's own certificate with its key",
		.source = "RFC 5280 4.2.1.12",
		.prepare = any_purpose,
		.client = {.certificate = "server"},
		.rule = "ca = {server-ca}\nca = {ca}",
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate for any purpose but none by name",
		.source = "RFC 5280 4.2.1.12; OpenSSL check_purpose_ssl_client()",
		.prepare = any_purpose,
		.client = {.certificate = "any-purpose"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate for mail and code",
		.source = "RFC 5280 4.2.1.12",
		.prepare = any_purpose,
		.client = {.certificate = "mail-only"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate whose key may not sign",
		.source = "RFC 5280 4.2.1.3; RFC 8446 4.4.2.2",
		.prepare = any_purpose,
		.client = {.certificate = "encipherment"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a certificate of the Netscape type server",
		.source = "OpenSSL check_purpose_ssl_client()",
		.prepare = any_purpose,
		.client = {.certificate = "netscape-server"},
		.reason = "wrong-purpose",
	},
	{
		.name = "the CA's own certificate with its key",
		.source = "OpenSSL check_purpose_ssl_client()",
		.prepare = any_purpose,
		.client = {.certificate = "ca"},
		.reason = "wrong-purpose",
	},
	{
		.name = "the own certificate of a CA that says nothing of its key",
		.source = "OpenSSL check_trust()",
		.prepare = two_cas,
		.client = {.certificate = "plain-ca"},
		.rule = "ca = {plain-ca}\nca = {ca}",
		.reason = "untrusted-issuer",
	},
	{
		.name = "a critical extension that nobody knows",
		.source = "RFC 5280 4.2; X509_V_FLAG_IGNORE_CRITICAL",
		.prepare = any_extension,
		.client = {.certificate = "critical-unknown"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate signed over MD5",
		.source = "CVE-2004-2761; RFC 6151",
		.prepare = any_strength,
		.client = {.certificate = "md5"},
		.rule = BOTH_CAS,
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate signed over SHA-1",
		.source = "CVE-2005-4900",
		.prepare = any_strength,
		.client = {.certificate = "sha1"},
		.reason = "bad-certificate",
	},
	{
		.name = "a key of RSA with 1024 bits",
		.source = "NIST SP 800-57 part 1; OpenSSL check_key_level()",
		.prepare = any_strength,
		.client = {.certificate = "rsa-1024"},
		.reason = "bad-certificate",
	},
	{
		.name = "a key of a curve with 192 bits",
		.source = "NIST SP 800-57 part 1; OpenSSL check_key_level()",
		.prepare = any_strength_and_curve,
		.client = {.certificate = "p-192", .prepare = groups_of_client},
		.versions = ONLY_1_2,
		.reason = "bad-certificate",
	},
	{
		.name = "a proxy certificate that the edge's key signed",
		.source = "RFC 3820; X509_V_FLAG_ALLOW_PROXY_CERTS",
		.prepare = proxies,
		.client = {.certificate = "proxy"},
		.reason = "bad-certificate",
	},
};

int main(int count, char **words)
{
	odd_certificates_use(odds, sizeof(odds) / sizeof(odds[0]));
	return attacks_main(count, words, "certificates", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
