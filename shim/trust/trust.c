#include "trust_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPIRY_WARNING_DAYS 180

/* Where a load is: what each step needs, so that the steps take one argument. */
struct loading {
	const struct libcrypto *libcrypto;
	const struct policy *policy;
	struct complaints *complaints;
	const struct ca_source *source;
	struct trust *trust;
	size_t accepted;   /* CA certificates so far */
	size_t expired;    /* of those: already expired */
	bool expired_here; /* one of this source is */
};

static void complain_here(struct loading *loading, enum severity severity, const char *what)
{
	const struct ca_source *source = loading->source;
	const char *path = source->path ? source->path : "cloudflare";

	complain(loading->complaints, severity, source->at,
		 policy_source_line(loading->policy, source->at.line), "%s: %s", path, what);
}

/* A stranger's may be as long as its list, and OpenSSL spends thousands of instructions on each
 * byte: no honest one is longer than a line of the log has room for. */
#define NAME_MAX_BYTES 512

void name_print(const struct libcrypto *libcrypto, const X509_NAME *name, char *buffer, size_t size)
{
	BIO *memory;
	char *text = NULL;
	long length = 0;
	size_t der_length = 0;

	buffer[0] = '\0';
	/* Not const in 1.1.1. */
	if (libcrypto->X509_NAME_get0_der((X509_NAME *)(uintptr_t)name, NULL, &der_length) != 1 ||
	    der_length > NAME_MAX_BYTES)
		return;
	memory = libcrypto->BIO_new(libcrypto->BIO_s_mem());
	if (memory == NULL)
		return;
	/* XN_FLAG_RFC2253 escapes control and non-ASCII bytes; the length is the certificate's, so
	 * bound the copy. */
	if (libcrypto->X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253) >= 0)
		length = libcrypto->BIO_ctrl(memory, BIO_CTRL_INFO, 0, &text);
	if (length > 0 && text != NULL) {
		size_t kept = (size_t)length < size - 1 ? (size_t)length : size - 1;

		memcpy(buffer, text, kept);
		buffer[kept] = '\0';
	}
	libcrypto->BIO_free(memory);
}

int days_left(const struct libcrypto *libcrypto, const X509 *certificate)
{
	int days = 0, seconds = 0;

	if (libcrypto->ASN1_TIME_diff(&days, &seconds, NULL,
				      libcrypto->X509_get0_notAfter(certificate)) != 1)
		return -1;
	return seconds < 0 && days == 0 ? -1 : days;
}

long seconds_left(const struct libcrypto *libcrypto, const X509 *certificate)
{
	enum { MONTH = 31, DAY_SECONDS = 24 * 60 * 60 };
	int days = 0, seconds = 0;

	if (libcrypto->ASN1_TIME_diff(&days, &seconds, NULL,
				      libcrypto->X509_get0_notAfter(certificate)) != 1 ||
	    days < 0 || seconds < 0)
		return 0;
	return days < MONTH ? (long)days * DAY_SECONDS + seconds : (long)MONTH * DAY_SECONDS;
}

int64_t trust_expires(const struct libcrypto *libcrypto, const struct trust *trust)
{
	enum { DAY_SECONDS = 24 * 60 * 60 };
	int64_t now = time(NULL), first = 0;

	for (size_t i = 0; i < trust->ca_count; i++) {
		int days = 0, seconds = 0;
		int64_t expires;

		if (libcrypto->ASN1_TIME_diff(&days, &seconds, NULL,
					      libcrypto->X509_get0_notAfter(trust->ca[i])) != 1 ||
		    days < 0 || seconds < 0)
			continue;
		expires = now + (int64_t)days * DAY_SECONDS + seconds;
		if (first == 0 || expires < first)
			first = expires;
	}
	return first;
}

/* The well-known mix-up: Cloudflare's Origin *CA* root issues certificates for servers, not the
 * edge's. */
static bool is_origin_ca_root(const char *subject)
{
	return strstr(subject, "CloudFlare Origin SSL") != NULL;
}

