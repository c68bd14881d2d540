/* policy.h - the policy language: which endpoints are enforced, whose certificate counts, what a
 * refused client sees.
 *
 * Plain C over bytes: no OpenSSL, no environment, no globals, no output, no file is opened here.  A
 * policy is immutable once parsed, so any number of threads and forked children may read it without
 * a lock. The language itself is described in cfshim-policy(5); its keys stand in keywords.def, its
 * reasons in reasons.def.
 */
#ifndef CFSHIM_POLICY_H
#define CFSHIM_POLICY_H

#include "complaint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A larger file is an error before a byte of it is parsed. */
#define POLICY_MAX_BYTES    (4u << 20)
#define POLICY_DEFAULT_PATH "/etc/cfshim/policy.conf"

enum verify { VERIFY_REQUIRE, VERIFY_OFF };
enum answer { ANSWER_REJECT, ANSWER_CLOSE, ANSWER_CLOSE_RESET };
enum resumption { RESUMPTION_OFF, RESUMPTION_ON };
enum log_target { LOG_STDERR, LOG_SYSLOG, LOG_FILE, LOG_JSON_FILE, LOG_OFF };

struct log_choice {
	enum log_target target;
	const char *path; /* of LOG_FILE and LOG_JSON_FILE, absolute; else NULL */
};

/* Where a connection arrived: IPv4 stands as IPv4-mapped IPv6, so that one comparison serves both.
 */
struct endpoint {
	uint8_t address[16];
	uint16_t port; /* host byte order */
};

/* From what getsockname() gave.  False where the family is neither AF_INET nor AF_INET6, or the
 * length too short for it. */
bool endpoint_from_sockaddr(struct endpoint *endpoint, const struct sockaddr *address,
			    socklen_t length);

/* One value of `ca`. */
struct ca_source {
	const char *path;   /* absolute; NULL: Cloudflare's own CA, built in */
	struct position at; /* of the value, for complaints about the file it names */
};

/* What the policy says for the endpoints of one section. */
struct rule {
	const char *section; /* as written between the brackets: "port 443, 8443" */
	unsigned line;       /* of its section header; 0: the built-in default */
	enum verify verify;
	enum answer refuse;
	uint16_t status; /* of ANSWER_REJECT: the HTTP status, 400 to 599; 0: a TLS alert */
	enum resumption resumption;
	const struct ca_source *ca; /* never empty; sorted, cloudflare first, none twice */
	size_t ca_count;
};

struct policy;

/* Parse `length` bytes of a policy file; errors and warnings go to `complaints`, which the caller
 * has begun.  NULL where there was an error or no memory; total: any bytes give a policy or a
 * complaint.  The result owns copies of all it needs; policy_free() ends it. */
struct policy *policy_parse(const char *text, size_t length, struct complaints *complaints);

/* The policy in force where there is no file: `[port *]` with every default.  NULL only without
 * memory. */
struct policy *policy_built_in(void);

void policy_free(struct policy *policy);

/* The rule for a connection that arrived at `endpoint`: address and port over port, over range,
 * over `*`, over the built-in default.  Never NULL.  Borrowed from `policy`. */
const struct rule *policy_match(const struct policy *policy, const struct endpoint *endpoint);

/* Does the policy name addresses of their own for `port`?  Then a listener on every address of that
 * port is governed by more than one rule. */
bool policy_names_addresses(const struct policy *policy, uint16_t port);

/* All rules, in the order of the file, then the built-in default where no `[port *]` takes its
 * place.  index < count. */
size_t policy_rule_count(const struct policy *policy);
const struct rule *policy_rule(const struct policy *policy, size_t index);

/* Do both rules judge every connection alike (verify, refuse, resumption, the set of CAs)? */
bool rule_same_effect(const struct rule *left, const struct rule *right);

struct log_choice policy_log(const struct policy *policy);

/* One value of `log`, as it stands in the file or in CFSHIM_LOG.  `path` of the result points into
 * `text`.  False: not allowed. */
bool log_choice_parse(struct log_choice *choice, const char *text);

/* Line `line` (from 1) of the source, for a complaint about a file that the policy names; NULL
 * where there is none.  Borrowed. */
const char *policy_source_line(const struct policy *policy, unsigned line);

/* The effective policy as text that parses to the same policy: every key spelled out.  Allocated;
 * NULL: no memory. */
char *policy_print(const struct policy *policy);

/* The words of the language, for log lines and tables: "require", "close reset". */
const char *verify_word(enum verify verify);
const char *answer_word(enum answer answer);
const char *resumption_word(enum resumption resumption);

/* The same with the status of `reject 403`; 0: none.  Returns `text`. */
#define ANSWER_TEXT_BYTES 24
const char *answer_text(char text[ANSWER_TEXT_BYTES], enum answer answer, uint16_t status);

/* Why a connection was refused: one list for logs, counters, the manual and tests. */
enum reason {
#define REASON(name, word, meaning) REASON_##name,
#include "reasons.def"
	REASON_COUNT
};

const char *reason_word(enum reason reason);
const char *reason_meaning(enum reason reason);

/* Is the address of `peer` in Cloudflare's published ranges? */
bool is_cloudflare_network(const struct endpoint *peer);

/* Cloudflare's origin-pull CA, PEM, NUL-terminated; its SHA-256 is compared in a test. */
extern const char cloudflare_origin_pull_ca[];

#endif
