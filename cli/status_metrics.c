/* status_metrics.c - `cfshim status --metrics`: Prometheus' text format, 0.0.4. */
#include "status_forms.h"

#include <stdlib.h>
#include <string.h>

/* plain_text() leaves no quote; a backslash is doubled in labels. */
static void print_label(FILE *file, const char *key, const char *value, const char *behind)
{
	char text[PLAIN_TEXT_BYTES];

	fprintf(file, "%s=\"", key);
	for (const char *next = plain_text(text, value); *next != '\0'; next++) {
		if (*next == '\\')
			fputc('\\', file);
		fputc(*next, file);
	}
	fprintf(file, "\"%s", behind);
}

static void print_family(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static bool print_connections(const struct counted_all *all, FILE *file)
{
	static const char name[] = "cfshim_connections_total";
	struct counted_numbers numbers;

	if (!counted_numbers(all->groups, all->count, &numbers))
		return false;
	print_family(file, name, "counter",
		     "Connections to ports that demand a certificate, by what became of them.");
	for (size_t i = 0; i < numbers.count; i++) {
		const struct counted_number *number = &numbers.list[i];

		fprintf(file, "%s{", name);
		print_label(file, "program", number->program, ",");
		print_label(file, "port", number->port, ",");
		print_label(file, "server", number->server, ",");
		print_label(file, "verdict", verdict_word(number->verdict), ",");
		print_label(file, "reason", number->reason, "} ");
		fprintf(file, "%llu\n", (unsigned long long)number->count);
	}
	free(numbers.list);
	return true;
}

/* What a group says, and how those of one program come together. */
static uint64_t generation_of(const struct counted_group *group)
{
	return group->block ? group->block->generation : 0;
}

static uint64_t stale_of(const struct counted_group *group)
{
	return group->block ? group->block->stale != 0 : 0;
}

static uint64_t expiry_of(const struct counted_group *group)
{
	return group->block ? (uint64_t)group->block->ca_expires : 0;
}

static uint64_t covered_of(const struct counted_group *group)
{
	return group->process_count;
}

static uint64_t larger(uint64_t left, uint64_t right)
{
	return left > right ? left : right;
}

static uint64_t sum(uint64_t left, uint64_t right)
{
	return left + right;
}

/* 0: not known. */
static uint64_t earlier(uint64_t left, uint64_t right)
{
	return left == 0 || (right != 0 && right < left) ? right : left;
}

static const struct gauge {
	const char *name, *help;
	uint64_t (*value)(const struct counted_group *group);
	uint64_t (*together)(uint64_t left, uint64_t right);
	bool is_of_all; /* also of processes that have counted nothing */
} gauges[] = {
	{"cfshim_policy_generation", "How often a policy was taken up; 1: that of the start.",
	 generation_of, larger, false},
	{"cfshim_policy_stale", "1 where what the policy's path names now is not in force.",
	 stale_of, larger, false},
	{"cfshim_ca_expiry_timestamp_seconds", "When the first CA of the policy expires.",
	 expiry_of, earlier, false},
	{"cfshim_covered", "Processes that the library is loaded into.", covered_of, sum, true},
};

static void print_gauge(const struct counted_all *all, const struct gauge *gauge, FILE *file)
{
	size_t next;

	print_family(file, gauge->name, "gauge", gauge->help);
	for (size_t i = 0; i < all->count; i = next) {
		const char *program = counted_program(&all->groups[i]);
		uint64_t value = 0;
		bool any = false;

		for (next = i;
		     next < all->count && strcmp(counted_program(&all->groups[next]), program) == 0;
		     next++) {
			if (all->groups[next].block == NULL && !gauge->is_of_all)
				continue;
			value = any ? gauge->together(value, gauge->value(&all->groups[next]))
				    : gauge->value(&all->groups[next]);
			any = true;
		}
		if (!any)
			continue;
		fprintf(file, "%s{", gauge->name);
		print_label(file, "program", program, "} ");
		fprintf(file, "%llu\n", (unsigned long long)value);
	}
}

bool print_metrics(const struct counted_all *all, FILE *file)
{
	bool good = print_connections(all, file);

	for (size_t i = 0; good && i < sizeof(gauges) / sizeof(gauges[0]); i++)
		print_gauge(all, &gauges[i], file);
	return good;
}
