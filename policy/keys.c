/* What each key takes, and how it is printed.  A new key is a line in keywords.def and its two
 * functions here.
 */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool log_choice_parse(struct log_choice *choice, const char *text)
{
	const bool json = strncmp(text, "json:", 5) == 0;
	const char *path = json ? text + 5 : text;

	*choice = (struct log_choice){0};
	if (*path == '/') {
		choice->target = json ? LOG_JSON_FILE : LOG_FILE;
		choice->path = path;
		return true;
	}
	if (strcmp(text, "stderr") == 0)
		choice->target = LOG_STDERR;
	else if (strcmp(text, "syslog") == 0)
		choice->target = LOG_SYSLOG;
	else
		choice->target = LOG_OFF;
	return choice->target != LOG_OFF || strcmp(text, "off") == 0;
}

void value_print(struct text *text, const char *prefix, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+:@%=~*";
	const char *quote = value[strspn(value, plain)] == '\0' ? "" : "\"";

	text_add(text, "%s%s%s%s", quote, prefix, value, quote);
}

struct section *section_being_read(const struct policy *policy)
{
	return &policy->sections[policy->section_count - 1];
}

static struct rule *rule_being_read(const struct policy *policy)
{
	return &section_being_read(policy)->rule;
}

static enum taken log_take(struct policy *policy, const char *value, struct position at)
{
	(void)at;
	return log_choice_parse(&policy->log, value) ? TAKEN : NOT_ALLOWED;
}

static void log_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)rule;
	switch (policy->log.target) {
	case LOG_STDERR:
		text_add(text, "stderr");
		break;
	case LOG_SYSLOG:
		text_add(text, "syslog");
		break;
	case LOG_FILE:
		value_print(text, "", policy->log.path);
		break;
	case LOG_JSON_FILE:
		value_print(text, "json:", policy->log.path);
		break;
	case LOG_OFF:
		text_add(text, "off");
		break;
	}
}

static enum taken verify_take(struct policy *policy, const char *value, struct position at)
{
	static const char until[] = "observe until ";
	struct rule *rule = rule_being_read(policy);
	size_t index;

	(void)at;
	rule->observe_until = 0;
	if (strncmp(value, until, strlen(until)) == 0) {
		rule->verify = VERIFY_OBSERVE;
		return day_parse(&rule->observe_until, value + strlen(until)) ? TAKEN : NOT_ALLOWED;
	}
	if (!word_find(value, verify_words, VERIFY_WORDS, &index))
		return NOT_ALLOWED;
	rule->verify = (enum verify)index;
	return TAKEN;
}

static void verify_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	char value[VERIFY_TEXT_BYTES];

	(void)policy;
	rule_verify_text(value, rule);
	text_add(text, "%s", value);
}

static enum taken ca_take(struct policy *policy, const char *value, struct position at)
{
	struct section *section = section_being_read(policy);

	return source_take(&section->ca, &section->rule.ca_count,
			   strcmp(value, "cloudflare") == 0 ? NULL : value, at);
}

static void ca_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	sources_print(text, rule->ca, rule->ca_count);
}

static enum taken crl_take(struct policy *policy, const char *value, struct position at)
{
	struct section *section = section_being_read(policy);

	return source_take(&section->crl, &section->rule.crl_count, value, at);
}

static void crl_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	sources_print(text, rule->crl, rule->crl_count);
}

static enum taken client_cert_take(struct policy *policy, const char *value, struct position at)
{
	return pin_take(policy, value, at);
}

/* One a line: a comma is part of a name. */
static void client_cert_print(struct text *text, const struct policy *policy,
			      const struct rule *rule)
{
	(void)policy;
	for (size_t i = 0; i < rule->client_cert_count; i++) {
		text_add(text, "%s", i > 0 ? "\nclient-cert = " : "");
		pin_print(text, &rule->client_cert[i]);
	}
}

/* "reject 403" -> 403; 0: it is something else. */
static uint16_t status_parse(const char *value)
{
	static const char before[] = "reject ";
	const char *digits = value + sizeof(before) - 1;

	if (strncmp(value, before, sizeof(before) - 1) != 0 || strlen(digits) != 3 ||
	    strspn(digits, "0123456789") != 3 || digits[0] < '4' || digits[0] > '5')
		return 0;
	return (uint16_t)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
}

