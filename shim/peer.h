/* peer.h - who the client proved to be: by the certificate of this handshake, or by the one that a
 * resumed session brings back.
 * A worker of connection.c.
 */
#ifndef CFSHIM_PEER_H
#define CFSHIM_PEER_H

#include "openssl.h"
#include "rules.h"

/* All zero: nobody yet. */
struct peer {
	X509 *leaf;         /* what was judged last; a reference */
	int sent;           /* how many certificates came, with it */
	bool verified;      /* it has passed, in this very handshake */
	enum reason reason; /* or this is why it has not */
};

/* The certificate has come: REASON_NONE, or why it does not do. */
enum reason peer_verify(const struct openssl *openssl, struct peer *peer, const struct rules *rules,
			X509 *leaf, STACK_OF(X509) * intermediates);

/* It has passed, and the session of this handshake may be kept: as long as the certificate lasts,
 * and only where it can be verified again without the intermediates, which no session keeps. */
void peer_keep_session(const struct openssl *openssl, SSL *ssl, const struct peer *peer,
		       const struct rules *rules);

/* This session is not to be resumed, whoever keeps it. */
void peer_spoil_session(const struct openssl *openssl, SSL *ssl);

/* Nor has the host seen the certificate in it. */
void peer_bury_session(const struct openssl *openssl, SSL *ssl);

/* The handshake has ended: REASON_NONE where a certificate of `rules` was verified in it, or,
 * where sessions are `resumable`, in the one that is resumed, and holds now. */
enum reason peer_judge(const struct openssl *openssl, SSL *ssl, struct peer *peer,
		       const struct rules *rules, bool resumable);

void peer_forget(const struct openssl *openssl, struct peer *peer);

#endif
