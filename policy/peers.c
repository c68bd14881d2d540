/* The values of `from`, `exempt` and `proxy-protocol`: sets of peers. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[PEER_RANGE] = {
	[PEER_CLOUDFLARE] = "cloudflare",
	[PEER_LOOPBACK] = "loopback",
	[PEER_PRIVATE] = "private",
};
static const char *const loopback[] = {"127.0.0.0/8", "::1/128"};
/* RFC 1918 and RFC 4193. */
static const char *const private[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};

enum taken peer_take(struct peers *peers, const char *text, struct position at)
{
	struct peer_value value = {.at = at}, *grown;
	size_t word;

	if (word_find(text, words, PEER_WORDS, &word)) {
		value.kind = (enum peer_kind)word;
	} else if (*text == '/') {
		value.kind = PEER_FILE;
		value.path = text;
	} else {
		value.kind = PEER_RANGE;
		if (cidr_parse(&value.cidr, text, strlen(text)) != CIDR_GOOD)
			return NOT_ALLOWED;
	}
	grown = array_grown(peers->values, peers->count, sizeof(*grown));
	if (grown == NULL)
		return NO_MEMORY;
	peers->values = grown;
	grown[peers->count++] = value;
	return TAKEN;
}

void peer_why(struct text *text, const char *value)
{
	char network[CIDR_TEXT_BYTES];
	struct cidr cidr;

	if (cidr_parse(&cidr, value, strlen(value)) != CIDR_HOST_BITS)
		return;
	cidr_print(network, &cidr);
	text_add(text, "%s has bits set behind its prefix; the network is %s", value, network);
}

void peers_print(struct text *text, const struct peers *peers)
{
	char network[CIDR_TEXT_BYTES];

	for (size_t i = 0; peers != NULL && i < peers->count; i++) {
		const struct peer_value *value = &peers->values[i];

		text_add(text, "%s", i > 0 ? ", " : "");
		if (value->kind == PEER_RANGE) {
			cidr_print(network, &value->cidr);
			text_add(text, "%s", network);
		} else {
			value_print(text, "",
				    value->kind == PEER_FILE ? value->path : words[value->kind]);
		}
	}
}

static int compare_values(const struct peer_value *left, const struct peer_value *right)
{
	int difference;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->kind == PEER_FILE)
		return strcmp(left->path, right->path);
	if (left->kind != PEER_RANGE)
		return 0;
	difference = memcmp(left->cidr.address, right->cidr.address, sizeof(left->cidr.address));
	return difference != 0 ? difference : left->cidr.bits - right->cidr.bits;
}

static int order_of_values(const void *left, const void *right)
{
	const struct peer_value *one = left, *other = right;
	const int difference = compare_values(one, other);

	return difference != 0 ? difference : compare_positions(one->at, other->at);
}

bool same_peers(const struct peers *left, const struct peers *right)
{
	const size_t count = left ? left->count : 0;

	if (count != (right ? right->count : 0))
		return false;
	for (size_t i = 0; i < count; i++)
		if (compare_values(&left->values[i], &right->values[i]) != 0)
			return false;
	return true;
}

void peers_free(struct peers *peers)
{
	free(peers->values);
	free(peers->others);
	ranges_free(&peers->own);
}

/* The addresses of a word, made once for the policy; NULL: no memory. */
static const struct ranges *word_members(struct policy *policy, enum peer_kind kind)
{
	static const struct {
		const char *const *list;
		size_t count;
	} texts[PEER_RANGE] = {
		[PEER_LOOPBACK] = {loopback, sizeof(loopback) / sizeof(loopback[0])},
		[PEER_PRIVATE] = {private, sizeof(private) / sizeof(private[0])},
	};
	const bool edge = kind == PEER_CLOUDFLARE;
	const char *const *list = edge ? cloudflare_ranges : texts[kind].list;
	const size_t count = edge ? cloudflare_range_count : texts[kind].count;
	struct ranges *ranges = &policy->words[kind];
	struct cidr cidr;

	for (size_t i = ranges->count > 0 ? count : 0; i < count; i++)
		if (cidr_parse(&cidr, list[i], strlen(list[i])) != CIDR_GOOD ||
		    !ranges_add(ranges, &cidr))
			return NULL;
	ranges_settle(ranges);
	return ranges;
}

