/* The policy changes for the better and for the worse while four clients come without a pause, with
 * good certificates and bad ones: no verdict is of any other policy than the old one or the new
 * one, nobody fails whom both admit, and memory and descriptors are level at the end.
 *
 * CHANGES, where it is set, is how many policies are seen in force, at each server.
 */
#include "changing.h"
#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANGES 6
#define CLIENTS 4
/* For a machine that is busy with other tests, too. */
#define GRACE_MS           2000
#define SANITIZED_GRACE_MS 10000
#define BAD_MS             1200
/* The version before is let go of when somebody comes again, and looks. */
#define SETTLING_MS 2000
#define PROCESSES   64
/* So that a version that is not freed is noticed. */
#define PADDING  (1u << 20)
#define SLACK_KB 3072
/* Each thread that has loaded a policy may have memory of its own from malloc(), which keeps it. */
#define THREADS_SLACK_KB 32768

/* Who is admitted: by the first policy "edge" and "other", by the second "other" alone. */
enum { FIRST = 1, SECOND = 2 };
static struct shared {
	_Atomic unsigned in_force; /* both of them, while one takes the other's place */
	_Atomic bool is_over;
	_Atomic unsigned wrong, visits;
} * shared; /* with the clients, which are processes */

/* Then all is slow, and memory is another's. */
static bool is_sanitized(void)
{
	return getenv("PRELOAD_FIRST") != NULL;
}

static bool admits(unsigned policy, const char *certificate)
{
	if (certificate == NULL || strcmp(certificate, "self-signed") == 0)
		return false;
	return policy == FIRST || strcmp(certificate, "other") == 0;
}

/* True where it is admitted. */
static bool visit(unsigned port, const char *certificate, int version, struct outcome *outcome)
{
	const struct client client = {.port = port,
				      .version = version,
				      .certificate = certificate,
				      .request = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
				      .timeout_ms = 30000};

	client_run(&client, outcome);
	outcome_clear(outcome);
	return strcmp(outcome_body(outcome), SERVER_ANSWER) == 0;
}

static void come_again(const struct server *server)
{
	static const char *const comers[] = {"edge", "other", NULL, "self-signed"};

	for (unsigned i = 0; !atomic_load(&shared->is_over); i++) {
		const char *certificate = comers[i % 4];
		unsigned before = atomic_load(&shared->in_force), policies;
		struct outcome outcome;
		bool admitted = visit(server->ports[0], certificate,
				      i / 4 % 2 ? TLS1_3_VERSION : TLS1_2_VERSION, &outcome);

		policies = before | atomic_load(&shared->in_force);
		atomic_fetch_add(&shared->visits, 1);
		if (((policies & FIRST) && admitted == admits(FIRST, certificate)) ||
		    ((policies & SECOND) && admitted == admits(SECOND, certificate)))
			if (admitted || outcome.application_bytes == 0)
				continue;
		atomic_fetch_add(&shared->wrong, 1);
		fprintf(stderr, "# policies %u, %s: %s, %zu bytes, alert %d, %s\n", policies,
			certificate ? certificate : "no certificate",
			admitted ? "admitted" : "refused", outcome.application_bytes, outcome.alert,
			ending_word(outcome.ending));
	}
}

static void write_policy(const struct server *server, const char *lines, const char *end)
{
	char path[PATH_MAX + 64], place[PATH_MAX + 64];
	FILE *file;

	text_format(path, sizeof(path), "%s/written", server->directory);
	text_format(place, sizeof(place), "%s/policy.conf", server->directory);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "[port %u]\nca = %s/other-ca.pem\n%s", server->ports[0], server->directory,
		lines);
	for (unsigned i = 0; i < (is_sanitized() ? PADDING / 8 : PADDING) / 64; i++)
		fprintf(file, "# %060u\n", i);
	fputs(end, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(path, place), 0);
}

static void write_good(const struct server *server, unsigned policy)
{
	char lines[PATH_MAX + 64] = "refuse = close\n";

	if (policy == FIRST)
		text_format(lines, sizeof(lines), "ca = %s/ca.pem\n", server->directory);
	write_policy(server, lines, "");
}

static void change_to(const struct server *server, unsigned policy)
{
	struct outcome outcome;

	atomic_store(&shared->in_force, FIRST | SECOND);
	write_good(server, policy);
	wait_until_in_force();
	usleep((is_sanitized() ? SANITIZED_GRACE_MS : GRACE_MS) * 1000);
	atomic_store(&shared->in_force, policy);
	expect(visit(server->ports[0], "edge", TLS1_3_VERSION, &outcome) == (policy == FIRST),
	       "the new policy is not in force");
}

