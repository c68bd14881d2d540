/* What can only be seen once all sections are read: lists in order, what a server section has of
 * its port's, and what cannot stand together. */
#include "language.h"

#include <stdlib.h>
#include <string.h>

int compare_positions(struct position left, struct position right)
{
	if (left.line != right.line)
		return left.line < right.line ? -1 : 1;
	return (left.column > right.column) - (left.column < right.column);
}

void complain_of_twice(const struct policy *policy, struct complaints *complaints,
		       struct position first, struct position second, const char *key)
{
	complain(complaints, SEVERITY_ERROR, second, policy_source_line(policy, second.line),
		 "duplicate value: this section has it already, in line %u; each %s stands once",
		 first.line, key);
}

static void lists_sort(struct policy *policy, struct complaints *complaints)
{
	for (size_t i = 0; i < policy->section_count; i++) {
		struct section *section = &policy->sections[i];

		sources_sort(policy, complaints, section->ca, section->rule.ca_count, "ca");
		sources_sort(policy, complaints, section->crl, section->rule.crl_count, "crl");
		pins_sort(policy, complaints, section);
		names_sort(policy, complaints, section);
	}
}

static const struct peers *peers_or_null(const struct peers *peers)
{
	return peers->count > 0 ? peers : NULL;
}

static void rule_settle(struct section *section, bool is_fallback)
{
	struct rule *rule = &section->rule;

	rule->ca = section->ca;
	rule->crl = section->crl;
	rule->client_cert = section->client_cert;
	rule->only_names = section->only_names;
	rule->from = peers_or_null(&section->from);
	rule->exempt = peers_or_null(&section->exempt);
	rule->proxy_protocol = peers_or_null(&section->proxy_protocol);
	if (section->said[KEY_plaintext] == 0)
		rule->allows_plaintext = is_fallback;
}

/* All of the port's rule, but what the section says itself, and who it is. */
static void rule_inherit(struct section *section, const struct section *port)
{
	const struct rule own = section->rule;
	const unsigned *said = section->said;
	struct rule *rule = &section->rule;

	*rule = port->rule;
	rule->section = own.section;
	rule->line = own.line;
	rule->index = own.index;
	rule->server = own.server;
	rule->server_count = 0;
	rule->guards_hosts = false;
	if (said[KEY_verify] != 0) {
		rule->verify = own.verify;
		rule->observe_until = own.observe_until;
	}
	if (said[KEY_refuse] != 0) {
		rule->refuse = own.refuse;
		rule->status = own.status;
	}
	if (said[KEY_resumption] != 0)
		rule->resumption = own.resumption;
	if (said[KEY_acme] != 0)
		rule->allows_acme = own.allows_acme;
	if (said[KEY_ca] != 0) {
		rule->ca = own.ca;
		rule->ca_count = own.ca_count;
	}
	if (said[KEY_crl] != 0) {
		rule->crl = own.crl;
		rule->crl_count = own.crl_count;
	}
	if (said[KEY_client_cert] != 0) {
		rule->client_cert = own.client_cert;
		rule->client_cert_count = own.client_cert_count;
	}
}

/* Sections by the spelling of their ports, a port's own before those of its servers, in the order
 * of the file. */
static int order_by_ports(const void *left, const void *right)
{
	const struct section *one = *(struct section *const *)left;
	const struct section *other = *(struct section *const *)right;
	int difference = strcmp(one->ports, other->ports);

	if (difference == 0)
		difference = (one->rule.server != NULL) - (other->rule.server != NULL);
	return difference != 0 ? difference : compare_positions(one->at, other->at);
}

static void complain_of_no_port(const struct policy *policy, struct complaints *complaints,
				const struct section *section)
{
	complain(complaints, SEVERITY_ERROR, section->at,
		 policy_source_line(policy, section->at.line),
		 "no section [port %s]; a server section needs the section of its port, with the "
		 "same endpoints in the same order",
		 section->ports);
}

static const char *difference_of(const struct rule *left, const struct rule *right)
{
	if (left->verify != right->verify || left->observe_until != right->observe_until)
		return "verify";
	if (!same_sources(left->ca, left->ca_count, right->ca, right->ca_count))
		return "ca";
	if (!same_sources(left->crl, left->crl_count, right->crl, right->crl_count))
		return "crl";
	return same_pins(left, right) ? NULL : "client-cert";
}

bool rule_same_admission(const struct rule *left, const struct rule *right)
{
	return difference_of(left, right) == NULL;
}

/* Ports on which TLS is spoken from the start, or begun by STARTTLS, by a protocol that is not HTTP
 * (IANA's registry, and what is usual): FTP, SMTP, DNS, NNTP, LDAP, telnet, IMAP, IRC, POP3, TURN,
 * SIP, XMPP, databases, AMQP, CoAP, syslog, MQTT and the like. */
