/* What a policy may say and its author may not mean: warnings, for `cfshim check`. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { YEAR_SECONDS = 366 * 24 * 60 * 60 };

struct warner {
	const struct policy *policy;
	struct complaints *complaints;
	int64_t now;
};

__attribute__((format(printf, 3, 4))) static void
warn_at(const struct warner *warner, struct position at, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	complain_list(warner->complaints, SEVERITY_WARNING, at,
		      policy_source_line(warner->policy, at.line), format, values);
	va_end(values);
}

/* Where the section gives `key`; its own place where it does not. */
static struct position place_of(const struct warner *warner, const struct section *section,
				enum key_index key)
{
	const unsigned number = section->said[key];
	const char *line = policy_source_line(warner->policy, number);

	if (line == NULL)
		return section->at;
	return (struct position){number, (unsigned)(skip_blanks(line) - line) + 1};
}

static bool is_fallback(const struct warner *warner, const struct section *section)
{
	return section->rule.index == warner->policy->fallback;
}

/* Whoever writes a CA under [port *] may expect it to hold for the ports that are named, too. */
static void warn_of_other_ca(const struct warner *warner, const struct section *section)
{
	const struct rule *any = &warner->policy->sections[warner->policy->fallback].rule;

	if ((any->ca_count == 1 && any->ca[0].path == NULL) || section->rule.server != NULL ||
	    section->rule.verify == VERIFY_OFF || section->said[KEY_ca] != 0)
		return;
	warn_at(warner, section->at,
		"no ca in this section, so it trusts cloudflare; the ca of [port *] in line %u "
		"does "
		"not hold here",
		any->line);
}

static void warn_of_shared_ca(const struct warner *warner, const struct section *section)
{
	const struct rule *rule = &section->rule;

	if (rule->verify == VERIFY_OFF || rule->ca[0].path != NULL || rule->client_cert_count > 0 ||
	    rule->only_names_count > 0 || (rule->server != NULL && section->said[KEY_ca] == 0))
		return;
	warn_at(warner, place_of(warner, section, KEY_ca),
		"any Cloudflare customer can reach this port: its origin-pull certificate is "
		"shared "
		"by all of them; name the ca of a certificate of your own, or narrow it by "
		"only-names or client-cert");
}

static void warn_of_observe(const struct warner *warner, const struct section *section)
{
	const struct rule *rule = &section->rule;
	const struct position at = place_of(warner, section, KEY_verify);
	char day[DAY_TEXT_BYTES];

	if (rule->verify != VERIFY_OBSERVE || section->said[KEY_verify] == 0)
		return;
	if (rule->observe_until == 0) {
		warn_at(warner, at,
			"observe admits everybody, and does so for good; observe until and a day "
			"ends it");
	} else if (rule_verify(rule, warner->now) == VERIFY_REQUIRE) {
		day_print(day, rule->observe_until);
		warn_at(warner, at,
			warner->now < rule->observe_until
				? "the clock of this machine stands before the release of this "
				  "version, so require holds, not observe until %s"
				: "require holds: %s has come",
			day);
	}
}

static void warn_of_plaintext(const struct warner *warner, const struct section *section)
{
	if (!section->rule.allows_plaintext || section->said[KEY_plaintext] == 0 ||
	    is_fallback(warner, section))
		return;
	warn_at(warner, place_of(warner, section, KEY_plaintext),
		"clients that do not speak TLS get in without a certificate; allow is for "
		"protocols that begin in plain text and change to TLS");
}

static void warn_of_loopback(const struct warner *warner, const struct section *section)
{
	static struct range list[] = {
		{{0, 1}, {0, 1}},
		{{0, 0xffff7f000000}, {0, 0xffff7fffffff}},
	};
	static const struct peers loopback = {.own = {list, 2}};
	struct position at;

	if (section->rule.server == NULL && peers_meet(&section->exempt, &loopback, &at))
		warn_at(warner, at,
			"whatever a program of this machine passes on comes from loopback, and "
			"needs no certificate here: docker-proxy, ssh -L, cloudflared, a proxy of "
			"your own");
}

static bool names_cloudflare(const struct peers *peers, struct position *at)
{
	for (size_t i = 0; i < peers->count; i++) {
		if (peers->values[i].kind == PEER_CLOUDFLARE) {
			*at = peers->values[i].at;
			return true;
		}
	}
	return false;
}

