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

enum verify { VERIFY_REQUIRE, VERIFY_OBSERVE, VERIFY_OFF };
enum answer { ANSWER_REJECT, ANSWER_CLOSE, ANSWER_CLOSE_RESET };
enum resumption { RESUMPTION_OFF, RESUMPTION_ON };
enum hosts { HOSTS_GUARD, HOSTS_NAMES_ONLY };
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

/* One value of `ca` or of `crl`. */
struct ca_source {
	const char *path;   /* absolute; NULL: Cloudflare's own CA, built in (never of `crl`) */
	struct position at; /* of the value, for complaints about the file it names */
};

/* One value of `client-cert`: what the leaf must be besides.  Any one of them suffices. */
enum pin_kind { PIN_CN, PIN_DNS, PIN_URI, PIN_CERT_SHA256, PIN_SPKI_SHA256 };

#define PIN_DIGEST_BYTES 32

struct pin {
	enum pin_kind kind;
	const char *name;                 /* of PIN_CN, PIN_DNS, PIN_URI, as written; else NULL */
	uint8_t digest[PIN_DIGEST_BYTES]; /* of PIN_CERT_SHA256 (the DER), PIN_SPKI_SHA256 */
	struct position at;
};

/* A server name, or *.example.com for one label below it; in lower case, without a dot behind it.
 */
struct server_name {
	const char *name;
	struct position at;
};

/* A set of addresses: the values of `from`, `exempt` or `proxy-protocol`. */
struct peers;

/* What the policy says for the endpoints of one section, or for one server name there.  What a
 * server section does not say is that of its port's section, and already stands here. */
