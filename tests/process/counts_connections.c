/* The counters say what the clients saw, one by one: on nginx with four workers, while these are
 * killed and replaced; and of hosts that fork for each connection.
 *
 * CONNECTIONS, where it is set, is how many come to nginx.
 */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "scratch.h"
#include "tally.h"
#include "test.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS    1000
#define AT_ONCE        8
#define KILLS          5
#define SETTLE_MS      10000
#define REPLACEMENT_MS 10000

static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

/* ---- who comes ---- */

struct comer {
	const char *certificate; /* of who speaks TLS; NULL: none */
	const char *says;        /* who does not: this; "": nothing, and goes away */
	enum verdict verdict;
	const char *reason;
	int alert_1_3, alert_1_2;
};

static const struct comer comers[] = {
	{"edge", NULL, VERDICT_ADMITTED, "-", 0, 0},
	{NULL, NULL, VERDICT_REFUSED, "no-certificate", 116, 40},
	{"self-signed", NULL, VERDICT_REFUSED, "untrusted-issuer", 48, 48},
	{"expired", NULL, VERDICT_REFUSED, "expired", 45, 45},
	{NULL, request, VERDICT_REFUSED, "plaintext", 0, 0},
	{NULL, "", VERDICT_ABANDONED, "-", 0, 0},
};
#define COMERS (sizeof(comers) / sizeof(comers[0]))

/* What the clients have counted, and how they are held up while a worker is killed: nobody knows
 * what becomes of a connection that is just under way. */
struct shared {
	_Atomic uint64_t seen[COMERS];
	_Atomic unsigned wrong, under_way;
	_Atomic bool hold;
};

static bool speak_plainly(const struct server *server, const struct comer *comer)
{
	int descriptor = raw_connect(NULL, server->ports[0]);
	enum ending ending = END_EOF;
	size_t count = 0;

	if (*comer->says != '\0')
		count = raw_exchange(descriptor, comer->says, strlen(comer->says), &ending);
	else
		close(descriptor);
	return count == 0 && ending == END_EOF;
}

static bool speak_tls(const struct server *server, const struct comer *comer, int version)
{
	struct client client = {
		.port = server->ports[0],
		.version = version,
		.certificate = comer->certificate,
		.request = request,
		.timeout_ms = 30000,
		.patience_ms = comer->verdict == VERDICT_REFUSED ? 5000 : 0,
	};
	struct outcome outcome;
	bool right;

	client_run(&client, &outcome);
	if (comer->verdict == VERDICT_ADMITTED)
		right = strcmp(outcome_body(&outcome), SERVER_ANSWER) == 0;
	else
		right = outcome.application_bytes == 0 &&
			outcome.alert ==
				(version == TLS1_3_VERSION ? comer->alert_1_3 : comer->alert_1_2);
	if (!right)
		fprintf(stderr, "# %s, TLS %s: %zu bytes, alert %d, %s\n", comer->reason,
			version_word(version), outcome.application_bytes, outcome.alert,
			ending_word(outcome.ending));
	outcome_clear(&outcome);
	return right;
}

static void visit(const struct server *server, struct shared *shared, unsigned number)
{
	const struct comer *comer = &comers[number % COMERS];
	int version = number / COMERS % 2 ? TLS1_3_VERSION : TLS1_2_VERSION;

	for (;;) {
		atomic_fetch_add(&shared->under_way, 1);
		if (!atomic_load(&shared->hold))
			break;
		atomic_fetch_sub(&shared->under_way, 1);
		clock_nap();
	}
	if (comer->says != NULL ? !speak_plainly(server, comer)
				: !speak_tls(server, comer, version))
		atomic_fetch_add(&shared->wrong, 1);
	atomic_fetch_add(&shared->seen[number % COMERS], 1);
	atomic_fetch_sub(&shared->under_way, 1);
}

/* ---- what was counted ---- */

static uint64_t counted(const struct server *server, const struct comer *comer)
{
	return tally(server->pid, comer->verdict, comer->reason);
}

static bool is_settled(const struct server *server, const struct shared *shared,
		       const uint64_t before[COMERS])
{
	for (size_t i = 0; i < COMERS; i++)
		if (counted(server, &comers[i]) - before[i] < shared->seen[i])
			return false;
	return true;
}

/* A server may learn a little later that somebody went away. */
static void wait_until_settled(const struct server *server, const struct shared *shared,
			       const uint64_t before[COMERS])
{
	long long deadline = clock_ms() + SETTLE_MS;

	while (!is_settled(server, shared, before) && clock_ms() < deadline)
		clock_nap();
}

