#include "log.h"

#include "scratch.h"
#include "tally.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT_MS 1500

/* One value, from behind its "=": up to the blank that no quotes protect.  Escapes are \", \\ and
 * \xHH. */
static void copy_value(const char *from, char *value, size_t size)
{
	bool quoted = *from == '"';
	size_t length = 0;

	for (from += quoted; *from && *from != (quoted ? '"' : ' '); from++) {
		char byte = *from;
		unsigned code;

		if (quoted && byte == '\\' && sscanf(from, "\\x%2x", &code) == 1) {
			byte = (char)code;
			from += 3;
		} else if (quoted && byte == '\\' && from[1] != '\0') {
			byte = *++from;
		}
		if (length + 1 < size)
			value[length++] = byte;
	}
	value[length] = '\0';
}

static void find_value(const char *line, const char *key, char *value, size_t size)
{
	char pattern[64];
	const char *found;

	text_format(pattern, sizeof(pattern), " %s=", key);
	found = strstr(line, pattern);
	value[0] = '\0';
	if (found != NULL)
		copy_value(found + strlen(pattern), value, size);
}

static bool parse_refusal(const char *line, struct refusal_line *refusal)
{
	static const struct {
		const char *key;
		size_t offset, size;
	} fields[] = {
#define FIELD(key, member) \
	{key, offsetof(struct refusal_line, member), sizeof(((struct refusal_line *)0)->member)}
		FIELD("reason", reason),
		FIELD("port", port),
		FIELD("peer", peer),
		FIELD("network", network),
		FIELD("tls", tls),
		FIELD("answer", answer),
		FIELD("server-name", server_name),
		FIELD("subject", subject),
		FIELD("dropped", dropped),
	};

	if (sscanf(line, "cfshim[%u]: %31s", &refusal->pid, refusal->verdict) != 2 ||
	    (strcmp(refusal->verdict, "refused") != 0 && strcmp(refusal->verdict, "observed") != 0))
		return false;
	snprintf(refusal->text, sizeof(refusal->text), "%s", line);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		find_value(line, fields[i].key, (char *)refusal + fields[i].offset, fields[i].size);
	return true;
}

/* Looks at the whole lines from log->offset on. */
static bool take_refusal(struct log *log, struct refusal_line *refusal)
{
	char *text = scratch_read(log->path);
	size_t length = strlen(text);
	bool found = false;

	while (!found && log->offset < length) {
		char *line = text + log->offset;
		char *end = strchr(line, '\n');

		if (end == NULL)
			break;
		*end = '\0';
		log->offset = (size_t)(end + 1 - text);
		found = parse_refusal(line, refusal);
	}
	free(text);
	return found;
}

/* As many as there are lines of its reason, of processes that live; they may be fewer than it
 * counted. */
static void expect_counted(const struct log *log, const struct refusal_line *refusal)
{
	struct counted_all all = {.count = 0};
	struct log again = {.path = log->path};
	struct refusal_line other;
	enum verdict verdict = VERDICT_REFUSED;
	uint64_t lines = 0;

	if (strcmp(refusal->verdict, verdict_word(VERDICT_OBSERVED)) == 0)
		verdict = VERDICT_OBSERVED;
	assert_true(counted_add(&all, (pid_t)refusal->pid));
	if (all.count == 1 && all.groups[0].block != NULL) {
		while (again.offset < log->offset && take_refusal(&again, &other))
			lines += other.pid == refusal->pid &&
				 strcmp(other.verdict, refusal->verdict) == 0 &&
				 strcmp(other.reason, refusal->reason) == 0;
		expect(counted_sum(&all, verdict, refusal->reason) >= lines,
		       "%llu lines of %s %s, and the counters say %llu", (unsigned long long)lines,
		       refusal->verdict, refusal->reason,
		       (unsigned long long)counted_sum(&all, verdict, refusal->reason));
	}
	counted_clear(&all);
}

bool log_next_refusal(struct log *log, struct refusal_line *refusal, bool now)
{
	long long deadline = clock_ms() + LINE_LIMIT_MS;

	while (!take_refusal(log, refusal)) {
		if (now || clock_ms() > deadline)
			return false;
		clock_nap();
	}
	expect_counted(log, refusal);
	return true;
}

size_t log_count(const char *path, const char *text)
{
	char *all = scratch_read(path);
	char *rest = all;
	char *line;
	size_t count = 0;

	while ((line = strsep(&rest, "\n")) != NULL)
		count += strstr(line, text) != NULL;
	free(all);
	return count;
}