static void warn_of_old_ranges(const struct warner *warner, const struct section *section)
{
	struct position at;
	int64_t day;

	if (!day_parse(&day, cloudflare_ranges_day) || warner->now - day <= YEAR_SECONDS)
		return;
	if (names_cloudflare(&section->from, &at) || names_cloudflare(&section->exempt, &at) ||
	    names_cloudflare(&section->proxy_protocol, &at))
		warn_at(warner, at,
			"Cloudflare's ranges, as they are built in, are of %s, and older than a "
			"year; take a newer version, or a file of today's ranges",
			cloudflare_ranges_day);
}

/* Keys that are looked at only where certificates are. */
static void warn_of_idle_keys(const struct warner *warner, const struct section *section)
{
	static const enum key_index idle[] = {KEY_crl, KEY_client_cert, KEY_proxy_protocol,
					      KEY_acme};

	if (section->rule.verify != VERIFY_OFF || section->rule.server_count > 0)
		return;
	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (section->said[idle[i]] != 0)
			warn_at(warner, place_of(warner, section, idle[i]),
				"%s does nothing under verify = off", keys[idle[i]].spelling);
}

/* ---- rules that never match ---- */

#define PORT_COUNT (UINT16_MAX + 1u)

static bool all_taken(const uint8_t *taken, unsigned first, unsigned last)
{
	while (first <= last && taken[first] != 0)
		first++;
	return first > last;
}

/* Sections of ports, in the order in which they are looked up, and whether each finds any port that
 * is left. */
static void find_reachable(const struct policy *policy, uint8_t *taken, bool *reachable)
{
	for (size_t i = policy->kind_begin[SCOPE_ADDRESS]; i < policy->scope_count; i++) {
		const struct scope *scope = &policy->scopes[i];
		const unsigned first = scope->kind == SCOPE_ANY ? 1 : scope->first.port;
		const unsigned last = scope->kind == SCOPE_ANY ? UINT16_MAX : scope->last;

		if (scope->kind == SCOPE_ADDRESS || !all_taken(taken, first, last))
			reachable[scope->rule] = true;
		if (scope->kind != SCOPE_ADDRESS)
			memset(taken + first, 1, last - first + 1);
	}
}

static void warn_of_unreachable(const struct warner *warner)
{
	const struct policy *policy = warner->policy;
	uint8_t *taken = calloc(PORT_COUNT, 1);
	bool *reachable = calloc(policy->section_count + 1, sizeof(*reachable));

	if (taken != NULL && reachable != NULL)
		find_reachable(policy, taken, reachable);
	else
		warner->complaints->out_of_memory = true;
	for (size_t i = 0; taken != NULL && reachable != NULL && i < policy->section_count; i++) {
		const struct section *section = &policy->sections[i];

		if (section->rule.line > 0 && section->rule.server == NULL && !reachable[i])
			warn_at(warner, section->at,
				"this section never counts: each of its ports has a narrower one");
	}
	free(taken);
	free(reachable);
}

/* ---- names and addresses, of which a client chooses ---- */

static unsigned grade(const struct rule *rule)
{
	return rule->verify == VERIFY_REQUIRE ? 2 : rule->verify == VERIFY_OBSERVE;
}

/* Its requests are guarded, but for the host program's own choice among its sites, where none of
 * them is asked for; and not even these, where the names are said to do. */
static void warn_of_lax_port(const struct warner *warner, const struct section *section)
{
	for (size_t i = 0; i < section->rule.server_count; i++) {
		const struct rule *server = &section->servers[i].section->rule;

		if (grade(&section->rule) >= grade(server))
			continue;
		warn_at(warner, place_of(warner, section, KEY_verify),
			"this section is laxer in verify than [%s], and a client that names no "
			"server, or one without a section, gets in here: %s",
			server->section,
			section->rule.guards_hosts
				? "by which site it is answered is up to the host program"
				: "under names-only it is the host program alone that keeps it "
				  "from that server");
		return;
	}
}

/* A client makes up the name. */
static void warn_of_lax_wildcard(const struct warner *warner, const struct section *section)
{
	for (size_t i = 0; i < section->rule.server_count; i++) {
		const struct section *server = section->servers[i].section;

		if (server->rule.server[0] == '*' && grade(&server->rule) < grade(&section->rule))
			warn_at(warner, place_of(warner, server, KEY_verify),
				"this section is laxer in verify than [%s], and holds for names "
				"that the host program has no site for, too: let it answer these "
				"by one that is open, or name those that are",
				section->rule.section);
	}
}

static bool has_source(const struct rule *rule, const struct ca_source *source)
{
	for (size_t i = 0; i < rule->ca_count; i++)
		if (same_sources(&rule->ca[i], 1, source, 1))
			return true;
	return false;
}

