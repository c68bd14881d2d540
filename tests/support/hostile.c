#include "hostile.h"

#include "explicit_curve.h"
#include "odd_certificates.h"
#include "test.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define DEEPEST 50

#define CA_WORDS                              \
	"basicConstraints=critical,CA:TRUE\n" \
	"subjectKeyIdentifier=hash\n"

static unsigned char *filled(size_t length, int byte)
{
	unsigned char *bytes = OPENSSL_malloc(length);

	if (bytes != NULL)
		memset(bytes, byte, length);
	return bytes;
}

/* A length of two bytes, whatever it is: read by every parser that is not strict about DER. */
static size_t put_head(unsigned char *to, unsigned char tag, size_t length)
{
	to[0] = tag;
	to[1] = 0x82;
	to[2] = (unsigned char)(length >> 8);
	to[3] = (unsigned char)length;
	return 4;
}

/* ---- keys ---- */

static void set_key(X509 *x509, int algorithm, int type, void *value, unsigned char *bytes,
		    size_t length)
{
	if (X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x509), OBJ_nid2obj(algorithm), type, value,
				   bytes, (int)length) != 1)
		fail_msg("no key of algorithm %d", algorithm);
}

/* A modulus of `bits`, all ones. */
static void set_rsa_key(X509 *x509, size_t bits)
{
	size_t modulus = bits / 8 + 1, at;
	unsigned char *bytes = filled(modulus + 13, 0xff);

	at = put_head(bytes, 0x30, modulus + 4 + 5);
	at += put_head(bytes + at, 0x02, modulus);
	bytes[at] = 0;
	memcpy(bytes + at + modulus, "\x02\x03\x01\x00\x01", 5);
	set_key(x509, NID_rsaEncryption, V_ASN1_NULL, NULL, bytes, at + modulus + 5);
}

static void set_rsa_16384(X509 *x509)
{
	set_rsa_key(x509, 16384);
}

static void set_rsa_200000(X509 *x509)
{
	set_rsa_key(x509, 200000);
}

/* p, q and g of 16384 bits each. */
static void set_big_group(X509 *x509, int algorithm)
{
	size_t number = 2049, at, key;
	unsigned char *group = filled(4 + 3 * (4 + number), 0xff),
		      *bytes = filled(4 + number, 0x7f);
	ASN1_STRING *parameters = ASN1_STRING_new();

	at = put_head(group, 0x30, 3 * (4 + number));
	for (int i = 0; i < 3; i++) {
		at += put_head(group + at, 0x02, number);
		group[at] = 0;
		at += number;
	}
	key = put_head(bytes, 0x02, number) + number;
	ASN1_STRING_set(parameters, group, (int)at);
	OPENSSL_free(group);
	set_key(x509, algorithm, V_ASN1_SEQUENCE, parameters, bytes, key);
}

static void set_big_dsa(X509 *x509)
{
	set_big_group(x509, NID_dsa);
}

static void set_big_dh(X509 *x509)
{
	set_big_group(x509, NID_dhpublicnumber);
}

/* CVE-2022-0778: a square root modulo what is no prime, for a point in compressed form. */
static void set_explicit_curve(X509 *x509)
{
	unsigned char generator[33] = {2, [32] = 5}, modulus[32], curve[512];
	unsigned char *point = filled(sizeof(generator), 0);
	ASN1_STRING *parameters = ASN1_STRING_new();

	memset(modulus, 0xff, sizeof(modulus));
	modulus[31] = 0xf1; /* 1 modulo 8, and of several factors */
	ASN1_STRING_set(parameters, curve,
			(int)explicit_curve(curve, generator, sizeof(generator), modulus));
	memcpy(point, generator, sizeof(generator));
	set_key(x509, NID_X9_62_id_ecPublicKey, V_ASN1_SEQUENCE, parameters, point,
		sizeof(generator));
}

