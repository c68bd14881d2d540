/* status_json.c - `cfshim status --json`. */
#include "status_forms.h"

#include <stdlib.h>

/* plain_text() leaves no quote, and its backslashes are JSON's once doubled. */
static void print_text(FILE *file, const char *key, const char *value, const char *behind)
{
	char text[PLAIN_TEXT_BYTES];

	fprintf(file, "\"%s\": \"", key);
	for (const char *next = plain_text(text, value); *next != '\0'; next++) {
		if (*next == '\\')
			fputc('\\', file);
		fputc(*next, file);
	}
	fprintf(file, "\"%s", behind);
}

static void print_number(FILE *file, const char *key, unsigned long long value, const char *behind)
{
	fprintf(file, "\"%s\": %llu%s", key, value, behind);
}

static void print_stale(const struct counters *block, FILE *file)
{
	if (!block->stale) {
		fputs("\"stale\": false, \"stale_why\": null, ", file);
		return;
	}
	fputs("\"stale\": true, ", file);
	print_number(file, "stale_pid", (unsigned long long)block->stale_process, ", ");
	print_number(file, "stale_uid", block->stale_user, ",\n      ");
	print_text(file, "stale_why", block->why_stale, ", ");
}

static void print_head(const struct counters *block, FILE *file)
{
	char openssls[256];

	print_number(file, "began", (unsigned long long)block->began, ", ");
	print_text(file, "version", block->version, ", ");
	counted_openssls(block, openssls, sizeof(openssls));
	print_text(file, "openssl", openssls, ",\n      ");
	print_text(file, "policy", block->policy, ", ");
	print_number(file, "rules", block->rules, ", ");
	print_number(file, "generation", block->generation, ", ");
	print_stale(block, file);
	print_number(file, "ca_expires", (unsigned long long)block->ca_expires, ",\n      ");
	fprintf(file, "\"refusals_per_second\": %.1f,\n      ", counted_refusals(block));
}

static bool print_numbers(const struct counted_group *group, FILE *file)
{
	struct counted_numbers numbers;

	if (!counted_numbers(group, 1, &numbers))
		return false;
	fputs("\"connections\": [", file);
	for (size_t i = 0; i < numbers.count; i++) {
		const struct counted_number *number = &numbers.list[i];

		fprintf(file, "%s\n        {", i > 0 ? "," : "");
		print_text(file, "port", number->port, ", ");
		print_text(file, "server", number->server, ", ");
		print_text(file, "verdict", verdict_word(number->verdict), ", ");
		print_text(file, "reason", number->reason, ", ");
		print_number(file, "count", number->count, "}");
	}
	fputs("]}", file);
	free(numbers.list);
	return true;
}

static void print_processes(const struct counted_group *group, FILE *file)
{
	fputs("\"pids\": [", file);
	for (size_t i = 0; i < group->process_count; i++)
		fprintf(file, "%s%d", i > 0 ? ", " : "", (int)group->processes[i]);
	fputs("],\n      ", file);
}

bool print_json(const struct counted_all *all, FILE *file)
{
	bool good = true;

	fputs("{\"programs\": [", file);
	for (size_t i = 0; good && i < all->count; i++) {
		const struct counted_group *group = &all->groups[i];

		fprintf(file, "%s\n    {", i > 0 ? "," : "");
		print_text(file, "program", counted_program(group), ", ");
		print_processes(group, file);
		if (group->block == NULL) {
			print_text(file, "uncounted", group->why, "}");
			continue;
		}
		print_head(group->block, file);
		good = print_numbers(group, file);
	}
	fprintf(file, "],\n  \"unseen_processes\": %zu}\n", all->unseen);
	return good;
}