static const uint16_t other_protocols[] = {
	21,   25,   110,  119,  143,  389,  465,  563,  587,  636,  853,  989,   990,  992,
	993,  994,  995,  1194, 1433, 1883, 2484, 3269, 3306, 3389, 4190, 4460,  5061, 5222,
	5223, 5269, 5349, 5432, 5671, 5672, 5684, 6379, 6380, 6514, 6697, 27017, 8883, 64738,
};

static bool is_of_other_protocol(const struct scope *scope)
{
	for (size_t i = 0; i < sizeof(other_protocols) / sizeof(other_protocols[0]); i++)
		if (scope->kind <= SCOPE_PORT && scope->first.port == other_protocols[i])
			return true;
	return false;
}

/* Requests are told apart by host where they are HTTP; elsewhere no client would get in. */
static void complain_of_other_protocol(const struct policy *policy, struct complaints *complaints,
				       const struct section *port, const struct section *section,
				       const char *key)
{
	for (size_t i = 0; i < policy->scope_count; i++) {
		const struct scope *scope = &policy->scopes[i];

		if (scope->rule != port->rule.index || !is_of_other_protocol(scope))
			continue;
		complain(complaints, SEVERITY_ERROR, section->server_at,
			 policy_source_line(policy, section->server_at.line),
			 "%s differs from [port %s] in line %u, and port %u is not one of HTTP, "
			 "whose requests the shim can hold against the rules; allowed are the same "
			 "verify, ca, crl and client-cert, or, where no client reaches another "
			 "server than that of its hello, hosts = names-only in line %u's section",
			 key, section->ports, port->rule.line, scope->first.port, port->rule.line);
		return;
	}
}

/* A client may name one server in its hello and another in its request. */
static void settle_difference(const struct policy *policy, struct complaints *complaints,
			      struct section *port, const struct section *section)
{
	const char *key = difference_of(&port->rule, &section->rule);

	if (key == NULL || port->rule.hosts == HOSTS_NAMES_ONLY)
		return;
	port->rule.guards_hosts = true;
	complain_of_other_protocol(policy, complaints, port, section, key);
}

/* Give each port section the servers that follow it in `order`. */
static void servers_give(struct policy *policy, struct complaints *complaints,
			 struct section **order)
{
	struct server *end = policy->servers;
	struct section *port = NULL;

	for (size_t i = 0; i < policy->section_count; i++) {
		struct section *section = order[i];

		if (section->rule.server == NULL) {
			port = section;
			port->servers = end;
			continue;
		}
		if (port == NULL || port->rule.line == 0 ||
		    strcmp(port->ports, section->ports) != 0) {
			complain_of_no_port(policy, complaints, section);
			continue;
		}
		rule_inherit(section, port);
		settle_difference(policy, complaints, port, section);
		*end++ = (struct server){section->rule.server, section};
		port->rule.server_count++;
	}
	for (size_t i = 0; i < policy->section_count; i++)
		servers_sort(policy, complaints, &policy->sections[i]);
}

static bool servers_settle(struct policy *policy, struct complaints *complaints)
{
	struct section **order;
	size_t count = 0;

	for (size_t i = 0; i < policy->section_count; i++)
		count += policy->sections[i].rule.server != NULL;
	if (count == 0)
		return true;
	policy->servers = malloc(count * sizeof(*policy->servers));
	order = malloc(policy->section_count * sizeof(struct section *));
	if (policy->servers != NULL && order != NULL) {
		for (size_t i = 0; i < policy->section_count; i++)
			order[i] = &policy->sections[i];
		qsort(order, policy->section_count, sizeof(struct section *), order_by_ports);
		servers_give(policy, complaints, order);
	}
	free(order);
	return policy->servers != NULL && order != NULL;
}

bool sections_settle(struct policy *policy, struct complaints *complaints, size_t errors)
{
	lists_sort(policy, complaints);
	if (!peers_settle(policy, complaints))
		return false;
	for (size_t i = 0; i < policy->section_count; i++)
		rule_settle(&policy->sections[i], i == policy->fallback);
	/* Where a line was wrong, who knows what the servers would have found. */
	if (complaints->errors > errors)
		return true;
	if (policy->file_count == 0)
		policy_peers_settle(policy, complaints);
	return servers_settle(policy, complaints);
}

void sections_free(struct policy *policy)
{
	for (size_t i = 0; i < policy->section_count; i++) {
		struct section *section = &policy->sections[i];

		free(section->owned_ports);
		free(section->ca);
		free(section->crl);
		free(section->client_cert);
		free(section->only_names);
		peers_free(&section->from);
		peers_free(&section->exempt);
		peers_free(&section->proxy_protocol);
	}
	for (size_t i = 0; i < policy->file_count; i++)
		ranges_free(&policy->files[i].ranges);
	for (size_t i = 0; i < PEER_WORDS; i++)
		ranges_free(&policy->words[i]);
	free(policy->sections);
	free(policy->servers);
	free(policy->files);
}
