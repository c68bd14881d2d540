/* newcomer.h - client certificates that are seen for the first time, where a rule observes: each
 * has a line, so that an operator knows whom `require` would meet.
 *
 * What is remembered of them is 64 bits of each one's SHA-256, of a bounded number, apart for those
 * that would be admitted: strangers crowd out strangers.  Where newcomer_share() came in time, the
 * forks of a process share that.  Threads: any, no lock.
 */
#ifndef CFSHIM_NEWCOMER_H
#define CFSHIM_NEWCOMER_H

#include "journal.h"
#include "trust/trust.h"

/* A policy that observes is about to be served: forks from now on remember together. */
void newcomer_share(void);

/* `who` showed `leaf`, among `sent` certificates: a line, where that is new. */
void newcomer_look_at(const struct libcrypto *libcrypto, X509 *leaf, int sent,
		      const struct refusal *who);

#endif