/* Sort the values, and put those together that are written out. */
static bool values_settle(struct policy *policy, struct complaints *complaints, struct peers *peers,
			  const char *key)
{
	if (peers->count > 1)
		qsort(peers->values, peers->count, sizeof(*peers->values), order_of_values);
	for (size_t i = 0; i < peers->count; i++) {
		struct peer_value *value = &peers->values[i];

		if (i > 0 && compare_values(value - 1, value) == 0)
			complain_of_twice(policy, complaints, value[-1].at, value->at, key);
		if (value->kind == PEER_RANGE) {
			if (!ranges_add(&peers->own, &value->cidr))
				return false;
			continue;
		}
		peers->other_count++;
		if (value->kind < PEER_RANGE)
			value->members = word_members(policy, value->kind);
		if (value->kind < PEER_RANGE && value->members == NULL)
			return false;
	}
	ranges_settle(&peers->own);
	return true;
}

static bool others_collect(struct peers *peers)
{
	size_t count = 0;

	if (peers->other_count == 0)
		return true;
	peers->others = malloc(peers->other_count * sizeof(const struct ranges *));
	if (peers->others == NULL)
		return false;
	for (size_t i = 0; i < peers->count; i++)
		if (peers->values[i].kind != PEER_RANGE)
			peers->others[count++] = peers->values[i].members;
	return true;
}

/* The three lists of section `index / 3`; NULL behind the last. */
static struct peers *peers_at(const struct policy *policy, size_t index, const char **key)
{
	struct section *section;

	if (index / 3 >= policy->section_count)
		return NULL;
	section = &policy->sections[index / 3];
	*key = index % 3 == 0 ? "from" : index % 3 == 1 ? "exempt" : "proxy-protocol";
	return index % 3 == 0   ? &section->from
	       : index % 3 == 1 ? &section->exempt
				: &section->proxy_protocol;
}

static int order_of_pointers(const void *left, const void *right)
{
	return order_of_values(*(struct peer_value *const *)left,
			       *(struct peer_value *const *)right);
}

/* Every value that names a file, by path: so that each file is one. */
static struct peer_value **file_values(const struct policy *policy, size_t *count)
{
	struct peer_value **list = NULL, **grown;
	const char *key;
	struct peers *peers;

	for (size_t i = 0; (peers = peers_at(policy, i, &key)) != NULL; i++) {
		for (size_t j = 0; j < peers->count; j++) {
			if (peers->values[j].kind != PEER_FILE)
				continue;
			grown = array_grown(list, *count, sizeof(struct peer_value *));
			if (grown == NULL) {
				free(list);
				return NULL;
			}
			list = grown;
			list[(*count)++] = &peers->values[j];
		}
	}
	if (*count > 1)
		qsort(list, *count, sizeof(struct peer_value *), order_of_pointers);
	return list;
}

static bool files_settle(struct policy *policy)
{
	size_t count = 0;
	struct peer_value **list = file_values(policy, &count);

	if (count == 0)
		return true;
	policy->files = list ? calloc(count, sizeof(*policy->files)) : NULL;
	for (size_t i = 0; policy->files != NULL && i < count; i++) {
		if (i == 0 || strcmp(list[i - 1]->path, list[i]->path) != 0)
			policy->files[policy->file_count++].file =
				(struct peer_file){list[i]->path, list[i]->at};
		list[i]->members = &policy->files[policy->file_count - 1].ranges;
	}
	free(list);
	return policy->files != NULL;
}

bool peers_settle(struct policy *policy, struct complaints *complaints)
{
	const char *key;
	struct peers *peers;

	for (size_t i = 0; (peers = peers_at(policy, i, &key)) != NULL; i++)
		if (!values_settle(policy, complaints, peers, key))
			return false;
	if (!files_settle(policy))
		return false;
	for (size_t i = 0; (peers = peers_at(policy, i, &key)) != NULL; i++)
		if (!others_collect(peers))
			return false;
	return true;
}

bool peers_contain(const struct peers *peers, const struct endpoint *peer)
{
	if (peers == NULL || peer == NULL)
		return false;
	if (ranges_contain(&peers->own, peer->address))
		return true;
	for (size_t i = 0; i < peers->other_count; i++)
		if (ranges_contain(peers->others[i], peer->address))
			return true;
	return false;
}

bool rule_admits_peer(const struct rule *rule, const struct endpoint *peer)
{
	return rule->from == NULL || peers_contain(rule->from, peer);
}
