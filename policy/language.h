/* language.h - the inside of the language: what parse.c, section.c and keys.c build, and what
 * match.c and print.c read.  Nobody outside policy/ includes it.
 */
#ifndef CFSHIM_LANGUAGE_H
#define CFSHIM_LANGUAGE_H

#include "policy.h"
#include "ranges.h"

/* Each key, by its place in keywords.def. */
enum key_index {
#define KEY(name, spelling, scope, many, values, fallback, meaning) KEY_##name,
#include "keywords.def"
	KEY_COUNT
};

struct text;

/* How narrow a scope is: what stands first is looked up first. */
enum scope_kind { SCOPE_ADDRESS, SCOPE_PORT, SCOPE_RANGE, SCOPE_ANY, SCOPE_KINDS };

/* One entry of a section's list: the endpoints that a rule is for. */
struct scope {
	enum scope_kind kind;
	struct endpoint first; /* SCOPE_ADDRESS: the whole of it; else the address is zero */
	uint16_t last;         /* the range's last port; else as first.port */
	size_t rule;
	struct position at;
};

/* One value of `from`, `exempt` or `proxy-protocol`. */
enum peer_kind { PEER_CLOUDFLARE, PEER_LOOPBACK, PEER_PRIVATE, PEER_RANGE, PEER_FILE };
#define PEER_WORDS ((size_t)PEER_RANGE)

struct peer_value {
	enum peer_kind kind;
	struct cidr cidr;             /* of PEER_RANGE */
	const char *path;             /* of PEER_FILE */
	const struct ranges *members; /* of all but PEER_RANGE: borrowed from the policy */
	struct position at;
};

struct peers {
	struct peer_value *values; /* sorted, none twice */
	size_t count;
	struct ranges own;            /* those of PEER_RANGE, together */
	const struct ranges **others; /* of the words and files */
	size_t other_count;
};

struct file_of_peers {
	struct peer_file file;
	struct ranges ranges;
};

/* The server sections of a port, for searching. */
struct server {
	const char *name;
	struct section *section;
};

/* A section as it is read: its rule, and what of that it owns. */
struct section {
	struct rule rule;
	struct position at;       /* of its bracket */
	unsigned said[KEY_COUNT]; /* the line in which it gives the key; 0: it does not */
	const char *ports;        /* its endpoints in one spelling: "443, 8443" */
	char *owned_ports;        /* the same; NULL: of the built-in default */
	struct position server_at;
	struct server *servers; /* sorted; rule.server_count of them */
	struct ca_source *ca, *crl;
	struct pin *client_cert;
	struct server_name *only_names;
	struct peers from, exempt, proxy_protocol;
};

struct policy {
	char *text;      /* the source, each line ended by NUL */
	uint32_t *lines; /* where in `text` each line begins */
	unsigned line_count;
	char *strings; /* the values and section names that rules point to */
	size_t strings_used;
	struct log_choice log;
	unsigned said[KEY_COUNT]; /* the line in which a key stands before all sections */
	struct section *sections;
	size_t section_count;
	struct server *servers;      /* of all sections, port by port */
	struct file_of_peers *files; /* sorted by path */
	size_t file_count;
	struct ranges words[PEER_RANGE]; /* filled where a value names them */
	struct scope *scopes;            /* sorted once the text is read */
	size_t scope_count;
	size_t kind_begin[SCOPE_KINDS + 1]; /* where each kind begins among the sorted */
	size_t fallback;                    /* the rule of `*`, or the built-in default */
};

/* What the parser is in, and where a key may stand: one of PLACE_PORT stands in server sections
 * too, one of PLACE_PORT_ONLY does not. */
enum place { PLACE_FILE, PLACE_PORT, PLACE_PORT_ONLY, PLACE_SERVER, PLACE_UNKNOWN };

struct parser {
	struct policy *policy;
	struct complaints *complaints;
	size_t errors; /* that were there before */
	enum place place;
	const char *line; /* the current one, and its number */
	unsigned line_number;
	unsigned *said; /* of the place: the line in which a key was given; 0: not yet */
	bool no_memory;
};