static void set_no_key(X509 *x509)
{
	set_key(x509, NID_undef + NID_md5, V_ASN1_UNDEF, NULL, filled(1, 0), 1);
}

/* As small as a certificate can be, but for its key. */
static void make_tiny(X509 *x509)
{
	X509_NAME *name = X509_NAME_new();

	X509_set_version(x509, 0);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"a", -1, -1, 0);
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, name);
	X509_NAME_free(name);
}

static void make_tiny_without_key(X509 *x509)
{
	make_tiny(x509);
	set_no_key(x509);
}

static void cut_signature(X509 *x509)
{
	const ASN1_BIT_STRING *signature;

	X509_get0_signature(&signature, NULL, x509);
	ASN1_STRING_set((ASN1_STRING *)(uintptr_t)signature, "", 1);
}

/* ---- names and extensions ---- */

static void set_long_name(X509 *x509)
{
	unsigned char *text = filled(30000, 0xe9);

	/* Latin-1: each is two bytes of UTF-8, and eight of RFC 2253. */
	X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_organizationName,
				   V_ASN1_T61STRING, text, 30000, -1, 0);
	OPENSSL_free(text);
}

static void set_many_names(X509 *x509)
{
	for (int i = 0; i < 2400; i++)
		X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_organizationName,
					   V_ASN1_PRINTABLESTRING, (const unsigned char *)"a", 1,
					   -1, 0);
}

/* CVE-2023-2650: the text of an object identifier of one number. */
static ASN1_OBJECT *huge_object(size_t length)
{
	unsigned char *bytes = filled(length + 4, 0xff);
	const unsigned char *start = bytes;
	ASN1_OBJECT *object;
	size_t at = put_head(bytes, 0x06, length);

	bytes[at] = 0x2a;
	bytes[at + length - 1] = 0x7f;
	object = d2i_ASN1_OBJECT(NULL, &start, (long)(at + length));
	OPENSSL_free(bytes);
	return object;
}

static void set_huge_object(X509 *x509)
{
	ASN1_OBJECT *object = huge_object(30000);

	if (X509_NAME_add_entry_by_OBJ(X509_get_subject_name(x509), object, V_ASN1_UTF8STRING,
				       (const unsigned char *)"a", 1, -1, 0) != 1)
		fail_msg("no object identifier of that length");
	ASN1_OBJECT_free(object);
}

/* CVE-2023-0286: an x400Address of any type. */
static void add_x400_address(X509 *x509)
{
	static const unsigned char names[] = {0x30, 0x05, 0xa3, 0x03, 0x02, 0x01, 0x01};
	static const unsigned char points[] = {0x30, 0x0b, 0x30, 0x09, 0xa0, 0x07, 0xa0,
					       0x05, 0xa3, 0x03, 0x02, 0x01, 0x01};

	odd_extension(x509, "2.5.29.17", 0, names, sizeof(names));
	odd_extension(x509, "2.5.29.31", 0, points, sizeof(points));
}

/* CVE-2023-0464: three policies, each mapped to each. */
static void add_policies(X509 *x509)
{
	unsigned char policies[2 + 3 * 6] = {0x30, 3 * 6};
	unsigned char mappings[2 + 9 * 10] = {0x30, 9 * 10};
	static const unsigned char head[] = {0x30, 0x04, 0x06, 0x02, 0x2a};
	static const unsigned char pair[10] = {0x30, 0x08, 0x06, 0x02, 0x2a, 0, 0x06, 0x02, 0x2a};

	for (unsigned char i = 0; i < 3; i++) {
		memcpy(policies + 2 + i * 6, head, sizeof(head));
		policies[2 + i * 6 + 5] = i;
		for (unsigned char j = 0; j < 3; j++) {
			unsigned char *one = mappings + 2 + (i * 3 + j) * 10;

			memcpy(one, pair, sizeof(pair));
			one[5] = i;
			one[9] = j;
		}
	}
	odd_extension(x509, "2.5.29.32", 0, policies, sizeof(policies));
	odd_extension(x509, "2.5.29.33", 1, mappings, sizeof(mappings));
}

