/* counted_numbers.c - what stands in the counters, as numbers with labels. */
#include "counted.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RATE_SECONDS 10

const char *plain_text(char buffer[PLAIN_TEXT_BYTES], const char *text)
{
	size_t length = 0;

	for (; *text != '\0' && length < PLAIN_TEXT_BYTES - 5; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
			length += (size_t)snprintf(buffer + length, PLAIN_TEXT_BYTES - length,
						   "\\x%02X", (unsigned)byte);
		else
			buffer[length++] = (char)byte;
	}
	buffer[length] = '\0';
	return buffer;
}

const char *counted_program(const struct counted_group *group)
{
	return group->block ? group->block->program : group->name;
}

void counted_openssls(const struct counters *block, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "-");
	for (size_t i = 0; i < COUNTERS_OPENSSLS; i++)
		if (block->openssls[i].state == COUNTERS_ROW_THERE && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used > 0 ? ", " : "", block->openssls[i].version);
}

double counted_refusals(const struct counters *block)
{
	const uint64_t now = (uint64_t)time(NULL);
	uint64_t count = 0;

	for (size_t i = 0; i < COUNTERS_SECONDS; i++) {
		uint64_t one = block->refused_lately[i], second = one >> COUNTERS_COUNT_BITS;

		if (second < now && second + RATE_SECONDS >= now)
			count += one & ((1U << COUNTERS_COUNT_BITS) - 1);
	}
	return (double)count / RATE_SECONDS;
}

/* ---- numbers ---- */

static bool add(struct counted_numbers *numbers, size_t *room, struct counted_number number)
{
	if (number.count == 0)
		return true;
	if (numbers->count == *room) {
		size_t more = *room * 2 + 64;
		struct counted_number *grown =
			realloc(numbers->list, more * sizeof(*numbers->list));

		if (grown == NULL)
			return false;
		numbers->list = grown;
		*room = more;
	}
	numbers->list[numbers->count++] = number;
	return true;
}

static bool add_row(struct counted_numbers *numbers, size_t *room, const struct counters *block,
		    const struct counters_row *row)
{
	struct counted_number number = {
		.program = block->program,
		.port = row->port,
		.server = *row->server ? row->server : "-",
		.reason = "-",
	};
	const uint64_t plain[VERDICT_COUNT] = {
		[VERDICT_ADMITTED] = row->admitted,
		[VERDICT_EXEMPT] = row->exempt,
		[VERDICT_ABANDONED] = row->abandoned,
	};
	bool good = true;

	for (size_t i = 0; good && i < VERDICT_COUNT; i++) {
		number.verdict = (enum verdict)i;
		number.count = plain[i];
		good = add(numbers, room, number);
	}
	for (size_t i = 0; good && i < COUNTERS_REASONS; i++) {
		number.reason = block->reasons[i];
		number.verdict = VERDICT_OBSERVED;
		number.count = row->observed[i];
		good = add(numbers, room, number);
		number.verdict = VERDICT_REFUSED;
		number.count = row->refused[i];
		good = good && add(numbers, room, number);
	}
	return good;
}

int compare_ports(const char *left, const char *right)
{
	bool left_is_number = strspn(left, "0123456789") == strlen(left);
	bool right_is_number = strspn(right, "0123456789") == strlen(right);

	if (left_is_number != right_is_number)
		return left_is_number ? -1 : 1;
	if (left_is_number && strlen(left) != strlen(right))
		return strlen(left) < strlen(right) ? -1 : 1;
	return strcmp(left, right);
}

static int compare(const void *left_number, const void *right_number)
{
	const struct counted_number *left = left_number, *right = right_number;
	int order = strcmp(left->program, right->program);

	if (order == 0)
		order = compare_ports(left->port, right->port);
	if (order == 0)
		order = strcmp(left->server, right->server);
	if (order == 0)
		order = (int)left->verdict - (int)right->verdict;
	return order ? order : strcmp(left->reason, right->reason);
}

static void merge_equal(struct counted_numbers *numbers)
{
	size_t kept = 0;

	for (size_t i = 0; i < numbers->count; i++) {
		if (kept > 0 && compare(&numbers->list[kept - 1], &numbers->list[i]) == 0)
			numbers->list[kept - 1].count += numbers->list[i].count;
		else
			numbers->list[kept++] = numbers->list[i];
	}
	numbers->count = kept;
}

bool counted_numbers(const struct counted_group *groups, size_t count,
		     struct counted_numbers *numbers)
{
	size_t room = 0;
	bool good = true;

	*numbers = (struct counted_numbers){.count = 0};
	for (size_t i = 0; good && i < count; i++)
		for (size_t row = 0; good && groups[i].block != NULL && row < COUNTERS_ROWS; row++)
			if (groups[i].block->rows[row].state == COUNTERS_ROW_THERE)
				good = add_row(numbers, &room, groups[i].block,
					       &groups[i].block->rows[row]);
	if (good && numbers->count > 0) {
		qsort(numbers->list, numbers->count, sizeof(*numbers->list), compare);
		merge_equal(numbers);
	}
	if (!good) {
		free(numbers->list);
		*numbers = (struct counted_numbers){.count = 0};
	}
	return good;
}

uint64_t counted_sum(const struct counted_all *all, enum verdict verdict, const char *reason)
{
	struct counted_numbers numbers;
	uint64_t sum = 0;

	if (!counted_numbers(all->groups, all->count, &numbers))
		return 0;
	for (size_t i = 0; i < numbers.count; i++)
		if (numbers.list[i].verdict == verdict &&
		    (reason == NULL || strcmp(numbers.list[i].reason, reason) == 0))
			sum += numbers.list[i].count;
	free(numbers.list);
	return sum;
}