static bool is_expired(const struct libcrypto *libcrypto, const X509 *certificate)
{
	return libcrypto->X509_cmp_current_time(libcrypto->X509_get0_notAfter(certificate)) <= 0;
}

static bool keep_ca(struct loading *loading, X509 *certificate)
{
	struct trust *trust = loading->trust;
	X509 **grown = realloc(trust->ca, (trust->ca_count + 1) * sizeof(X509 *));

	if (grown == NULL)
		return false;
	trust->ca = grown;
	if (loading->libcrypto->X509_STORE_add_cert(trust->store, certificate) != 1 ||
	    loading->libcrypto->X509_up_ref(certificate) != 1)
		return false;
	trust->ca[trust->ca_count++] = certificate;
	return true;
}

/* One certificate of a file: in, with its warnings, or an error.  False ends the file. */
static bool add_certificate(struct loading *loading, X509 *certificate)
{
	const struct libcrypto *libcrypto = loading->libcrypto;
	char subject[256], what[400];
	int days;

	name_print(libcrypto, libcrypto->X509_get_subject_name(certificate), subject,
		   sizeof(subject));
	if (libcrypto->X509_check_ca(certificate) == 0) {
		snprintf(what, sizeof(what), "%s is not a CA certificate, and is not trusted",
			 subject);
		complain_here(loading, SEVERITY_WARNING, what);
		return true;
	}
	if (libcrypto->X509_get0_pubkey(certificate) == NULL) {
		snprintf(what, sizeof(what),
			 "the key of %s is of a kind that this OpenSSL does not know", subject);
		complain_here(loading, SEVERITY_ERROR, what);
		return false;
	}
	if (is_origin_ca_root(subject)) {
		snprintf(what, sizeof(what),
			 "%s is Cloudflare's Origin CA, which signs servers' certificates; the "
			 "edge's are signed by the "
			 "origin-pull CA: write cloudflare",
			 subject);
		complain_here(loading, SEVERITY_WARNING, what);
	}
	days = days_left(libcrypto, certificate);
	if (is_expired(libcrypto, certificate)) {
		loading->expired++;
		loading->expired_here = true;
	} else if (days < EXPIRY_WARNING_DAYS) {
		snprintf(what, sizeof(what), "%s expires in %d days", subject, days);
		complain_here(loading, SEVERITY_WARNING, what);
	}
	loading->accepted++;
	if (keep_ca(loading, certificate))
		return true;
	complain_here(loading, SEVERITY_ERROR, "the certificate cannot be kept: no memory");
	return false;
}

/* A certificate needs no password, and the host's terminal is not ours to ask at. */
/* NOLINTNEXTLINE(readability-non-const-parameter): pem_password_cb */
static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return 0;
}

/* Read every CERTIFICATE block; what is wrong with one is an error, what stands between them is not
 * looked at. */
