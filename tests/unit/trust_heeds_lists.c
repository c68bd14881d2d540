/* crl: what the lists of revoked certificates say, and what is not one that counts. */
#include "crl.h"
#include "odd_certificates.h"
#include "trust_loaded.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#define LISTS 3

static const struct odd_certificate odds[] = {
	{.name = "middle",
	 .issuer = "ca",
	 .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
		       "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n"},
	{.name = "deep",
	 .issuer = "middle",
	 .chain = "middle",
	 .extensions = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"},
	{.name = "no-list-ca",
	 .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
		       "subjectKeyIdentifier=hash\n"},
	{.name = "of-no-list-ca",
	 .issuer = "no-list-ca",
	 .extensions = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"},
};

static void add_extension(X509_CRL *list, const char *oid, const void *bytes, int length)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	X509_EXTENSION *made;

	ASN1_OCTET_STRING_set(value, bytes, length);
	made = X509_EXTENSION_create_by_OBJ(NULL, type, 1, value);
	assert_int_equal(X509_CRL_add_ext(list, made, -1), 1);
	X509_EXTENSION_free(made);
	ASN1_OBJECT_free(type);
	ASN1_OCTET_STRING_free(value);
}

static void add_unknown(X509_CRL *list)
{
	add_extension(list, "1.2.3.4.5", "\5\0", 2);
}

/* Changes to a list number 1, not a list. */
static void make_delta(X509_CRL *list)
{
	add_extension(list, "2.5.29.27", "\2\1\1", 3);
}

/* onlyContainsCACerts */
static void for_cas_only(X509_CRL *list)
{
	add_extension(list, "2.5.29.28", "\x30\3\x82\1\xff", 5);
}

static const struct {
	const char *what;
	const char *ca, *certificate;
	enum reason reason;
	struct crl lists[LISTS];
} rows[] = {
	{"a list with nobody", "ca", "edge", REASON_NONE, {{.issuer = "ca"}}},
	{"a list with the edge",
	 "ca",
	 "edge",
	 REASON_REVOKED,
	 {{.issuer = "ca", .revoked = "edge"}}},
	{"a list with another",
	 "ca",
	 "edge-no-eku",
	 REASON_NONE,
	 {{.issuer = "ca", .revoked = "edge expired"}}},
	{"no list of its CA", "ca", "edge", REASON_NO_CRL, {{.issuer = "other-ca"}}},
	{"lists of its CA and another",
	 "ca",
	 "edge",
	 REASON_NONE,
	 {{.issuer = "other-ca"}, {.issuer = "ca"}}},
	{"a list that has expired",
	 "ca",
	 "edge",
	 REASON_NO_CRL,
	 {{.issuer = "ca", .from_days = -30, .until_days = -1}}},
	{"a list of tomorrow",
	 "ca",
	 "edge",
	 REASON_NO_CRL,
	 {{.issuer = "ca", .from_days = 1, .until_days = 30}}},
	{"a list by another's key",
	 "ca",
	 "edge",
	 REASON_NO_CRL,
	 {{.issuer = "ca", .signed_by = "other-ca"}}},
	{"a list by the edge's key",
	 "ca",
	 "edge",
	 REASON_NO_CRL,
	 {{.issuer = "ca", .signed_by = "edge"}}},
	{"an old list with it, a new one without",
	 "ca",
	 "edge",
	 REASON_NONE,
	 {{.issuer = "ca", .revoked = "edge", .from_days = -30, .until_days = -1},
	  {.issuer = "ca"}}},
	{"a new list with it, an old one without",
	 "ca",
	 "edge",
	 REASON_REVOKED,
	 {{.issuer = "ca", .from_days = -30, .until_days = -1},
	  {.issuer = "ca", .revoked = "edge"}}},
	{"two lists, the newer with it",
	 "ca",
	 "edge",
	 REASON_REVOKED,
	 {{.issuer = "ca", .from_days = -3, .until_days = 30},
	  {.issuer = "ca", .revoked = "edge", .from_days = -1, .until_days = 30}}},
	{"what is critical and unknown",
	 "ca",
	 "edge",
	 REASON_NO_CRL,
	 {{.issuer = "ca", .touch = add_unknown}}},
	{"a list for CAs only",
	 "ca",
	 "edge",
	 REASON_NO_CRL,
	 {{.issuer = "ca", .touch = for_cas_only}}},
	{"a CA that may not sign lists",
	 "no-list-ca",
	 "of-no-list-ca",
	 REASON_NO_CRL,
	 {{.issuer = "no-list-ca"}}},
	{"no list of the intermediate", "ca", "deep", REASON_NO_CRL, {{.issuer = "ca"}}},
	{"no list of the root", "ca", "deep", REASON_NO_CRL, {{.issuer = "middle"}}},
	{"lists of both", "ca", "deep", REASON_NONE, {{.issuer = "middle"}, {.issuer = "ca"}}},
	{"a revoked intermediate",
	 "ca",
	 "deep",
	 REASON_REVOKED,
	 {{.issuer = "middle"}, {.issuer = "ca", .revoked = "middle"}}},
	{"a revoked leaf below it",
	 "ca",
	 "deep",
	 REASON_REVOKED,
	 {{.issuer = "middle", .revoked = "deep"}, {.issuer = "ca"}}},
	{"an old list of the root",
	 "ca",
	 "deep",
	 REASON_NO_CRL,
	 {{.issuer = "middle"}, {.issuer = "ca", .from_days = -30, .until_days = -1}}},
	/* Trusted by the policy itself. */
	{"an intermediate alone, its list", "middle", "deep", REASON_NONE, {{.issuer = "middle"}}},
	{"an intermediate alone, with it",
	 "middle",
	 "deep",
	 REASON_REVOKED,
	 {{.issuer = "middle", .revoked = "deep"}}},
	{"an intermediate alone, the root's list",
	 "middle",
	 "deep",
	 REASON_NO_CRL,
	 {{.issuer = "ca"}}},
	{"an intermediate alone, both lists",
	 "middle",
	 "deep",
	 REASON_NONE,
	 {{.issuer = "middle"}, {.issuer = "ca"}}},
	/* Other reasons stay what they are. */
	{"an expired certificate", "ca", "expired", REASON_EXPIRED, {{.issuer = "ca"}}},
	{"a stranger", "ca", "self-signed", REASON_UNTRUSTED_ISSUER, {{.issuer = "ca"}}},
	{"a CA of the same name", "ca", "impostor", REASON_UNTRUSTED_ISSUER, {{.issuer = "ca"}}},
	{"a server's", "ca", "wrong-purpose", REASON_WRONG_PURPOSE, {{.issuer = "ca"}}},
};

static void load_with(struct loaded *loaded, const char *ca, const char *path)
{
	char lines[2048];

	text_format(lines, sizeof(lines), "ca = %s\ncrl = %s", certificate_file(ca), path);
	load(loaded, lines);
}

static void judges_each(void **state)
{
	char path[1024];

	(void)state;
	text_format(path, sizeof(path), "%s/lists.pem", scratch_dir());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct loaded loaded;
		enum reason reason;
		size_t count = 0;

		while (count < LISTS && rows[i].lists[count].issuer != NULL)
			count++;
		crl_write(path, rows[i].lists, count);
		load_with(&loaded, rows[i].ca, path);
		assert_non_null(loaded.trust);
		reason = judge_file(loaded.trust, rows[i].certificate);
		expect(reason == rows[i].reason, "%s: %s, not %s", rows[i].what,
		       reason_word(reason), reason_word(rows[i].reason));
		unload(&loaded);
	}
	expectations_met();
}

