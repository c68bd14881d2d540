/* Server names: their one spelling, and which section, or `only-names`, has a name. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_BYTES = 63 };

/* The bytes of a name, in lower case; 0 for all others.  A table, since it is asked for each byte
 * of a stranger's hello. */
static const char folds[256] = {
	['-'] = '-', ['.'] = '.', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
	['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['A'] = 'a', ['B'] = 'b',
	['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i',
	['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p',
	['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w',
	['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['_'] = '_', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c',
	['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j',
	['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q',
	['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x',
	['y'] = 'y', ['z'] = 'z',
};

/* No name of the DNS ends in a number; an address does. */
static bool ends_in_number(const char *folded, size_t length)
{
	while (length > 0 && folded[length - 1] >= '0' && folded[length - 1] <= '9')
		length--;
	return length == 0 || folded[length - 1] == '.';
}

bool name_fold(char folded[NAME_BYTES + 1], const char *name, size_t length)
{
	size_t label = 0; /* where the current one begins */

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length == 0 || length > NAME_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		folded[i] = folds[(unsigned char)name[i]];
		if (folded[i] == '\0')
			return false;
		if (folded[i] != '.')
			continue;
		if (i == label || i - label > LABEL_BYTES)
			return false;
		label = i + 1;
	}
	folded[length] = '\0';
	/* An empty last label ends in no number either, for the dot stands before it. */
	return length - label <= LABEL_BYTES && !ends_in_number(folded, length);
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
static const void *element_find(const char *name, const void *array, size_t count, size_t size)
{
	size_t from = 0, to = count;
	/* How much of the name stands in the elements before `from`, and from `to` on: what is
	 * between has that much too. */
	size_t below = 0, above = 0;

	while (array != NULL && from < to) {
		const size_t middle = from + (to - from) / 2;
		const void *element = (const char *)array + middle * size;
		const char *other = *(const char *const *)element;
		size_t same = below < above ? below : above;

		while (name[same] == other[same] && name[same] != '\0')
			same++;
		if (name[same] == other[same])
			return element;
		if ((unsigned char)name[same] > (unsigned char)other[same]) {
			from = middle + 1;
			below = same;
		} else {
			to = middle;
			above = same;
		}
	}
	return NULL;
}

/* The exact name first, then the wildcard that it lies under; `folded` comes back as it was. */
static const void *name_find(char *folded, const void *array, size_t count, size_t size)
{
	const void *found = element_find(folded, array, count, size);
	char *dot = strchr(folded, '.');
	char before;

	if (found != NULL || dot == NULL)
		return found;
	before = dot[-1]; /* a label is never empty */
	dot[-1] = '*';
	found = element_find(dot - 1, array, count, size);
	dot[-1] = before;
	return found;
}

static const struct server *server_find(const struct policy *policy, const struct rule *rule,
					char *folded)
{
	return name_find(folded, policy->sections[rule->index].servers, rule->server_count,
			 sizeof(struct server));
}

const struct rule *policy_server_rule(const struct policy *policy, const struct rule *rule,
				      const char *name, size_t length)
{
	char folded[NAME_BYTES + 1];
	const struct server *found;

	if (rule->server_count == 0 || name == NULL || !name_fold(folded, name, length))
		return rule;
	found = server_find(policy, rule, folded);
	return found ? &found->section->rule : rule;
}

bool policy_names_servers(const struct policy *policy)
{
	for (size_t i = 0; i < policy->section_count; i++)
		if (policy->sections[i].rule.server != NULL)
			return true;
	return false;
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
	return name_find(folded, rule->only_names, rule->only_names_count,
			 sizeof(*rule->only_names)) != NULL ||
	       server_find(policy, rule, folded) != NULL;
}
