#include "probe_identities.h"

#include "certificates.h"
#include "verbs.h"

#include "policy.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define HOUR (60L * 60)
#define DAY  (24 * HOUR)

static const struct extension of_wrong_purpose[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "serverAuth"},
};

/* The name says in the server's own log whose certificates these were. */
#define NAME "cfshim probe"

/* What stands behind these two is what is sent: CA_COUNT of them sign, the others come. */
enum { IMITATION_CA, OTHER_CA, CA_COUNT };
static const struct certificate_plan plans[CA_COUNT + IDENTITY_COUNT] = {
	{"imitation-ca", NAME " CA", NULL, NULL, -HOUR, DAY, extensions_of_ca, NULL, NULL},
	{"other-ca", NAME " CA", NULL, NULL, -HOUR, DAY, extensions_of_ca, NULL, NULL},
	{"self-signed", NAME, NULL, NULL, -HOUR, DAY, extensions_of_client, NULL, NULL},
	{"of another CA", NAME, "other-ca", NULL, -HOUR, DAY, extensions_of_client, NULL, NULL},
	{"of a CA of that name", NAME, "imitation-ca", NULL, -HOUR, DAY, extensions_of_client, NULL,
	 NULL},
	{"the same, expired", NAME, "imitation-ca", NULL, -2 * DAY, -DAY, extensions_of_client,
	 NULL, NULL},
	{"the same, for servers", NAME, "imitation-ca", NULL, -HOUR, DAY, of_wrong_purpose, NULL,
	 NULL},
};
#define PLAN_COUNT (sizeof(plans) / sizeof(plans[0]))

/* The name of the CA that is built in. */
static X509_NAME *cloudflare_name(void)
{
	BIO *pem = BIO_new_mem_buf(cloudflare_origin_pull_ca, -1);
	X509 *ca = pem ? PEM_read_bio_X509(pem, NULL, NULL, NULL) : NULL;
	X509_NAME *name = ca ? X509_NAME_dup(X509_get_subject_name(ca)) : NULL;

	X509_free(ca);
	BIO_free(pem);
	return name;
}

/* The imitation and what it signed get the name, and are signed again. */
static bool imitate(struct certificate *made, X509_NAME *name)
{
	EVP_PKEY *key = made[IMITATION_CA].key;

	if (X509_set_subject_name(made[IMITATION_CA].x509, name) != 1)
		return false;
	for (size_t i = 0; i < PLAN_COUNT; i++) {
		const char *issuer = plans[i].issuer;

		if (i != IMITATION_CA &&
		    (issuer == NULL || strcmp(issuer, plans[IMITATION_CA].name) != 0))
			continue;
		if (X509_set_issuer_name(made[i].x509, name) != 1 ||
		    X509_sign(made[i].x509, key, EVP_sha256()) <= 0)
			return false;
	}
	return true;
}

/* With its CA behind it: to whoever trusts what is sent along, it is good. */
static bool take(struct identity *identity, size_t index, struct certificate *made)
{
	struct certificate *own = &made[index];
	struct certificate *ca = certificate_named(plans, PLAN_COUNT, made, plans[index].issuer);

	*identity = (struct identity){
		.who = plans[index].name,
		.leaf = own->x509,
		.chain = sk_X509_new_null(),
		.key = own->key,
	};
	own->x509 = NULL;
	own->key = NULL;
	if (identity->chain == NULL)
		return false;
	if (ca == NULL)
		return true;
	return X509_up_ref(ca->x509) == 1 && sk_X509_push(identity->chain, ca->x509) > 0;
}

bool identities_make(struct identity identities[IDENTITY_COUNT], X509_NAME *imitated)
{
	struct certificate made[PLAN_COUNT];
	X509_NAME *name = imitated ? X509_NAME_dup(imitated) : cloudflare_name();
	bool good = name != NULL && certificates_make(plans, PLAN_COUNT, made);

	memset(identities, 0, IDENTITY_COUNT * sizeof(*identities));
	if (good) {
		good = imitate(made, name);
		for (size_t i = 0; good && i < IDENTITY_COUNT; i++)
			good = take(&identities[i], CA_COUNT + i, made);
		certificates_free(made, PLAN_COUNT);
	}
	X509_NAME_free(name);
	if (!good)
		identities_clear(identities, IDENTITY_COUNT);
	return good;
}

bool identity_read(struct identity *identity, const char *certificate, const char *key)
{
	BIO *file = BIO_new_file(certificate, "r");
	BIO *key_file = BIO_new_file(key, "r");
	X509 *other;

	*identity = (struct identity){.who = "the certificate given", .chain = sk_X509_new_null()};
	identity->leaf = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
	while (identity->leaf != NULL && identity->chain != NULL &&
	       (other = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(identity->chain, other) == 0)
			X509_free(other);
	identity->key = key_file ? PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
	BIO_free(file);
	BIO_free(key_file);
	ERR_clear_error();
	if (identity->leaf == NULL)
		refuse(STATUS_BAD, "probe", "%s: no certificate can be read there", certificate);
	else if (identity->key == NULL)
		refuse(STATUS_BAD, "probe", "%s: no key can be read there", key);
	else if (X509_check_private_key(identity->leaf, identity->key) != 1)
		refuse(STATUS_BAD, "probe", "%s is not the key of %s", key, certificate);
	else
		return true;
	ERR_clear_error();
	identities_clear(identity, 1);
	return false;
}

void identities_clear(struct identity *identities, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		X509_free(identities[i].leaf);
		sk_X509_pop_free(identities[i].chain, X509_free);
		EVP_PKEY_free(identities[i].key);
		identities[i] = (struct identity){.who = NULL};
	}
}
