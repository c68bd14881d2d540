/* refuse.h - what makes a refusal final, and what the client sees of it.
 * Workers of connection.c: they look at one SSL and its socket, and keep nothing.
 */
#ifndef CFSHIM_REFUSE_H
#define CFSHIM_REFUSE_H

#include "endpoint.h"
#include "journal.h"
#include "openssl.h"

/* The X509_V_ERR that makes libssl send the alert that DESIGN's table has for `reason`. */
int refuse_verify_error(enum reason reason);

/* The alert for a refusal at the ClientHello, the first or the second of its handshake, and whether
 * that is one of what is no TLS of ours, to which no alert is sent. */
int refuse_hello_alert(enum reason reason, bool is_second);
bool refuse_says_nothing(enum reason reason);

/* The reason behind a handshake that failed in libssl before there was a certificate to verify;
 * REASON_NONE where it was none of the shim's making. */
enum reason refuse_reason_of_failure(const struct openssl *openssl, bool suites_taken);

/* The same for OpenSSL's QUIC, which keeps its errors to itself: from the alert. */
enum reason refuse_reason_of_alert(int alert);

/* No alert leaves while muted: libssl takes a close_notify for sent (s3_msg.c, ssl3_send_alert). */
void refuse_mute(const struct openssl *openssl, SSL *ssl);
void refuse_unmute(const struct openssl *openssl, SSL *ssl);

/* A handshake that libssl takes for good: nothing more goes either way.  Flags alone do not stop
 * the SSL_write that drives the handshake, so both BIOs go; they are handed back as references,
 * since hosts hold pointers to them. */
void refuse_take_away(const struct openssl *openssl, SSL *ssl, BIO **kept_read, BIO **kept_write);

/* Who it was, added to what `refusal` says.  `ssl` is NULL where the hello was refused, and the
 * version is not settled.  A server name that it has already stays; "" is none. */
void refuse_name(const struct openssl *openssl, const SSL *ssl, const struct route *route,
		 struct refusal *refusal);

/* The line about it.  `leaf` is NULL where no certificate was judged. */
void refuse_log(const struct openssl *openssl, const SSL *ssl, const struct route *route,
		const struct refusal *what, const X509 *leaf);

#endif
