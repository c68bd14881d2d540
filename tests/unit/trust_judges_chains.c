/* Whom a rule trusts: the judgement over chains, and what is said about the files of CAs. */
#include "trust_loaded.h"

#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <stdlib.h>

static void load_ca(struct loaded *loaded, const char *path)
{
	char line[1024];

	text_format(line, sizeof(line), "ca = %s", path);
	load(loaded, line);
}

static const struct {
	const char *name;
	enum reason reason;
} verdicts[] = {
	{"edge", REASON_NONE},
	{"edge-no-eku", REASON_NONE},
	{"edge-chain", REASON_NONE},
	{"self-signed", REASON_UNTRUSTED_ISSUER},
	{"other", REASON_UNTRUSTED_ISSUER},
	{"impostor", REASON_UNTRUSTED_ISSUER},
	{"expired", REASON_EXPIRED},
	{"not-yet-valid", REASON_NOT_YET_VALID},
	{"wrong-purpose", REASON_WRONG_PURPOSE},
	{"ca", REASON_WRONG_PURPOSE},
	{"server", REASON_UNTRUSTED_ISSUER},
};

static void expect_verdicts(const struct trust *trust)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		enum reason reason = judge_file(trust, verdicts[i].name);

		expect(reason == verdicts[i].reason, "%s: %s, not %s", verdicts[i].name,
		       reason_word(reason), reason_word(verdicts[i].reason));
	}
}

static void judges_each(void **state)
{
	struct loaded loaded;

	(void)state;
	load_ca(&loaded, certificate_file("ca"));
	assert_non_null(loaded.trust);
	expect_verdicts(loaded.trust);
	unload(&loaded);
	expectations_met();
}

/* A host may change these tables for the whole process. */
static int any_purpose(const X509_PURPOSE *purpose, const X509 *certificate, int is_ca)
{
	(void)purpose, (void)certificate, (void)is_ca;
	return 1;
}

