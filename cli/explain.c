/* explain.c - `cfshim explain --port N ...`: which rule a connection falls to, and what would
 * become of it. */
#include "arguments.h"
#include "findings.h"
#include "policy_file.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is asked; each NULL where it was not said. */
struct question {
	const char *policy, *port, *address, *server_name, *peer, *certificate;
	struct endpoint here, from;
};

enum fate { ADMITTED, EXEMPT, OPEN, REFUSED };

struct finding {
	const struct rule *port; /* the endpoint's own rule, and that of the server name */
	const struct rule *rule;
	enum fate verdict;
	enum reason reason;
	const char *why;
};

static bool parse_address(struct endpoint *endpoint, const char *text)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		return endpoint_from_sockaddr(endpoint, (struct sockaddr *)&ipv4, sizeof(ipv4));
	return inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1 &&
	       endpoint_from_sockaddr(endpoint, (struct sockaddr *)&ipv6, sizeof(ipv6));
}

static bool parse_port(uint16_t *port, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*port = (uint16_t)number;
	return *text >= '1' && *text <= '9' && *end == '\0' && number <= UINT16_MAX;
}

static enum status read_arguments(struct question *question, int argc, char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);

	if (status != STATUS_GOOD)
		return status;
	if (arguments.count > 0)
		return refuse_usage("explain", "\"%s\" is too much", arguments.operands[0]);
	question->policy = arguments.options[OPTION_explain_policy];
	question->port = arguments.options[OPTION_explain_port];
	question->address = arguments.options[OPTION_explain_address];
	question->server_name = arguments.options[OPTION_explain_server_name];
	question->peer = arguments.options[OPTION_explain_peer];
	question->certificate = arguments.options[OPTION_explain_cert];
	if (question->port == NULL)
		return refuse_usage("explain", "--port is missing");
	if (question->address != NULL && !parse_address(&question->here, question->address))
		return refuse_usage("explain", "--address takes an IP address, not %s",
				    question->address);
	if (question->peer != NULL && !parse_address(&question->from, question->peer))
		return refuse_usage("explain", "--peer takes an IP address, not %s",
				    question->peer);
	if (!parse_port(&question->here.port, question->port))
		return refuse_usage("explain", "--port takes a number from 1 to 65535, not %s",
				    question->port);
	return STATUS_GOOD;
}

/* ---- the certificate ---- */

