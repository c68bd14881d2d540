/* check.c - `cfshim check [FILE] [--print]`: what is wrong with a policy, and what it says. */
#include "columns.h"
#include "policy_file.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN  "\033[0m"

static void print_complaints(const struct complaints *complaints)
{
	size_t more = complaints->errors + complaints->warnings - complaints->count;
	bool color = wants_color(stderr);

	for (size_t i = 0; i < complaints->count; i++) {
		const struct complaint *complaint = &complaints->list[i];
		char *text = complaint_print(complaints, complaint);
		int headline = text ? (int)strcspn(text, "\n") : 0;

		fprintf(stderr, "%s%.*s%s%s",
			!color                                  ? ""
			: complaint->severity == SEVERITY_ERROR ? RED
								: YELLOW,
			headline, text ? text : "", color ? PLAIN : "",
			text ? text + headline : "");
		free(text);
	}
	if (more > 0)
		fprintf(stderr, "%s: and %zu more\n", complaints->file, more);
	if (complaints->out_of_memory)
		fprintf(stderr, "cfshim check: no memory\n");
}

static void print_count(size_t count, const char *word)
{
	fprintf(stderr, "%zu %s%s", count, word, count == 1 ? "" : "s");
}

static void print_sum(const struct policy_file *file)
{
	const struct complaints *complaints = &file->complaints;

	if (complaints->errors > 0)
		print_count(complaints->errors, "error");
	if (complaints->errors > 0 && complaints->warnings > 0)
		fputs(", ", stderr);
	if (complaints->warnings > 0)
		print_count(complaints->warnings, "warning");
	if (complaints->errors > 0)
		fputs("; a server started with this policy refuses every client", stderr);
	if (complaints->errors + complaints->warnings > 0)
		fputc('\n', stderr);
}

/* The common name, or the whole subject of a CA without one; what is not printable ASCII comes out
 * escaped. */
static void print_name(const X509 *ca, char *text, size_t size)
{
	X509_NAME *subject = X509_get_subject_name(ca);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	X509_NAME *common = at < 0 ? NULL : X509_NAME_new();

	if (common != NULL &&
	    X509_NAME_add_entry(common, X509_NAME_get_entry(subject, at), -1, 0) == 1)
		subject = common;
	name_print(&linked_libcrypto, subject, text, size);
	X509_NAME_free(common);
}

static void print_days(const X509 *ca, char *text, size_t size)
{
	int days = days_left(&linked_libcrypto, ca);

	if (days < 0)
		snprintf(text, size, "expired");
	else
		snprintf(text, size, "%d", days);
}

/* A line for each CA; what the rule says stands in its first. */
static bool add_rule(struct columns *columns, const struct rule *rule, const struct trust *trust)
{
	char name[256], days[32], answer[ANSWER_TEXT_BYTES];
	bool good = true;

	if (rule->verify == VERIFY_OFF)
		return columns_add(columns,
				   (const char *const[]){rule->section, verify_word(rule->verify),
							 "-", "-", "-"});
	for (size_t i = 0; good && i < trust_ca_count(trust); i++) {
		bool first = i == 0;

		print_name(trust_ca(trust, i), name, sizeof(name));
		print_days(trust_ca(trust, i), days, sizeof(days));
		good = columns_add(
			columns,
			(const char *const[]){
				first ? rule->section : "", first ? verify_word(rule->verify) : "",
				first ? answer_text(answer, rule->refuse, rule->status) : "", name,
				days});
	}
	return good;
}

static bool print_rules(const struct policy_file *file)
{
	static const char *const headings[] = {"SECTION", "VERIFY", "REFUSE", "CA", "DAYS LEFT"};
	struct columns *columns = columns_begin(headings, 5);
	size_t count = policy_rule_count(file->policy);
	bool good = columns != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = add_rule(columns, policy_rule(file->policy, i), file->trusts[i]);
	columns_print(columns, stdout);
	columns_end(columns);
	return good;
}

static void print_source(const struct policy_file *file)
{
	printf("policy  %s (%s)\n", file->path ? file->path : "built in", file->said_by);
}

static void print_log(const struct policy *policy)
{
	static const char *const words[] = {
		[LOG_STDERR] = "stderr",   [LOG_SYSLOG] = "syslog", [LOG_FILE] = "",
		[LOG_JSON_FILE] = "json:", [LOG_OFF] = "off",
	};
	struct log_choice log = policy_log(policy);

	printf("log     %s%s\n\n", words[log.target], log.path ? log.path : "");
}

static bool print_policy(const struct policy *policy)
{
	char *text = policy_print(policy);

	fputs(text ? text : "", stdout);
	free(text);
	return text != NULL;
}

static enum status check_file(const char *path, bool print)
{
	struct policy_file file;
	bool good;

	policy_file_load(&file, path);
	good = policy_file_is_good(&file);
	if (!print)
		print_source(&file);
	if (good && !print) {
		print_log(file.policy);
		good = print_rules(&file);
	} else if (good) {
		good = print_policy(file.policy);
	}
	fflush(stdout);
	print_complaints(&file.complaints);
	print_sum(&file);
	policy_file_clear(&file);
	return good ? STATUS_GOOD : STATUS_BAD;
}

enum status check_verb(int argc, char **argv)
{
	const char *path = NULL;
	bool print = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--print") == 0)
			print = true;
		else if (argv[i][0] == '-')
			return refuse_usage("check", "there is no option %s", argv[i]);
		else if (path != NULL)
			return refuse_usage("check", "one file is enough: %s is too much", argv[i]);
		else
			path = argv[i];
	}
	return check_file(path, print);
}
