/* A policy of 5,000 ports, 5,000 server names and 50,000 CIDRs: it loads in less than 200 ms, and
 * finding a rule takes less than 2,000 instructions.  Under callgrind, which counts the same each
 * time. */
#include "policy.h"
#include "program.h"
#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PORTS              5000u
#define NAMES              5000u
#define CIDRS              50000u
#define LOAD_LIMIT_MS      200
#define INSTRUCTIONS_LIMIT 2000
#define ASK_LIMIT          3000
/* As long as most are; there is one of the longest, too. */
#define LONG_NAME                                                                            \
	"a-name-of-sixty-two-bytes-in-its-first-label-which-is-nearly-63.and-another-label-" \
	"of-the-same-length-here-for-good-measure-in-it.shop-2500.example"

/* Where they stand in the text: a file of them is another test's. */
static char *policy_text(void)
{
	char *text = malloc(POLICY_MAX_BYTES), *end = text;

	assert_non_null(text);
	end += sprintf(end, "[port 443]\nonly-names = other.example\nexempt = loopback\nfrom = "
			    "cloudflare, private");
	for (unsigned i = 0; i < CIDRS; i++) /* apart, and not in their order */
		end += sprintf(end, ", %u.%u.%u.0/25", 20 + i * 7919 % CIDRS / 65536,
			       i * 7919 % CIDRS / 256 % 256, i * 7919 % CIDRS % 256);
	end += sprintf(end, "\n");
	for (unsigned i = 0; i < NAMES; i++)
		end += sprintf(end, "[port 443 server %sshop-%u.example]\n", i % 2 ? "" : "*.", i);
	for (unsigned i = 0; i < PORTS; i++)
		end += sprintf(end, "[port %u]\nrefuse = close\n", 10000 + 2 * i);
	return text;
}

static struct policy *load(void)
{
	struct complaints complaints;
	char *text = policy_text();
	struct policy *policy;

	complaints_begin(&complaints, "p");
	policy = policy_parse(text, strlen(text), &complaints);
	if (policy == NULL)
		show_text("the policy:", complaints.list[0].sentence);
	complaints_clear(&complaints);
	free(text);
	return policy;
}

struct visit {
	uint16_t port;
	const char *name;
	uint8_t peer[4];
	const char *server; /* whose section decides; NULL: the port's own */
	bool passes;
};

static const struct visit visits[] = {
	{443, "shop-2501.example", {20, 100, 100, 1}, "shop-2501.example", true},
	{443, "WWW.shop-2500.example.", {20, 195, 79, 127}, "*.shop-2500.example", true},
	{443, "www.shop-2501.example", {20, 195, 79, 128}, NULL, false},
	{443, "other.example", {104, 16, 0, 1}, NULL, true},
	{443, LONG_NAME, {10, 0, 0, 1}, NULL, false},
	{443, NULL, {8, 8, 8, 8}, NULL, false},
	{443, "127.0.0.1", {20, 0, 0, 1}, NULL, false},
	{15000, "shop-2501.example", {8, 8, 8, 8}, NULL, true},
	{15001, "shop-2501.example", {8, 8, 8, 8}, NULL, true},
	{1, NULL, {8, 8, 8, 8}, NULL, true},
};
#define VISITS (sizeof(visits) / sizeof(visits[0]))

/* By these names callgrind knows what to count: finding the rule, and all else that is asked of the
 * policy for a connection. */
static const struct rule *find_rule(const struct policy *policy, const struct endpoint *here,
				    const char *name, size_t length)
{
	return policy_match_name(policy, here, name, length);
}

static bool ask_rule(const struct policy *policy, const struct rule *port,
		     const struct endpoint *peer, const char *name, size_t length)
{
	return !peers_contain(port->exempt, peer) && rule_admits_peer(port, peer) &&
	       policy_allows_name(policy, port, name, length);
}

/* Called by these, so that no compiler makes others of them. */
static const struct rule *(*volatile find)(const struct policy *, const struct endpoint *,
					   const char *, size_t) = find_rule;
static bool (*volatile ask)(const struct policy *, const struct rule *, const struct endpoint *,
			    const char *, size_t) = ask_rule;

