#include "peer.h"

#include "hello.h"
#include "trust/trust.h"

#include <string.h>

/* libssl's list begins with the leaf, until that is taken off it. */
static int count_sent(const struct libcrypto *libcrypto, const X509 *leaf,
		      STACK_OF(X509) * intermediates)
{
	int count = intermediates ? libcrypto_stack_count(libcrypto, intermediates) : 0;

	return count > 0 && libcrypto_stack_at(libcrypto, intermediates, 0) == leaf ? count
										    : count + 1;
}

enum reason peer_verify(const struct openssl *openssl, struct peer *peer, const struct rules *rules,
			X509 *leaf, STACK_OF(X509) * intermediates)
{
	enum reason reason = rules_judge(rules, &openssl->crypto, leaf, intermediates);

	peer_forget(openssl, peer);
	if (openssl->crypto.X509_up_ref(leaf) != 1)
		return REASON_INTERNAL;
	peer->leaf = leaf;
	peer->sent = count_sent(&openssl->crypto, leaf, intermediates);
	peer->verified = reason == REASON_NONE;
	peer->reason = reason;
	return reason;
}

void peer_forget(const struct openssl *openssl, struct peer *peer)
{
	if (peer->leaf != NULL)
		openssl->crypto.X509_free(peer->leaf);
	*peer = (struct peer){0};
}

/* ---- sessions ---- */

void peer_spoil_session(const struct openssl *openssl, SSL *ssl)
{
	static const unsigned char nobodys[] = "not to be resumed";

	openssl->SSL_SESSION_set1_id_context(openssl->SSL_get_session(ssl), nobodys,
					     sizeof(nobodys) - 1);
}

void peer_bury_session(const struct openssl *openssl, SSL *ssl)
{
	unsigned char digest[TRUST_DIGEST_BYTES];

	rules_digest_of_none(digest);
	openssl->SSL_SESSION_set1_id_context(openssl->SSL_get_session(ssl), digest, sizeof(digest));
}

void peer_keep_session(const struct openssl *openssl, SSL *ssl, const struct peer *peer,
		       const struct rules *rules)
{
	SSL_SESSION *session = openssl->SSL_get_session(ssl);
	long left = seconds_left(&openssl->crypto, peer->leaf);

	if (!trust_signed(&openssl->crypto, rules->one->trust, peer->leaf)) {
		peer_bury_session(openssl, ssl);
		return;
	}
	if (openssl->SSL_SESSION_get_timeout(session) > left)
		openssl->SSL_SESSION_set_timeout(session, left);
}

/* A host's ticket callback can have libssl take a session of another context; a session holds no
 * intermediates. */
static enum reason judge_resumed(const struct openssl *openssl, SSL *ssl, struct peer *peer,
				 const struct rules *rules, X509 *leaf)
{
	unsigned char digest[TRUST_DIGEST_BYTES];
	const unsigned char *context;
	unsigned length = 0;

	rules_digest(rules, digest);
	context = openssl->SSL_SESSION_get0_id_context(openssl->SSL_get_session(ssl), &length);
	/* enforces session-of-this-rule */
	if (length != sizeof(digest) || memcmp(context, digest, sizeof(digest)) != 0)
		return REASON_RESUMED_UNVERIFIED;
	return peer_verify(openssl, peer, rules, leaf, NULL);
}

/* ---- the end ---- */

/* A reference.  Not by SSL_get1_peer_certificate(): Debian's calls SSL_get0_peer_certificate() by
 * name, and that is the door which hides the certificate from the host. */
static X509 *certificate_of(const struct openssl *openssl, const SSL *ssl)
{
	X509 *leaf;

	if (openssl->SSL_get0_peer_certificate == NULL)
		return openssl->SSL_get_peer_certificate(ssl);
	leaf = openssl->SSL_get0_peer_certificate(ssl);
	return leaf != NULL && openssl->crypto.X509_up_ref(leaf) == 1 ? leaf : NULL;
}

static enum reason reason_without_certificate(const struct openssl *openssl, const SSL *ssl)
{
	const SSL_CIPHER *cipher = openssl->SSL_get_current_cipher(ssl);

	if (openssl->SSL_session_reused(ssl))
		return REASON_RESUMED_UNVERIFIED;
	if (cipher != NULL && suite_lacks_certificate(openssl, cipher))
		return REASON_NO_CERTIFICATE_CIPHER;
	return REASON_NO_CERTIFICATE;
}

/* What libssl's own result says counts for nothing: it is "OK" where no certificate came at all. */
enum reason peer_judge(const struct openssl *openssl, SSL *ssl, struct peer *peer,
		       const struct rules *rules, bool resumable)
{
	bool resumed = openssl->SSL_session_reused(ssl) != 0;
	X509 *leaf = certificate_of(openssl, ssl);
	enum reason reason;

	if (leaf == NULL)
		return reason_without_certificate(openssl, ssl);
	if (peer->leaf != NULL && openssl->X509_cmp(peer->leaf, leaf) == 0)
		reason = peer->reason;
	else if (resumed)
		reason = resumable ? judge_resumed(openssl, ssl, peer, rules, leaf)
				   : REASON_RESUMED_UNVERIFIED;
	else /* the host's own callback stood in the place of ours */
		reason = peer_verify(openssl, peer, rules, leaf,
				     openssl->SSL_get_peer_cert_chain(ssl));
	openssl->crypto.X509_free(leaf);
	return reason;
}