/* The leaf, and what stands behind it in the file; NULL where there is none to be read. */
static X509 *read_chain(const char *path, STACK_OF(X509) * *others)
{
	BIO *file = BIO_new_file(path, "r");
	X509 *leaf = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
	X509 *other;

	*others = sk_X509_new_null();
	while (leaf != NULL && *others != NULL &&
	       (other = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(*others, other) == 0)
			X509_free(other);
	ERR_clear_error();
	BIO_free(file);
	return leaf;
}

static enum reason judge_certificate(const struct policy_file *file, const struct rule *rule,
				     X509 *leaf, STACK_OF(X509) * others)
{
	if (leaf == NULL)
		return REASON_NO_CERTIFICATE;
	return trust_judge(&linked_libcrypto, file->trusts[rule->index], leaf, others);
}

/* ---- the verdict, in the order in which the library asks ---- */

static bool names_none(const struct question *question)
{
	return question->server_name == NULL;
}

static void judge(struct finding *finding, const struct policy_file *file,
		  const struct question *question, X509 *leaf, STACK_OF(X509) * others)
{
	const size_t length = names_none(question) ? 0 : strlen(question->server_name);
	const struct endpoint *peer = question->peer ? &question->from : NULL;
	const struct rule *port = policy_match(file->policy, &question->here);

	finding->port = port;
	finding->rule = policy_server_rule(file->policy, port, question->server_name, length);
	finding->verdict = REFUSED;
	if (peers_contain(port->exempt, peer)) {
		finding->verdict = EXEMPT;
		finding->why = "the peer is one of exempt";
	} else if (peer != NULL && !rule_admits_peer(port, peer)) {
		finding->reason = REASON_PEER_ADDRESS;
	} else if (!policy_allows_name(file->policy, port, question->server_name, length)) {
		finding->reason = REASON_SERVER_NAME;
	} else if (finding->rule->verify == VERIFY_OFF) {
		finding->verdict = OPEN;
		finding->why = "verify = off: no certificate is asked for";
	} else {
		finding->reason = judge_certificate(file, finding->rule, leaf, others);
		finding->verdict = finding->reason == REASON_NONE ? ADMITTED : REFUSED;
		finding->why = "its certificate is good for this rule";
	}
	if (finding->verdict == REFUSED)
		finding->why = reason_meaning(finding->reason);
}

/* Under `observe` the refusal is only told.  An address is judged before the name is known. */
static bool only_observed(const struct finding *finding)
{
	const int64_t now = (int64_t)time(NULL);

	if (finding->verdict != REFUSED)
		return false;
	if (finding->reason == REASON_PEER_ADDRESS)
		return rule_enforces(finding->port) && !rule_requires(finding->port, now);
	return rule_verify(finding->rule, now) == VERIFY_OBSERVE;
}

/* ---- what is printed ---- */

static void print_rule(const struct policy_file *file, const struct question *question,
		       const struct finding *finding)
{
	const struct rule *rule = finding->rule;

	print_labelled("policy", "%s (%s)", file->path ? file->path : "built in", file->said_by);
	if (rule->line > 0)
		print_labelled("section", "[%s], line %u", rule->section, rule->line);
	else
		print_labelled("section", "[%s], the built-in default: no section names this port",
			       rule->section);
	print_labelled("verify", "%s", verify_word(rule_verify(rule, (int64_t)time(NULL))));
	if (question->address == NULL && policy_names_addresses(file->policy, question->here.port))
		print_labelled("note", "some addresses of this port have sections of their own; "
				       "--address names one");
	if (question->peer == NULL &&
	    (finding->port->from != NULL || finding->port->exempt != NULL))
		print_labelled("note", "the section has from or exempt; without --peer the peer is "
				       "taken for one that may connect and is not exempt");
}

static void print_verdict(const struct finding *finding)
{
	static const char *const words[] = {[ADMITTED] = "admitted",
					    [EXEMPT] = "exempt",
					    [OPEN] = "open",
					    [REFUSED] = "refused"};
	char answer[ANSWER_TEXT_BYTES];

	if (finding->verdict != REFUSED) {
		print_labelled("verdict", "%s: %s", words[finding->verdict], finding->why);
		return;
	}
	print_labelled("verdict", "%s: %s: %s%s", only_observed(finding) ? "observed" : "refused",
		       reason_word(finding->reason), finding->why,
		       only_observed(finding) ? "; verify = observe admits it all the same" : "");
	if (!only_observed(finding))
		print_labelled("answer", "%s",
			       answer_text(answer, finding->rule->refuse, finding->rule->status));
}

static enum status explain_file(const struct policy_file *file, const struct question *question)
{
	struct finding finding = {.reason = REASON_NONE};
	STACK_OF(X509) *others = NULL;
	X509 *leaf = NULL;

	if (!policy_file_is_good(file)) {
		print_complaints(&file->complaints, SEVERITY_ERROR);
		print_labelled("policy", "%s (%s)", file->path ? file->path : "built in",
			       file->said_by);
		print_labelled("verdict", "refused: %s: %s", reason_word(REASON_POLICY_ERROR),
			       reason_meaning(REASON_POLICY_ERROR));
		return STATUS_BAD;
	}
	if (question->certificate != NULL) {
		leaf = read_chain(question->certificate, &others);
		if (leaf == NULL) {
			sk_X509_pop_free(others, X509_free);
			return refuse(STATUS_BAD, "explain", "%s: no certificate can be read there",
				      question->certificate);
		}
	}
	judge(&finding, file, question, leaf, others);
	print_rule(file, question, &finding);
	print_verdict(&finding);
	X509_free(leaf);
	sk_X509_pop_free(others, X509_free);
	return finding.verdict != REFUSED || only_observed(&finding) ? STATUS_GOOD : STATUS_BAD;
}

enum status explain_verb(int argc, char **argv)
{
	struct question question = {.policy = NULL};
	enum status status = read_arguments(&question, argc, argv);
	struct policy_file file;

	if (status != STATUS_GOOD)
		return status;
	policy_file_load(&file, question.policy);
	status = explain_file(&file, &question);
	policy_file_clear(&file);
	return status;
}
