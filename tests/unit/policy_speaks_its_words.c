/* The words that logs, counters and the manual share, and the values of `log`. */
#include "policy.h"
#include "test.h"

#include <string.h>

static void words_of_enums(void **state)
{
	char text[ANSWER_TEXT_BYTES];

	(void)state;
	assert_string_equal(verify_word(VERIFY_REQUIRE), "require");
	assert_string_equal(verify_word(VERIFY_OBSERVE), "observe");
	assert_string_equal(verify_word(VERIFY_OFF), "off");
	assert_string_equal(answer_word(ANSWER_REJECT), "reject");
	assert_string_equal(answer_word(ANSWER_CLOSE), "close");
	assert_string_equal(answer_word(ANSWER_CLOSE_RESET), "close reset");
	assert_string_equal(answer_text(text, ANSWER_REJECT, 0), "reject");
	assert_string_equal(answer_text(text, ANSWER_REJECT, 599), "reject 599");
	assert_string_equal(answer_text(text, ANSWER_CLOSE_RESET, 0), "close reset");
	assert_string_equal(resumption_word(RESUMPTION_OFF), "off");
	assert_string_equal(resumption_word(RESUMPTION_ON), "on");
	assert_string_equal(hosts_word(HOSTS_GUARD), "guard");
	assert_string_equal(hosts_word(HOSTS_NAMES_ONLY), "names-only");
}

/* The promised list, in its order. */
static const char *const promised[] = {
	"no-certificate",     "untrusted-issuer",      "expired",     "not-yet-valid",
	"wrong-purpose",      "bad-certificate",       "revoked",     "no-crl",
	"client-mismatch",    "bad-signature",         "server-name", "peer-address",
	"resumed-unverified", "no-certificate-cipher", "plaintext",   "uncovered-tls",
	"unknown-endpoint",   "policy-error",          "internal",
};

static void words_of_reasons(void **state)
{
	(void)state;
	assert_int_equal(REASON_COUNT, 1 + sizeof(promised) / sizeof(promised[0]));
	assert_string_equal(reason_word(REASON_NONE), "-");
	for (size_t i = 1; i < REASON_COUNT; i++) {
		assert_string_equal(reason_word((enum reason)i), promised[i - 1]);
		assert_true(strlen(reason_meaning((enum reason)i)) > 0);
	}
}

static const struct {
	const char *text;
	bool good;
	enum log_target target;
	const char *path;
} logs[] = {
	{"stderr", true, LOG_STDERR, NULL},
	{"syslog", true, LOG_SYSLOG, NULL},
	{"off", true, LOG_OFF, NULL},
	{"/var/log/x", true, LOG_FILE, "/var/log/x"},
	{"/", true, LOG_FILE, "/"},
	{"json:/var/log/x", true, LOG_JSON_FILE, "/var/log/x"},
	{.text = ""},
	{.text = "stdout"},
	{.text = "Stderr"},
	{.text = "stderr "},
	{.text = " off"},
	{.text = "json:"},
	{.text = "json:x"},
	{.text = "json:json:/x"},
	{.text = "JSON:/x"},
	{.text = "./x"},
	{.text = "x/y"},
};

static void values_of_log(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct log_choice choice;
		bool good = log_choice_parse(&choice, logs[i].text);

		expect(good == logs[i].good, "\"%s\": %d", logs[i].text, good);
		if (!good || !logs[i].good)
			continue;
		expect(choice.target == logs[i].target, "\"%s\": target %d", logs[i].text,
		       (int)choice.target);
		expect((choice.path == NULL) == (logs[i].path == NULL) &&
			       (choice.path == NULL || strcmp(choice.path, logs[i].path) == 0),
		       "\"%s\": path %s", logs[i].text, choice.path ? choice.path : "none");
	}
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("verify, refuse, resumption and hosts have the words of the policy",
		     words_of_enums),
		TEST("every promised reason has its word and a meaning", words_of_reasons),
		TEST("log takes its words and absolute paths, and nothing else", values_of_log),
	};

	return RUN_TESTS("policy-speaks-its-words", tests);
}