static int visit_all(void)
{
	struct policy *policy = load();

	for (size_t i = 0; i < VISITS && policy != NULL; i++) {
		const struct visit *visit = &visits[i];
		struct endpoint here = {.address = {[15] = 1}, .port = visit->port};
		struct endpoint peer = {.address = {[10] = 0xff, [11] = 0xff}};
		const size_t length = visit->name ? strlen(visit->name) : 0;
		const struct rule *rule = NULL;
		bool passes = false;

		memcpy(peer.address + 12, visit->peer, 4);
		/* Once before, so that the linker is not counted. */
		for (unsigned round = 0; round < 2; round++) {
			rule = find(policy, &here, visit->name, length);
			passes = ask(policy, policy_match(policy, &here), &peer, visit->name,
				     length);
		}
		printf("%s %d\n", rule->server ? rule->server : "-", passes);
	}
	policy_free(policy);
	return policy == NULL;
}

/* Runs visit_all() under callgrind, in more time than program_run() has patience. */
static void visit_counted(void)
{
	char command[PATH_MAX], counts[PATH_MAX], output[PATH_MAX];
	const long long deadline = clock_ms() + 100000;
	char expected[64 * VISITS] = "", *end = expected, *text;
	int status = -1;
	pid_t pid;

	built_path(command, sizeof(command), "tests/process/policy_costs_little");
	text_format(counts, sizeof(counts), "--callgrind-out-file=%s/counts", scratch_dir());
	text_format(output, sizeof(output), "%s/output", scratch_dir());
	pid = program_start(&(struct program){
		.words = {"valgrind", "-q", "--tool=callgrind", "--toggle-collect=find_rule",
			  "--dump-after=find_rule", "--toggle-collect=ask_rule",
			  "--dump-after=ask_rule", counts, command, "visit"},
		.output = output,
	});
	while (!program_has_ended(pid, &status) && clock_ms() < deadline)
		clock_nap();
	if (status == -1)
		program_end(pid);
	for (size_t i = 0; i < VISITS; i++)
		end += sprintf(end, "%s %d\n", visits[i].server ? visits[i].server : "-",
			       visits[i].passes);
	assert_int_equal(status, 0);
	text = scratch_read(output);
	assert_string_equal(text, expected);
	free(text);
}

/* callgrind numbers its files. */
static unsigned long long count_of(size_t dump)
{
	char path[PATH_MAX];
	unsigned long long count;
	const char *total;
	char *text;

	text_format(path, sizeof(path), "%s/counts.%zu", scratch_dir(), dump);
	text = scratch_read(path);
	total = strstr(text, "\ntotals: ");
	count = total ? strtoull(total + strlen("\ntotals: "), NULL, 10) : 0;
	free(text);
	return count;
}

static void rules_are_found(void **state)
{
	(void)state;
	skip_under_sanitizer("its checks are instructions too");
	visit_counted();
	for (size_t i = 0; i < VISITS; i++) {
		const unsigned long long found = count_of(4 * i + 3);
		const unsigned long long asked = count_of(4 * i + 4);

		print_message("# %5llu instructions to find, %5llu to ask: port %u, %s\n", found,
			      asked, visits[i].port, visits[i].name ? visits[i].name : "no name");
		expect(found > 50 && found < INSTRUCTIONS_LIMIT, "visit %zu: too many", i);
		expect(asked > 10 && asked < ASK_LIMIT, "visit %zu: too many", i);
	}
	expectations_met();
}

static long long spent_us(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
	return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void policy_loads(void **state)
{
	long long best = LLONG_MAX;

	(void)state;
	skip_under_sanitizer("its checks take time");
	for (unsigned round = 0; round < 5; round++) {
		const long long before = spent_us();
		struct policy *policy = load();
		const long long spent = spent_us() - before;

		assert_non_null(policy);
		assert_int_equal(policy_rule_count(policy), 1 + NAMES + PORTS + 1);
		best = spent < best ? spent : best;
		policy_free(policy);
	}
	print_message("# loaded in %lld us\n", best);
	assert_true(best < LOAD_LIMIT_MS * 1000LL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST("5,000 ports, 5,000 server names and 50,000 CIDRs load in 200 ms",
		     policy_loads),
		TEST("a rule among them is found in 2,000 instructions", rules_are_found),
	};

	if (argc == 2 && strcmp(argv[1], "visit") == 0)
		return visit_all();
	return RUN_TESTS("policy-costs-little", tests);
}
