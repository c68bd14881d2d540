/* What Cloudflare publishes: its origin-pull CA and the ranges of its network (policy/cloudflare).
 */
#include "language.h"

#include <string.h>
#include <sys/socket.h>

const char cloudflare_origin_pull_ca[] =
#include "cloudflare_ca.inc"
	;

const char *const cloudflare_ranges[] = {
#include "cloudflare_ranges.inc"
};
const size_t cloudflare_range_count = sizeof(cloudflare_ranges) / sizeof(cloudflare_ranges[0]);

const char cloudflare_ranges_day[] =
#include "cloudflare_ranges_day.inc"
	;

/* Do two addresses agree in their first `bits`? */
static bool same_prefix(const uint8_t *left, const uint8_t *right, unsigned bits)
{
	const unsigned whole = bits / 8;
	const uint8_t mask = (uint8_t)(0xff00u >> (bits % 8));

	if (memcmp(left, right, whole) != 0)
		return false;
	return bits % 8 == 0 || ((left[whole] ^ right[whole]) & mask) == 0;
}

/* `range` is ours, so it is well-formed: a test looks at both ends of each. */
static bool range_contains(const char *range, const struct endpoint *peer)
{
	const int family = strchr(range, ':') ? AF_INET6 : AF_INET;
	const char *slash = strchr(range, '/');
	struct endpoint network;
	char address[64] = "";
	unsigned bits = family == AF_INET ? 96 : 0;
	unsigned prefix = 0;

	/* It would not match; this is only to be quick. */
	if (address_is_ipv4(peer) != (family == AF_INET))
		return false;
	memcpy(address, range, (size_t)(slash - range));
	for (const char *digit = slash + 1; *digit != '\0'; digit++)
		prefix = 10 * prefix + (unsigned)(*digit - '0');
	return address_parse(&network, family, address) &&
	       same_prefix(network.address, peer->address, bits + prefix);
}

bool is_cloudflare_network(const struct endpoint *peer)
{
	for (size_t i = 0; i < cloudflare_range_count; i++)
		if (range_contains(cloudflare_ranges[i], peer))
			return true;
	return false;
}
