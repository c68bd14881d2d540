/* judge.c - is this chain one of the rule's clients? */
#include "trust_inside.h"

/* What Debian's own servers demand of a client's chain: 112 bits, so no RSA below 2048 and no SHA-1
 * signature. */
#define AUTH_LEVEL 2
/* Cloudflare's CA allows two intermediates below itself; OpenSSL does not count leaf and root. */
#define MOST_INTERMEDIATES 3

/* Of all the certificates that the client sent, together.  OpenSSL takes apart every extension of a
 * certificate that it looks at, and a stranger's may have ten thousand names. */
#define MOST_EXTENSIONS      64
#define MOST_EXTENSION_BYTES (4 << 10)

struct extensions {
	int count, bytes;
};

/* The words of an X509_verify_cert that failed, as reasons of ours.  "OK" beside a failure (it was
 * below 0: no memory) is no admission. */
static enum reason reason_of_error(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* a CA of the same name, another key */
		return REASON_UNTRUSTED_ISSUER;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return REASON_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return REASON_NOT_YET_VALID;
	case X509_V_ERR_INVALID_PURPOSE:
		return REASON_WRONG_PURPOSE;
	case X509_V_ERR_CERT_REVOKED:
		return REASON_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		return REASON_NO_CRL;
	case X509_V_OK:
	case X509_V_ERR_OUT_OF_MEM:
	case X509_V_ERR_UNSPECIFIED:
		return REASON_INTERNAL;
	default:
		return REASON_BAD_CERTIFICATE;
	}
}

/* Cleared and set after init: X509_STORE_CTX_init() has taken over the process-wide "default"
 * parameters, in which a host may have put NO_CHECK_TIME or PARTIAL_CHAIN. */