static bool read_certificates(struct loading *loading, const char *bytes, size_t length)
{
	const struct libcrypto *libcrypto = loading->libcrypto;
	BIO *memory = libcrypto->BIO_new_mem_buf(bytes, (int)length);
	X509 *certificate = NULL;
	bool good = memory != NULL;

	while (good && (certificate = libcrypto->PEM_read_bio_X509(memory, NULL, no_password,
								   NULL)) != NULL) {
		good = add_certificate(loading, certificate);
		libcrypto->X509_free(certificate);
	}
	if (good &&
	    libcrypto_error_reason(libcrypto->ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		complain_here(loading, SEVERITY_ERROR, "a CERTIFICATE block cannot be read");
		good = false;
	}
	if (memory != NULL)
		libcrypto->BIO_free(memory);
	return good;
}

static bool load_source(struct loading *loading, const char *bytes, size_t length)
{
	size_t before = loading->accepted;

	loading->expired_here = false;
	if (!read_certificates(loading, bytes, length))
		return false;
	if (loading->accepted > before)
		return true;
	complain_here(loading, SEVERITY_ERROR,
		      "no CA certificate in it; a PEM file with at least one is needed");
	return false;
}

/* An expired CA beside a valid one of the same rule is a warning; alone, an error. */
static bool judge_expiry(struct loading *loading, const struct rule *rule, const bool *expired)
{
	bool any_valid = loading->expired < loading->accepted;

	for (size_t i = 0; i < rule->ca_count; i++) {
		loading->source = &rule->ca[i];
		if (expired[i])
			complain_here(loading, any_valid ? SEVERITY_WARNING : SEVERITY_ERROR,
				      any_valid ? "a CA certificate in it has expired; the others "
						  "count"
						: "every CA certificate in it has expired");
	}
	return any_valid;
}

/* Every source, even after a bad one, so that one look finds all that is wrong. */
static bool load_sources(struct loading *loading, const struct rule *rule,
			 const struct ca_text *texts)
{
	bool *expired = calloc(rule->ca_count, sizeof(*expired));
	bool good = expired != NULL;

	for (size_t i = 0; expired != NULL && i < rule->ca_count; i++) {
		const char *bytes = cloudflare_origin_pull_ca;
		size_t length = strlen(bytes);

		loading->source = &rule->ca[i];
		if (loading->source->path != NULL) {
			bytes = texts[i].bytes;
			length = texts[i].length;
		}
		good = load_source(loading, bytes, length) && good;
		expired[i] = loading->expired_here;
	}
	good = good && judge_expiry(loading, rule, expired);
	free(expired);
	return good;
}

static bool load_all(struct loading *loading, const struct rule *rule, const struct ca_text *texts)
{
	loading->trust->rule = rule;
	loading->trust->store = loading->libcrypto->X509_STORE_new();
	return loading->trust->store != NULL && load_sources(loading, rule, texts) &&
	       crls_load(loading->libcrypto, loading->policy, loading->trust,
			 texts + rule->ca_count, loading->complaints) &&
	       trust_take_digest(loading->libcrypto, texts, loading->trust);
}

struct trust *trust_load(const struct libcrypto *libcrypto, const struct policy *policy,
			 const struct rule *rule, const struct ca_text *texts,
			 struct complaints *complaints)
{
	struct trust *trust = calloc(1, sizeof(*trust));
	struct loading loading = {
		.libcrypto = libcrypto,
		.policy = policy,
		.complaints = complaints,
		.source = rule->ca,
		.trust = trust,
	};
	size_t errors = complaints->errors;
	bool good;

	libcrypto->ERR_set_mark();
	good = trust != NULL && load_all(&loading, rule, texts);
	libcrypto->ERR_pop_to_mark();
	if (good)
		return trust;
	if (complaints->errors == errors) /* cppcheck-suppress knownConditionTrueFalse */
		complain_here(&loading, SEVERITY_ERROR,
			      "the CAs cannot be loaded: no memory, or OpenSSL failed");
	trust_free(libcrypto, trust);
	return NULL;
}

void trust_free(const struct libcrypto *libcrypto, struct trust *trust)
{
	if (trust == NULL)
		return;
	for (size_t i = 0; i < trust->ca_count; i++)
		libcrypto->X509_free(trust->ca[i]);
	free(trust->ca);
	if (trust->store != NULL)
		libcrypto->X509_STORE_free(trust->store);
	free(trust);
}

bool trust_signed(const struct libcrypto *libcrypto, const struct trust *trust, X509 *leaf)
{
	for (size_t i = 0; i < trust->ca_count; i++)
		if (libcrypto->X509_check_issued(trust->ca[i], leaf) == X509_V_OK)
			return true;
	return false;
}

const unsigned char *trust_digest(const struct trust *trust)
{
	return trust->digest;
}

size_t trust_ca_count(const struct trust *trust)
{
	return trust->ca_count;
}

X509 *trust_ca(const struct trust *trust, size_t index)
{
	return trust->ca[index];
}
