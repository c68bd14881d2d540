/* policy_lookup.h - for tests that ask a policy: parse one that is good, and make endpoints. */
#ifndef POLICY_LOOKUP_H
#define POLICY_LOOKUP_H

#include "policy.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* NULL where there is an error, and the first complaint is shown. */
static inline struct policy *parse(const char *text)
{
	struct complaints complaints;
	struct policy *policy;

	complaints_begin(&complaints, "p");
	policy = policy_parse(text, strlen(text), &complaints);
	if (policy == NULL)
		print_message("# %s\n", complaints.count > 0 ? complaints.list[0].sentence : "-");
	complaints_clear(&complaints);
	return policy;
}

static inline struct endpoint endpoint_of(const char *address, uint16_t port)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct endpoint endpoint;
	bool good;

	if (inet_pton(AF_INET, address, &ipv4.sin_addr) == 1) {
		good = endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&ipv4, sizeof(ipv4));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &ipv6.sin6_addr), 1);
		good = endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&ipv6, sizeof(ipv6));
	}
	assert_true(good);
	return endpoint;
}

#endif
