/* Server names: their one spelling, and which section, or `only-names`, has a name. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_BYTES = 63 };

static char fold_byte(char byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return (char)(byte - 'A' + 'a');
	if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	    byte == '_' || byte == '.')
		return byte;
	return '\0';
}

bool name_fold(char folded[NAME_BYTES + 1], const char *name, size_t length)
{
	size_t label = 0;
	bool only_digits = true;

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length == 0 || length > NAME_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char byte = folded[i] = fold_byte(name[i]);

		if (byte == '\0' || (byte == '.' ? label == 0 : label == LABEL_BYTES))
			return false;
		label = byte == '.' ? 0 : label + 1;
		only_digits = byte == '.' || (only_digits && byte >= '0' && byte <= '9');
	}
	folded[length] = '\0';
	/* No name of the DNS ends in a number; an address does. */
	return label > 0 && !only_digits;
}

/* The part behind the wildcard, or the whole. */
static size_t wildcard_bytes(const char *name)
{
	return name[0] == '*' && name[1] == '.' ? 2 : 0;
}

bool name_settle(char *name)
{
	char folded[NAME_BYTES + 1];
	char *rest = name + wildcard_bytes(name);

	if (!name_fold(folded, rest, strlen(rest)))
		return false;
	memcpy(rest, folded, strlen(folded) + 1);
	return true;
}

void name_why(struct text *text, const char *name)
{
	const size_t length = strlen(name);
	struct endpoint unused;

	if (address_parse(&unused, AF_INET, name) || strchr(name, ':') != NULL)
		text_add(text,
			 SHORT " is no server name: clients that are given an address or a port "
			       "do not send it",
			 SHORTENED(name, length));
	else if (strchr(name + wildcard_bytes(name), '*') != NULL)
		text_add(text, SHORT ": a wildcard is the whole of the first label: *.example.com",
			 SHORTENED(name, length));
	else
		text_add(text,
			 SHORT " is no server name: it takes letters, digits, - and _ in labels of "
			       "at most 63, 253 bytes in all; other alphabets as xn--",
			 SHORTENED(name, length));
}

enum taken name_take(struct policy *policy, const char *value, struct position at)
{
	struct section *section = section_being_read(policy);
	struct server_name *grown;

	if (!name_settle(string_kept(policy, value)))
		return NOT_ALLOWED;
	grown = array_grown(section->only_names, section->rule.only_names_count, sizeof(*grown));
	if (grown == NULL)
		return NO_MEMORY;
	section->only_names = grown;
	grown[section->rule.only_names_count++] = (struct server_name){value, at};
	return TAKEN;
}

void names_print(struct text *text, const struct rule *rule)
{
	for (size_t i = 0; i < rule->only_names_count; i++) {
		text_add(text, "%s", i > 0 ? ", " : "");
		value_print(text, "", rule->only_names[i].name);
	}
}

static int order_of_names(const void *left, const void *right)
{
	const struct server_name *one = left, *other = right;
	const int difference = strcmp(one->name, other->name);

	return difference != 0 ? difference : compare_positions(one->at, other->at);
}

void names_sort(const struct policy *policy, struct complaints *complaints, struct section *section)
{
	struct server_name *list = section->only_names;

	if (section->rule.only_names_count > 1)
		qsort(list, section->rule.only_names_count, sizeof(*list), order_of_names);
	for (size_t i = 1; i < section->rule.only_names_count; i++)
		if (strcmp(list[i - 1].name, list[i].name) == 0)
			complain_of_twice(policy, complaints, list[i - 1].at, list[i].at,
					  "only-names");
}

bool same_names(const struct rule *left, const struct rule *right)
{
	if (left->only_names_count != right->only_names_count)
		return false;
	for (size_t i = 0; i < left->only_names_count; i++)
		if (strcmp(left->only_names[i].name, right->only_names[i].name) != 0)
			return false;
	return true;
}

static int order_of_servers(const void *left, const void *right)
{
	const struct server *one = left, *other = right;
	const int difference = strcmp(one->name, other->name);

	return difference != 0 ? difference
			       : compare_positions(one->section->at, other->section->at);
}

void servers_sort(const struct policy *policy, struct complaints *complaints,
		  const struct section *port)
{
	const struct server *list = port->servers;

	if (port->rule.server_count > 1)
		qsort(port->servers, port->rule.server_count, sizeof(*list), order_of_servers);
	for (size_t i = 1; i < port->rule.server_count; i++)
		if (strcmp(list[i - 1].name, list[i].name) == 0)
			complain(complaints, SEVERITY_ERROR, list[i].section->server_at,
				 policy_source_line(policy, list[i].section->server_at.line),
				 "duplicate section: server %s of these ports has one already in "
				 "line %u",
				 list[i].name, list[i - 1].section->rule.line);
}

/* The elements of both arrays that are searched begin with a name. */
static int compare_name(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

/* The exact name first, then the wildcard that it lies under; `folded` is not as it was. */
static const void *name_find(char *folded, const void *array, size_t count, size_t size)
{
	const void *found = bsearch(folded, array, count, size, compare_name);
	char *dot = strchr(folded, '.');

	if (found != NULL || dot == NULL)
		return found;
	dot[-1] = '*'; /* a label is never empty */
	return bsearch(dot - 1, array, count, size, compare_name);
}

const struct rule *policy_server_rule(const struct policy *policy, const struct rule *rule,
				      const char *name, size_t length)
{
	const struct section *port = &policy->sections[rule->index];
	char folded[NAME_BYTES + 1];
	const struct server *found;

	if (rule->server_count == 0 || name == NULL || !name_fold(folded, name, length))
		return rule;
	found = name_find(folded, port->servers, rule->server_count, sizeof(*port->servers));
	return found ? &found->section->rule : rule;
}

const struct rule *policy_match_name(const struct policy *policy, const struct endpoint *endpoint,
				     const char *name, size_t length)
{
	return policy_server_rule(policy, policy_match(policy, endpoint), name, length);
}

bool policy_allows_name(const struct policy *policy, const struct rule *rule, const char *name,
			size_t length)
{
	char folded[NAME_BYTES + 1];

	if (rule->only_names_count == 0)
		return true;
	if (name == NULL || !name_fold(folded, name, length))
		return false;
	return policy_server_rule(policy, rule, name, length) != rule ||
	       name_find(folded, rule->only_names, rule->only_names_count,
			 sizeof(*rule->only_names)) != NULL;
}
