#include "ranges.h"

#include "language.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, ALL_BITS = 128 };

static const struct range_end mapped_first = {0, 0xffff00000000}, mapped_last = {0, 0xffffffffffff};

static struct range_end end_of(const uint8_t address[16])
{
	struct range_end end;

	memcpy(&end, address, sizeof(end));
	return (struct range_end){be64toh(end.high), be64toh(end.low)};
}

static int compare_ends(struct range_end left, struct range_end right)
{
	if (left.high != right.high)
		return left.high < right.high ? -1 : 1;
	return (left.low > right.low) - (left.low < right.low);
}

static bool bits_parse(unsigned *bits, const char *digits, const char *end, unsigned most)
{
	*bits = 0;
	if (digits == end || (digits[0] == '0' && digits + 1 < end) || end - digits > 3)
		return false;
	for (; digits < end; digits++) {
		if (*digits < '0' || *digits > '9')
			return false;
		*bits = 10 * *bits + (unsigned)(*digits - '0');
	}
	return *bits <= most;
}

/* True: there was a bit behind the first `bits`. */
static bool cut_bits(uint8_t address[16], unsigned bits)
{
	uint8_t cut = 0;

	for (unsigned i = bits / 8; i < 16; i++) {
		const uint8_t mask = (uint8_t)(i == bits / 8 ? 0xffu >> bits % 8 : 0xffu);

		cut |= address[i] & mask;
		address[i] &= (uint8_t)~mask;
	}
	return cut != 0;
}

enum cidr_parsed cidr_parse(struct cidr *cidr, const char *text, size_t length)
{
	const char *slash = memchr(text, '/', length);
	const size_t address_length = slash ? (size_t)(slash - text) : length;
	const bool is_ipv6 = memchr(text, ':', address_length) != NULL;
	unsigned bits = is_ipv6 ? ALL_BITS : ALL_BITS - MAPPED_BITS;
	struct endpoint endpoint;
	char address[INET6_ADDRSTRLEN];

	if (address_length >= sizeof(address) || memchr(text, '\0', length) != NULL)
		return CIDR_NONE;
	memcpy(address, text, address_length);
	address[address_length] = '\0';
	if (!address_parse(&endpoint, is_ipv6 ? AF_INET6 : AF_INET, address) ||
	    (slash != NULL && !bits_parse(&bits, slash + 1, text + length, bits)))
		return CIDR_NONE;
	if (!is_ipv6)
		bits += MAPPED_BITS;
	memcpy(cidr->address, endpoint.address, sizeof(cidr->address));
	cidr->bits = (uint8_t)bits;
	return cut_bits(cidr->address, bits) ? CIDR_HOST_BITS : CIDR_GOOD;
}

static bool is_ipv4(const struct cidr *cidr)
{
	const struct range_end first = end_of(cidr->address);

	return cidr->bits >= MAPPED_BITS && compare_ends(first, mapped_first) >= 0 &&
	       compare_ends(first, mapped_last) <= 0;
}

void cidr_print(char buffer[CIDR_TEXT_BYTES], const struct cidr *cidr)
{
	char address[INET6_ADDRSTRLEN] = "";
	const unsigned from = is_ipv4(cidr) ? MAPPED_BITS : 0;

	inet_ntop(from > 0 ? AF_INET : AF_INET6, cidr->address + from / 8, address,
		  sizeof(address));
	snprintf(buffer, CIDR_TEXT_BYTES, "%s/%u", address, cidr->bits - from);
}

size_t cidr_ranges(struct range ranges[2], const struct cidr *cidr)
{
	const struct range_end first = end_of(cidr->address);
	struct range_end last = first;
	size_t count = 0;

	if (cidr->bits < 64) {
		last.high |= UINT64_MAX >> cidr->bits;
		last.low = UINT64_MAX;
	} else if (cidr->bits < ALL_BITS) {
		last.low |= UINT64_MAX >> (cidr->bits - 64);
	}
	/* Whoever exempts ::/0 speaks of IPv6. */
	if (cidr->bits >= MAPPED_BITS || compare_ends(first, mapped_first) > 0 ||
	    compare_ends(last, mapped_last) < 0) {
		ranges[0] = (struct range){first, last};
		return 1;
	}
	ranges[count++] = (struct range){first, {mapped_first.high, mapped_first.low - 1}};
	if (compare_ends(last, mapped_last) > 0)
		ranges[count++] = (struct range){{mapped_last.high, mapped_last.low + 1}, last};
	return count;
}

bool ranges_add(struct ranges *ranges, const struct cidr *cidr)
{
	struct range added[2];
	const size_t count = cidr_ranges(added, cidr);

	for (size_t i = 0; i < count; i++) {
		struct range *list = array_grown(ranges->list, ranges->count, sizeof(*list));

		if (list == NULL)
			return false;
		ranges->list = list;
		list[ranges->count++] = added[i];
	}
	return true;
}

static int order_of_ranges(const void *left, const void *right)
{
	const struct range *one = left, *other = right;
	const int difference = compare_ends(one->first, other->first);

	return difference != 0 ? difference : compare_ends(one->last, other->last);
}

void ranges_settle(struct ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count == 0)
		return;
	qsort(ranges->list, ranges->count, sizeof(*ranges->list), order_of_ranges);
	for (size_t i = 1; i < ranges->count; i++) {
		const struct range *next = &ranges->list[i];
		struct range *last = &ranges->list[kept];

		if (compare_ends(next->first, last->last) > 0)
			ranges->list[++kept] = *next;
		else if (compare_ends(next->last, last->last) > 0)
			last->last = next->last;
	}
	ranges->count = kept + 1;
}

void ranges_free(struct ranges *ranges)
{
	free(ranges->list);
	*ranges = (struct ranges){0};
}

/* How many of them begin at or before `end`. */
static size_t ranges_until(const struct ranges *ranges, struct range_end end)
{
	size_t from = 0, to = ranges->count;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (compare_ends(ranges->list[middle].first, end) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool range_meets(const struct ranges *ranges, struct range range)
{
	const size_t until = ranges_until(ranges, range.last);

	return until > 0 && compare_ends(ranges->list[until - 1].last, range.first) >= 0;
}

bool ranges_contain(const struct ranges *ranges, const uint8_t address[16])
{
	const struct range_end end = end_of(address);

	return range_meets(ranges, (struct range){end, end});
}

bool ranges_overlap(const struct ranges *left, const struct ranges *right)
{
	const struct ranges *few = left->count < right->count ? left : right;
	const struct ranges *many = few == left ? right : left;

	for (size_t i = 0; i < few->count; i++)
		if (range_meets(many, few->list[i]))
			return true;
	return false;
}
