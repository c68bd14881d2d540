/* CAs below the CA that go beyond what they may: too long, too late, too weak, for others. */
#include "attack.h"
#include "lax_host.h"
#include "odd_certificates.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define CAS          "ca rsa-ca old-ca"
#define KEY_ID       "subjectKeyIdentifier=hash\n"
#define ANY_CA_WORDS "basicConstraints=critical,CA:TRUE\n" KEY_ID
#define CA_WORDS     ANY_CA_WORDS "keyUsage=critical,keyCertSign,cRLSign\n"
#define LEAF_WORDS   "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
#define CLIENT_WORDS LEAF_WORDS "extendedKeyUsage=clientAuth\n"
#define DEEPEST      50

/* permitted: the directory name O=within. */
static void permit_one_directory(X509 *x509)
{
	static const unsigned char constraints[] = {
		0x30, 0x17, 0xa0, 0x15, 0x30, 0x13, 0xa4, 0x11, 0x30, 0x0f, 0x31, 0x0d, 0x30,
		0x0b, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x04, 'w',  'i',  't',  'h',
	};

	odd_extension(x509, "2.5.29.30", 1, constraints, sizeof(constraints));
}

/* An intermediate with these words, and a client's certificate below it, which sends it along. */
#define BELOW(of, ...)                                                                        \
	{.name = of "-ca", .issuer = "ca", __VA_ARGS__},                                      \
	{                                                                                     \
		.name = of, .issuer = of "-ca", .extensions = CLIENT_WORDS, .chain = of "-ca" \
	}

