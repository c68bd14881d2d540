/* The values of `client-cert`. */
#include "language.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *prefix;
	bool is_digest;
} kinds[] = {
	[PIN_CN] = {"cn:", false},
	[PIN_DNS] = {"dns:", false},
	[PIN_URI] = {"uri:", false},
	[PIN_CERT_SHA256] = {"cert-sha256:", true},
	[PIN_SPKI_SHA256] = {"spki-sha256:", true},
};
#define PIN_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool kind_find(enum pin_kind *kind, const char *value)
{
	for (size_t i = 0; i < PIN_KINDS; i++) {
		if (strncmp(value, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
			*kind = (enum pin_kind)i;
			return true;
		}
	}
	return false;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static bool digest_parse(uint8_t digest[PIN_DIGEST_BYTES], const char *hex)
{
	if (strlen(hex) != 2 * (size_t)PIN_DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < PIN_DIGEST_BYTES; i++) {
		const int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* A name of the DNS has one spelling here; the others are kept byte for byte. */
static bool pin_parse(struct policy *policy, struct pin *pin, const char *value)
{
	char folded[NAME_BYTES + 1];
	const char *what;

	if (!kind_find(&pin->kind, value))
		return false;
	what = value + strlen(kinds[pin->kind].prefix);
	if (kinds[pin->kind].is_digest)
		return digest_parse(pin->digest, what);
	pin->name = what;
	if (pin->kind == PIN_DNS) {
		if (!name_fold(folded, what, strlen(what)))
			return false;
		memcpy(string_kept(policy, what), folded, strlen(folded) + 1);
	}
	return *what != '\0' && (pin->kind != PIN_URI || strchr(what, ':') != NULL);
}

void pin_why(struct text *text, const char *value)
{
	enum pin_kind kind;

	if (!kind_find(&kind, value))
		return;
	if (kinds[kind].is_digest)
		text_add(text, "behind %s stand the 64 hex digits of a SHA-256, without colons",
			 kinds[kind].prefix);
	else if (kind == PIN_URI)
		text_add(text,
			 "behind uri: stands a URI with its scheme, as spiffe://example/edge");
	else if (kind == PIN_DNS)
		text_add(text, "behind dns: stands one name, without a wildcard");
	else
		text_add(text, "behind %s stands a name", kinds[kind].prefix);
}

enum taken pin_take(struct policy *policy, const char *value, struct position at)
{
	struct section *section = section_being_read(policy);
	struct pin pin = {.at = at}, *grown;

	if (!pin_parse(policy, &pin, value))
		return NOT_ALLOWED;
	grown = array_grown(section->client_cert, section->rule.client_cert_count, sizeof(*grown));
	if (grown == NULL)
		return NO_MEMORY;
	section->client_cert = grown;
	grown[section->rule.client_cert_count++] = pin;
	return TAKEN;
}

void pin_print(struct text *text, const struct pin *pin)
{
	const char *prefix = kinds[pin->kind].prefix;

	if (!kinds[pin->kind].is_digest) {
		value_print(text, prefix, pin->name);
		return;
	}
	text_add(text, "%s", prefix);
	for (size_t i = 0; i < PIN_DIGEST_BYTES; i++)
		text_add(text, "%02x", pin->digest[i]);
}

static int compare_pins(const struct pin *left, const struct pin *right)
{
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (kinds[left->kind].is_digest)
		return memcmp(left->digest, right->digest, PIN_DIGEST_BYTES);
	return strcmp(left->name, right->name);
}

static int order_of_pins(const void *left, const void *right)
{
	const struct pin *one = left, *other = right;
	const int difference = compare_pins(one, other);

	return difference != 0 ? difference : compare_positions(one->at, other->at);
}

void pins_sort(const struct policy *policy, struct complaints *complaints, struct section *section)
{
	struct pin *list = section->client_cert;

	if (section->rule.client_cert_count > 1)
		qsort(list, section->rule.client_cert_count, sizeof(*list), order_of_pins);
	for (size_t i = 1; i < section->rule.client_cert_count; i++)
		if (compare_pins(&list[i - 1], &list[i]) == 0)
			complain_of_twice(policy, complaints, list[i - 1].at, list[i].at,
					  "client-cert");
}

bool same_pins(const struct rule *left, const struct rule *right)
{
	if (left->client_cert_count != right->client_cert_count)
		return false;
	for (size_t i = 0; i < left->client_cert_count; i++)
		if (compare_pins(&left->client_cert[i], &right->client_cert[i]) != 0)
			return false;
	return true;
}
