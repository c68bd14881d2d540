#include "coverage.h"

#include "counted.h"
#include "tls_library.h"
#include "trust/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- policies ---- */

/* As the library reads it at its start, without the certificates: which rule, not whom it admits.
 */
static void load(struct known_policy *known)
{
	struct complaints complaints;
	size_t length = 0;
	char *text;

	complaints_begin(&complaints, known->shown);
	if (known->path == NULL) {
		known->policy = policy_built_in();
	} else if ((text = file_bytes(known->path, POLICY_MAX_BYTES, &length, NULL)) != NULL) {
		known->policy = policy_parse(text, length, &complaints);
		free(text);
	}
	if (complaints.errors > 0) {
		policy_free(known->policy);
		known->policy = NULL;
	}
	complaints_clear(&complaints);
	if (known->policy != NULL)
		known->used = calloc(policy_rule_count(known->policy), sizeof(bool));
}

static bool is_same_path(const char *left, const char *right)
{
	return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static struct known_policy *find_policy(struct known_policy **known, const char *path,
					const char *shown)
{
	struct known_policy *found = *known;

	while (found != NULL && !is_same_path(found->path, path))
		found = found->next;
	if (found != NULL)
		return found;
	found = calloc(1, sizeof(*found));
	if (found == NULL || (path != NULL && (found->path = strdup(path)) == NULL)) {
		free(found);
		return NULL;
	}
	snprintf(found->shown, sizeof(found->shown), "%s", shown);
	load(found);
	found->next = *known;
	*known = found;
	return found;
}

static bool is_absent(const char *path)
{
	return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* The policy that somebody named. */
struct named_policy {
	char path[PATH_MAX]; /* ""; none, so that of the default path, where there is one */
	bool is_built_in;
	bool is_of_process; /* as that sees the files */
	const char *said_by;
};

/* By its environment, by the library in it, by this command's own: in a unit the last is the same.
 */
static void name_policy(struct named_policy *named, const struct process *process,
			const char *given)
{
	const char *path = process != NULL ? process_variable(process, "CFSHIM_POLICY") : NULL;
	char whole[PATH_MAX];

	*named = (struct named_policy){.is_of_process = true};
	if (path == NULL && process != NULL && process->library != NULL &&
	    counted_policy(process->pid, named->path) && process_is_there(process)) {
		named->is_built_in = *named->path == '\0';
		named->said_by = POLICY_SAID_BY_LIBRARY;
		return;
	}
	if (process != NULL && process->saw_environment) {
		named->said_by = path != NULL ? "named by its CFSHIM_POLICY" : "the default";
	} else {
		named->is_of_process = false;
		named->said_by = POLICY_NOT_SAID;
		path = given != NULL ? given : getenv("CFSHIM_POLICY");
		if (path != NULL && realpath(path, whole) != NULL)
			path = whole;
	}
	snprintf(named->path, sizeof(named->path), "%s", path != NULL ? path : "");
}

struct known_policy *policy_of_process(struct known_policy **known, const struct process *process,
				       const char *given, const char **said_by)
{
	struct named_policy named;
	const char *shown;
	char path[PATH_MAX + 32];

	name_policy(&named, process, given);
	shown = *named.path != '\0' ? named.path : POLICY_DEFAULT_PATH;
	if (named.is_of_process && process_is_elsewhere(process))
		snprintf(path, sizeof(path), "/proc/%d/root%s", (int)process->pid, shown);
	else
		snprintf(path, sizeof(path), "%s", shown);
	if (said_by != NULL)
		*said_by = named.said_by;
	if (named.is_built_in || (*named.path == '\0' && is_absent(path)))
		return find_policy(known, NULL, "built in");
	return find_policy(known, path, shown);
}

void known_policies_free(struct known_policy *known)
{
	while (known != NULL) {
		struct known_policy *next = known->next;

		policy_free(known->policy);
		free(known->used);
		free(known->path);
		free(known);
		known = next;
	}
}

/* ---- listeners ---- */

void holders_add(struct holders *holders, const struct process *process)
{
	/* It listens for its units, which serve. */
	const bool is_manager = process->pid == 1;

	if (holders->first != NULL && is_manager)
		return;
	if (holders->first == NULL || holders->first->pid == 1)
		*holders = (struct holders){.first = process, .covered = true, .seen = true};
	holders->count++;
	holders->covered = holders->covered && process->library != NULL && !process->is_go;
	holders->seen = holders->seen && process->saw_maps;
	holders->kinds |= process->kinds;
}

bool policy_names_listener(const struct policy *policy, const struct listener *listener)
{
	return policy_names(policy, &listener->here) ||
	       (listener->everywhere && policy_names_addresses(policy, listener->here.port));
}

static enum coverage judge_datagrams(const struct listener *listener, const struct holders *holders,
				     const struct policy *policy)
{
	if (policy_names_listener(policy, listener))
		return COVERAGE_COVERED;
	return holders->kinds & TLS_QUIC ? COVERAGE_QUIC : COVERAGE_DATAGRAMS;
}

static enum coverage judge(const struct listener *listener, const struct holders *holders,
			   const struct policy *policy, const struct rule *rule)
{
	const bool open = rule_verify(rule, (int64_t)time(NULL)) != VERIFY_REQUIRE;

	if (!holders->covered) {
		if (open && policy_names(policy, &listener->here))
			return COVERAGE_SAID_OPEN;
		if (holders->kinds & (TLS_ANY | TLS_QUIC))
			return COVERAGE_NOT_COVERED;
		return listener_is_local(listener) ? COVERAGE_PLAIN : COVERAGE_BARE;
	}
	if (open)
		return COVERAGE_OPEN;
	if (listener->datagrams)
		return judge_datagrams(listener, holders, policy);
	if (!rule->allows_plaintext)
		return holders->kinds & TLS_ANY && !(holders->kinds & TLS_OPENSSL)
			       ? COVERAGE_MUTE
			       : COVERAGE_COVERED;
	return (holders->kinds & TLS_ANY) != 0 ? COVERAGE_PASSES : COVERAGE_PLAIN;
}

/* A socket on all addresses meets the sections of single ones, too. */
static void mark_used(struct known_policy *known, const struct listener *listener,
		      const struct rule *rule)
{
	char port[16];

	if (known->used == NULL)
		return;
	known->used[rule->index] = true;
	if (!listener->everywhere || !policy_names_addresses(known->policy, listener->here.port))
		return;
	snprintf(port, sizeof(port), ":%u", listener->here.port);
	for (size_t i = 0; i < policy_rule_count(known->policy); i++) {
		const char *section = policy_rule(known->policy, i)->section;
		const char *found = strstr(section, port);

		if (found != NULL && (found[strlen(port)] == '\0' || found[strlen(port)] == ',' ||
				      found[strlen(port)] == ' '))
			known->used[i] = true;
	}
}

enum coverage coverage_of(const struct listener *listener, const struct holders *holders,
			  struct known_policy *known, const struct rule **rule)
{
	*rule = NULL;
	if (known != NULL && known->policy != NULL) {
		*rule = policy_match(known->policy, &listener->here);
		mark_used(known, listener, *rule);
	}
	if (holders->first == NULL || !holders->seen)
		return COVERAGE_UNSEEN;
	if (holders->first->pid == 1 && !holders->covered)
		return COVERAGE_WAITS;
	if (*rule == NULL)
		return holders->covered ? COVERAGE_COVERED : COVERAGE_NOT_COVERED;
	return judge(listener, holders, known->policy, *rule);
}

const char *coverage_words(enum coverage coverage)
{
	static const char *const words[COVERAGE_COUNT] = {
		[COVERAGE_COVERED] = "covered",
		[COVERAGE_PASSES] = "covered, plain text passes",
		[COVERAGE_DATAGRAMS] = "covered, datagrams pass",
		[COVERAGE_MUTE] = "covered, serves nobody",
		[COVERAGE_OPEN] = "covered, open by policy",
		[COVERAGE_SAID_OPEN] = "not covered, open by policy",
		[COVERAGE_PLAIN] = "plain text, open to strangers",
		[COVERAGE_BARE] = "plain text, open to strangers",
		[COVERAGE_QUIC] = "not covered",
		[COVERAGE_NOT_COVERED] = "not covered",
		[COVERAGE_WAITS] = "waits for its unit",
		[COVERAGE_UNSEEN] = "not seen",
	};

	return words[coverage];
}

void find_coverage(struct findings *findings, enum coverage coverage, const char *which)
{
	if (coverage == COVERAGE_PASSES)
		find_note(
			findings, PARAGRAPH_PLAIN,
			"%s: TLS is enforced, and plain text passes; a section that names the port "
			"keeps it out, unless it says plaintext = allow",
			which);
	else if (coverage == COVERAGE_DATAGRAMS)
		find_note(
			findings, PARAGRAPH_QUIC,
			"%s: QUIC of OpenSSL is enforced, and other datagrams pass: a section that "
			"names the port withholds them",
			which);
	else if (coverage == COVERAGE_MUTE)
		find_bad(findings, PARAGRAPH_OTHER_TLS,
			 "%s: the TLS in the process cannot be hooked: nobody gets in, and nobody "
			 "is "
			 "served",
			 which);
	else if (coverage == COVERAGE_OPEN || coverage == COVERAGE_SAID_OPEN)
		find_note(findings, PARAGRAPH_OPEN, "%s: the policy demands no certificate there",
			  which);
	else if (coverage == COVERAGE_PLAIN)
		find_note(findings, PARAGRAPH_PLAIN,
			  "%s: no TLS is seen in the process, and plain text passes", which);
	else if (coverage == COVERAGE_WAITS)
		find_note(findings, PARAGRAPH_UNSEEN,
			  "%s: systemd holds it for a unit that does not run: look again when it "
			  "does",
			  which);
	else if (coverage == COVERAGE_UNSEEN)
		find_note(findings, PARAGRAPH_UNSEEN, "%s: who listens there could not be seen%s",
			  which, geteuid() == 0 ? "" : ": ask as root");
	else if (coverage == COVERAGE_BARE)
		find_bad(findings, PARAGRAPH_PLAIN,
			 "%s: no TLS is seen in the process, and the library is not in it; where "
			 "it is "
			 "meant to be open, let the policy say so",
			 which);
	else if (coverage == COVERAGE_QUIC)
		find_bad(findings, PARAGRAPH_QUIC,
			 "%s: QUIC of another library than OpenSSL, and no section names the port: "
			 "it "
			 "passes",
			 which);
	else if (coverage == COVERAGE_NOT_COVERED)
		find_bad(findings, PARAGRAPH_LOADED,
			 "%s: not covered: strangers get in as if there were no policy", which);
}

void find_unused(struct findings *findings, const struct known_policy *known)
{
	for (size_t i = 0; known->used != NULL && i < policy_rule_count(known->policy); i++) {
		const struct rule *rule = policy_rule(known->policy, i);

		if (known->used[i] || rule->server != NULL || rule->line == 0 ||
		    strcmp(rule->section, "port *") == 0)
			continue;
		find_note(findings, PARAGRAPH_UNUSED,
			  "[%s], line %u of %s: no listener of a process with this policy falls to "
			  "it",
			  rule->section, rule->line, known->shown);
	}
}