static void expect_equal(const struct server *server, const struct shared *shared,
			 const uint64_t before[COMERS])
{
	wait_until_settled(server, shared, before);
	for (size_t i = 0; i < COMERS; i++)
		expect(counted(server, &comers[i]) - before[i] == shared->seen[i],
		       "%s %s: the clients saw %llu, and the counters say %llu",
		       verdict_word(comers[i].verdict), comers[i].reason,
		       (unsigned long long)shared->seen[i],
		       (unsigned long long)(counted(server, &comers[i]) - before[i]));
	expect(shared->wrong == 0, "%u clients saw something else", shared->wrong);
}

/* ---- nginx ---- */

#define WORKERS 4

static void prepare_nginx(struct server *server)
{
	const struct server_kind *kind = server_kind_named("nginx");
	char path[PATH_MAX + 64];
	char *text, *number;

	kind->prepare(server);
	text_format(path, sizeof(path), "%s/nginx.conf", server->directory);
	text = scratch_read(path);
	number = strstr(text, "worker_processes 2");
	assert_non_null(number);
	number[strlen("worker_processes ")] = '0' + WORKERS;
	scratch_write(path, "%s", text);
	free(text);
}

static const struct server_kind nginx_4 = {.name = "nginx with four workers",
					   .prepare = prepare_nginx};

static pid_t a_worker(const struct server *server)
{
	pid_t processes[64];
	size_t count = program_processes(server->pid, processes, 64);

	for (size_t i = 0; i < count && i < 64; i++)
		if (processes[i] != server->pid)
			return processes[i];
	fail_msg("no worker lives");
	return 0;
}

static void kill_worker(const struct server *server, struct shared *shared,
			const uint64_t before[COMERS])
{
	pid_t worker;
	long long deadline = clock_ms() + REPLACEMENT_MS;

	atomic_store(&shared->hold, true);
	while (atomic_load(&shared->under_way) > 0)
		clock_nap();
	wait_until_settled(server, shared, before);
	worker = a_worker(server);
	kill(worker, SIGKILL);
	while (kill(worker, 0) == 0 && clock_ms() < deadline)
		clock_nap();
	atomic_store(&shared->hold, false);
}

static bool all_have_ended(const pid_t *children, bool *ended)
{
	bool all = true;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		int status;

		ended[i] = ended[i] || waitpid(children[i], &status, WNOHANG) != 0;
		all = all && ended[i];
	}
	return all;
}

/* Each time a tenth of them has come, workers are replaced, or one is killed. */
static void disturb(const struct server *server, struct shared *shared,
		    const uint64_t before[COMERS], const pid_t *children, unsigned all)
{
	bool ended[AT_ONCE] = {false};
	unsigned done = 0;

	while (!all_have_ended(children, ended)) {
		uint64_t seen = 0;

		for (size_t i = 0; i < COMERS; i++)
			seen += shared->seen[i];
		if (done < 2 * KILLS && seen * (2 * KILLS + 1) > (uint64_t)all * (done + 1)) {
			if (done++ % 2 == 0)
				kill(server->pid, SIGHUP);
			else
				kill_worker(server, shared, before);
		}
		clock_nap();
	}
	expect(done == 2 * KILLS, "disturbed %u times", done);
}

static struct shared *share(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(shared != MAP_FAILED);
	return shared;
}

static void count_now(const struct server *server, uint64_t before[COMERS])
{
	for (size_t i = 0; i < COMERS; i++)
		before[i] = counted(server, &comers[i]);
}

/* Those who tried whether the server had started have gone; their number stays. */
static void wait_for_silence(const struct server *server)
{
	uint64_t last = UINT64_MAX, now;

	while ((now = tally(server->pid, VERDICT_ABANDONED, NULL)) != last) {
		last = now;
		usleep(300000);
	}
}

static void run_nginx(void **state)
{
	const char *wanted = getenv("CONNECTIONS");
	unsigned each = (wanted ? (unsigned)strtoul(wanted, NULL, 10) : CONNECTIONS) / AT_ONCE;
	struct server *server = server_new(&nginx_4, 1);
	struct shared *shared = share();
	uint64_t before[COMERS];
	pid_t children[AT_ONCE];

	(void)state;
	server_policy(server, "log = off\n[port %u]\nca = %s\n", server->ports[0],
		      certificate_file("ca"));
	server_start(server);
	wait_for_silence(server);
	count_now(server, before);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		for (unsigned j = 0; j < each; j++)
			visit(server, shared, i + j);
		_exit(0);
	}
	disturb(server, shared, before, children, each * AT_ONCE);
	expect_equal(server, shared, before);
	munmap(shared, sizeof(*shared));
	expectations_met();
	server_stop(server);
}

