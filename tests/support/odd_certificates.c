#include "odd_certificates.h"

#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400L

static void must(int good, const struct odd_certificate *odd, const char *what)
{
	if (!good)
		fail_msg("the certificate %s: %s: %s", odd->name, what,
			 ERR_reason_error_string(ERR_peek_last_error()));
}

/* ---- what is there already ---- */

static FILE *open_file(const char *folder, const char *name, const char *ending, const char *mode)
{
	char path[PATH_MAX];
	FILE *file;

	text_format(path, sizeof(path), "%s/%s.%s", folder, name, ending);
	file = fopen(path, mode);
	if (file == NULL)
		fail_msg("cannot open %s", path);
	return file;
}

static X509 *certificate_named(const char *folder, const char *name)
{
	FILE *file = open_file(folder, name, "pem", "re");
	X509 *x509 = PEM_read_X509(file, NULL, NULL, NULL);

	fclose(file);
	if (x509 == NULL)
		fail_msg("cannot read the certificate %s", name);
	return x509;
}

static EVP_PKEY *key_named(const char *folder, const char *name)
{
	FILE *file = open_file(folder, name, "key", "re");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

	fclose(file);
	if (key == NULL)
		fail_msg("cannot read the key of %s", name);
	return key;
}

/* ---- keys ---- */

static EVP_PKEY *new_rsa_key(int bits)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	EVP_PKEY *key = NULL;

	if (EVP_PKEY_keygen_init(maker) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(maker, bits) != 1 || EVP_PKEY_keygen(maker, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(maker);
	return key;
}

static EVP_PKEY *new_ec_key(const char *curve)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (EVP_PKEY_keygen_init(maker) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, OBJ_sn2nid(curve)) != 1 ||
	    EVP_PKEY_keygen(maker, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(maker);
	return key;
}

static EVP_PKEY *new_ed25519_key(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
	EVP_PKEY *key = NULL;

	if (EVP_PKEY_keygen_init(maker) != 1 || EVP_PKEY_keygen(maker, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(maker);
	return key;
}

static EVP_PKEY *key_for(const struct odd_certificate *odd, const char *folder)
{
	char curve[32];
	int bits;

	if (odd->make_key != NULL)
		return odd->make_key();
	if (odd->key == NULL)
		return new_ec_key("prime256v1");
	if (sscanf(odd->key, "rsa %d", &bits) == 1)
		return new_rsa_key(bits);
	if (sscanf(odd->key, "ec %31s", curve) == 1)
		return new_ec_key(curve);
	if (strcmp(odd->key, "ed25519") == 0)
		return new_ed25519_key();
	return key_named(folder, odd->key);
}

/* ---- extensions ---- */

void odd_extension(X509 *x509, const char *oid, int critical, const void *bytes, size_t length)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 0);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;

	if (object != NULL && ASN1_OCTET_STRING_set(value, bytes, (int)length) == 1)
		extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, value);
	if (extension == NULL || X509_add_ext(x509, extension, -1) != 1)
		fail_msg("the extension %s cannot be added", oid);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void add_extensions(const struct odd_certificate *odd, X509 *x509, X509 *issuer)
{
	const char *line = odd->extensions ? odd->extensions : "";
	char name[64], value[512];
	int length;
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	for (; sscanf(line, " %63[^=]=%511[^\n]%n", name, value, &length) == 2; line += length) {
		X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, &context, name, value);

		must(extension != NULL && X509_add_ext(x509, extension, -1) == 1, odd, name);
		X509_EXTENSION_free(extension);
	}
}

/* ---- certificates ---- */

static void set_serial(X509 *x509)
{
	BIGNUM *number = BN_new();

	BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
	BN_free(number);
}

static void fill(const struct odd_certificate *odd, X509 *x509, X509 *issuer, EVP_PKEY *key)
{
	const char *subject = odd->subject ? odd->subject : odd->name;
	bool usual = odd->from_days == 0 && odd->until_days == 0;

	X509_set_version(x509, 2); /* v3 */
	set_serial(x509);
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
					(const unsigned char *)subject, -1, -1, 0),
	     odd, "its subject");
	X509_set_issuer_name(x509, X509_get_subject_name(issuer));
	X509_gmtime_adj(X509_getm_notBefore(x509), usual ? -DAY : odd->from_days * DAY);
	X509_gmtime_adj(X509_getm_notAfter(x509), usual ? 30 * DAY : odd->until_days * DAY);
	must(X509_set_pubkey(x509, key), odd, "its key");
	add_extensions(odd, x509, issuer);
	if (odd->touch != NULL)
		odd->touch(x509);
}

static void sign(const struct odd_certificate *odd, X509 *x509, EVP_PKEY *key, const char *folder)
{
	const char *signer = odd->signed_by ? odd->signed_by : odd->issuer;
	EVP_PKEY *signer_key = signer ? key_named(folder, signer) : key;
	const EVP_MD *digest = EVP_get_digestbyname(odd->digest ? odd->digest : "SHA256");

	if (EVP_PKEY_base_id(signer_key) == EVP_PKEY_ED25519)
		digest = NULL;
	must(X509_sign(x509, signer_key, digest) > 0, odd, "its signature");
	if (odd->spoil != NULL)
		odd->spoil(x509);
	if (signer != NULL)
		EVP_PKEY_free(signer_key);
}

/* All the certificates of the files of `names`. */
static void copy_chain(FILE *to, const char *names, const char *folder)
{
	char name[64];
	int length;

	for (; names != NULL && sscanf(names, " %63s%n", name, &length) == 1; names += length) {
		FILE *from = open_file(folder, name, "pem", "re");
		char bytes[4096];
		size_t count;

		while ((count = fread(bytes, 1, sizeof(bytes), from)) > 0)
			fwrite(bytes, 1, count, to);
		fclose(from);
	}
}

static void make(const struct odd_certificate *odd, const char *folder)
{
	X509 *x509 = X509_new();
	EVP_PKEY *key = key_for(odd, folder);
	X509 *issuer = odd->issuer ? certificate_named(folder, odd->issuer) : x509;
	FILE *file;

	must(x509 != NULL && key != NULL, odd, "a new key");
	fill(odd, x509, issuer, key);
	sign(odd, x509, key, folder);
	file = open_file(folder, odd->name, "pem", "we");
	must(PEM_write_X509(file, x509), odd, "its file");
	copy_chain(file, odd->chain, folder);
	fclose(file);
	file = open_file(folder, odd->name, "key", "we");
	must(PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), odd, "its key file");
	fclose(file);
	if (issuer != x509)
		X509_free(issuer);
	EVP_PKEY_free(key);
	X509_free(x509);
}

void odd_certificates_make(const struct odd_certificate *odds, size_t count, const char *folder)
{
	for (size_t i = 0; i < count; i++)
		make(&odds[i], folder);
}
