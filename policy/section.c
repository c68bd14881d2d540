/* Section headers: [port 443, 8000-8999, 127.0.0.1:443, [::1]:443] or [port *], and for one server
 * name [port 443 server shop.example]. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define ENDPOINTS "a port, a range 8000-8999, an address 127.0.0.1:443 or [::1]:443, or *"

struct section *section_begin(struct parser *parser)
{
	struct policy *policy = parser->policy;
	struct section *sections =
		array_grown(policy->sections, policy->section_count, sizeof(*sections));

	if (sections == NULL) {
		parser->no_memory = true;
		return NULL;
	}
	policy->sections = sections;
	sections += policy->section_count;
	*sections = (struct section){
		.rule = {.section = "port *", .index = policy->section_count++},
		.ports = "*",
	};
	parser->said = sections->said;
	return sections;
}

/* 1 to 65535 in decimal, without leading zeros: "0443" may have been meant as octal. */
static bool port_parse(uint16_t *port, const char *digits, size_t length)
{
	unsigned value = 0;

	if (length == 0 || length > 5 || digits[0] == '0')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = 10 * value + (unsigned)(digits[i] - '0');
	}
	*port = (uint16_t)value;
	return value <= UINT16_MAX;
}

/* Each of these gives what is wrong with `word`, NULL where nothing is. */
static const char *ports_parse(struct scope *scope, const char *word)
{
	const char *dash = strchr(word, '-');
	size_t length = dash ? (size_t)(dash - word) : strlen(word);

	if (word[strspn(word, "0123456789-")] != '\0')
		return "it takes " ENDPOINTS;
	if (!port_parse(&scope->first.port, word, length))
		return "a port is a number from 1 to 65535, without leading zeros";
	scope->kind = SCOPE_PORT;
	scope->last = scope->first.port;
	if (dash == NULL)
		return NULL;
	if (!port_parse(&scope->last, dash + 1, strlen(dash + 1)))
		return "a range is two ports from 1 to 65535, without leading zeros: 8000-8999";
	if (scope->last < scope->first.port)
		return "a range begins with its lower port: 8000-8999";
	/* A range of one port is that port, so that it cannot stand beside it. */
	if (scope->last > scope->first.port)
		scope->kind = SCOPE_RANGE;
	return NULL;
}

static bool address_is_unspecified(const struct endpoint *endpoint)
{
	static const uint8_t zeros[16];
	size_t from = address_is_ipv4(endpoint) ? 12 : 0;

	return memcmp(endpoint->address + from, zeros, 16 - from) == 0;
}

static const char *address_and_port_parse(struct scope *scope, char *word, char *colon)
{
	const bool bracketed = word[0] == '[' && colon[-1] == ']';
	bool good;

	scope->kind = SCOPE_ADDRESS;
	if (bracketed)
		colon[-1] = '\0';
	*colon = '\0';
	good = bracketed ? address_parse(&scope->first, AF_INET6, word + 1)
			 : address_parse(&scope->first, AF_INET, word);
	if (!good)
		return "an address is written 127.0.0.1:443 or [::1]:443, in full and without "
		       "names, "
		       "zones or leading zeros";
	if (!port_parse(&scope->first.port, colon + 1, strlen(colon + 1)))
		return "the port of an address is a number from 1 to 65535, without leading zeros";
	if (address_is_unspecified(&scope->first))
		return "write the port alone, as in [port 443]: it stands for every address";
	scope->last = scope->first.port;
	return NULL;
}

static const char *scope_parse(struct scope *scope, const char *token, size_t length)
{
	char word[SCOPE_TEXT_BYTES];
	char *colon;

	if (length >= sizeof(word))
		return "it takes " ENDPOINTS;
	memcpy(word, token, length);
	word[length] = '\0';
	if (strcmp(word, "*") == 0) {
		scope->kind = SCOPE_ANY;
		return NULL;
	}
	colon = strrchr(word, ':');
	return colon && colon > word ? address_and_port_parse(scope, word, colon)
				     : ports_parse(scope, word);
}

/* The end of a list's entry; the brackets of an IPv6 address do not close the section. */
static const char *token_end(const char *at)
{
	if (*at == '[')
		at += strcspn(at, "], \t");
	if (*at == ']')
		at++;
	return at + strcspn(at, "], \t");
}

static void scope_add(struct parser *parser, const struct scope *scope)
{
	struct policy *policy = parser->policy;
	struct scope *scopes = array_grown(policy->scopes, policy->scope_count, sizeof(*scopes));

	if (scopes == NULL) {
		parser->no_memory = true;
		return;
	}
	policy->scopes = scopes;
	scopes[policy->scope_count++] = *scope;
}