static enum taken refuse_take(struct policy *policy, const char *value, struct position at)
{
	struct rule *rule = rule_being_read(policy);
	size_t index = ANSWER_REJECT;

	(void)at;
	rule->status = status_parse(value);
	if (rule->status == 0 && !word_find(value, answer_words, ANSWER_WORDS, &index))
		return NOT_ALLOWED;
	rule->refuse = (enum answer)index;
	return TAKEN;
}

static void refuse_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	char answer[ANSWER_TEXT_BYTES];

	(void)policy;
	text_add(text, "%s", answer_text(answer, rule->refuse, rule->status));
}

static enum taken only_names_take(struct policy *policy, const char *value, struct position at)
{
	return name_take(policy, value, at);
}

static void only_names_print(struct text *text, const struct policy *policy,
			     const struct rule *rule)
{
	(void)policy;
	names_print(text, rule);
}

#define PEERS(name)                                                              \
	static enum taken name##_take(struct policy *policy, const char *value,  \
				      struct position at)                        \
	{                                                                        \
		return peer_take(&section_being_read(policy)->name, value, at);  \
	}                                                                        \
	static void name##_print(struct text *text, const struct policy *policy, \
				 const struct rule *rule)                        \
	{                                                                        \
		(void)policy;                                                    \
		peers_print(text, rule->name);                                   \
	}
PEERS(from)
PEERS(exempt)
PEERS(proxy_protocol)

static const char *const allowance_words[] = {"refuse", "allow"};

static enum taken allowance_take(bool *allows, const char *value)
{
	size_t index;

	if (!word_find(value, allowance_words, 2, &index))
		return NOT_ALLOWED;
	*allows = index == 1;
	return TAKEN;
}

static enum taken plaintext_take(struct policy *policy, const char *value, struct position at)
{
	(void)at;
	return allowance_take(&rule_being_read(policy)->allows_plaintext, value);
}

static void plaintext_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	text_add(text, "%s", allowance_words[rule->allows_plaintext]);
}

static enum taken acme_take(struct policy *policy, const char *value, struct position at)
{
	(void)at;
	return allowance_take(&rule_being_read(policy)->allows_acme, value);
}

static void acme_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	text_add(text, "%s", allowance_words[rule->allows_acme]);
}

static enum taken resumption_take(struct policy *policy, const char *value, struct position at)
{
	size_t index;

	(void)at;
	if (!word_find(value, resumption_words, RESUMPTION_WORDS, &index))
		return NOT_ALLOWED;
	rule_being_read(policy)->resumption = (enum resumption)index;
	return TAKEN;
}

static void resumption_print(struct text *text, const struct policy *policy,
			     const struct rule *rule)
{
	(void)policy;
	text_add(text, "%s", resumption_word(rule->resumption));
}

static enum taken hosts_take(struct policy *policy, const char *value, struct position at)
{
	size_t index;

	(void)at;
	if (!word_find(value, hosts_words, HOSTS_WORDS, &index))
		return NOT_ALLOWED;
	rule_being_read(policy)->hosts = (enum hosts)index;
	return TAKEN;
}

static void hosts_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	text_add(text, "%s", hosts_word(rule->hosts));
}

enum { ONE, LIST, REPEATED };

const struct key keys[KEY_COUNT] = {
#define KEY(name, spelled, scope, one_or_list, allowed, default_value, meaning) \
	{                                                                       \
		.spelling = (spelled),                                          \
		.place = PLACE_##scope,                                         \
		.many = (one_or_list) != ONE,                                   \
		.commas = (one_or_list) == LIST,                                \
		.values = (allowed),                                            \
		.fallback = (default_value),                                    \
		.take = name##_take,                                            \
		.print = name##_print,                                          \
	},
#include "keywords.def"
};

const struct key *key_find(const char *name, size_t length)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strlen(keys[i].spelling) == length &&
		    memcmp(keys[i].spelling, name, length) == 0)
			return &keys[i];
	return NULL;
}

bool key_stands_in(const struct key *key, enum place place)
{
	return key->place == place || (place == PLACE_PORT && key->place == PLACE_PORT_ONLY) ||
	       (place == PLACE_SERVER && key->place == PLACE_PORT);
}