/* ---- one after another ---- */

static void run_few(void **state)
{
	struct server *server = server_new(server_kind_named(*state), 1);
	struct shared *shared = share();
	uint64_t before[COMERS];

	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	wait_for_silence(server);
	count_now(server, before);
	for (unsigned i = 0; i < 2 * COMERS; i++)
		visit(server, shared, i);
	expect_equal(server, shared, before);
	expect(log_count(server->log, "refused reason=") == 8, "%zu lines for 8 refusals",
	       log_count(server->log, "refused reason="));
	munmap(shared, sizeof(*shared));
	expectations_met();
	server_stop(server);
}

/* Where plain text passes, a connection that says nothing is one that goes away, and one that
 * speaks plain text is none of ours. */
static void run_built_in(void **state)
{
	struct server *server = server_new(server_kind_named("nginx"), 1);
	uint64_t before;
	long long deadline;
	enum ending ending;

	(void)state;
	server_policy(server, "[port *]\nca = %s\n", certificate_file("ca"));
	server_start(server);
	wait_for_silence(server);
	before = tally(server->pid, VERDICT_ABANDONED, NULL);
	(void)raw_exchange(raw_connect(NULL, server->ports[0]), request, strlen(request), &ending);
	close(raw_connect(NULL, server->ports[0]));
	deadline = clock_ms() + SETTLE_MS;
	while (tally(server->pid, VERDICT_ABANDONED, NULL) == before && clock_ms() < deadline)
		clock_nap();
	usleep(300000);
	expect(tally(server->pid, VERDICT_ABANDONED, NULL) == before + 1, "%llu have gone away",
	       (unsigned long long)(tally(server->pid, VERDICT_ABANDONED, NULL) - before));
	expect(tally(server->pid, VERDICT_REFUSED, NULL) == 0, "somebody is refused");
	expect(log_count(server->log, "refused") == 0, "there is a line");
	expectations_met();
	server_stop(server);
}

/* Who is exempt, before TLS and over it: counted as that, once. */
static void run_exempt(void **state)
{
	struct server *server = server_new(server_kind_named("nginx"), 1);
	const struct client client = {
		.port = server->ports[0], .version = TLS1_3_VERSION, .request = request};
	const struct visitor exempt = {NULL, NULL, 0, 0};
	uint64_t before;
	long long deadline;

	(void)state;
	server_policy(server, "[port %u]\nca = %s\nexempt = loopback\n", server->ports[0],
		      certificate_file("ca"));
	server_start(server);
	usleep(500000);
	before = tally(server->pid, VERDICT_EXEMPT, NULL);
	expect(before > 0, "who only connects is not counted");
	expect_verdict(server, &client, &exempt, "reject", NULL);
	deadline = clock_ms() + SETTLE_MS;
	while (tally(server->pid, VERDICT_EXEMPT, NULL) == before && clock_ms() < deadline)
		clock_nap();
	usleep(300000);
	expect(tally(server->pid, VERDICT_EXEMPT, NULL) == before + 1, "counted %llu times",
	       (unsigned long long)(tally(server->pid, VERDICT_EXEMPT, NULL) - before));
	expect(tally(server->pid, VERDICT_ADMITTED, NULL) == 0, "admitted");
	expect(tally(server->pid, VERDICT_ABANDONED, NULL) == 0, "abandoned");
	expectations_met();
	server_stop(server);
}

#define FEW(sentence, kind)                                                          \
	{                                                                            \
		.name = (sentence), .test_func = run_few, .teardown_func = test_end, \
		.initial_state = (kind)                                              \
	}

int main(void)
{
	static char socat[] = "socat", stunnel[] = "stunnel", apache[] = "Apache prefork";
	const struct CMUnitTest tests[] = {
		TEST("what four workers of nginx counted is what the clients saw, though workers "
		     "are killed and replaced",
		     run_nginx),
		FEW("socat, which forks for each connection, counts each once", socat),
		FEW("stunnel, which has threads, counts each once", stunnel),
		FEW("Apache prefork counts each once", apache),
		TEST("where plain text passes, only who says nothing has gone away", run_built_in),
		TEST("who is exempt is counted as that, once", run_exempt),
	};

	return RUN_TESTS("counts-connections", tests);
}
