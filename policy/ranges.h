/* ranges.h - sets of addresses: CIDRs, sorted and merged, searched by halves.
 * IPv4 stands as IPv4-mapped IPv6, and no range of IPv6 holds an address of IPv4.
 */
#ifndef CFSHIM_RANGES_H
#define CFSHIM_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As two numbers, the first of which counts more: a comparison is one or two instructions. */
struct range_end {
	uint64_t high, low;
};

struct range {
	struct range_end first, last;
};

struct ranges {
	struct range *list; /* owned; sorted and apart once ranges_settle() was called */
	size_t count;
};

/* An address and how many of its bits count, of 128; the others are zero. */
struct cidr {
	uint8_t address[16];
	uint8_t bits;
};

enum cidr_parsed { CIDR_GOOD, CIDR_HOST_BITS, CIDR_NONE };

/* "192.0.2.0/24", "2001:db8::/32", or an address alone.  CIDR_HOST_BITS: one is set behind the
 * prefix; `cidr` is the network that it lies in. */
enum cidr_parsed cidr_parse(struct cidr *cidr, const char *text, size_t length);

#define CIDR_TEXT_BYTES 64
void cidr_print(char buffer[CIDR_TEXT_BYTES], const struct cidr *cidr);

/* It as ranges: two where it has IPv4 in its middle.  How many. */
size_t cidr_ranges(struct range ranges[2], const struct cidr *cidr);

/* Add one, in any order; false: no memory.  Once all are in, ranges_settle() makes the set ready.
 */
bool ranges_add(struct ranges *ranges, const struct cidr *cidr);
void ranges_settle(struct ranges *ranges);
void ranges_free(struct ranges *ranges);

/* Of settled ranges. */
bool ranges_contain(const struct ranges *ranges, const uint8_t address[16]);
bool ranges_overlap(const struct ranges *left, const struct ranges *right);

#endif