/* CVE-2022-3602: a label of Punycode in what a CA may vouch for. */
static void add_punycode(X509 *x509)
{
	static const unsigned char prefix[] = {'x', 'n', '-', '-'};
	unsigned char names[600], *at = names;
	size_t length = 500;

	at += put_head(at, 0x30, length + 12);
	at += put_head(at, 0xa0, length + 8);
	at += put_head(at, 0x30, length + 4);
	at += put_head(at, 0x81, length);
	memset(at, 'a', length);
	memcpy(at, prefix, sizeof(prefix));
	odd_extension(x509, "2.5.29.30", 1, names, (size_t)(at - names) + length);
}

static void add_many_extensions(X509 *x509)
{
	char oid[32];

	for (int i = 0; i < 1500; i++) {
		snprintf(oid, sizeof(oid), "1.2.3.%d", i);
		odd_extension(x509, oid, 0, "", 1);
	}
}

/* Names that the library keeps one by one: "a" of each, `count` times, within these heads. */
static void add_many_of(X509 *x509, const char *oid, const void *one, size_t size, size_t count)
{
	unsigned char *bytes = filled(4 + size * count, 0);
	size_t at = put_head(bytes, 0x30, size * count);

	for (size_t i = 0; i < count; i++, at += size)
		memcpy(bytes + at, one, size);
	odd_extension(x509, oid, 0, bytes, at);
	OPENSSL_free(bytes);
}

static void add_alternative_names(X509 *x509)
{
	add_many_of(x509, "2.5.29.17", "\x82\x01\x61", 3, 10000);
}

static void add_distribution_points(X509 *x509)
{
	add_many_of(x509, "2.5.29.31", "\x30\x07\xa0\x05\xa0\x03\x86\x01\x61", 9, 3400);
}

/* ---- the list ---- */

/* Names in a row, for .chain. */
static char *repeated(const char *name, int count)
{
	char *text = OPENSSL_malloc((strlen(name) + 1) * (size_t)count + 1);

	text[0] = '\0';
	for (size_t at = 0; count > 0; count--)
		at += (size_t)sprintf(text + at, "%s ", name);
	return text;
}

static const struct odd_certificate odds[] = {
	{.name = "tiny-ec", .touch = make_tiny, .spoil = cut_signature},
	{.name = "tiny-rsa", .key = "rsa 512", .touch = make_tiny, .spoil = cut_signature},
	{.name = "tiny-ed25519", .key = "ed25519", .touch = make_tiny},
	{.name = "tiny-no-key", .touch = make_tiny_without_key, .spoil = cut_signature},
	{.name = "tiny-curve", .touch = set_explicit_curve, .spoil = cut_signature},
	{.name = "rsa-16384", .touch = set_rsa_16384},
	{.name = "rsa-200000", .touch = set_rsa_200000},
	{.name = "big-dsa", .touch = set_big_dsa},
	{.name = "big-dh", .touch = set_big_dh},
	{.name = "curve", .touch = set_explicit_curve},
	{.name = "long-name", .touch = set_long_name},
	{.name = "many-names", .touch = set_many_names},
	{.name = "huge-object", .touch = set_huge_object},
	{.name = "x400", .touch = add_x400_address},
	{.name = "alternative-names", .touch = add_alternative_names},
	{.name = "distribution-points", .touch = add_distribution_points},
	{.name = "many-extensions", .touch = add_many_extensions},
	{.name = "punycode-ca", .extensions = CA_WORDS, .touch = add_punycode},
	{.name = "punycode",
	 .issuer = "punycode-ca",
	 .extensions = "subjectAltName=otherName:1.3.6.1.5.5.7.8.9;UTF8:a@b\n",
	 .chain = "punycode-ca"},
	{.name = "seemingly-of-ca", .issuer = "ca", .signed_by = "other-ca"},
};
#define ODD_COUNT (sizeof(odds) / sizeof(odds[0]))

