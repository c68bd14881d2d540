#include "counters.h"

#include "counters_layout.h"
#include "libc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(((struct counters *)0)->why_stale) == COUNTED_WHY_BYTES, "one length");
_Static_assert(REASON_COUNT <= COUNTERS_REASONS, "a reason without a place");

static _Atomic(struct counters *) shared;
static atomic_flag has_failed = ATOMIC_FLAG_INIT; /* not tried again */

/* ---- the block ---- */

static bool seal(int memfd)
{
	return libc_originals()->fcntl(memfd, F_ADD_SEALS,
				       F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* All of it is there before it is used: to touch what cannot be had would end the host, as would a
 * file that is larger than its limit. */
static void *map_memfd(size_t size)
{
	struct rlimit limit;
	void *made = MAP_FAILED;
	int memfd;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < size)
		return MAP_FAILED;
	memfd = memfd_create(COUNTERS_MEMFD, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memfd < 0)
		return MAP_FAILED;
	if (fallocate(memfd, 0, 0, (off_t)size) == 0 && seal(memfd))
		made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	libc_originals()->close(memfd);
	return made;
}

static void begin(struct counters *made)
{
	memcpy(made->magic, COUNTERS_MAGIC, sizeof(made->magic));
	made->layout = COUNTERS_LAYOUT;
	made->size = sizeof(*made);
	made->began = time(NULL);
	snprintf(made->version, sizeof(made->version), "%s", CFSHIM_VERSION);
	snprintf(made->program, sizeof(made->program), "%s", program_invocation_short_name);
	snprintf(made->policy, sizeof(made->policy), "-");
	for (size_t i = 0; i < REASON_COUNT; i++)
		snprintf(made->reasons[i], sizeof(made->reasons[i]), "%s",
			 reason_word((enum reason)i));
	snprintf(made->rows[0].port, sizeof(made->rows[0].port), "other");
	atomic_store(&made->rows[0].state, COUNTERS_ROW_THERE);
}

static struct counters *make(void)
{
	struct counters *made = map_memfd(sizeof(*made)), *none = NULL;

	if (made == MAP_FAILED)
		made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	if (made == MAP_FAILED)
		return NULL;
	begin(made);
	if (atomic_compare_exchange_strong(&shared, &none, made))
		return made;
	munmap(made, sizeof(*made));
	return none;
}

/* NULL: there is none to be had. */
static struct counters *counters_now(void)
{
	struct counters *now = atomic_load(&shared);
	int error_number = errno;

	if (now == NULL && !atomic_flag_test_and_set(&has_failed)) {
		now = make();
		if (now != NULL)
			atomic_flag_clear(&has_failed);
		errno = error_number;
	}
	return now;
}

void counters_open(void)
{
	counters_now();
}

/* ---- what is in force ---- */

static void write_stale(struct counters *now, const char *why)
{
	const bool is_stale = *why != '\0';

	snprintf(now->why_stale, sizeof(now->why_stale), "%s", why);
	atomic_store(&now->stale_process, is_stale ? getpid() : 0);
	atomic_store(&now->stale_user, is_stale ? geteuid() : 0);
	atomic_store(&now->stale, is_stale);
}

void counters_policy(const struct counted_policy *policy)
{
	struct counters *now = counters_now();

	if (now == NULL)
		return;
	snprintf(now->policy, sizeof(now->policy), "%s", policy->name);
	atomic_store(&now->rules, policy->rules);
	atomic_store(&now->generation, policy->generation);
	if (policy->why_stale != NULL)
		write_stale(now, policy->why_stale);
	atomic_store(&now->ca_expires, policy->ca_expires);
}

/* The row is whoever's sees it free first. */
static bool take(_Atomic uint32_t *state)
{
	uint32_t is_free = COUNTERS_ROW_FREE;

	return atomic_compare_exchange_strong(state, &is_free, COUNTERS_ROW_BEGUN);
}

void counters_openssl(const char *version)
{
	struct counters *now = counters_now();

	for (size_t i = 0; now != NULL && i < COUNTERS_OPENSSLS; i++) {
		struct counters_openssl *one = &now->openssls[i];

		if (take(&one->state)) {
			snprintf(one->version, sizeof(one->version), "%s", version);
			atomic_store(&one->state, COUNTERS_ROW_THERE);
			return;
		}
		if (atomic_load(&one->state) == COUNTERS_ROW_THERE &&
		    strncmp(one->version, version, sizeof(one->version) - 1) == 0)
			return;
	}
}

/* ---- rows ---- */

/* Names of servers have dots too. */
bool counters_are_by_address(const struct rule *rule)
{
	const char *server = strstr(rule->section, " server ");
	size_t length = server ? (size_t)(server - rule->section) : strlen(rule->section);

	return memchr(rule->section, '.', length) != NULL ||
	       memchr(rule->section, '[', length) != NULL;
}

static void write_port(char *text, size_t size, const struct counted *counted)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct endpoint *endpoint = counted->endpoint;
	char address[INET6_ADDRSTRLEN] = "";
	bool is_ipv4;

	if (endpoint == NULL) {
		snprintf(text, size, "-");
		return;
	}
	is_ipv4 = memcmp(endpoint->address, mapped, sizeof(mapped)) == 0;
	if (!counted->by_address ||
	    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, endpoint->address + (is_ipv4 ? 12 : 0), address,
		      sizeof(address)) == NULL)
		snprintf(text, size, "%u", (unsigned)endpoint->port);
	else
		snprintf(text, size, is_ipv4 ? "%s:%u" : "[%s]:%u", address,
			 (unsigned)endpoint->port);
}

