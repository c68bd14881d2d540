/* Which rule an endpoint falls to: the scopes are sorted once and searched by halves. */
#include "language.h"

#include <stdlib.h>
#include <string.h>

static int compare_numbers(size_t left, size_t right)
{
	return (left > right) - (left < right);
}

static int compare_endpoints(const struct endpoint *left, const struct endpoint *right)
{
	int difference = memcmp(left->address, right->address, sizeof(left->address));

	return difference != 0 ? difference : compare_numbers(left->port, right->port);
}

/* 0 for two scopes that stand for the same endpoints. */
static int compare_scopes(const struct scope *left, const struct scope *right)
{
	int difference = compare_numbers((size_t)left->kind, (size_t)right->kind);

	if (difference == 0)
		difference = compare_endpoints(&left->first, &right->first);
	return difference != 0 ? difference : compare_numbers(left->last, right->last);
}

/* Those that stand for the same come in the order of the file. */
static int order_of_scopes(const void *left, const void *right)
{
	const struct scope *one = left, *other = right;
	int difference = compare_scopes(one, other);

	return difference != 0 ? difference : compare_positions(one->at, other->at);
}

/* How an endpoint stands to a scope of each kind. */
static int compare_address(const void *key, const void *element)
{
	return compare_endpoints(key, &((const struct scope *)element)->first);
}

static int compare_port(const void *key, const void *element)
{
	const struct endpoint *endpoint = key;
	const struct scope *scope = element;

	if (endpoint->port < scope->first.port)
		return -1;
	return endpoint->port > scope->last;
}

static const struct scope *scope_find(const struct policy *policy, enum scope_kind kind,
				      const struct endpoint *endpoint)
{
	const size_t begin = policy->kind_begin[kind];
	const size_t count = policy->kind_begin[kind + 1] - begin;

	if (count == 0)
		return NULL;
	return bsearch(endpoint, policy->scopes + begin, count, sizeof(struct scope),
		       kind == SCOPE_ADDRESS ? compare_address : compare_port);
}

/* NULL: none but `*`, at most. */
static const struct scope *scope_of(const struct policy *policy, const struct endpoint *endpoint)
{
	const struct scope *scope = NULL;

	for (enum scope_kind kind = SCOPE_ADDRESS; scope == NULL && kind < SCOPE_ANY; kind++)
		scope = scope_find(policy, kind, endpoint);
	return scope;
}

const struct rule *policy_match(const struct policy *policy, const struct endpoint *endpoint)
{
	const struct scope *scope = scope_of(policy, endpoint);

	return &policy->sections[scope ? scope->rule : policy->fallback].rule;
}

bool policy_names(const struct policy *policy, const struct endpoint *endpoint)
{
	return scope_of(policy, endpoint) != NULL;
}

bool policy_names_addresses(const struct policy *policy, uint16_t port)
{
	for (size_t i = policy->kind_begin[SCOPE_ADDRESS]; i < policy->kind_begin[SCOPE_PORT]; i++)
		if (policy->scopes[i].first.port == port)
			return true;
	return false;
}

/* Complain at the later of two scopes that cannot both stand. */
static void complain_of_two(const struct policy *policy, struct complaints *complaints,
			    const struct scope *one, const struct scope *other)
{
	const bool in_order = compare_positions(one->at, other->at) < 0;
	const struct scope *first = in_order ? one : other;
	const struct scope *second = in_order ? other : one;
	const char *line = policy_source_line(policy, second->at.line);
	char first_name[SCOPE_TEXT_BYTES], second_name[SCOPE_TEXT_BYTES];

	scope_print(first_name, first);
	scope_print(second_name, second);
	if (compare_scopes(first, second) == 0)
		complain(complaints, SEVERITY_ERROR, second->at, line,
			 "duplicate section: %s stands already in line %u; each port, range and "
			 "address stands once in a policy",
			 second_name, first->at.line);
	else
		complain(complaints, SEVERITY_ERROR, second->at, line,
			 "%s overlaps %s in line %u; ranges stand apart (a single port may stand "
			 "inside a range)",
			 second_name, first_name, first->at.line);
}

/* The scope before `index` that it clashes with; `widest` is the range that reaches furthest so
 * far. */
static const struct scope *clash_of(const struct scope *scopes, size_t index,
				    const struct scope *widest)
{
	const struct scope *scope = &scopes[index];

	if (index > 0 && compare_scopes(scope - 1, scope) == 0)
		return scope - 1;
	if (scope->kind == SCOPE_RANGE && widest != NULL && scope->first.port <= widest->last)
		return widest;
	return NULL;
}

void scopes_settle(struct policy *policy, struct complaints *complaints)
{
	const struct scope *widest = NULL;

	if (policy->scope_count > 0)
		qsort(policy->scopes, policy->scope_count, sizeof(struct scope), order_of_scopes);
	for (size_t i = 0; i < policy->scope_count; i++) {
		const struct scope *scope = &policy->scopes[i];
		const struct scope *clash = clash_of(policy->scopes, i, widest);

		if (clash != NULL)
			complain_of_two(policy, complaints, clash, scope);
		if (scope->kind == SCOPE_RANGE && (widest == NULL || scope->last > widest->last))
			widest = scope;
		for (size_t kind = scope->kind + 1u; kind <= SCOPE_KINDS; kind++)
			policy->kind_begin[kind] = i + 1;
	}
}