static void spoil(const struct server *server, unsigned how)
{
	char path[PATH_MAX + 64];

	switch (how % 4) {
	case 0:
		write_policy(server, "nonsense = off\n", "");
		break;
	case 1:
		write_policy(server, "", "[port 1]\nverify = off");
		break;
	case 2:
		write_policy(server, "ca = /nowhere/ca.pem\n", "");
		break;
	default:
		text_format(path, sizeof(path), "%s/policy.conf", server->directory);
		assert_int_equal(unlink(path), 0);
	}
	usleep(BAD_MS * 1000);
}

/* ---- what a process has ---- */

struct holdings {
	pid_t process;
	long memory_kb;
	size_t descriptors;
};

static struct holdings holdings_of(pid_t process)
{
	struct holdings holdings = {.process = process};
	char path[64], *status;
	const char *line;
	DIR *folder;

	text_format(path, sizeof(path), "/proc/%d/status", (int)process);
	status = scratch_read(path);
	line = strstr(status, "VmRSS:");
	holdings.memory_kb = line ? strtol(line + 6, NULL, 10) : 0;
	free(status);
	text_format(path, sizeof(path), "/proc/%d/fd", (int)process);
	folder = opendir(path);
	while (folder != NULL && readdir(folder) != NULL)
		holdings.descriptors++;
	if (folder != NULL)
		closedir(folder);
	return holdings;
}

static size_t holdings_of_all(const struct server *server, struct holdings *all)
{
	pid_t processes[PROCESSES];
	size_t count = program_processes(server->pid, processes, PROCESSES);

	for (size_t i = 0; i < count; i++)
		all[i] = holdings_of(processes[i]);
	return count;
}

static void expect_level(const struct server *server, const struct holdings *before, size_t count)
{
	const bool has_threads = strcmp(server->kind->name, "nginx") != 0;
	const long slack_kb = has_threads ? THREADS_SLACK_KB : SLACK_KB;

	for (size_t i = 0; i < count; i++) {
		struct holdings after = holdings_of(before[i].process);

		print_message("# %d: %ld -> %ld KiB, %zu -> %zu descriptors\n", (int)after.process,
			      before[i].memory_kb, after.memory_kb, before[i].descriptors,
			      after.descriptors);
		expect(after.memory_kb > 0, "%s: %d has ended", server->kind->name,
		       (int)after.process);
		expect(is_sanitized() || after.memory_kb <= before[i].memory_kb + slack_kb,
		       "%s: memory grows, from %ld to %ld KiB", server->kind->name,
		       before[i].memory_kb, after.memory_kb);
		expect(after.descriptors <= before[i].descriptors + CLIENTS,
		       "%s: descriptors, from %zu to %zu", server->kind->name,
		       before[i].descriptors, after.descriptors);
	}
}

static void run_server(void **state)
{
	const char *wanted = getenv("CHANGES");
	unsigned changes = wanted ? (unsigned)strtoul(wanted, NULL, 10) : CHANGES;
	struct server *server = changing_server(*state, "");
	struct holdings before[PROCESSES];
	pid_t clients[CLIENTS];
	struct outcome outcome;
	size_t count = 0;

	(void)certificate_file("self-signed");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	write_good(server, FIRST);
	atomic_store(&shared->in_force, FIRST);
	server_start(server);
	visit(server->ports[0], "edge", TLS1_3_VERSION, &outcome);
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = fork();
		if (clients[i] == 0) {
			come_again(server);
			_exit(0);
		}
	}
	for (unsigned i = 1; i <= changes; i++) {
		spoil(server, i);
		change_to(server, i % 2 ? SECOND : FIRST);
		if (i == 2) {
			usleep(SETTLING_MS * 1000);
			count = holdings_of_all(server, before);
		}
	}
	usleep(SETTLING_MS * 1000);
	atomic_store(&shared->is_over, true);
	for (size_t i = 0; i < CLIENTS; i++)
		expect(clients[i] > 0 && waitpid(clients[i], NULL, 0) == clients[i],
		       "a client is lost");
	print_message("# %u changes, %u visits\n", changes, atomic_load(&shared->visits));
	expect(atomic_load(&shared->wrong) == 0, "%u wrong verdicts of %u",
	       atomic_load(&shared->wrong), atomic_load(&shared->visits));
	expect_level(server, before, count);
	munmap(shared, sizeof(*shared));
	expectations_met();
	server_stop(server);
}

#define SERVER(sentence, number)                                                                 \
	{                                                                                        \
		(sentence), run_server, NULL, test_end, (void *)(uintptr_t)&server_kinds[number] \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER("nginx, whose workers each look for themselves", 0),
		SERVER("Apache event, whose threads give libssl memory", 2),
	};

	return RUN_TESTS("changes-under-load", tests);
}