/* The first row where there is none to be had. */
static struct counters_row *row_of(struct counters *now, const struct counted *counted)
{
	const char *server = counted->server ? counted->server : "";
	char port[sizeof(now->rows[0].port)];

	write_port(port, sizeof(port), counted);
	for (size_t i = 1; i < COUNTERS_ROWS; i++) {
		struct counters_row *row = &now->rows[i];

		if (take(&row->state)) {
			memcpy(row->port, port, sizeof(port));
			snprintf(row->server, sizeof(row->server), "%s", server);
			atomic_store(&row->state, COUNTERS_ROW_THERE);
			return row;
		}
		if (atomic_load(&row->state) == COUNTERS_ROW_THERE &&
		    strcmp(row->port, port) == 0 && strcmp(row->server, server) == 0)
			return row;
	}
	return &now->rows[0];
}

static _Atomic uint64_t *place_of(struct counters_row *row, enum verdict verdict,
				  enum reason reason)
{
	switch (verdict) {
	case VERDICT_ADMITTED:
		return &row->admitted;
	case VERDICT_EXEMPT:
		return &row->exempt;
	case VERDICT_OBSERVED:
		return &row->observed[reason];
	case VERDICT_REFUSED:
		return &row->refused[reason];
	case VERDICT_ABANDONED:
	case VERDICT_COUNT:
		break;
	}
	return &row->abandoned;
}

static void add(_Atomic uint64_t *number)
{
	atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

static void note_second(struct counters *now)
{
	const uint64_t second = (uint64_t)time(NULL);
	_Atomic uint64_t *place = &now->refused_lately[second % COUNTERS_SECONDS];
	uint64_t before = atomic_load(place), after;

	do {
		after = before >> COUNTERS_COUNT_BITS == second ? before + 1
								: second << COUNTERS_COUNT_BITS | 1;
	} while (!atomic_compare_exchange_weak(place, &before, after));
}

/* ---- by server name ---- */

/* The name as it is kept, in the policy's spelling; too long for one: as if it had no row. */
static bool write_name(char *text, size_t size, const char *name)
{
	char folded[NAME_BYTES + 1];
	const char *kept = name ? name : "";

	if (name_fold(folded, kept, strlen(kept)))
		kept = folded;
	if (strlen(kept) >= size)
		return false;
	memcpy(text, kept, strlen(kept) + 1);
	return true;
}

/* Strangers ask for what they like: a name that only they ask for takes no row. */
static struct counters_visits *visits_of(struct counters *now, struct counters_row *row,
					 const char *asked, bool is_stranger)
{
	const uint32_t index = (uint32_t)(row - now->rows);
	char name[sizeof(now->names[0].name)];

	if (!write_name(name, sizeof(name), asked))
		return &row->others;
	for (size_t i = 0; i < COUNTERS_NAMES; i++) {
		struct counters_name *one = &now->names[i];

		if (!is_stranger && take(&one->state)) {
			one->row = index;
			memcpy(one->name, name, sizeof(name));
			atomic_store(&one->state, COUNTERS_ROW_THERE);
			return &one->visits;
		}
		if (atomic_load(&one->state) == COUNTERS_ROW_FREE)
			break;
		if (atomic_load(&one->state) == COUNTERS_ROW_THERE && one->row == index &&
		    strcmp(one->name, name) == 0)
			return &one->visits;
	}
	return &row->others;
}

static void count_visit(struct counters *now, struct counters_row *row, enum verdict verdict,
			enum reason reason, const struct counted *counted)
{
	bool is_edge = counted->peer != NULL && is_cloudflare_network(counted->peer);
	bool is_unready = verdict == VERDICT_OBSERVED || verdict == VERDICT_REFUSED;
	struct counters_visits *visits;

	if (verdict == VERDICT_ABANDONED)
		return;
	visits = visits_of(now, row, counted->server_name, is_unready && !is_edge);
	if (verdict == VERDICT_ADMITTED)
		add(&visits->good);
	else if (verdict == VERDICT_EXEMPT)
		add(&visits->exempt);
	else if (!is_edge)
		add(&visits->strangers);
	else
		add(reason == REASON_NO_CERTIFICATE ? &visits->without : &visits->wrong);
	if (is_unready && is_edge)
		atomic_store(&visits->last_unready, time(NULL));
}

void counters_count(enum verdict verdict, enum reason reason, const struct counted *counted)
{
	struct counters *now = counters_now();
	struct counters_row *row;

	if (now == NULL)
		return;
	row = row_of(now, counted);
	add(place_of(row, verdict, reason));
	if (verdict == VERDICT_REFUSED)
		note_second(now);
	count_visit(now, row, verdict, reason, counted);
}