struct rule {
	const char *section; /* as written between the brackets: "port 443, 8443" */
	unsigned line;       /* of its section header; 0: the built-in default */
	size_t index;        /* policy_rule(policy, index) is this one */
	const char *server; /* of a server section: its name, as in struct server_name; else NULL */
	size_t server_count;   /* of a port section: how many server sections it has */
	bool guards_hosts;     /* of a port section: these differ in whom they admit, and a request
				* has to belong to a rule that would admit its connection */
	enum verify verify;    /* what is written; rule_verify() tells what holds today */
	int64_t observe_until; /* of VERIFY_OBSERVE: from then on, seconds since 1970, `require`; 0:
				* no date */
	enum answer refuse;
	uint16_t status; /* of ANSWER_REJECT: the HTTP status, 400 to 599; 0: a TLS alert */
	enum resumption resumption;
	enum hosts hosts;
	bool allows_plaintext;
	bool allows_acme;
	const struct ca_source *ca; /* never empty; sorted, cloudflare first, none twice */
	size_t ca_count;
	const struct ca_source *crl; /* sorted, none twice */
	size_t crl_count;
	const struct pin *client_cert; /* sorted, none twice; none: any leaf of the CAs */
	size_t client_cert_count;
	const struct server_name *only_names; /* sorted, none twice; see rule_allows_name() */
	size_t only_names_count;
	const struct peers *from;           /* NULL: anyone; see rule_admits_peer() */
	const struct peers *exempt;         /* NULL: nobody */
	const struct peers *proxy_protocol; /* NULL: nobody */
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

/* The rule for a connection that arrived at `endpoint` and asks for the server `name` of `length`
 * bytes (NULL: it names none): exact name over wildcard over the port's own rule.  Case and one dot
 * behind the name do not matter; a name with a NUL, an over-long one and an address are no name. */
const struct rule *policy_match_name(const struct policy *policy, const struct endpoint *endpoint,
				     const char *name, size_t length);

/* The same below `rule`, which policy_match() gave. */
const struct rule *policy_server_rule(const struct policy *policy, const struct rule *rule,
				      const char *name, size_t length);

/* The one spelling of a server name, `name` of `length` bytes, in at most NAME_BYTES bytes and a
 * NUL: as sections are compared with it.  False: it is none (see policy_match_name()). */
#define NAME_BYTES 253
bool name_fold(char folded[NAME_BYTES + 1], const char *name, size_t length);

/* Are there sections of server names, for whatever port? */
bool policy_names_servers(const struct policy *policy);

/* Does `only-names` of `rule`, which policy_match() gave, let a hello for `name` pass?  A name that
 * has a section of its own there is allowed; where there is no `only-names`, all are, and none. */
bool policy_allows_name(const struct policy *policy, const struct rule *rule, const char *name,
			size_t length);

/* Does `rule`, which policy_match() gave, or a server section below it demand anything of a client?
 */
bool rule_enforces(const struct rule *rule);

/* And does either refuse anybody at `now` (seconds since 1970)?  Else they observe, at most. */
bool rule_requires(const struct rule *rule, int64_t now);

/* What holds at `now` (seconds since 1970): `observe until` is `require` from its day on, and while
 * the clock stands before the release of this version. */
enum verify rule_verify(const struct rule *rule, int64_t now);

/* Is the address of `peer` among them?  `peers` NULL: nobody is; `peer` NULL: not known, so no. */
bool peers_contain(const struct peers *peers, const struct endpoint *peer);

/* May `peer` connect at all, by `from`?  `peer` NULL: not known. */
bool rule_admits_peer(const struct rule *rule, const struct endpoint *peer);

/* A file of addresses that `from`, `exempt` or `proxy-protocol` names: each path once. */
struct peer_file {
	const char *path;   /* absolute */
	struct position at; /* of the first value that names it */
};

size_t policy_peer_file_count(const struct policy *policy);
const struct peer_file *policy_peer_file(const struct policy *policy, size_t index);

/* The caller reads these files and hands each over before the policy is used: one that was not
 * handed over holds nobody.  False: a complaint, or no memory. */
bool policy_peer_file_take(struct policy *policy, size_t index, const char *text, size_t length,
			   struct complaints *complaints);

/* Once all are taken: complains of what only the files show.  policy_parse() did it already for a
 * policy that names none. */
void policy_peers_settle(struct policy *policy, struct complaints *complaints);

/* Warn of what may not be meant, as it is at `now` (seconds since 1970); the files of peers count
 * where they were taken. */
void policy_warn(const struct policy *policy, int64_t now, struct complaints *complaints);

/* Does the policy name addresses of their own for `port`?  Then a listener on every address of that
 * port is governed by more than one rule. */
bool policy_names_addresses(const struct policy *policy, uint16_t port);

/* Does a section name the port of `endpoint`, or the address and port?  Else it falls to `*`. */
bool policy_names(const struct policy *policy, const struct endpoint *endpoint);

/* All rules, in the order of the file, then the built-in default where no `[port *]` takes its
 * place.  index < count. */
size_t policy_rule_count(const struct policy *policy);
const struct rule *policy_rule(const struct policy *policy, size_t index);

/* Do both rules judge every TLS connection alike, whatever name it asks for? */
bool rule_same_effect(const struct rule *left, const struct rule *right);

/* And is what may come before TLS the same too (plaintext, proxy-protocol)? */
bool rule_same(const struct rule *left, const struct rule *right);

/* Does a rule that holds at `now` admit whom `admitted_by` has admitted, by its certificate or
 * without one? */
bool rule_admits_too(const struct rule *rule, const struct rule *admitted_by, int64_t now);

/* Do both admit the same certificates (verify, ca, crl, client-cert)? */
bool rule_same_admission(const struct rule *left, const struct rule *right);

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

/* What `verify` of the rule says, as the policy spells it: "observe until 2027-01-31". */
#define VERIFY_TEXT_BYTES 32
void rule_verify_text(char buffer[VERIFY_TEXT_BYTES], const struct rule *rule);

/* The words of the language, for log lines and tables: "require", "close reset". */
const char *verify_word(enum verify verify);
const char *answer_word(enum answer answer);
const char *resumption_word(enum resumption resumption);
const char *hosts_word(enum hosts hosts);

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

/* What becomes of a connection: one list for logs, counters and the manual. */
enum verdict {
	VERDICT_ADMITTED,
	VERDICT_EXEMPT,   /* it needs no certificate */
	VERDICT_OBSERVED, /* admitted, and would be refused under `require` */
	VERDICT_REFUSED,
	VERDICT_ABANDONED, /* the client went away before it could be judged */
	VERDICT_COUNT
};

const char *verdict_word(enum verdict verdict);

/* Is the address of `peer` in Cloudflare's published ranges? */
bool is_cloudflare_network(const struct endpoint *peer);

/* Cloudflare's origin-pull CA, PEM, NUL-terminated; its SHA-256 is compared in a test. */
extern const char cloudflare_origin_pull_ca[];

#endif
