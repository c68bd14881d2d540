/* What a program is: will the loader put the library into it, and what TLS will it find there? */
#include "confinement.h"
#include "doctor.h"
#include "executable.h"
#include "libraries.h"
#include "policy_file.h"
#include "tls_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_BYTES 256

static unsigned kinds_of_all(const struct libraries *libraries, bool direct_only)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < libraries->count; i++)
		if (!direct_only || libraries->list[i].direct)
			kinds |= libraries->list[i].kinds;
	return kinds;
}

/* The path of the first with one of these kinds; "": there is none. */
static const char *find_kind(const struct libraries *libraries, unsigned kinds)
{
	for (size_t i = 0; i < libraries->count; i++)
		if (libraries->list[i].kinds & kinds)
			return libraries->list[i].path;
	return "";
}

static void find_openssl(const struct libraries *libraries)
{
	for (size_t i = 0; i < libraries->count; i++) {
		const struct library *library = &libraries->list[i];

		if (!(library->kinds & TLS_OPENSSL))
			continue;
		if (i == 0)
			find_good(
				"it carries an OpenSSL inside and exports its functions: the "
				"library binds to it; under `reject STATUS` a refused client sees "
				"the end of the connection");
		else
			find_good("OpenSSL, shared: %s: the library binds to it", library->path);
	}
}

static void find_others(struct findings *findings, const struct libraries *libraries)
{
	const unsigned kinds = kinds_of_all(libraries, false);
	const unsigned direct = kinds_of_all(libraries, true);
	const unsigned others = kinds & TLS_OTHERS;
	char names[NAMES_BYTES];
	const bool serves =
		!(direct & TLS_OPENSSL) && (direct & TLS_OTHERS || !(kinds & TLS_OPENSSL));

	if (kinds & TLS_GO) {
		find_bad(findings, PARAGRAPH_GO,
			 "a program of Go: it makes its system calls itself, and has TLS of its "
			 "own: "
			 "nothing can be hooked or refused; put a TLS proxy in front");
		return;
	}
	if (others == 0)
		return;
	tls_names(names, sizeof(names), others);
	if (serves)
		find_bad(findings, PARAGRAPH_OTHER_TLS,
			 "its TLS is %s (%s), which cannot be hooked: on a port that the policy "
			 "enforces it will serve nobody; use a build of it with OpenSSL, or put a "
			 "TLS "
			 "proxy in front",
			 names, find_kind(libraries, others));
	else
		find_note(findings, PARAGRAPH_OTHER_TLS,
			  "%s is in it too (%s), and cannot be hooked: an enforced port that is "
			  "served by it is served to nobody",
			  names, find_kind(libraries, others));
}

static void find_inside(struct findings *findings, const struct libraries *libraries)
{
	const char *path = find_kind(libraries, TLS_INSIDE);

	if (*path != '\0')
		find_bad(
			findings, PARAGRAPH_INSIDE,
			"OpenSSL is linked into %s, and its functions are not exported: they "
			"cannot "
			"be hooked, and on a port that the policy enforces they will serve nobody; "
			"use a build that is linked to the shared OpenSSL, or put a TLS proxy in "
			"front",
			path);
}

static void find_none(struct findings *findings, const struct libraries *libraries, bool is_script)
{
	const bool loads = kinds_of_all(libraries, true) & TLS_LOADS;

	if (kinds_of_all(libraries, false) & TLS_ANY)
		return;
	if (loads)
		find_note(findings, PARAGRAPH_MODULES,
			  "it is linked to no TLS, and loads modules at run time: an OpenSSL that "
			  "comes so is covered, other TLS is refused on the ports that the policy "
			  "enforces; ask again when it runs: cfshim doctor PID");
	else if (is_script)
		find_note(
			findings, PARAGRAPH_PROGRAM,
			"a script for %s, which has no TLS itself: what it starts gets the library "
			"too, and is what to ask for",
			libraries->list[0].path);
	else
		find_note(findings, PARAGRAPH_PLAIN,
			  "no TLS is seen in it: on a port that the policy names nothing passes, "
			  "under [port *] plain text does; programs that it executes are covered");
}

static void find_missing(struct findings *findings, const struct libraries *libraries)
{
	for (size_t i = 1; i < libraries->count; i++)
		if (!libraries->list[i].found)
			find_note(findings, PARAGRAPH_UNSEEN,
				  "%s, which it needs, was not found: what that needs in turn was "
				  "not seen",
				  libraries->list[i].path);
}

static void find_tls(struct findings *findings, const char *program, bool is_script)
{
	struct libraries libraries;

	libraries_begin(&libraries, program);
	if (libraries.is_musl)
		find_note(
			findings, PARAGRAPH_MUSL,
			"it is linked to musl, whose loader says nothing where it cannot preload: "
			"look at the process");
	find_openssl(&libraries);
	find_inside(findings, &libraries);
	find_others(findings, &libraries);
	find_none(findings, &libraries, is_script);
	find_missing(findings, &libraries);
	libraries_end(&libraries);
}

static void find_raised(struct findings *findings, const char *program)
{
	const char *raises = executable_raises(program);

	if (raises != NULL)
		find_note(findings, PARAGRAPH_PRIVILEGES,
			  "it is %s: started by a user whom that raises it gets no library; "
			  "started by you it does",
			  raises);
}

static void find_obstacle(struct findings *findings, const struct obstacle *obstacle)
{
	find_bad(findings, obstacle->paragraph, "%s; %s", obstacle->what, obstacle->instead);
}

/* The binding of it: what `run` would refuse is told, and what is left to tell besides. */
static enum status examine(const char *path, const struct policy_file *policy)
{
	char library[PATH_MAX], program[PATH_MAX];
	struct findings findings = {.bad = 0};
	struct obstacle obstacle;
	bool is_script;

	library_find(library, sizeof(library));
	print_labelled("library", "%s", library);
	if (library_check(library, &obstacle) != STATUS_GOOD) {
		find_obstacle(&findings, &obstacle);
		return STATUS_BAD;
	}
	if (executable_check(path, library, program, &obstacle) != STATUS_GOOD)
		find_obstacle(&findings, &obstacle);
	else
		find_raised(&findings, program);
	is_script = strcmp(path, program) != 0;
	if (is_script)
		print_labelled("script", "for %s", program);
	find_tls(&findings, program, is_script);
	if (!policy_file_is_good(policy))
		find_bad(&findings, PARAGRAPH_POLICY,
			 "the policy %s does not load, and every client would be refused; see "
			 "`cfshim "
			 "check`",
			 policy->path);
	find_confinement(&findings, &(struct confined){program, NULL, library, policy->path});
	find_verdict(findings.bad == 0, findings.bad > 0 ? "it will not be covered as it is"
					: findings.notes > 0
						? "it can be covered; mind what is noted"
						: "it will be covered");
	return findings.bad > 0 ? STATUS_BAD : STATUS_GOOD;
}

enum status doctor_program(const char *name, const char *policy)
{
	struct obstacle obstacle = {.script = NULL};
	struct policy_file file;
	char path[PATH_MAX];
	enum status status;

	if (executable_find(name, path, sizeof(path), &obstacle) != STATUS_GOOD)
		return refuse(STATUS_BAD, "doctor", "%s; %s", obstacle.what, obstacle.instead);
	print_labelled("program", "%s", path);
	policy_file_load(&file, policy);
	status = examine(path, &file);
	policy_file_clear(&file);
	return status;
}
