/* language.h - the inside of the language: what parse.c, section.c and keys.c build, and what
 * match.c and print.c read.  Nobody outside policy/ includes it.
 */
#ifndef CFSHIM_LANGUAGE_H
#define CFSHIM_LANGUAGE_H

#include "policy.h"

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

struct policy {
	char *text;      /* the source, each line ended by NUL */
	uint32_t *lines; /* where in `text` each line begins */
	unsigned line_count;
	char *strings; /* the values and section names that rules point to */
	size_t strings_used;
	struct log_choice log;
	struct rule *rules;
	size_t rule_count;
	struct ca_source *sources; /* of all rules, rule by rule */
	size_t source_count;
	struct scope *scopes; /* sorted once the text is read */
	size_t scope_count;
	size_t kind_begin[SCOPE_KINDS + 1]; /* where each kind begins among the sorted */
	size_t fallback;                    /* the rule of `*`, or the built-in default */
};

/* Where in the file a key may stand, and what the parser is in. */
enum place { PLACE_FILE, PLACE_PORT, PLACE_UNKNOWN };

enum {
	KEY_COUNT = 0
#define KEY(name, spelling, scope, many, values, fallback, meaning) +1
#include "keywords.def"
};

struct parser {
	struct policy *policy;
	struct complaints *complaints;
	enum place place;
	const char *line; /* the current one, and its number */
	unsigned line_number;
	unsigned said[KEY_COUNT]; /* the line in which a key of this place was given; 0: not yet */
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
const char *string_keep(struct policy *policy, const char *bytes, size_t length);

/* `array` of `count` elements with room for one more; NULL without memory, and it is as it was. */
void *array_grown(void *array, size_t count, size_t size);

/* section.c: read the header that begins at `at`; rule_begin() also serves the built-in default. */
void section_parse(struct parser *parser, const char *at);
struct rule *rule_begin(struct parser *parser);

/* keys.c: what each key takes and how it is printed. */
enum taken { TAKEN, NOT_ALLOWED, NO_MEMORY };
struct text;

struct key {
	const char *spelling;
	enum place place;
	bool many;            /* takes a list */
	const char *values;   /* what is allowed, in words */
	const char *fallback; /* the value where it is not given */
	enum taken (*take)(struct policy *policy, const char *value, struct position at);
	void (*print)(struct text *text, const struct policy *policy, const struct rule *rule);
};
extern const struct key keys[KEY_COUNT];

const struct key *key_find(const char *name, size_t length);

/* hint.c: a complaint about a name that is no key, or `key`, which stands elsewhere. */
void complain_of_key(struct parser *parser, const char *name, size_t length, const struct key *key);

/* value.c: give a key its value; read the values that begin at `at`. */
void key_take(struct parser *parser, const struct key *key, const char *value, struct position at);
void values_parse(struct parser *parser, const struct key *key, const char *at);

/* match.c: make the scopes and CAs of a policy that was read whole ready to be searched, and
 * complain of what stands twice. */
void scopes_settle(struct policy *policy, struct complaints *complaints);
void sources_settle(struct policy *policy, struct complaints *complaints);

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