static void ignores_process_wide_tables(void **state)
{
	X509_VERIFY_PARAM *lax = X509_VERIFY_PARAM_new();
	char name[] = "any", short_name[] = "sslclient";
	struct loaded loaded;

	(void)state;
	X509_VERIFY_PARAM_set1_name(lax, "default");
	X509_VERIFY_PARAM_set_flags(lax, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
	assert_int_equal(X509_VERIFY_PARAM_add0_table(lax), 1);
	assert_int_equal(X509_PURPOSE_add(X509_PURPOSE_SSL_CLIENT, X509_TRUST_SSL_CLIENT, 0,
					  any_purpose, name, short_name, NULL),
			 1);
	load_ca(&loaded, certificate_file("ca"));
	assert_non_null(loaded.trust);
	expect(judge_file(loaded.trust, "expired") == REASON_EXPIRED, "NO_CHECK_TIME counts");
	expect(judge_file(loaded.trust, "wrong-purpose") == REASON_WRONG_PURPOSE,
	       "a purpose of the host's counts");
	expect(judge_file(loaded.trust, "edge") == REASON_NONE, "the edge is refused");
	unload(&loaded);
	X509_PURPOSE_cleanup();
	/* X509_VERIFY_PARAM_free() does not. */
	OPENSSL_free((void *)(uintptr_t)X509_VERIFY_PARAM_get0_name(lax));
	X509_VERIFY_PARAM_table_cleanup();
	expectations_met();
}

static void takes_several_cas(void **state)
{
	struct loaded loaded;
	char lines[2048];

	(void)state;
	text_format(lines, sizeof(lines), "ca = cloudflare\nca = %s\nca = %s",
		    certificate_file("other-ca"), certificate_file("ca"));
	load(&loaded, lines);
	assert_non_null(loaded.trust);
	assert_int_equal(trust_ca_count(loaded.trust), 3);
	expect(judge_file(loaded.trust, "edge") == REASON_NONE, "edge");
	expect(judge_file(loaded.trust, "other") == REASON_NONE, "other");
	expect(judge_file(loaded.trust, "self-signed") == REASON_UNTRUSTED_ISSUER, "self-signed");
	unload(&loaded);
	expectations_met();
}

/* The expired twin has the same name and key: it must not stand in the way of the valid one. */
static void warns_of_expired_beside_valid(void **state)
{
	char path[4096], *expired = scratch_read(certificate_file("expired-ca"));
	char *valid = scratch_read(certificate_file("ca"));
	struct loaded loaded;

	(void)state;
	text_format(path, sizeof(path), "%s/both.pem", scratch_dir());
	scratch_write(path, "%s%s", expired, valid);
	load_ca(&loaded, path);
	assert_non_null(loaded.trust);
	expect(complains(&loaded, SEVERITY_WARNING, "has expired"), "no warning");
	expect(judge_file(loaded.trust, "edge") == REASON_NONE, "edge");
	expect(judge_file(loaded.trust, "edge-chain") == REASON_NONE, "edge-chain");
	expect(judge_file(loaded.trust, "expired") == REASON_EXPIRED, "expired");
	expect(judge_file(loaded.trust, "ca") != REASON_NONE, "the CA itself");
	unload(&loaded);
	text_format(path, sizeof(path), "ca = %s\nca = %s", certificate_file("expired-ca"),
		    certificate_file("ca"));
	load(&loaded, path);
	expect(loaded.trust != NULL, "the valid CA of another file does not count");
	expect(complains(&loaded, SEVERITY_WARNING, "has expired"), "no warning for a file");
	unload(&loaded);
	free(expired);
	free(valid);
	expectations_met();
}

/* "Only these are trusted": an intermediate alone vouches for its own clients, and no others. */
static void trusts_an_intermediate_alone(void **state)
{
	char path[1024], *chain = scratch_read(certificate_file("edge-chain"));
	char *intermediate = strstr(chain + 1, "-----BEGIN CERTIFICATE-----");
	struct loaded loaded;

	(void)state;
	assert_non_null(intermediate);
	text_format(path, sizeof(path), "%s/intermediate.pem", scratch_dir());
	scratch_write(path, "%s", intermediate);
	load_ca(&loaded, path);
	assert_non_null(loaded.trust);
	expect(judge_file(loaded.trust, "edge-chain") == REASON_NONE, "its own client");
	expect(judge_file(loaded.trust, "edge") == REASON_UNTRUSTED_ISSUER, "the root's client");
	unload(&loaded);
	free(chain);
	expectations_met();
}

static const struct {
	const char *name;
	const char *file; /* of the test CA; NULL: `text` */
	const char *text;
	const char *words;
} bad_files[] = {
	{"an expired CA alone", "expired-ca", NULL, "expired"},
	{"a leaf", "edge", NULL, "no CA certificate"},
	{"nothing", NULL, "", "empty"},
	{"no certificate", NULL, "hello\n", "no CA certificate"},
	{"a broken block", NULL, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	 "cannot be read"},
};

static void refuses_bad_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(*bad_files); i++) {
		struct loaded loaded;
		char path[1024];

		text_format(path, sizeof(path), "%s/bad-%zu.pem", scratch_dir(), i);
		if (bad_files[i].file == NULL)
			scratch_write(path, "%s", bad_files[i].text);
		else
			text_format(path, sizeof(path), "%s", certificate_file(bad_files[i].file));
		load_ca(&loaded, path);
		expect(loaded.trust == NULL, "%s: loaded", bad_files[i].name);
		expect(complains(&loaded, SEVERITY_ERROR, bad_files[i].words), "%s: not said",
		       bad_files[i].name);
		expect(loaded.complaints.count > 0 && loaded.complaints.list[0].at.line == 2 &&
			       loaded.complaints.list[0].at.column >= 6,
		       "%s: not at the value", bad_files[i].name);
		unload(&loaded);
	}
	expectations_met();
}

