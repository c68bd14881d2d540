/* policy_file.h - a policy as the shim would have it: the file, the files it names, and their CAs.
 * One thread.
 */
#ifndef CFSHIM_POLICY_FILE_H
#define CFSHIM_POLICY_FILE_H

#include "trust/trust.h"

/* libcrypto as the command is linked to it. */
extern const struct libcrypto linked_libcrypto;

struct policy_file {
	const char *path;    /* NULL: built in */
	const char *said_by; /* who named it */
	struct complaints complaints;
	struct policy *policy; /* NULL: cannot be used */
	struct trust **trusts; /* for each rule; NULL where its CAs cannot be used */
};

/* The policy at `path`; NULL: what CFSHIM_POLICY names, else the one at the default path, else the
 * built-in one.  Complaints tell what is wrong; the CAs of all rules are loaded, so that one look
 * finds all. */
void policy_file_load(struct policy_file *file, const char *path);
void policy_file_clear(struct policy_file *file);

/* Warn of each file of the policy, itself one, that others may write.  Only of one that was parsed.
 */
void warn_of_writers(struct policy_file *file);

/* On standard error, in colour where it is a terminal; SEVERITY_ERROR: no warnings. */
void print_complaints(const struct complaints *complaints, enum severity least);

/* No errors: the shim would take it up. */
bool policy_file_is_good(const struct policy_file *file);

#endif