static bool set_parameters(const struct libcrypto *libcrypto, X509_STORE_CTX *context,
			   bool needs_lists)
{
	X509_VERIFY_PARAM *parameters = libcrypto->X509_STORE_CTX_get0_param(context);

	if (parameters == NULL)
		return false;
	/* enforces own-flags */
	if (libcrypto->X509_VERIFY_PARAM_clear_flags(
		    parameters, libcrypto->X509_VERIFY_PARAM_get_flags(parameters)) != 1)
		return false;
	if (libcrypto->X509_VERIFY_PARAM_set_flags(
		    parameters, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) != 1)
		return false;
	/* enforces crl */
	if (needs_lists &&
	    libcrypto->X509_VERIFY_PARAM_set_flags(
		    parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
		return false;
	/* enforces purpose */
	if (libcrypto->X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) != 1)
		return false;
	/* enforces depth */
	libcrypto->X509_VERIFY_PARAM_set_depth(parameters, MOST_INTERMEDIATES);
	/* enforces auth-level */
	libcrypto->X509_VERIFY_PARAM_set_auth_level(parameters, AUTH_LEVEL);
	return true;
}

/* Again, by ourselves: a host can redefine the purpose "SSL client" for the whole process, and what
 * the clock says does not depend on any flag.  A leaf without an extended key usage is one of
 * Cloudflare's own recipe; one with it must allow it. */
static enum reason check_by_ourselves(const struct libcrypto *libcrypto, X509_STORE_CTX *context,
				      X509 *leaf)
{
	STACK_OF(X509) *chain = libcrypto->X509_STORE_CTX_get0_chain(context);
	uint32_t usage = libcrypto->X509_get_extended_key_usage(leaf);
	int count = chain ? libcrypto_stack_count(libcrypto, chain) : 0;

	/* enforces own-ca */
	if (count < 2)
		return REASON_UNTRUSTED_ISSUER;
	/* enforces own-dates, as own-flags does */
	for (int i = 0; i < count; i++) {
		const X509 *certificate = libcrypto_stack_at(libcrypto, chain, i);

		if (libcrypto->X509_cmp_current_time(libcrypto->X509_get0_notBefore(certificate)) >=
		    0)
			return REASON_NOT_YET_VALID;
		if (libcrypto->X509_cmp_current_time(libcrypto->X509_get0_notAfter(certificate)) <=
		    0)
			return REASON_EXPIRED;
	}
	/* enforces own-usage */
	if (usage != UINT32_MAX && (usage & XKU_SSL_CLIENT) == 0)
		return REASON_WRONG_PURPOSE;
	return REASON_NONE;
}

static void add_extensions(const struct libcrypto *libcrypto, const X509 *certificate,
			   struct extensions *sum)
{
	int count = libcrypto->X509_get_ext_count(certificate);

	sum->count += count;
	for (int i = 0; i < count && sum->count <= MOST_EXTENSIONS; i++)
		sum->bytes += libcrypto->ASN1_STRING_length(libcrypto->X509_EXTENSION_get_data(
			libcrypto->X509_get_ext(certificate, i)));
}

/* The client's list, in which its own certificate may stand again. */
static bool is_too_much(const struct libcrypto *libcrypto, X509 *leaf, STACK_OF(X509) * sent)
{
	int count = sent ? libcrypto_stack_count(libcrypto, sent) : 0;
	struct extensions sum = {0, 0};

	add_extensions(libcrypto, leaf, &sum);
	for (int i = 0; i < count; i++)
		if (libcrypto_stack_at(libcrypto, sent, i) != leaf)
			add_extensions(libcrypto, libcrypto_stack_at(libcrypto, sent, i), &sum);
	return sum.count > MOST_EXTENSIONS || sum.bytes > MOST_EXTENSION_BYTES;
}

/* The last certificate of the chain is trusted because the policy says so: a list of a CA above it
 * need not be there, and could not be verified.  All below it have passed theirs by then. */
static bool only_anchor_lacks_list(const struct libcrypto *libcrypto, X509_STORE_CTX *context)
{
	STACK_OF(X509) *chain = libcrypto->X509_STORE_CTX_get0_chain(context);
	int error = libcrypto->X509_STORE_CTX_get_error(context);
	int depth = libcrypto->X509_STORE_CTX_get_error_depth(context);

	return reason_of_error(error) == REASON_NO_CRL && depth > 0 && chain != NULL &&
	       depth == libcrypto_stack_count(libcrypto, chain) - 1;
}

/* `again`: it passes, but for a list of a CA above those that are trusted. */
static enum reason verify(const struct libcrypto *libcrypto, const struct trust *trust, X509 *leaf,
			  STACK_OF(X509) * intermediates, bool needs_lists, bool *again)
{
	X509_STORE_CTX *context = libcrypto->X509_STORE_CTX_new();
	enum reason reason = REASON_INTERNAL;

	if (context != NULL &&
	    libcrypto->X509_STORE_CTX_init(context, trust->store, leaf, intermediates) == 1 &&
	    set_parameters(libcrypto, context, needs_lists)) {
		if (libcrypto->X509_verify_cert(context) == 1) {
			reason = check_by_ourselves(libcrypto, context, leaf);
		} else {
			reason = reason_of_error(libcrypto->X509_STORE_CTX_get_error(context));
			*again = only_anchor_lacks_list(libcrypto, context);
		}
	}
	libcrypto->X509_STORE_CTX_free(context);
	return reason;
}

enum reason trust_judge(const struct libcrypto *libcrypto, const struct trust *trust, X509 *leaf,
			STACK_OF(X509) * intermediates)
{
	bool has_lists = trust->rule->crl_count > 0, again = false;
	enum reason reason;

	if (is_too_much(libcrypto, leaf, intermediates))
		return REASON_BAD_CERTIFICATE;
	libcrypto->ERR_set_mark();
	reason = verify(libcrypto, trust, leaf, intermediates, has_lists, &again);
	/* The signatures and dates were not looked at yet. */
	if (has_lists && again)
		reason = verify(libcrypto, trust, leaf, intermediates, false, &again);
	/* enforces client-cert */
	if (reason == REASON_NONE && !pins_match(libcrypto, trust->rule, leaf))
		reason = REASON_CLIENT_MISMATCH;
	libcrypto->ERR_pop_to_mark();
	return reason;
}
