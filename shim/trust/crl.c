/* crl.c - the lists of revoked certificates that a rule names. */
#include "trust_inside.h"

#include <stdio.h>

/* Where a list is read from, for complaints. */
struct reading {
	const struct libcrypto *libcrypto;
	const struct trust *trust;
	const struct policy *policy;
	const struct ca_source *source;
	struct complaints *complaints;
	size_t lists;
};

static void complain_here(const struct reading *reading, enum severity severity, const char *what)
{
	const struct position at = reading->source->at;

	complain(reading->complaints, severity, at, policy_source_line(reading->policy, at.line),
		 "%s: %s", reading->source->path, what);
}

static bool add_list(struct reading *reading, X509_CRL *list)
{
	const struct libcrypto *libcrypto = reading->libcrypto;
	const ASN1_TIME *until = libcrypto->X509_CRL_get0_nextUpdate(list);
	char issuer[256], what[400];

	reading->lists++;
	/* libssl would take it for a whole one. */
	if (libcrypto->X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0) {
		complain_here(reading, SEVERITY_ERROR,
			      "a delta CRL, which has only changes; a whole list is needed");
		return false;
	}
	if (until == NULL || libcrypto->X509_cmp_current_time(until) <= 0) {
		name_print(libcrypto, libcrypto->X509_CRL_get_issuer(list), issuer, sizeof(issuer));
		snprintf(what, sizeof(what),
			 until ? "the list of %s has expired: the certificates of that CA are "
				 "refused"
			       : "the list of %s has no date for the next one: it counts for ever",
			 issuer);
		complain_here(reading, SEVERITY_WARNING, what);
	}
	if (libcrypto->X509_STORE_add_crl(reading->trust->store, list) == 1)
		return true;
	complain_here(reading, SEVERITY_ERROR, "the list cannot be kept: no memory");
	return false;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): pem_password_cb */
static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return 0;
}

static bool read_lists(struct reading *reading, const struct ca_text *text)
{
	const struct libcrypto *libcrypto = reading->libcrypto;
	BIO *memory = libcrypto->BIO_new_mem_buf(text->bytes, (int)text->length);
	bool good = memory != NULL;
	X509_CRL *list = NULL;

	while (good &&
	       (list = libcrypto->PEM_read_bio_X509_CRL(memory, NULL, no_password, NULL)) != NULL) {
		good = add_list(reading, list);
		libcrypto->X509_CRL_free(list);
	}
	if (good &&
	    libcrypto_error_reason(libcrypto->ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		complain_here(reading, SEVERITY_ERROR, "an X509 CRL block cannot be read");
		good = false;
	}
	if (memory != NULL)
		libcrypto->BIO_free(memory);
	return good;
}

bool crls_load(const struct libcrypto *libcrypto, const struct policy *policy, struct trust *trust,
	       const struct ca_text *texts, struct complaints *complaints)
{
	const struct rule *rule = trust->rule;
	bool good = true;

	for (size_t i = 0; i < rule->crl_count; i++) {
		struct reading reading = {.libcrypto = libcrypto,
					  .trust = trust,
					  .policy = policy,
					  .source = &rule->crl[i],
					  .complaints = complaints};

		good = read_lists(&reading, &texts[i]) && good;
		if (good && reading.lists == 0) {
			complain_here(&reading, SEVERITY_ERROR,
				      "no CRL in it; a PEM file with at least one is needed");
			good = false;
		}
	}
	return good;
}