static const struct odd_certificate odds[] = {
	{.name = "rsa-ca", .key = "rsa 2048", .extensions = CA_WORDS},
	{.name = "old-ca", .from_days = -60, .until_days = -1, .extensions = CA_WORDS},
	{.name = "of-old-ca", .issuer = "old-ca", .extensions = CLIENT_WORDS},
	BELOW("old-intermediate", .from_days = -60, .until_days = -1, .extensions = CA_WORDS),
	BELOW("early-intermediate", .from_days = 1, .until_days = 60, .extensions = CA_WORDS),
	{.name = "path-end-ca",
	 .issuer = "ca",
	 .extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\n" KEY_ID},
	{.name = "past-end-ca",
	 .issuer = "path-end-ca",
	 .extensions = CA_WORDS,
	 .chain = "path-end-ca"},
	{.name = "past-end",
	 .issuer = "past-end-ca",
	 .extensions = CLIENT_WORDS,
	 .chain = "past-end-ca"},
	BELOW("server-intermediate", .extensions = CA_WORDS "extendedKeyUsage=serverAuth\n"),
	BELOW("critical-intermediate",
	      .extensions = CA_WORDS "1.3.6.1.4.1.99999.1=critical,DER:0500\n"),
	{.name = "dns-ca",
	 .issuer = "ca",
	 .extensions = CA_WORDS "nameConstraints=critical,permitted;DNS:within.test\n"},
	{.name = "dns-permitted",
	 .issuer = "dns-ca",
	 .extensions = CLIENT_WORDS "subjectAltName=DNS:edge.test\n",
	 .chain = "dns-ca"},
	{.name = "common-name-permitted",
	 .subject = "edge.test",
	 .issuer = "dns-ca",
	 .extensions = CLIENT_WORDS,
	 .chain = "dns-ca"},
	{.name = "no-dns-ca",
	 .issuer = "ca",
	 .extensions = CA_WORDS "nameConstraints=critical,excluded;DNS:edge.test\n"},
	{.name = "dns-excluded",
	 .issuer = "no-dns-ca",
	 .extensions = CLIENT_WORDS "subjectAltName=DNS:a.edge.test\n",
	 .chain = "no-dns-ca"},
	BELOW("directory", .extensions = CA_WORDS, .touch = permit_one_directory),
	{.name = "md5-ca", .issuer = "rsa-ca", .digest = "MD5", .extensions = CA_WORDS},
	{.name = "below-md5", .issuer = "md5-ca", .extensions = CLIENT_WORDS, .chain = "md5-ca"},
	BELOW("sha1", .digest = "SHA1", .extensions = CA_WORDS),
	BELOW("rsa-1024", .key = "rsa 1024", .extensions = CA_WORDS),
	BELOW("p-192", .key = "ec prime192v1", .extensions = CA_WORDS),
};
#define ODD_COUNT (sizeof(odds) / sizeof(odds[0]))

static void demanding(SSL_CTX *context)
{
	host_demands(context, CAS);
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

static void any_extension_in_this_process(SSL_CTX *context)
{
	host_demands(context, CAS);
	host_changes_table("default", X509_V_FLAG_IGNORE_CRITICAL, 0);
}

HOST_FORGIVING(forgives_path_length, CAS, X509_V_ERR_PATH_LENGTH_EXCEEDED)
HOST_FORGIVING(forgives_permitted, CAS, X509_V_ERR_PERMITTED_VIOLATION)
HOST_FORGIVING(forgives_excluded, CAS, X509_V_ERR_EXCLUDED_VIOLATION)

static const struct attack attacks[] = {
	{
		.name = "a certificate of a CA that has expired, beside one that has not",
		.source = "RFC 5280 6.1.3 (a)(2); OpenSSL X509_V_FLAG_NO_CHECK_TIME",
		.prepare = any_time,
		.client = {.certificate = "of-old-ca"},
		.rule = "ca = {old-ca}\nca = {ca}",
		.reason = "expired",
	},
	{
		.name = "a certificate of an intermediate CA that has expired",
		.source = "RFC 5280 6.1.3 (a)(2)",
		.prepare = any_time,
		.client = {.certificate = "old-intermediate"},
		.reason = "expired",
	},
	{
		.name = "a certificate of an intermediate CA that is not valid yet",
		.source = "RFC 5280 6.1.3 (a)(2)",
		.prepare = any_time,
		.client = {.certificate = "early-intermediate"},
		.reason = "not-yet-valid",
	},
	{
		.name = "an intermediate CA too many for the one above it",
		.source = "RFC 5280 6.1.4 (l)",
		.prepare = forgives_path_length,
		.client = {.certificate = "past-end"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate of a CA for servers only",
		.source = "OpenSSL check_purpose_ssl_client()",
		.prepare = any_purpose,
		.client = {.certificate = "server-intermediate"},
		.reason = "wrong-purpose",
	},
	{
		.name = "a critical extension of a CA that nobody knows",
		.source = "RFC 5280 6.1.4 (o)",
		.prepare = any_extension,
		.client = {.certificate = "critical-intermediate"},
		.reason = "bad-certificate",
	},
	{
		.name = "a critical extension of a CA in a process that passes over such",
		.source = "OpenSSL crypto/x509/x509_vpm.c, X509_VERIFY_PARAM_lookup()",
		.prepare = any_extension_in_this_process,
		.client = {.certificate = "critical-intermediate"},
		.reason = "bad-certificate",
	},
	{
		.name = "a host name that the CA may not vouch for",
		.source = "RFC 5280 6.1.3 (b)",
		.prepare = forgives_permitted,
		.client = {.certificate = "dns-permitted"},
		.reason = "bad-certificate",
	},
	{
		.name = "a host name as common name that the CA may not vouch for",
		.source = "OpenSSL NAME_CONSTRAINTS_check_CN()",
		.prepare = forgives_permitted,
		.client = {.certificate = "common-name-permitted"},
		.reason = "bad-certificate",
	},
	{
		.name = "a host name that is taken from the CA",
		.source = "RFC 5280 6.1.3 (c)",
		.prepare = forgives_excluded,
		.client = {.certificate = "dns-excluded"},
		.reason = "bad-certificate",
	},
	{
		.name = "a subject that the CA may not vouch for",
		.source = "RFC 5280 6.1.3 (b)",
		.prepare = forgives_permitted,
		.client = {.certificate = "directory"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate of an intermediate CA signed over MD5",
		.source = "CVE-2004-2761",
		.prepare = demanding,
		.client = {.certificate = "below-md5"},
		.rule = "ca = {rsa-ca}\nca = {ca}",
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate of an intermediate CA signed over SHA-1",
		.source = "CVE-2005-4900",
		.prepare = demanding,
		.client = {.certificate = "sha1"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate of a CA of RSA with 1024 bits",
		.source = "NIST SP 800-57 part 1; OpenSSL check_key_level()",
		.prepare = demanding,
		.client = {.certificate = "rsa-1024"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate of a CA of a curve with 192 bits",
		.source = "NIST SP 800-57 part 1; OpenSSL check_key_level()",
		.prepare = demanding,
		.client = {.certificate = "p-192"},
		.reason = "bad-certificate",
	},
	{
		.name = "a certificate of the fourth CA below the root",
		.source = "OpenSSL X509_VERIFY_PARAM_set_depth(3)",
		.prepare = demanding,
		.client = {.certificate = "below-four"},
		.reason = "bad-certificate",
	},
	{
		.name = "a chain of fifty",
		.source = "OpenSSL build_chain()",
		.prepare = demanding,
		.client = {.certificate = "deep-50"},
		.reason = "bad-certificate",
	},
	{
		.name = "a list of more than 32 KiB",
		.source = "OpenSSL SSL_CTX_set_max_cert_list(3)",
		.prepare = demanding,
		.client = {.certificate = "with-ballast"},
		.reason = "bad-certificate",
		.alert = 47, /* libssl's own */
	},
};

/* The CA's own and a CA below each, and one more with all of them many times. */
static size_t add_deep(struct odd_certificate *all)
{
	static char names[DEEPEST + 1][24];
	size_t count = 0;

	for (int i = 1; i <= DEEPEST; i++) {
		snprintf(names[i], sizeof(names[i]), "deep-%d", i);
		all[count++] = (struct odd_certificate){
			.name = names[i],
			.issuer = i == 1 ? "ca" : names[i - 1],
			.chain = i == 1 ? NULL : names[i - 1],
			.extensions = i == DEEPEST ? CLIENT_WORDS : ANY_CA_WORDS,
		};
	}
	all[count++] = (struct odd_certificate){
		.name = "below-four",
		.issuer = "deep-4",
		.extensions = CLIENT_WORDS,
		.chain = "deep-4",
	};
	all[count++] = (struct odd_certificate){
		.name = "with-ballast",
		.issuer = "ca",
		.extensions = CLIENT_WORDS,
		.chain = "deep-50 deep-50 deep-50",
	};
	return count;
}

int main(int count, char **words)
{
	static struct odd_certificate all[ODD_COUNT + DEEPEST + 2];

	memcpy(all, odds, sizeof(odds));
	odd_certificates_use(all, ODD_COUNT + add_deep(all + ODD_COUNT));
	return attacks_main(count, words, "ca_limits", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
