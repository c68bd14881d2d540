/* verbs.h - the verbs of the command, a file each, and what they share.
 * A verb gets its own arguments (argv[0] is its name), prints, and returns the command's exit
 * status.
 */
#ifndef CFSHIM_VERBS_H
#define CFSHIM_VERBS_H

enum status {
	STATUS_GOOD = 0,
	STATUS_BAD = 1,
	STATUS_USAGE = 2,
	STATUS_REFUSED = 126,   /* as env(1): found, and not to be executed */
	STATUS_NOT_FOUND = 127, /* as env(1) */
};

enum status run_verb(int argc, char **argv);
enum status check_verb(int argc, char **argv);
enum status explain_verb(int argc, char **argv);
enum status doctor_verb(int argc, char **argv);
enum status enable_verb(int argc, char **argv);
enum status disable_verb(int argc, char **argv);
enum status drop_in_verb(int argc, char **argv);
enum status test_ca_verb(int argc, char **argv);
enum status version_verb(int argc, char **argv);

/* Says on stderr what is wrong with the arguments of `verb`, and how it is used.  Returns
 * STATUS_USAGE. */
enum status refuse_usage(const char *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One line on stderr, "cfshim VERB: ...".  Returns `status`. */
enum status refuse(enum status status, const char *verb, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
