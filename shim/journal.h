/* journal.h - the lines that the policy asked for, and the only place that writes to a descriptor.
 *
 * One line, one write(2), in the form of DESIGN's log format (logfmt in a fixed order, or a JSON
 * object of the same keys). Never on a descriptor that the host has closed or reused: each is
 * compared with what it was at the start.  Nothing is written before the process serves TLS.  errno
 * is left as found; a line that cannot be written is counted, not waited for. Threads: any; no
 * lock.  Fork: children write on the inherited descriptor.
 */
#ifndef CFSHIM_JOURNAL_H
#define CFSHIM_JOURNAL_H

#include "policy.h"

/* At load: remember what stderr is, or open what `choice` names, high above the descriptors that
 * hosts count on. `journal_stream` is the variable JOURNAL_STREAM, or NULL. */
void journal_open(struct log_choice choice, const char *journal_stream);

/* What a line about a refusal says; NULL or "" stands as "-". */
struct refusal {
	bool is_observed; /* it would have been one, and is none */
	enum reason reason;
	enum answer answer;
	uint16_t status; /* of `reject 403`; 0: none is given */
	bool endpoint_known, peer_known;
	struct endpoint endpoint, peer;
	const char *server_name;
	const char *tls_version; /* "1.3" */
	const char *subject;     /* RFC 2253 */
};

/* At most 10 lines a second for one reason; those left out are counted into `dropped` of the next.
 */
void journal_refused(const struct refusal *refusal);

/* What the line about a certificate that a client showed for the first time says of it. */
struct certificate_words {
	const char *subject, *issuer;   /* RFC 2253 */
	const char *serial, *sha256;    /* in hex */
	const char *not_after;          /* 2027-01-31T00:00:00Z */
	const char *extended_key_usage; /* "clientAuth,serverAuth" */
	unsigned long sent;             /* certificates, with it */
};

/* May such a line go out now?  At most 10 a second, counted apart for those that would be
 * `admitted` and all others; those left out are counted into `dropped` of the next. */
bool journal_may_tell_of_certificate(bool admitted);

/* The line; of `who` count the ends, the names and the reason. */
void journal_new_certificate(const struct refusal *who, const struct certificate_words *words);

/* The first server context: which policy, how many rules, which OpenSSL. */
void journal_started(const char *policy, size_t rules, const char *openssl);

/* The policy cannot be used. */
void journal_policy_error(const char *policy, const char *why);

/* Another policy is in force, the `generation`th of this process; `note` says what of it is not. */
void journal_policy_changed(const char *policy, size_t rules, unsigned long generation,
			    const char *note);

/* The one in force stays so, though its files have changed: why. */
void journal_policy_kept(const char *policy, const char *why);

/* Was there a line already?  Before the first one, this process may be one that serves no TLS, and
 * what changes is told by that. */
bool journal_has_spoken(void);

/* A TLS library that the shim cannot reach, and why. */
void journal_uncovered(const char *library, const char *why);

#endif