static void refuses_missing_file(void **state)
{
	struct loaded loaded;

	(void)state;
	load_ca(&loaded, "/nonexistent/ca.pem");
	assert_null(loaded.trust);
	assert_true(complains(&loaded, SEVERITY_ERROR, "no such file"));
	unload(&loaded);
}

static EVP_PKEY *make_key(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	assert_true(EVP_PKEY_keygen_init(maker) == 1 &&
		    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1) == 1 &&
		    EVP_PKEY_keygen(maker, &key) == 1);
	EVP_PKEY_CTX_free(maker);
	return key;
}

/* A CA of this name, for warnings: self-signed, ECDSA P-256, `days` to live. */
static void write_ca(const char *path, const char *unit, int days)
{
	EVP_PKEY *key = make_key();
	X509 *ca = X509_new();
	X509_EXTENSION *basic =
		X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	FILE *file = fopen(path, "w");

	assert_true(key && ca && basic && file);
	X509_set_version(ca, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(ca), 1);
	X509_gmtime_adj(X509_getm_notBefore(ca), -60);
	X509_gmtime_adj(X509_getm_notAfter(ca), days * 86400L);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(ca), "OU", MBSTRING_ASC,
				   (const unsigned char *)unit, -1, -1, 0);
	X509_set_issuer_name(ca, X509_get_subject_name(ca));
	X509_set_pubkey(ca, key);
	X509_add_ext(ca, basic, -1);
	assert_true(X509_sign(ca, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(file, ca), 1);
	fclose(file);
	X509_EXTENSION_free(basic);
	X509_free(ca);
	EVP_PKEY_free(key);
}

static void warns_of_mixed_up_and_ageing_cas(void **state)
{
	struct loaded loaded;
	char path[1024];

	(void)state;
	text_format(path, sizeof(path), "%s/origin-ca.pem", scratch_dir());
	write_ca(path, "CloudFlare Origin SSL ECC Certificate Authority", 900);
	load_ca(&loaded, path);
	expect(complains(&loaded, SEVERITY_WARNING, "Origin CA"), "the mix-up is not named");
	expect(!complains(&loaded, SEVERITY_WARNING, "expires in"), "900 days are enough");
	unload(&loaded);
	write_ca(path, "ageing", 100);
	load_ca(&loaded, path);
	expect(complains(&loaded, SEVERITY_WARNING, "expires in 99 days") ||
		       complains(&loaded, SEVERITY_WARNING, "expires in 100 days"),
	       "100 days are not warned of");
	unload(&loaded);
	expectations_met();
}

/* The session-id context: another rule, another CA or another order of things is another one; the
 * same is the same. */
static void digests_rule_and_cas(void **state)
{
	struct loaded one, same, other;

	(void)state;
	load_ca(&one, certificate_file("ca"));
	load_ca(&same, certificate_file("ca"));
	load_ca(&other, certificate_file("other-ca"));
	assert_true(one.trust && same.trust && other.trust);
	assert_memory_equal(trust_digest(one.trust), trust_digest(same.trust), TRUST_DIGEST_BYTES);
	assert_memory_not_equal(trust_digest(one.trust), trust_digest(other.trust),
				TRUST_DIGEST_BYTES);
	unload(&one);
	unload(&same);
	unload(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each kind of certificate gets its verdict", judges_each),
		TEST("process-wide tables of the host change no verdict",
		     ignores_process_wide_tables),
		TEST("several CAs are trusted, and no other", takes_several_cas),
		TEST("an intermediate alone is a CA like others", trusts_an_intermediate_alone),
		TEST("an expired CA beside its valid twin is a warning",
		     warns_of_expired_beside_valid),
		TEST("a file without a valid CA certificate is an error at its value",
		     refuses_bad_files),
		TEST("a missing file is an error", refuses_missing_file),
		TEST("the Origin CA, and a CA that expires soon, are warned of",
		     warns_of_mixed_up_and_ageing_cas),
		TEST("the session-id context tells rules and CAs apart", digests_rule_and_cas),
	};

	return RUN_TESTS("trust", tests);
}
