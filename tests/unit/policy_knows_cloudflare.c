/* What is built in: the origin-pull CA, byte for byte, and the ranges of the network. */
#include "policy.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

static void ca_is_the_published_one(void **state)
{
	static const char published[] =
		"9A1AC2B4BE15F9F27EEE20A734CBA4E9898F61001B3BD7C84B69B56A3E25A2B9";
	BIO *bio = BIO_new_mem_buf(cloudflare_origin_pull_ca, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char text[2 * sizeof(digest) + 1];

	(void)state;
	assert_non_null(certificate);
	assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, NULL), 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02X", digest[i]);
	assert_string_equal(text, published);
	assert_null(PEM_read_bio_X509(bio, NULL, NULL, NULL)); /* and no other beside it */
	X509_free(certificate);
	BIO_free(bio);
}

static bool is_in(const char *address)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
	struct endpoint endpoint;

	if (inet_pton(AF_INET, address, &ipv4.sin_addr) == 1) {
		assert_true(
			endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&ipv4, sizeof(ipv4)));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &ipv6.sin6_addr), 1);
		assert_true(
			endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&ipv6, sizeof(ipv6)));
	}
	return is_cloudflare_network(&endpoint);
}

/* First and last address of each published range, and the addresses just before and behind where
 * those belong to nobody of Cloudflare's. */
static const struct {
	const char *before, *first, *last, *behind;
} ranges[] = {
	{"173.245.47.255", "173.245.48.0", "173.245.63.255", "173.245.64.0"},
	{"103.21.243.255", "103.21.244.0", "103.21.247.255", "103.21.248.0"},
	{"103.22.199.255", "103.22.200.0", "103.22.203.255", "103.22.204.0"},
	{"103.31.3.255", "103.31.4.0", "103.31.7.255", "103.31.8.0"},
	{"141.101.63.255", "141.101.64.0", "141.101.127.255", "141.101.128.0"},
	{"108.162.191.255", "108.162.192.0", "108.162.255.255", "108.163.0.0"},
	{"190.93.239.255", "190.93.240.0", "190.93.255.255", "190.94.0.0"},
	{"188.114.95.255", "188.114.96.0", "188.114.111.255", "188.114.112.0"},
	{"197.234.239.255", "197.234.240.0", "197.234.243.255", "197.234.244.0"},
	{"198.41.127.255", "198.41.128.0", "198.41.255.255", "198.42.0.0"},
	{"162.157.255.255", "162.158.0.0", "162.159.255.255", "162.160.0.0"},
	{"104.15.255.255", "104.16.0.0", "104.23.255.255", NULL},
	{NULL, "104.24.0.0", "104.27.255.255", "104.28.0.0"},
	{"172.63.255.255", "172.64.0.0", "172.71.255.255", "172.72.0.0"},
	{"131.0.71.255", "131.0.72.0", "131.0.75.255", "131.0.76.0"},
	{"2400:caff:ffff::", "2400:cb00::", "2400:cb00:ffff:ffff::", "2400:cb01::"},
	{"2606:46ff:ffff::", "2606:4700::", "2606:4700:ffff:ffff::", "2606:4701::"},
	{"2803:f7ff:ffff::", "2803:f800::", "2803:f800:ffff:ffff::", "2803:f801::"},
	{"2405:b4ff:ffff::", "2405:b500::", "2405:b500:ffff:ffff::", "2405:b501::"},
	{"2405:80ff:ffff::", "2405:8100::", "2405:8100:ffff:ffff::", "2405:8101::"},
	{"2a06:98bf:ffff::", "2a06:98c0::", "2a06:98c7:ffff:ffff::", "2a06:98c8::"},
	{"2c0f:f247:ffff::", "2c0f:f248::", "2c0f:f248:ffff:ffff::", "2c0f:f249::"},
};

static void ranges_hold_their_edges(void **state)
{
	(void)state;
	assert_int_equal(sizeof(ranges) / sizeof(ranges[0]), 22);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		expect(is_in(ranges[i].first), "%s is not in", ranges[i].first);
		expect(is_in(ranges[i].last), "%s is not in", ranges[i].last);
		expect(!ranges[i].before || !is_in(ranges[i].before), "%s is in", ranges[i].before);
		expect(!ranges[i].behind || !is_in(ranges[i].behind), "%s is in", ranges[i].behind);
	}
	expectations_met();
}

static void ranges_hold_nobody_else(void **state)
{
	static const char *const others[] = {
		"0.0.0.0", "127.0.0.1",   "10.0.0.1", "203.0.113.9",   "255.255.255.255", "::",
		"::1",     "2001:db8::1", "ffff::",   "::162.158.0.1", /* not mapped: another
									  network */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect(!is_in(others[i]), "%s is in", others[i]);
	expect(is_in("::ffff:162.158.0.1"), "a mapped address is not taken for the IPv4 one");
	expectations_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the CA that is built in is the one that Cloudflare publishes",
		     ca_is_the_published_one),
		TEST("each of the 22 ranges holds its first and last address and not their "
		     "neighbours",
		     ranges_hold_their_edges),
		TEST("other networks are not Cloudflare's", ranges_hold_nobody_else),
	};

	return RUN_TESTS("policy-knows-cloudflare", tests);
}
