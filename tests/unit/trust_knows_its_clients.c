/* client-cert: which certificates of the right CA are the ones that it names. */
#include "odd_certificates.h"
#include "trust_loaded.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#define CLIENT_WORDS                           \
	"basicConstraints=critical,CA:FALSE\n" \
	"keyUsage=critical,digitalSignature\n" \
	"extendedKeyUsage=clientAuth\n"

static void add_name(X509 *x509, int nid, int type, const char *bytes, int length)
{
	assert_int_equal(X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), nid, type,
						    (const unsigned char *)bytes, length, -1, 0),
			 1);
}

/* Beside the name that test certificates have. */
static void add_second_name(X509 *x509)
{
	add_name(x509, NID_commonName, V_ASN1_UTF8STRING, "second.test", 11);
}

static void add_name_with_nul(X509 *x509)
{
	add_name(x509, NID_commonName, V_ASN1_UTF8STRING, "edge.test\0.evil", 15);
	add_name(x509, NID_commonName, V_ASN1_UTF8STRING, "edge.test\0", 10);
}

static void add_wide_name(X509 *x509)
{
	add_name(x509, NID_commonName, V_ASN1_BMPSTRING, "\0e\0d\0g\0e\1\x7f", 10);
}

static void add_unit(X509 *x509)
{
	add_name(x509, NID_organizationalUnitName, V_ASN1_UTF8STRING, "edge.test", 9);
}

/* DNS:edge.test and a NUL, URI:urn:edge and a NUL, and what goes on behind one. */
static void add_alternatives_with_nul(X509 *x509)
{
	static const char bytes[] = "\x30\x2d"
				    "\x82\x0a"
				    "edge.test\0"
				    "\x82\x0e"
				    "edge.test\0evil"
				    "\x86\x09"
				    "urn:edge\0"
				    "\x82\x04"
				    "\0abc";

	odd_extension(x509, "2.5.29.17", 0, bytes, sizeof(bytes) - 1);
}

static const struct odd_certificate odds[] = {
	{.name = "two-names",
	 .subject = "first.test",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = add_second_name},
	{.name = "nul-name",
	 .subject = "none",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = add_name_with_nul},
	{.name = "wide-name",
	 .subject = "none",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = add_wide_name},
	{.name = "unit",
	 .subject = "none",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = add_unit},
	{.name = "alternatives",
	 .subject = "none",
	 .issuer = "ca",
	 .extensions =
		 CLIENT_WORDS "subjectAltName=DNS:Edge.Test,DNS:*.wild.test,"
			      "URI:spiffe://Example/edge,email:edge@mail.test,IP:127.0.0.1\n"},
	{.name = "nul-alternatives",
	 .subject = "none",
	 .issuer = "ca",
	 .extensions = CLIENT_WORDS,
	 .touch = add_alternatives_with_nul},
	{.name = "lookalike",
	 .subject = "edge.test",
	 .issuer = "other-ca",
	 .extensions = CLIENT_WORDS "subjectAltName=DNS:edge.test\n"},
};

static const struct {
	const char *pins;
	const char *certificate;
	enum reason reason;
} verdicts[] = {
	{"client-cert = cn:edge.test", "edge", REASON_NONE},
	{"client-cert = cn:edge.test", "edge-chain", REASON_NONE},
	{"client-cert = cn:Edge.test", "edge", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:edge.tes", "edge", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:edge.test.", "edge", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:second.test", "two-names", REASON_NONE},
	{"client-cert = cn:first.test", "two-names", REASON_NONE},
	{"client-cert = cn:third.test", "two-names", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:edge.test", "nul-name", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:edge\xc5\xbf", "wide-name", REASON_NONE},
	{"client-cert = cn:edge", "wide-name", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:edge.test", "unit", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:edge.test", "alternatives", REASON_CLIENT_MISMATCH},
	{"client-cert = dns:EDGE.test.", "alternatives", REASON_NONE},
	{"client-cert = dns:edge.test", "edge", REASON_CLIENT_MISMATCH},
	{"client-cert = dns:a.wild.test", "alternatives", REASON_CLIENT_MISMATCH},
	{"client-cert = dns:mail.test", "alternatives", REASON_CLIENT_MISMATCH},
	{"client-cert = dns:edge.test", "nul-alternatives", REASON_CLIENT_MISMATCH},
	{"client-cert = uri:urn:edge", "nul-alternatives", REASON_CLIENT_MISMATCH},
	{"client-cert = uri:spiffe://Example/edge", "alternatives", REASON_NONE},
	{"client-cert = uri:spiffe://example/edge", "alternatives", REASON_CLIENT_MISMATCH},
	{"client-cert = cn:nobody\nclient-cert = dns:edge.test", "alternatives", REASON_NONE},
	{"client-cert = cn:nobody\nclient-cert = uri:urn:none", "edge", REASON_CLIENT_MISMATCH},
	/* What it names counts only for a certificate that passes without it. */
	{"client-cert = cn:edge.test", "lookalike", REASON_UNTRUSTED_ISSUER},
	{"client-cert = cn:edge.test", "expired", REASON_EXPIRED},
	{"client-cert = cn:edge.test", "wrong-purpose", REASON_WRONG_PURPOSE},
};

static enum reason judge_under(const char *pins, const char *certificate)
{
	struct loaded loaded;
	enum reason reason;
	char lines[2048];

	text_format(lines, sizeof(lines), "ca = %s\n%s", certificate_file("ca"), pins);
	load(&loaded, lines);
	assert_non_null(loaded.trust);
	reason = judge_file(loaded.trust, certificate);
	unload(&loaded);
	return reason;
}

static void knows_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		enum reason reason = judge_under(verdicts[i].pins, verdicts[i].certificate);

		expect(reason == verdicts[i].reason, "%s: %s is %s, not %s", verdicts[i].pins,
		       verdicts[i].certificate, reason_word(reason),
		       reason_word(verdicts[i].reason));
	}
	expectations_met();
}

