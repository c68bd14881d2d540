/* check.c - `cfshim check [FILE] [--print]`: what is wrong with a policy, and what it says. */
#include "arguments.h"
#include "columns.h"
#include "policy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The keys besides those of the table that a rule uses: they narrow or widen it. */
static void print_also(const struct rule *rule, char *text, size_t size)
{
	const struct {
		const char *name;
		bool used;
	} keys[] = {
		{"crl", rule->crl_count > 0},
		{"client-cert", rule->client_cert_count > 0},
		{"only-names", rule->only_names_count > 0},
		{"from", rule->from != NULL},
		{"exempt", rule->exempt != NULL},
		{"proxy-protocol", rule->proxy_protocol != NULL},
		{"acme", rule->allows_acme},
		{"resumption", rule->resumption == RESUMPTION_ON},
	};
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].used && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used > 0 ? ", " : "", keys[i].name);
}

/* A line for each CA; what the rule says stands in its first. */
static bool add_rule(struct columns *columns, const struct rule *rule, const struct trust *trust)
{
	char name[256], days[32], also[128], verify[VERIFY_TEXT_BYTES];
	char answer[ANSWER_TEXT_BYTES];
	bool good = true;

	rule_verify_text(verify, rule);
	print_also(rule, also, sizeof(also));
	if (rule->verify == VERIFY_OFF)
		return columns_add(columns,
				   (const char *const[]){rule->section, verify, "-", "-", "-", ""});
	for (size_t i = 0; good && i < trust_ca_count(trust); i++) {
		bool first = i == 0;

		print_name(trust_ca(trust, i), name, sizeof(name));
		print_days(trust_ca(trust, i), days, sizeof(days));
		good = columns_add(
			columns,
			(const char *const[]){
				first ? rule->section : "", first ? verify : "",
				first ? answer_text(answer, rule->refuse, rule->status) : "", name,
				days, first ? also : ""});
	}
	return good;
}

/* The last column only where there is something in it. */
static bool any_uses_more(const struct policy *policy)
{
	char also[128] = "";

	for (size_t i = 0; *also == '\0' && i < policy_rule_count(policy); i++)
		if (policy_rule(policy, i)->verify != VERIFY_OFF)
			print_also(policy_rule(policy, i), also, sizeof(also));
	return *also != '\0';
}

static bool print_rules(const struct policy_file *file)
{
	static const char *const headings[] = {"SECTION", "VERIFY",    "REFUSE",
					       "CA",      "DAYS LEFT", "ALSO"};
	struct columns *columns = columns_begin(headings, any_uses_more(file->policy) ? 6 : 5);
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
	print_complaints(&file.complaints, SEVERITY_WARNING);
	print_sum(&file);
	policy_file_clear(&file);
	return good ? STATUS_GOOD : STATUS_BAD;
}

enum status check_verb(int argc, char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);

	if (status != STATUS_GOOD)
		return status;
	if (arguments.count > 1)
		return refuse_usage("check", "one file is enough: %s is too much",
				    arguments.operands[1]);
	return check_file(arguments.operands[0], arguments.options[OPTION_check_print] != NULL);
}
