/* The words of enums, as the policy, log lines and tables spell them. */
#include "language.h"

#include <stdio.h>
#include <string.h>

const char *const verify_words[VERIFY_WORDS] = {
	[VERIFY_REQUIRE] = "require",
	[VERIFY_OBSERVE] = "observe",
	[VERIFY_OFF] = "off",
};

const char *const answer_words[ANSWER_WORDS] = {
	[ANSWER_REJECT] = "reject",
	[ANSWER_CLOSE] = "close",
	[ANSWER_CLOSE_RESET] = "close reset",
};

const char *const resumption_words[RESUMPTION_WORDS] = {
	[RESUMPTION_OFF] = "off",
	[RESUMPTION_ON] = "on",
};

const char *const hosts_words[HOSTS_WORDS] = {
	[HOSTS_GUARD] = "guard",
	[HOSTS_NAMES_ONLY] = "names-only",
};

static const char *const verdict_words[VERDICT_COUNT] = {
	[VERDICT_ADMITTED] = "admitted",   [VERDICT_EXEMPT] = "exempt",
	[VERDICT_OBSERVED] = "observed",   [VERDICT_REFUSED] = "refused",
	[VERDICT_ABANDONED] = "abandoned",
};

static const char *const reason_words[REASON_COUNT] = {
#define REASON(name, word, meaning) [REASON_##name] = (word),
#include "reasons.def"
};

static const char *const reason_meanings[REASON_COUNT] = {
#define REASON(name, word, meaning) [REASON_##name] = (meaning),
#include "reasons.def"
};

bool word_find(const char *word, const char *const *words, size_t count, size_t *index)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

static const char *word_of(const char *const *words, size_t count, size_t index)
{
	return index < count ? words[index] : "-";
}

const char *verify_word(enum verify verify)
{
	return word_of(verify_words, VERIFY_WORDS, (size_t)verify);
}

const char *answer_word(enum answer answer)
{
	return word_of(answer_words, ANSWER_WORDS, (size_t)answer);
}

const char *answer_text(char text[ANSWER_TEXT_BYTES], enum answer answer, uint16_t status)
{
	if (status == 0)
		snprintf(text, ANSWER_TEXT_BYTES, "%s", answer_word(answer));
	else
		snprintf(text, ANSWER_TEXT_BYTES, "%s %u", answer_word(answer), (unsigned)status);
	return text;
}

const char *resumption_word(enum resumption resumption)
{
	return word_of(resumption_words, RESUMPTION_WORDS, (size_t)resumption);
}

const char *hosts_word(enum hosts hosts)
{
	return word_of(hosts_words, HOSTS_WORDS, (size_t)hosts);
}

const char *verdict_word(enum verdict verdict)
{
	return word_of(verdict_words, VERDICT_COUNT, (size_t)verdict);
}

const char *reason_word(enum reason reason)
{
	return word_of(reason_words, REASON_COUNT, (size_t)reason);
}

const char *reason_meaning(enum reason reason)
{
	return word_of(reason_meanings, REASON_COUNT, (size_t)reason);
}
