/* A policy file: its lines one after another, then what can only be seen from the whole of it. */
#include "language.h"

#include <stdlib.h>
#include <string.h>

struct position position_of(const struct parser *parser, const char *at)
{
	return (struct position){parser->line_number, (unsigned)(at - parser->line) + 1};
}

void error_at(struct parser *parser, const char *at, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	complain_list(parser->complaints, SEVERITY_ERROR, position_of(parser, at), parser->line,
		      format, values);
	va_end(values);
}

/* What the place says nothing about has its fallback. */
static void place_leave(struct parser *parser)
{
	const struct position nowhere = {0, 0};

	/* A server section has the rest of its port's. */
	if (parser->place == PLACE_SERVER)
		return;
	for (size_t i = 0; i < KEY_COUNT && !parser->no_memory; i++)
		if (key_stands_in(&keys[i], parser->place) && parser->said[i] == 0 &&
		    *keys[i].fallback != '\0')
			key_take(parser, &keys[i], keys[i].fallback, nowhere);
}

/* `name = ...` */
static void key_parse(struct parser *parser, const char *name, size_t length, const char *after)
{
	const struct key *key = key_find(name, length);
	unsigned *said;

	if (key == NULL || !key_stands_in(key, parser->place)) {
		complain_of_key(parser, name, length, key);
		return;
	}
	said = &parser->said[key - keys];
	if (*said != 0 && !key->many)
		error_at(parser, name,
			 "duplicate key: %s stands already in line %u; it takes one value",
			 key->spelling, *said);
	else
		values_parse(parser, key, after);
	if (*said == 0)
		*said = parser->line_number;
}

static void line_parse(struct parser *parser)
{
	const char *at = skip_blanks(parser->line);
	const char *equals = at, *end;

	if (line_ends(parser->line, at) || *at == ';')
		return;
	if (*at == '[') {
		place_leave(parser);
		section_parse(parser, at);
		return;
	}
	if (parser->place == PLACE_UNKNOWN)
		return;
	while (*equals != '=' && !line_ends(parser->line, equals))
		equals++;
	for (end = equals; end > at && is_blank(end[-1]);)
		end--;
	if (*equals != '=')
		error_at(parser, at, "neither a section, as [port 443], nor key = value");
	else if (end == at)
		error_at(parser, at, "no key before the =; a line is key = value");
	else
		key_parse(parser, at, (size_t)(end - at), equals + 1);
}

/* Copy the text, end each line by NUL, and note where it begins. */
static bool source_keep(struct policy *policy, const char *text, size_t length)
{
	unsigned count = 1;
	char *newline;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	policy->text = malloc(length + 1);
	policy->strings = malloc(2 * (length + 1));
	policy->lines = malloc(count * sizeof(*policy->lines));
	if (policy->text == NULL || policy->strings == NULL || policy->lines == NULL)
		return false;
	if (length > 0)
		memcpy(policy->text, text, length);
	policy->text[length] = '\0';
	/* Editors of another system begin the file with a byte order mark, and end lines with CR
	 * LF. */
	policy->lines[0] = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	for (size_t i = 0; i < length; i++) {
		newline = policy->text + i;
		if (*newline != '\n')
			continue;
		*newline = '\0';
		if (i > 0 && newline[-1] == '\r')
			newline[-1] = '\0';
		policy->lines[++policy->line_count] = (uint32_t)(i + 1);
	}
	policy->line_count++;
	return true;
}

const char *policy_source_line(const struct policy *policy, unsigned line)
{
	if (line == 0 || line > policy->line_count)
		return NULL;
	return policy->text + policy->lines[line - 1];
}

/* All lines, up to one with a NUL (`nul` is the first): what holds one is not text. */
static void lines_parse(struct parser *parser, const char *nul)
{
	while (parser->line_number < parser->policy->line_count && !parser->no_memory) {
		const char *end;

		parser->line_number++;
		parser->line = policy_source_line(parser->policy, parser->line_number);
		end = parser->line + strlen(parser->line);
		if (end == nul) {
			error_at(parser, end,
				 "a NUL byte; a policy is text without any, and what "
				 "follows it was not read");
			return;
		}
		line_parse(parser);
	}
}

static void policy_settle(struct parser *parser)
{
	struct policy *policy = parser->policy;

	place_leave(parser);
	scopes_settle(policy, parser->complaints);
	if (policy->kind_begin[SCOPE_ANY] < policy->kind_begin[SCOPE_KINDS]) {
		policy->fallback = policy->scopes[policy->kind_begin[SCOPE_ANY]].rule;
	} else if (section_begin(parser) != NULL) {
		policy->fallback = policy->section_count - 1;
		parser->place = PLACE_PORT;
		place_leave(parser);
	}
	if (!parser->no_memory)
		parser->no_memory = !sections_settle(policy, parser->complaints, parser->errors);
}

struct policy *policy_parse(const char *text, size_t length, struct complaints *complaints)
{
	const size_t errors = complaints->errors;
	struct parser parser = {.complaints = complaints, .errors = errors};
	const char *nul;

	if (length > POLICY_MAX_BYTES) {
		complain(complaints, SEVERITY_ERROR, (struct position){0, 0}, NULL,
			 "the file is over 4 MiB; a policy is smaller");
		return NULL;
	}
	parser.policy = calloc(1, sizeof(*parser.policy));
	parser.no_memory = parser.policy == NULL || !source_keep(parser.policy, text, length);
	if (!parser.no_memory) {
		parser.said = parser.policy->said;
		nul = length > 0 ? memchr(text, '\0', length) : NULL;
		lines_parse(&parser, nul ? parser.policy->text + (nul - text) : NULL);
	}
	if (!parser.no_memory)
		policy_settle(&parser);
	if (parser.no_memory)
		complaints->out_of_memory = true;
	if (complaints->errors > errors || complaints->out_of_memory) {
		policy_free(parser.policy);
		return NULL;
	}
	return parser.policy;
}

struct policy *policy_built_in(void)
{
	struct complaints complaints;
	struct policy *policy;

	complaints_begin(&complaints, "built-in");
	policy = policy_parse("", 0, &complaints);
	complaints_clear(&complaints);
	return policy;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	free(policy->text);
	free(policy->strings);
	free(policy->lines);
	sections_free(policy);
	free(policy->scopes);
	free(policy);
}

size_t policy_rule_count(const struct policy *policy)
{
	return policy->section_count;
}

const struct rule *policy_rule(const struct policy *policy, size_t index)
{
	return &policy->sections[index].rule;
}

struct log_choice policy_log(const struct policy *policy)
{
	return policy->log;
}