/* "client-cert = KIND:HEX" of a certificate; by other means than the shim's. */
static void write_pin(char *line, size_t size, const char *kind, const char *name)
{
	FILE *file = fopen(certificate_file(name), "r");
	X509 *x509 = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	unsigned char digest[EVP_MAX_MD_SIZE] = {0}, *der = NULL;
	size_t used;
	int length;

	assert_non_null(x509);
	length = strcmp(kind, "cert-sha256") == 0 ? i2d_X509(x509, &der)
						  : i2d_PUBKEY(X509_get0_pubkey(x509), &der);
	assert_true(length > 0 &&
		    EVP_Digest(der, (size_t)length, digest, NULL, EVP_sha256(), NULL) == 1);
	text_format(line, size, "client-cert = %s:", kind);
	for (size_t i = 0; i < PIN_DIGEST_BYTES; i++) {
		used = strlen(line);
		text_format(line + used, size - used, i % 2 ? "%02x" : "%02X", digest[i]);
	}
	OPENSSL_free(der);
	X509_free(x509);
	fclose(file);
}

static void knows_digests(void **state)
{
	static const char *const kinds[] = {"cert-sha256", "spki-sha256"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char line[256];

		write_pin(line, sizeof(line), kinds[i], "edge");
		expect(judge_under(line, "edge") == REASON_NONE, "%s: its own", kinds[i]);
		expect(judge_under(line, "edge-no-eku") == REASON_CLIENT_MISMATCH, "%s: another's",
		       kinds[i]);
		expect(judge_under(line, "edge-chain") == REASON_CLIENT_MISMATCH, "%s: a third's",
		       kinds[i]);
		/* The other end of the digest counts too. */
		line[strlen(line) - 1] = line[strlen(line) - 1] == '0' ? '1' : '0';
		expect(judge_under(line, "edge") == REASON_CLIENT_MISMATCH, "%s: the last digit",
		       kinds[i]);
		write_pin(line, sizeof(line), kinds[i], "ca");
		expect(judge_under(line, "edge") == REASON_CLIENT_MISMATCH, "%s: the CA's",
		       kinds[i]);
	}
	expectations_met();
}

/* The session-id context. */
static void digests_pins(void **state)
{
	static const char *const lines[] = {"", "client-cert = cn:a", "client-cert = cn:b",
					    "client-cert = dns:a",
					    "client-cert = cn:a\nclient-cert = cn:b"};
	enum { LINES = sizeof(lines) / sizeof(*lines) };
	struct loaded loaded[LINES];

	(void)state;
	for (size_t i = 0; i < LINES; i++) {
		char text[2048];

		text_format(text, sizeof(text), "ca = %s\n%s", certificate_file("ca"), lines[i]);
		load(&loaded[i], text);
		assert_non_null(loaded[i].trust);
		for (size_t j = 0; j < i; j++)
			expect(memcmp(trust_digest(loaded[i].trust), trust_digest(loaded[j].trust),
				      TRUST_DIGEST_BYTES) != 0,
			       "a session of \"%s\" is one of \"%s\"", lines[i], lines[j]);
	}
	for (size_t i = 0; i < LINES; i++)
		unload(&loaded[i]);
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("names count whole, by length and bytes, and any one suffices", knows_names),
		TEST("digests count to the last bit", knows_digests),
		TEST("the session-id context tells client-cert apart", digests_pins),
	};

	odd_certificates_use(odds, sizeof(odds) / sizeof(*odds));
	return RUN_TESTS("trust-clients", tests);
}