/* One entry of the list at `at`; where it ends. */
static const char *entry_parse(struct parser *parser, const char *at, bool alone)
{
	const char *end = token_end(at);
	size_t length = (size_t)(end - at);
	struct scope scope = {
		.rule = parser->policy->section_count - 1,
		.at = position_of(parser, at),
	};
	const char *wrong = scope_parse(&scope, at, length);

	end = skip_blanks(end);
	if (wrong != NULL)
		error_at(parser, at, SHORT " in a [port ...] section: %s", SHORTENED(at, length),
			 wrong);
	else if (scope.kind == SCOPE_ANY && (!alone || *end == ','))
		error_at(parser, at, "* stands alone in its section: [port *]");
	else
		scope_add(parser, &scope);
	return end;
}

static bool is_server(const char *at)
{
	const size_t length = strlen("server");

	return strncmp(at, "server", length) == 0 && (is_blank(at[length]) || at[length] == ']');
}

/* "server shop.example" at `at`; where the section's closing bracket stands, NULL where it has
 * none. */
static const char *server_parse(struct parser *parser, const char *at)
{
	struct section *section = section_being_read(parser->policy);
	const char *name = skip_blanks(at + strlen("server"));
	const char *end = name + strcspn(name, "], \t");
	const char *close = skip_blanks(end);
	struct text why = {0};
	char *kept;

	section->server_at = position_of(parser, name);
	if (end == name) {
		section->rule.server = "";
		error_at(parser, name, "a server name is missing here, as shop.example");
		return *close == ']' ? close : NULL;
	}
	kept = string_keep(parser->policy, name, (size_t)(end - name));
	section->rule.server = kept;
	if (!name_settle(kept)) {
		name_why(&why, kept);
		error_at(parser, name, "%s", why.no_memory ? "no server name" : why.bytes);
		free(why.bytes);
	} else if (*close != ']') {
		error_at(parser, close,
			 *close == ',' ? "a section is for one server name"
				       : "expected ] after the server name");
	}
	return *close == ']' ? close : NULL;
}

/* The list from `at`; where the section's closing bracket stands, NULL where it has none. */
static const char *list_parse(struct parser *parser, const char *at)
{
	const size_t errors = parser->complaints->errors;
	bool alone = true;

	for (;; at++, alone = false) {
		at = skip_blanks(at);
		if (*at == ']' || *at == ',')
			error_at(parser, at,
				 "an endpoint is missing here; [port ...] takes " ENDPOINTS);
		else if (!line_ends(parser->line, at))
			at = entry_parse(parser, at, alone);
		if (*at == ']')
			return at;
		if (is_server(at))
			return server_parse(parser, at);
		if (*at != ',')
			break;
	}
	/* Where an entry was wrong, the bracket may have been taken for one of an address. */
	if (!line_ends(parser->line, at))
		error_at(parser, at, "expected a comma, or ] after the last endpoint");
	else if (parser->complaints->errors == errors)
		error_at(parser, at, "the section is not closed; ] stands after its last endpoint");
	return NULL;
}

/* The section's endpoints in one spelling; a server's are those of its port's section, and only
 * serve to find that. */
static void ports_keep(struct parser *parser, struct section *section, size_t scope_count)
{
	struct policy *policy = parser->policy;
	char name[SCOPE_TEXT_BYTES];
	struct text text = {0};

	for (size_t i = scope_count; i < policy->scope_count; i++) {
		scope_print(name, &policy->scopes[i]);
		text_add(&text, "%s%s", i > scope_count ? ", " : "", name);
	}
	section->ports = section->owned_ports = text_end(&text);
	parser->no_memory |= section->ports == NULL;
	if (section->rule.server != NULL)
		policy->scope_count = scope_count;
}

void section_parse(struct parser *parser, const char *at)
{
	const char *name = skip_blanks(at + 1);
	size_t length = strcspn(name, "] \t");
	const size_t scope_count = parser->policy->scope_count;
	const char *close, *end;
	struct section *section;

	parser->place = PLACE_UNKNOWN;
	if (length != strlen("port") || memcmp(name, "port", length) != 0) {
		error_at(parser, name,
			 "unknown section " SHORT "; sections are [port ...], with " ENDPOINTS,
			 SHORTENED(name, length));
		return;
	}
	section = section_begin(parser);
	if (section == NULL)
		return;
	parser->place = PLACE_PORT;
	section->rule.line = parser->line_number;
	section->at = position_of(parser, at);
	close = list_parse(parser, name + length);
	if (section->rule.server != NULL)
		parser->place = PLACE_SERVER;
	ports_keep(parser, section, scope_count);
	if (close == NULL) {
		/* Who knows what it was meant for: none of it clashes with another section. */
		parser->policy->scope_count = scope_count;
		return;
	}
	end = close;
	while (is_blank(end[-1]))
		end--;
	section->rule.section = string_keep(parser->policy, name, (size_t)(end - name));
	close = skip_blanks(close + 1);
	if (!line_ends(parser->line, close))
		error_at(parser, close,
			 "a section stands alone in its line; its keys follow below it");
}
