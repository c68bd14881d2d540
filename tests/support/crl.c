#include "crl.h"

#include "credentials.h"
#include "test.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS (24L * 60 * 60)

static X509 *read_certificate(const char *name)
{
	FILE *file = fopen(certificate_file(name), "re");
	X509 *read = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (read == NULL)
		fail_msg("cannot read the certificate %s", name);
	fclose(file);
	return read;
}

static EVP_PKEY *read_key(const char *name)
{
	FILE *file = fopen(certificate_key(name), "re");
	EVP_PKEY *read = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (read == NULL)
		fail_msg("cannot read the key of %s", name);
	fclose(file);
	return read;
}

static void revoke(X509_CRL *list, const char *name, ASN1_TIME *since)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	X509 *x509 = read_certificate(name);

	if (X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(x509)) != 1 ||
	    X509_REVOKED_set_revocationDate(entry, since) != 1 ||
	    X509_CRL_add0_revoked(list, entry) != 1)
		fail_msg("cannot revoke %s", name);
	X509_free(x509);
}

static X509_CRL *make(const struct crl *plan)
{
	const long until = plan->from_days == 0 && plan->until_days == 0 ? 30 : plan->until_days;
	const long from = plan->from_days == 0 && plan->until_days == 0 ? -1 : plan->from_days;
	ASN1_TIME *begin = X509_gmtime_adj(NULL, from * DAY_SECONDS);
	ASN1_TIME *end = X509_gmtime_adj(NULL, until * DAY_SECONDS);
	EVP_PKEY *key = read_key(plan->signed_by ? plan->signed_by : plan->issuer);
	X509 *issuer = read_certificate(plan->issuer);
	X509_CRL *list = X509_CRL_new();
	char names[256], *rest = names, *name;

	snprintf(names, sizeof(names), "%s", plan->revoked ? plan->revoked : "");
	X509_CRL_set_version(list, 1);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(list, begin);
	X509_CRL_set1_nextUpdate(list, end);
	while ((name = strsep(&rest, " ")) != NULL)
		if (*name != '\0')
			revoke(list, name, begin);
	if (plan->touch != NULL)
		plan->touch(list);
	X509_CRL_sort(list);
	if (X509_CRL_sign(list, key, EVP_sha256()) <= 0)
		fail_msg("cannot sign the list of %s", plan->issuer);
	ASN1_TIME_free(begin);
	ASN1_TIME_free(end);
	EVP_PKEY_free(key);
	X509_free(issuer);
	return list;
}

void crl_write(const char *path, const struct crl *lists, size_t count)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		fail_msg("cannot write %s", path);
	for (size_t i = 0; i < count; i++) {
		X509_CRL *list = make(&lists[i]);

		if (PEM_write_X509_CRL(file, list) != 1)
			fail_msg("cannot write %s", path);
		X509_CRL_free(list);
	}
	fclose(file);
}