const struct hostile hostiles[] = {
	{"a self-signed certificate", "self-signed", NULL, false},
	{"no certificate at all", NULL, NULL, false},
	{"a certificate of another CA", "other", NULL, false},
	{"a forged signature of the CA", "seemingly-of-ca", NULL, true},
	{"an expired certificate", "expired", NULL, false},
	{"one for servers", "wrong-purpose", NULL, false},
	{"a key of RSA with 16384 bits", NULL, "rsa-16384", true},
	{"a key of RSA with 200000 bits", NULL, "rsa-200000", true},
	{"a key of DSA with 16384 bits", NULL, "big-dsa", true},
	{"a key of DH with 16384 bits", NULL, "big-dh", true},
	{"a curve over no field, compressed", NULL, "curve", true},
	{"a subject of 30000 bytes", NULL, "long-name", false},
	{"a subject of 2400 parts", NULL, "many-names", false},
	{"an object identifier of 30000 bytes", NULL, "huge-object", true},
	{"an x400Address", NULL, "x400", true},
	{"10000 alternative names", NULL, "alternative-names", false},
	{"3400 distribution points of CRLs", NULL, "distribution-points", false},
	{"1500 extensions", NULL, "many-extensions", false},
	{"Punycode in name constraints", "punycode", NULL, true},
	{"a chain of fifty", "deep-50", NULL, false},
	{"policies that multiply", "policy-3", NULL, true},
	{"the same in a chain of fifty", "policy-50", NULL, false},
	{"a list of small keys of EC", "list-tiny-ec", NULL, false},
	{"a list of small keys of RSA", "list-tiny-rsa", NULL, false},
	{"a list of keys of Ed25519", "list-tiny-ed25519", NULL, false},
	{"a list of keys of no kind", "list-tiny-no-key", NULL, false},
	{"a list of curves over no field", "list-tiny-curve", NULL, false},
	{NULL, NULL, NULL, false},
};

static size_t add_deep(struct odd_certificate *all, const char *kind, void (*touch)(X509 *))
{
	for (int i = 1; i <= DEEPEST; i++) {
		char *name = OPENSSL_malloc(16);
		const char *above = i == 1 ? NULL : all[i - 2].name;

		snprintf(name, 16, "%s-%d", kind, i);
		all[i - 1] = (struct odd_certificate){
			.name = name,
			.issuer = above, /* the first signs itself: what strangers can make */
			.chain = above,
			.extensions = i == DEEPEST ? NULL : CA_WORDS,
			.touch = touch,
		};
	}
	return DEEPEST;
}

static size_t add_lists(struct odd_certificate *all)
{
	static const struct {
		const char *name, *of;
		int count;
	} lists[] = {
		{"list-tiny-ec", "tiny-ec", 150},
		{"list-tiny-rsa", "tiny-rsa", 150},
		{"list-tiny-ed25519", "tiny-ed25519", 120},
		{"list-tiny-no-key", "tiny-no-key", 230},
		{"list-tiny-curve", "tiny-curve", 70},
	};
	size_t count = sizeof(lists) / sizeof(lists[0]);

	for (size_t i = 0; i < count; i++)
		all[i] = (struct odd_certificate){
			.name = lists[i].name,
			.chain = repeated(lists[i].of, lists[i].count),
		};
	return count;
}

void hostiles_use(void)
{
	static struct odd_certificate all[ODD_COUNT + 2 * DEEPEST + 8];
	size_t count = ODD_COUNT;

	memcpy(all, odds, sizeof(odds));
	count += add_deep(all + count, "deep", NULL);
	count += add_deep(all + count, "policy", add_policies);
	count += add_lists(all + count);
	odd_certificates_use(all, count);
}
