/* files.h - the policy file and the files of certificates it names, as bytes.
 * The only place that reads them, for the shim (at load) and for the command.  No OpenSSL.
 */
#ifndef CFSHIM_FILES_H
#define CFSHIM_FILES_H

#include "trust.h"

/* The whole of a regular file, and a NUL behind it; the caller frees it.  NULL and errno where it
 * cannot be read: EFBIG where it is larger than `most`, EINVAL where it is no regular file (a FIFO
 * is not waited for). */
char *file_bytes(const char *path, size_t most, size_t *length);

/* What errno of file_bytes() says to the author of a policy. */
const char *file_failure(int error_number);

/* The bytes of each file that `rule` names, in the order of rule->ca and then of rule->crl; what
 * cannot be read, or is empty, is a complaint. NULL without memory.  ca_texts_free() ends it. */
struct ca_text *ca_texts_read(const struct policy *policy, const struct rule *rule,
			      struct complaints *complaints);
void ca_texts_free(struct ca_text *texts, const struct rule *rule);

/* Read the files of addresses that `policy` names, and hand them over; what is wrong with one, or
 * with all of them together, is a complaint. */
void peer_files_read(struct policy *policy, struct complaints *complaints);

#endif
