#include "certificates.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SERIAL_BITS 128

const struct extension extensions_of_ca[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:TRUE"},
	{NID_key_usage, "critical,keyCertSign,cRLSign"},
	{NID_subject_key_identifier, "hash"},
};
const struct extension extensions_of_client[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "clientAuth"},
};

/* By the interface that OpenSSL 1.1.1 has too. */
static EVP_PKEY *make_key(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (context == NULL || EVP_PKEY_keygen_init(context) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) != 1 ||
	    EVP_PKEY_keygen(context, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

static bool set_serial(X509 *x509)
{
	BIGNUM *number = BN_new();
	bool good = number != NULL &&
		    BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
		    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;

	BN_free(number);
	return good;
}

static bool set_subject(X509 *x509, const char *common_name)
{
	const unsigned char *text = (const unsigned char *)common_name;

	return X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, text,
					  -1, -1, 0) == 1;
}

/* In the plan's order: the subject's key identifier must stand before an authority's that copies
 * it. */
static bool add_extensions(X509 *x509, X509 *issuer, const struct extension *extensions)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	for (size_t i = 0; i < EXTENSIONS_MAX && extensions[i].nid != NID_undef; i++) {
		X509_EXTENSION *extension =
			X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
		bool good = extension != NULL && X509_add_ext(x509, extension, -1) == 1;

		X509_EXTENSION_free(extension);
		if (!good)
			return false;
	}
	return true;
}

/* `issuer` NULL: signed with its own key. */
static bool make_certificate(const struct certificate_plan *plan, const struct certificate *issuer,
			     struct certificate *made)
{
	X509 *x509 = made->x509 = X509_new();

	if (issuer == NULL)
		issuer = made;
	return x509 != NULL && made->key != NULL && X509_set_version(x509, 2) == 1 && /* 2 is v3 */
	       set_serial(x509) && set_subject(x509, plan->common_name) &&
	       X509_set_issuer_name(x509, X509_get_subject_name(issuer->x509)) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(x509), plan->from_seconds) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(x509), plan->until_seconds) != NULL &&
	       X509_set_pubkey(x509, made->key) == 1 &&
	       add_extensions(x509, issuer->x509, plan->extensions) &&
	       X509_sign(x509, issuer->key, EVP_sha256()) > 0;
}

struct certificate *certificate_named(const struct certificate_plan *plans, size_t count,
				      struct certificate *made, const char *name)
{
	for (size_t i = 0; i < count && name != NULL; i++)
		if (strcmp(plans[i].name, name) == 0)
			return &made[i];
	return NULL;
}

static EVP_PKEY *share_key(const struct certificate *owner)
{
	return owner != NULL && EVP_PKEY_up_ref(owner->key) == 1 ? owner->key : NULL;
}

bool certificates_make(const struct certificate_plan *plans, size_t count, struct certificate *made)
{
	bool good = true;

	memset(made, 0, count * sizeof(*made));
	for (size_t i = 0; good && i < count; i++) {
		const struct certificate_plan *plan = &plans[i];
		const struct certificate *issuer = certificate_named(plans, i, made, plan->issuer);

		made[i].key = plan->key_of == NULL
				      ? make_key()
				      : share_key(certificate_named(plans, i, made, plan->key_of));
		good = (plan->issuer == NULL || issuer != NULL) &&
		       make_certificate(plan, issuer, &made[i]);
	}
	if (!good)
		certificates_free(made, count);
	return good;
}

void certificates_free(struct certificate *made, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		X509_free(made[i].x509);
		EVP_PKEY_free(made[i].key);
	}
	memset(made, 0, count * sizeof(*made));
}
