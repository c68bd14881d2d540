/* answer_status.h - the conversation with a refused client: the head of its request, a status and a
 * short page, close_notify, and then what it still sends, so that no RST overtakes the answer.
 *
 * A worker of connection.c.  It borrows the host's calls: no thread, no timer, no descriptor; what
 * time has run out is seen at the next call.  Only within answer_status_go_on() does the SSL have
 * its BIOs: whoever reaches libssl by another way finds it at its end.
 */
#ifndef CFSHIM_ANSWER_STATUS_H
#define CFSHIM_ANSWER_STATUS_H

#include "openssl.h"

struct answer_status;

/* Has this process asked for keys out of a handshake?  Then that may be the login (EAP, DTLS-SRTP),
 * and none may end for whom is refused. */
void answer_status_keys_asked(void);
bool answer_status_is_possible(const struct openssl *openssl, const SSL *ssl);

/* The handshake is over, and its BIOs are still the host's.  NULL: no memory. */
struct answer_status *answer_status_begin(const struct openssl *openssl, SSL *ssl, uint16_t status);

/* The same, where nothing is said: the host waits until the client has ended, or taken too long.
 * NULL, too: what OpenSSL wrote does not lie in memory, from where the host has yet to take it. */
struct answer_status *answer_status_await_end(const struct openssl *openssl, SSL *ssl);

/* The same where the head has been read already: it is answered over HTTP/1, `is_head` without a
 * body. */
struct answer_status *answer_status_begin_at_once(const struct openssl *openssl, SSL *ssl,
						  uint16_t status, bool is_head);

/* Over `read` and `write`, as far as it goes; a host whose socket blocks is held until the end, ten
 * seconds at most.  True: the host is to wait, as SSL_get_error() then tells it.  False: that was
 * all. */
bool answer_status_go_on(struct answer_status *conversation, BIO *read, BIO *write);

/* The host does not wait: what is there is answered, and the client is told that it ends. */
void answer_status_hang_up(struct answer_status *conversation, BIO *read, BIO *write);

/* The SSL is no more, or begins again.  NULL is allowed. */
void answer_status_end(struct answer_status *conversation);

#endif
