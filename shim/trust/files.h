/* files.h - the policy file and the files it names, as bytes.
 * The only place that reads them, for the shim and for the command.  No OpenSSL.
 */
#ifndef CFSHIM_FILES_H
#define CFSHIM_FILES_H

#include "trust.h"

#include <sys/stat.h>

/* A file that was read, or could not be, as it was then. */
struct file_seen {
	char *path;
	int error_number; /* of stat(): `status` holds where it is 0 */
	struct stat status;
};

/* All that were read for one policy, each path once.  Begun all zero; files_seen_clear() ends it.
 */
struct files_seen {
	struct file_seen *list;
	size_t count;
	bool is_mixed; /* one was written meanwhile: what was read may be of no moment at all */
	bool out_of_memory;
};

/* What is at `path` now, into `file`, which borrows it. */
void file_look(struct file_seen *file, const char *path);

/* Are both the same file, not written since? */
bool file_is_same(const struct file_seen *left, const struct file_seen *right);

/* Add a copy of `file`. */
void files_seen_add(struct files_seen *seen, const struct file_seen *file);
void files_seen_clear(struct files_seen *seen);

/* The whole of a regular file, and a NUL behind it; the caller frees it.  NULL and errno where it
 * cannot be read: EFBIG where it is larger than `most`, EINVAL where it is no regular file (a FIFO
 * is not waited for).  It is added to `seen`; NULL: nobody asks, here and below. */
char *file_bytes(const char *path, size_t most, size_t *length, struct files_seen *seen);

/* What errno of file_bytes() says to the author of a policy. */
const char *file_failure(int error_number);

/* The bytes of each file that `rule` names, in the order of rule->ca and then of rule->crl; what
 * cannot be read, or is empty, is a complaint. NULL without memory.  ca_texts_free() ends it. */
struct ca_text *ca_texts_read(const struct policy *policy, const struct rule *rule,
			      struct files_seen *seen, struct complaints *complaints);
void ca_texts_free(struct ca_text *texts, const struct rule *rule);

/* Read the files of addresses that `policy` names, and hand them over; what is wrong with one, or
 * with all of them together, is a complaint. */
void peer_files_read(struct policy *policy, struct files_seen *seen, struct complaints *complaints);

#endif
