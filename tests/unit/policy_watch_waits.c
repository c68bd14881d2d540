/* Files of a policy: what is seen while they are read, when a change counts, and whose may. */
#include "policy_watch.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STILL_MS    500
#define RESTLESS_MS 5000

static char policy[512], named[512];

static void read_files(struct files_seen *seen)
{
	const char *const paths[] = {policy, named};

	*seen = (struct files_seen){.list = NULL};
	for (size_t i = 0; i < 2; i++) {
		size_t length;

		free(file_bytes(paths[i], 4096, &length, seen));
	}
}

static int begin(void **state)
{
	int result = test_group_begin(state);
	struct files_seen seen;

	text_format(policy, sizeof(policy), "%s/policy.conf", scratch_dir());
	text_format(named, sizeof(named), "%s/ca.pem", scratch_dir());
	scratch_write(policy, "policy\n");
	scratch_write(named, "certificate\n");
	read_files(&seen);
	policy_watch_begin(&seen);
	policy_watch_take(&seen);
	return result;
}

static void take_up(int64_t now)
{
	struct files_seen seen;
	char why[256];

	usleep((STILL_MS + 100) * 1000);
	assert_int_equal(policy_watch_look(now), WATCH_CHANGED);
	read_files(&seen);
	assert_int_equal(policy_watch_judge(&seen, now, why, sizeof(why)), WATCH_CHANGED);
	assert_string_equal(why, "");
	policy_watch_take(&seen);
	assert_int_equal(policy_watch_look(now), WATCH_NOTHING);
}

static void waits_until_still(void **state)
{
	(void)state;
	assert_int_equal(policy_watch_look(1000), WATCH_NOTHING);
	scratch_write(named, "another\n");
	assert_int_equal(policy_watch_look(1000), WATCH_NOTHING);
	assert_int_equal(policy_watch_look(1000 + STILL_MS - 1), WATCH_NOTHING);
	take_up(1000 + STILL_MS - 1);
}

/* What our clock has seen counts where that of the file says nothing. */
static void believes_its_own_clock(void **state)
{
	(void)state;
	scratch_write(policy, "one more\n");
	assert_int_equal(policy_watch_look(10000), WATCH_NOTHING);
	assert_int_equal(policy_watch_look(10000 + STILL_MS), WATCH_CHANGED);
	take_up(20000);
}

static void tells_of_restless_files(void **state)
{
	size_t told = 0;

	(void)state;
	for (int64_t now = 30000; now < 30000 + 3 * RESTLESS_MS; now += STILL_MS / 2) {
		scratch_write(policy, "%lld\n", (long long)now);
		usleep(10000); /* the kernel's clock for files ticks slowly */
		told += policy_watch_look(now) == WATCH_RESTLESS;
	}
	assert_int_equal(told, 1);
	take_up(60000);
}

static void missing_file_is_a_change(void **state)
{
	struct files_seen seen;
	char why[256];

	(void)state;
	assert_int_equal(unlink(named), 0);
	assert_int_equal(policy_watch_look(70000), WATCH_CHANGED);
	read_files(&seen);
	assert_int_equal(seen.count, 2);
	assert_true(seen.list[1].error_number != 0);
	assert_int_equal(policy_watch_judge(&seen, 70000, why, sizeof(why)), WATCH_CHANGED);
	policy_watch_take(&seen);
	assert_int_equal(policy_watch_look(70000), WATCH_NOTHING);
	scratch_write(named, "back\n");
	take_up(80000);
}

static void replaced_meanwhile_is_read_again(void **state)
{
	struct files_seen seen;
	char why[256];

	(void)state;
	usleep((STILL_MS + 100) * 1000);
	read_files(&seen);
	assert_false(seen.is_mixed);
	scratch_write(policy, "replaced after it was read\n");
	assert_int_equal(policy_watch_judge(&seen, 90000, why, sizeof(why)), WATCH_NOTHING);
	assert_int_equal(policy_watch_judge(&seen, 99000, why, sizeof(why)), WATCH_RESTLESS);
	files_seen_clear(&seen);
	take_up(100000);
}

static void same_path_is_seen_once(void **state)
{
	struct files_seen seen = {.list = NULL};
	size_t length;

	(void)state;
	free(file_bytes(policy, 4096, &length, &seen));
	free(file_bytes(policy, 4096, &length, &seen));
	assert_int_equal(seen.count, 1);
	assert_false(seen.is_mixed);
	scratch_write(policy, "changed between two readings\n");
	free(file_bytes(policy, 4096, &length, &seen));
	assert_int_equal(seen.count, 1);
	assert_true(seen.is_mixed);
	files_seen_clear(&seen);
	take_up(110000);
}

static void owner_is_the_one_of_the_start(void **state)
{
	struct files_seen seen;
	char why[256];

	(void)state;
	if (geteuid() != 0) {
		print_message("# only root gives files away\n");
		skip();
	}
	assert_int_equal(chown(named, 65534, 65534), 0);
	usleep((STILL_MS + 100) * 1000);
	read_files(&seen);
	assert_int_equal(policy_watch_judge(&seen, 120000, why, sizeof(why)), WATCH_CHANGED);
	assert_non_null(strstr(why, "its owner"));
	policy_watch_take(&seen);
	assert_int_equal(chown(named, 0, 0), 0);
	take_up(130000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_until_still),
		cmocka_unit_test(believes_its_own_clock),
		cmocka_unit_test(tells_of_restless_files),
		cmocka_unit_test(missing_file_is_a_change),
		cmocka_unit_test(replaced_meanwhile_is_read_again),
		cmocka_unit_test(same_path_is_seen_once),
		cmocka_unit_test(owner_is_the_one_of_the_start),
	};

	return _cmocka_run_group_tests("policy-watch-waits", tests,
				       sizeof(tests) / sizeof(tests[0]), begin, test_group_end);
}