/* Two files, and the other way round. */
static void takes_several_files(void **state)
{
	const struct crl root = {.issuer = "ca"}, middle = {.issuer = "middle", .revoked = "deep"};
	char one[1024], other[1024], lines[4096];
	struct loaded loaded;

	(void)state;
	text_format(one, sizeof(one), "%s/one.pem", scratch_dir());
	text_format(other, sizeof(other), "%s/other.pem", scratch_dir());
	crl_write(one, &root, 1);
	crl_write(other, &middle, 1);
	for (int turn = 0; turn < 2; turn++) {
		text_format(lines, sizeof(lines), "ca = %s\ncrl = %s, %s", certificate_file("ca"),
			    turn ? one : other, turn ? other : one);
		load(&loaded, lines);
		assert_non_null(loaded.trust);
		expect(judge_file(loaded.trust, "edge") == REASON_NONE, "edge");
		expect(judge_file(loaded.trust, "deep") == REASON_REVOKED, "deep");
		unload(&loaded);
	}
	expectations_met();
}

static const struct {
	const char *what;
	const char *text; /* NULL: no file */
	const char *words;
} bad_files[] = {
	{"no file", NULL, "no such file"},
	{"nothing", "", "empty"},
	{"no list", "hello\n", "no CRL in it"},
	{"a broken block", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
	 "cannot be read"},
};