static bool trusts_more(const struct rule *rule, const struct rule *other)
{
	for (size_t i = 0; i < rule->ca_count; i++)
		if (!has_source(other, &rule->ca[i]))
			return true;
	return false;
}

/* In what `rule` lets somebody in whom `other` does not; NULL: in nothing that is sure to.  That
 * plain text passes where no port is named is no surprise. */
static const char *laxer_in(const struct policy *policy, const struct rule *rule,
			    const struct rule *other)
{
	const struct section *section = &policy->sections[rule->index];
	const bool not_said = rule->index == policy->fallback && section->said[KEY_plaintext] == 0;

	if (grade(rule) < grade(other))
		return "verify";
	if (rule->allows_plaintext && !other->allows_plaintext && !not_said)
		return "plaintext";
	if (other->from != NULL && !same_peers(rule->from, other->from))
		return "from";
	if (rule->exempt != NULL && !same_peers(rule->exempt, other->exempt))
		return "exempt";
	if (grade(other) == 0)
		return NULL;
	if (trusts_more(rule, other))
		return "ca";
	if (other->client_cert_count > 0 && !same_pins(rule, other))
		return "client-cert";
	return other->crl_count > rule->crl_count ? "crl" : NULL;
}

static bool is_no_port_section(const struct policy *policy, const struct rule *rule)
{
	const size_t end = policy->kind_begin[SCOPE_PORT];

	if (rule->index == policy->fallback)
		return true;
	for (size_t i = 0; i < end; i++)
		if (policy->scopes[i].rule == rule->index)
			return true;
	return false;
}

/* One of the two is that of an address, the other what the same listener meets there or beside it.
 */
static bool warn_of_laxer(const struct warner *warner, const struct rule *rule,
			  const struct rule *other, unsigned port)
{
	const char *key = rule == other ? NULL : laxer_in(warner->policy, rule, other);

	if (key == NULL || !is_no_port_section(warner->policy, rule))
		return false;
	warn_at(warner, warner->policy->sections[rule->index].at,
		"this section is laxer in %s than [%s]%s, and a listener on every address meets "
		"both on port %u: a client may choose the address that it connects to",
		key, other->section, other->line == 0 ? ", the built-in default" : "", port);
	return true;
}

/* No policy that somebody wrote has so many pairs of addresses; one that does is not to be waited
 * for. */
#define MOST_PAIRS (16u << 20)

/* Each address against the rule of its port's other addresses, and against each that has a rule of
 * its own there. */
static void warn_of_addresses(const struct warner *warner)
{
	const struct policy *policy = warner->policy;
	const size_t end = policy->kind_begin[SCOPE_PORT];
	bool *told = calloc(policy->section_count + 1, sizeof(*told));
	size_t pairs = 0;

	warner->complaints->out_of_memory |= told == NULL;
	for (size_t i = 0; told != NULL && i < end; i++) {
		const struct scope *scope = &policy->scopes[i];
		const struct endpoint elsewhere = {.port = scope->first.port};
		const struct rule *own = &policy->sections[scope->rule].rule;
		const struct rule *wide = policy_match(policy, &elsewhere);

		if (!told[own->index])
			told[own->index] = warn_of_laxer(warner, own, wide, elsewhere.port);
		if (!told[wide->index])
			told[wide->index] = warn_of_laxer(warner, wide, own, elsewhere.port);
		for (size_t j = 0; j < end && !told[own->index] && pairs < MOST_PAIRS; j++, pairs++)
			if (policy->scopes[j].first.port == elsewhere.port)
				told[own->index] = warn_of_laxer(
					warner, own, &policy->sections[policy->scopes[j].rule].rule,
					elsewhere.port);
	}
	free(told);
}

void policy_warn(const struct policy *policy, int64_t now, struct complaints *complaints)
{
	const struct warner warner = {policy, complaints, now};

	for (size_t i = 0; i < policy->section_count; i++) {
		const struct section *section = &policy->sections[i];

		if (section->rule.line == 0)
			continue;
		warn_of_other_ca(&warner, section);
		warn_of_shared_ca(&warner, section);
		warn_of_observe(&warner, section);
		warn_of_plaintext(&warner, section);
		warn_of_loopback(&warner, section);
		warn_of_old_ranges(&warner, section);
		warn_of_idle_keys(&warner, section);
		warn_of_lax_port(&warner, section);
		warn_of_lax_wildcard(&warner, section);
	}
	warn_of_unreachable(&warner);
	warn_of_addresses(&warner);
}