/* A complaint about the byte at `at` of the current line. */
struct position position_of(const struct parser *parser, const char *at);
void error_at(struct parser *parser, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Somebody's own words in a sentence: not more of them than one cares to read. */
#define SHORT "\"%.*s%s\""
#define SHORTENED(bytes, length) \
	(length) > 60 ? 60 : (int)(length), (bytes), (length) > 60 ? "..." : ""

/* Blanks are the space and the tab, whatever the locale says. */
bool is_blank(char byte);
const char *skip_blanks(const char *at);

/* Is there nothing but a comment from `at`? */
bool line_ends(const char *line, const char *at);

/* A copy that lives as long as the policy. */
char *string_keep(struct policy *policy, const char *bytes, size_t length);

/* The same string, which the caller may change: `kept` is one of string_keep()'s. */
char *string_kept(const struct policy *policy, const char *kept);

/* `array` of `count` elements with room for one more; NULL without memory, and it is as it was. */
void *array_grown(void *array, size_t count, size_t size);

/* section.c: read the header that begins at `at`; rule_begin() also serves the built-in default. */
void section_parse(struct parser *parser, const char *at);
struct section *section_begin(struct parser *parser);

/* keys.c: what each key takes and how it is printed. */
enum taken { TAKEN, NOT_ALLOWED, NO_MEMORY };
struct key {
	const char *spelling;
	enum place place;
	bool many;            /* may stand several times */
	bool commas;          /* and takes several values at once */
	const char *values;   /* what is allowed, in words */
	const char *fallback; /* the value where it is not given */
	enum taken (*take)(struct policy *policy, const char *value, struct position at);
	void (*print)(struct text *text, const struct policy *policy, const struct rule *rule);
};
extern const struct key keys[KEY_COUNT];

const struct key *key_find(const char *name, size_t length);
bool key_stands_in(const struct key *key, enum place place);
struct section *section_being_read(const struct policy *policy);

/* In quotes where the parser would take it apart without them. */
void value_print(struct text *text, const char *prefix, const char *value);

/* hint.c: a complaint about a name that is no key, or `key`, which stands elsewhere. */
void complain_of_key(struct parser *parser, const char *name, size_t length, const struct key *key);

/* value.c: give a key its value; read the values that begin at `at`. */
void key_take(struct parser *parser, const struct key *key, const char *value, struct position at);
void values_parse(struct parser *parser, const struct key *key, const char *at);

/* match.c: make the scopes of a policy that was read whole ready to be searched, and complain of
 * what stands twice. */
void scopes_settle(struct policy *policy, struct complaints *complaints);

/* settle.c: the lists of all sections, sorted, and complaints of what stands twice in one; what a
 * server section has of its port's; complaints of what cannot stand together, unless there are
 * more than `errors` before.  False: no memory. */
bool sections_settle(struct policy *policy, struct complaints *complaints, size_t errors);
void sections_free(struct policy *policy);
void complain_of_twice(const struct policy *policy, struct complaints *complaints,
		       struct position first, struct position second, const char *key);
int compare_positions(struct position left, struct position right);

/* sources.c: the values of `ca` and `crl`. */
enum taken source_take(struct ca_source **list, size_t *count, const char *path,
		       struct position at);
void sources_print(struct text *text, const struct ca_source *list, size_t count);
void sources_sort(const struct policy *policy, struct complaints *complaints,
		  struct ca_source *list, size_t count, const char *key);
bool same_sources(const struct ca_source *left, size_t left_count, const struct ca_source *right,
		  size_t right_count);

/* names.c: server names. */
bool name_settle(char *name); /* in place, with the wildcard of a policy */
void name_why(struct text *text, const char *name);
enum taken name_take(struct policy *policy, const char *value, struct position at);
void names_print(struct text *text, const struct rule *rule);
void names_sort(const struct policy *policy, struct complaints *complaints,
		struct section *section);
bool same_names(const struct rule *left, const struct rule *right);
void servers_sort(const struct policy *policy, struct complaints *complaints,
		  const struct section *port);

/* pins.c: the values of `client-cert`. */
enum taken pin_take(struct policy *policy, const char *value, struct position at);
void pin_why(struct text *text, const char *value);
void pin_print(struct text *text, const struct pin *pin);
void pins_sort(const struct policy *policy, struct complaints *complaints, struct section *section);
bool same_pins(const struct rule *left, const struct rule *right);

/* peers.c: the values of `from`, `exempt` and `proxy-protocol`. */
enum taken peer_take(struct peers *peers, const char *value, struct position at);
void peer_why(struct text *text, const char *value);
void peers_print(struct text *text, const struct peers *peers);
bool peers_settle(struct policy *policy, struct complaints *complaints);
bool same_peers(const struct peers *left, const struct peers *right);
void peers_free(struct peers *peers);

/* peer_files.c: does any address of a value of `left` stand in `right`?  `at`: that value. */
bool peers_meet(const struct peers *left, const struct peers *right, struct position *at);

/* day.c: seconds since 1970 of 2027-01-31, 0 h UTC; and back. */
#define DAY_TEXT_BYTES sizeof("2027-01-31")
bool day_parse(int64_t *seconds, const char *text);
void day_print(char text[DAY_TEXT_BYTES], int64_t seconds);

/* cloudflare.c */
extern const char *const cloudflare_ranges[];
extern const size_t cloudflare_range_count;
extern const char cloudflare_ranges_day[]; /* 2026-02-11: since when they are known to be so */

/* words.c */
enum {
	VERIFY_WORDS = VERIFY_OFF + 1,
	ANSWER_WORDS = ANSWER_CLOSE_RESET + 1,
	RESUMPTION_WORDS = RESUMPTION_ON + 1,
	HOSTS_WORDS = HOSTS_NAMES_ONLY + 1,
};
extern const char *const verify_words[VERIFY_WORDS];
extern const char *const answer_words[ANSWER_WORDS];
extern const char *const resumption_words[RESUMPTION_WORDS];
extern const char *const hosts_words[HOSTS_WORDS];
bool word_find(const char *word, const char *const *words, size_t count, size_t *index);

/* address.c: an IPv4 or IPv6 address in its usual form, and nothing looser; `family` is AF_INET or
 * AF_INET6.  The port is left alone. */
bool address_parse(struct endpoint *endpoint, int family, const char *text);
bool address_is_ipv4(const struct endpoint *endpoint);

#define SCOPE_TEXT_BYTES 64
void scope_print(char buffer[SCOPE_TEXT_BYTES], const struct scope *scope);

#endif