static void refuses_bad_files(void **state)
{
	struct loaded loaded;
	char path[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(*bad_files); i++) {
		text_format(path, sizeof(path), "%s/bad-%zu.pem", scratch_dir(), i);
		if (bad_files[i].text != NULL)
			scratch_write(path, "%s", bad_files[i].text);
		load_with(&loaded, "ca", path);
		expect(loaded.trust == NULL, "%s: loaded", bad_files[i].what);
		expect(complains(&loaded, SEVERITY_ERROR, bad_files[i].words), "%s: not said",
		       bad_files[i].what);
		expect(complaints_first_error(&loaded.complaints)->at.line == 3 &&
			       complaints_first_error(&loaded.complaints)->at.column >= 7,
		       "%s: not at the value", bad_files[i].what);
		unload(&loaded);
	}
	load_with(&loaded, "ca", certificate_file("ca"));
	expect(complains(&loaded, SEVERITY_ERROR, "no CRL in it"), "a certificate is a list");
	unload(&loaded);
	expectations_met();
}

/* OpenSSL takes one for a whole list. */
static void refuses_changes_to_lists(void **state)
{
	const struct crl changes = {.issuer = "ca", .touch = make_delta};
	struct loaded loaded;
	char path[1024];

	(void)state;
	text_format(path, sizeof(path), "%s/changes.pem", scratch_dir());
	crl_write(path, &changes, 1);
	load_with(&loaded, "ca", path);
	expect(loaded.trust == NULL && complains(&loaded, SEVERITY_ERROR, "delta CRL"), "loaded");
	unload(&loaded);
	expectations_met();
}

static void warns_of_old_lists(void **state)
{
	const struct crl old = {.issuer = "ca", .from_days = -30, .until_days = -1};
	const struct crl fresh = {.issuer = "ca"};
	struct loaded loaded;
	char path[1024];

	(void)state;
	text_format(path, sizeof(path), "%s/old.pem", scratch_dir());
	crl_write(path, &old, 1);
	load_with(&loaded, "ca", path);
	expect(loaded.trust && complains(&loaded, SEVERITY_WARNING, "has expired"), "no warning");
	unload(&loaded);
	crl_write(path, &fresh, 1);
	load_with(&loaded, "ca", path);
	expect(loaded.trust && !complains(&loaded, SEVERITY_WARNING, "has expired"),
	       "warned of a good one");
	unload(&loaded);
	expectations_met();
}

static void digests_lists(void **state)
{
	const struct crl nobody = {.issuer = "ca"}, somebody = {.issuer = "ca", .revoked = "other"};
	struct loaded one, other;
	char path[1024];

	(void)state;
	text_format(path, sizeof(path), "%s/digest.pem", scratch_dir());
	crl_write(path, &nobody, 1);
	load_with(&one, "ca", path);
	crl_write(path, &somebody, 1);
	load_with(&other, "ca", path);
	assert_true(one.trust && other.trust);
	assert_memory_not_equal(trust_digest(one.trust), trust_digest(other.trust),
				TRUST_DIGEST_BYTES);
	unload(&one);
	unload(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("every CA of a chain needs a valid list, and nobody may stand in one",
		     judges_each),
		TEST("several files of lists count together", takes_several_files),
		TEST("a file without a list is an error at its value", refuses_bad_files),
		TEST("changes to a list are no list", refuses_changes_to_lists),
		TEST("a list that has expired is warned of", warns_of_old_lists),
		TEST("the session-id context tells lists apart", digests_lists),
	};

	odd_certificates_use(odds, sizeof(odds) / sizeof(*odds));
	return RUN_TESTS("trust-lists", tests);
}
