/* Files of addresses, and what can only be said of a policy's peers once they are known. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

size_t policy_peer_file_count(const struct policy *policy)
{
	return policy->file_count;
}

const struct peer_file *policy_peer_file(const struct policy *policy, size_t index)
{
	return &policy->files[index].file;
}

/* A complaint about a line of the file stands where the policy names the file. */
__attribute__((format(printf, 4, 5))) static void complain_of_file(const struct policy *policy,
								   struct complaints *complaints,
								   const struct peer_file *file,
								   const char *format, ...)
{
	struct text text = {0};
	va_list values;

	text_add(&text, "%s", file->path);
	va_start(values, format);
	text_add_list(&text, format, values);
	va_end(values);
	complain(complaints, SEVERITY_ERROR, file->at, policy_source_line(policy, file->at.line),
		 "%s", text.no_memory ? "no memory" : text.bytes);
	free(text.bytes);
}

struct reading {
	const struct policy *policy;
	struct complaints *complaints;
	struct file_of_peers *file;
	const char *line; /* the current one, its length and number */
	size_t length;
	unsigned number;
	bool no_memory;
};

/* What stands in the line, without blanks, a CR and a comment; its length. */
static size_t entry_of(const struct reading *reading, const char **entry)
{
	const char *begin = reading->line, *end;
	const char *behind = begin + reading->length;

	while (begin < behind && is_blank(*begin))
		begin++;
	for (end = begin; end < behind; end++)
		if (*end == '#' && (end == begin || is_blank(end[-1])))
			break;
	while (end > begin && (is_blank(end[-1]) || end[-1] == '\r'))
		end--;
	*entry = begin;
	return begin < behind && *begin == ';' ? 0 : (size_t)(end - begin);
}

static void line_read(struct reading *reading)
{
	char network[CIDR_TEXT_BYTES];
	struct cidr cidr;
	const char *entry;
	const size_t length = reading->length > 0 ? entry_of(reading, &entry) : 0;
	unsigned column;

	if (length == 0)
		return;
	column = (unsigned)(entry - reading->line) + 1;
	switch (cidr_parse(&cidr, entry, length)) {
	case CIDR_GOOD:
		reading->no_memory = !ranges_add(&reading->file->ranges, &cidr);
		break;
	case CIDR_HOST_BITS:
		cidr_print(network, &cidr);
		complain_of_file(reading->policy, reading->complaints, &reading->file->file,
				 ":%u:%u: %.*s has bits set behind its prefix; the network is %s",
				 reading->number, column, (int)length, entry, network);
		break;
	case CIDR_NONE:
		complain_of_file(reading->policy, reading->complaints, &reading->file->file,
				 ":%u:%u: " SHORT
				 " is no CIDR; each line is one, as 192.0.2.0/24 or 2001:db8::/32",
				 reading->number, column, SHORTENED(entry, length));
		break;
	}
}

bool policy_peer_file_take(struct policy *policy, size_t index, const char *text, size_t length,
			   struct complaints *complaints)
{
	const size_t errors = complaints->errors;
	struct reading reading = {
		.policy = policy,
		.complaints = complaints,
		.file = &policy->files[index],
	};
	const char *end = text + length;

	ranges_free(&reading.file->ranges);
	for (const char *line = text; line < end && !reading.no_memory;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		reading.line = line;
		reading.length = (size_t)((newline ? newline : end) - line);
		reading.number++;
		line_read(&reading);
		line = newline ? newline + 1 : end;
	}
	ranges_settle(&reading.file->ranges);
	complaints->out_of_memory |= reading.no_memory;
	if (!reading.no_memory && complaints->errors == errors && reading.file->ranges.count == 0)
		complain_of_file(policy, complaints, &reading.file->file,
				 ": no CIDR in it; each line is one, as 192.0.2.0/24");
	return !reading.no_memory && complaints->errors == errors;
}

static bool value_meets(const struct peer_value *value, const struct peers *peers)
{
	struct range room[2];
	struct ranges one = {room, 0};
	const struct ranges *members = value->members ? value->members : &one;

	if (members == &one)
		one.count = cidr_ranges(room, &value->cidr);
	if (ranges_overlap(members, &peers->own))
		return true;
	for (size_t i = 0; i < peers->other_count; i++)
		if (ranges_overlap(members, peers->others[i]))
			return true;
	return false;
}

bool peers_meet(const struct peers *left, const struct peers *right, struct position *at)
{
	for (size_t i = 0; left != NULL && right != NULL && i < left->count; i++) {
		if (value_meets(&left->values[i], right)) {
			*at = left->values[i].at;
			return true;
		}
	}
	return false;
}

void policy_peers_settle(struct policy *policy, struct complaints *complaints)
{
	struct position at;

	for (size_t i = 0; i < policy->section_count; i++) {
		const struct section *section = &policy->sections[i];

		if (section->rule.server == NULL &&
		    peers_meet(&section->exempt, &section->proxy_protocol, &at))
			complain(complaints, SEVERITY_ERROR, at,
				 policy_source_line(policy, at.line),
				 "a peer here is one of proxy-protocol in line %u too; behind a "
				 "proxy are strangers, and exempt would admit them without a "
				 "certificate: name it in one of the two",
				 section->said[KEY_proxy_protocol]);
	}
}
