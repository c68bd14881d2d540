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

/* In quotes, unless every byte is one that means nothing to the parser. */
static void value_print(struct text *text, const char *prefix, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+:@%=~";
	const char *quote = value[strspn(value, plain)] == '\0' ? "" : "\"";

	text_add(text, "%s%s%s%s", quote, prefix, value, quote);
}

static struct rule *rule_being_read(const struct policy *policy)
{
	return &policy->rules[policy->rule_count - 1];
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
	size_t index;

	(void)at;
	if (!word_find(value, verify_words, VERIFY_WORDS, &index))
		return NOT_ALLOWED;
	rule_being_read(policy)->verify = (enum verify)index;
	return TAKEN;
}

static void verify_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	text_add(text, "%s", verify_word(rule->verify));
}

static enum taken ca_take(struct policy *policy, const char *value, struct position at)
{
	const char *path = strcmp(value, "cloudflare") == 0 ? NULL : value;
	struct ca_source *sources;

	if (path != NULL && *path != '/')
		return NOT_ALLOWED;
	sources = array_grown(policy->sources, policy->source_count, sizeof(*sources));
	if (sources == NULL)
		return NO_MEMORY;
	policy->sources = sources;
	sources[policy->source_count++] = (struct ca_source){.path = path, .at = at};
	rule_being_read(policy)->ca_count++;
	return TAKEN;
}

static void ca_print(struct text *text, const struct policy *policy, const struct rule *rule)
{
	(void)policy;
	for (size_t i = 0; i < rule->ca_count; i++) {
		text_add(text, "%s", i > 0 ? ", " : "");
		value_print(text, "", rule->ca[i].path ? rule->ca[i].path : "cloudflare");
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

enum { ONE = false, LIST = true };

const struct key keys[KEY_COUNT] = {
#define KEY(name, spelled, scope, one_or_list, allowed, default_value, meaning) \
	{                                                                       \
		.spelling = (spelled),                                          \
		.place = PLACE_##scope,                                         \
		.many = (one_or_list),                                          \
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
