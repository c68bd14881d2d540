/* ready.c - `cfshim ready [PORT]`: would anything break if certificates were required, by what the
 * covered processes have counted so far? */
#include "arguments.h"
#include "columns.h"
#include "counted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Who came to one port for one name. */
struct names_row {
	const char *port, *name; /* NULL: for names that have no row of their own */
	uint64_t good, without, wrong, strangers, exempt;
	int64_t last_unready;
};

struct names {
	struct names_row *list;
	size_t count, room;
};

/* ---- gather ---- */

static bool is_empty(const struct counters_visits *visits)
{
	return visits->good + visits->without + visits->wrong + visits->strangers +
		       visits->exempt ==
	       0;
}

static int compare_texts(const char *left, const char *right)
{
	if (left == NULL || right == NULL)
		return (left == NULL) - (right == NULL);
	return strcmp(left, right);
}

static int compare(const void *left_row, const void *right_row)
{
	const struct names_row *left = left_row, *right = right_row;
	int order = compare_ports(left->port, right->port);

	return order ? order : compare_texts(left->name, right->name);
}

static bool add(struct names *names, const char *port, const char *name,
		const struct counters_visits *visits)
{
	struct names_row *grown;

	if (is_empty(visits))
		return true;
	if (names->count == names->room) {
		names->room = names->room * 2 + 64;
		grown = realloc(names->list, names->room * sizeof(*grown));
		if (grown == NULL)
			return false;
		names->list = grown;
	}
	names->list[names->count++] = (struct names_row){
		port,           name,
		visits->good,   visits->without,
		visits->wrong,  visits->strangers,
		visits->exempt, visits->last_unready,
	};
	return true;
}

/* "443", or "127.0.0.1:443". */
static bool is_of_port(const char *text, const char *port)
{
	const char *colon = strrchr(text, ':');

	return port == NULL || strcmp(text, port) == 0 || (colon && strcmp(colon + 1, port) == 0);
}

static bool add_block(struct names *names, const struct counters *block, const char *port)
{
	bool good = true;

	for (size_t i = 0; good && i < COUNTERS_NAMES; i++) {
		const struct counters_name *one = &block->names[i];

		if (one->state == COUNTERS_ROW_THERE && one->row < COUNTERS_ROWS &&
		    is_of_port(block->rows[one->row].port, port))
			good = add(names, block->rows[one->row].port, one->name, &one->visits);
	}
	for (size_t i = 0; good && i < COUNTERS_ROWS; i++)
		if (block->rows[i].state == COUNTERS_ROW_THERE &&
		    is_of_port(block->rows[i].port, port))
			good = add(names, block->rows[i].port, NULL, &block->rows[i].others);
	return good;
}

static void merge_equal(struct names *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct names_row *last = kept > 0 ? &names->list[kept - 1] : NULL;
		const struct names_row *next = &names->list[i];

		if (last == NULL || compare(last, next) != 0) {
			names->list[kept++] = *next;
			continue;
		}
		last->good += next->good;
		last->without += next->without;
		last->wrong += next->wrong;
		last->strangers += next->strangers;
		last->exempt += next->exempt;
		if (next->last_unready > last->last_unready)
			last->last_unready = next->last_unready;
	}
	names->count = kept;
}

static bool gather(struct names *names, const struct counted_all *all, const char *port)
{
	bool good = true;

	for (size_t i = 0; good && i < all->count; i++)
		if (all->groups[i].block != NULL)
			good = add_block(names, all->groups[i].block, port);
	if (good && names->count > 0) {
		qsort(names->list, names->count, sizeof(*names->list), compare);
		merge_equal(names);
	}
	return good;
}

/* ---- judge ---- */

enum readiness {
	READY_SAFE,
	READY_NOBODY, /* only strangers have come, and the exempt */
	READY_BREAKS  /* the edge would be refused */
};

static enum readiness judge(const struct names_row *row)
{
	if (row->without + row->wrong > 0)
		return READY_BREAKS;
	return row->good > 0 ? READY_SAFE : READY_NOBODY;
}

/* A word or three: why it would break stands below. */
static const char *verdict_on(const struct names_row *row)
{
	switch (judge(row)) {
	case READY_SAFE:
		return "safe";
	case READY_NOBODY:
		return "no edge seen";
	case READY_BREAKS:
		break;
	}
	return "would break";
}

/* ---- show ---- */

static const char *name_of(const struct names_row *row)
{
	if (row->name == NULL)
		return "(others)";
	return *row->name ? row->name : "(none)";
}

static bool print_rows(const struct names *names)
{
	static const char *const headings[] = {"PORT",  "SERVER NAME", "EDGE",   "WITHOUT",
					       "WRONG", "STRANGERS",   "EXEMPT", "VERDICT"};
	struct columns *columns = columns_begin(headings, 8);
	bool good = columns != NULL;

	for (size_t i = 0; good && i < names->count; i++) {
		const struct names_row *row = &names->list[i];
		const uint64_t numbers[] = {row->good, row->without, row->wrong, row->strangers,
					    row->exempt};
		char port[PLAIN_TEXT_BYTES], name[PLAIN_TEXT_BYTES], cells[5][24];

		for (size_t j = 0; j < 5; j++)
			snprintf(cells[j], sizeof(cells[j]), "%llu",
				 (unsigned long long)numbers[j]);
		good = columns_add(columns,
				   (const char *const[]){plain_text(port, row->port),
							 plain_text(name, name_of(row)), cells[0],
							 cells[1], cells[2], cells[3], cells[4],
							 verdict_on(row)});
	}
	columns_print(columns, stdout);
	columns_end(columns);
	return good;
}

/* The word on all of it. */
static void print_last(const char *color, const char *text)
{
	const bool colored = wants_color(stdout);

	printf("\n%s%s%s\n", colored ? color : "", text, colored ? "\033[0m" : "");
}

/* What would break, and when that was seen last. */
static void print_break(const struct names_row *row, const char *how, const char *stamp)
{
	char port[PLAIN_TEXT_BYTES], name[PLAIN_TEXT_BYTES], *text = NULL;

	if (asprintf(&text, "port %s, %s: Cloudflare comes %s; last seen %s",
		     plain_text(port, row->port), plain_text(name, name_of(row)), how, stamp) < 0)
		return;
	print_folded(stdout, 0, 2, text);
	putchar('\n');
	free(text);
}

static enum status print_verdict(const struct names *names)
{
	size_t breaks = 0, safe = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct names_row *row = &names->list[i];
		const time_t last = (time_t)row->last_unready;
		char stamp[32] = "-";
		struct tm local;

		safe += judge(row) == READY_SAFE;
		if (judge(row) != READY_BREAKS)
			continue;
		if (breaks++ == 0)
			putchar('\n');
		if (localtime_r(&last, &local) != NULL)
			strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local);
		if (row->without > 0)
			print_break(row,
				    "without a certificate: switch Authenticated Origin Pulls on "
				    "for this name",
				    stamp);
		if (row->wrong > 0)
			print_break(row,
				    "with a certificate that the rule does not admit: the log says "
				    "why",
				    stamp);
	}
	if (breaks > 0)
		print_last("\033[1;31m", "not safe: `verify = require` would refuse the edge");
	else if (safe > 0)
		print_last("\033[1;32m", "safe to require");
	else
		print_last("\033[1;33m",
			   "not known: the edge has not come yet; visit each site by Cloudflare");
	return breaks == 0 && safe > 0 ? STATUS_GOOD : STATUS_BAD;
}

static enum status show(const struct counted_all *all, const char *port)
{
	struct names names = {.count = 0};
	enum status status;

	if (!gather(&names, all, port)) {
		free(names.list);
		return refuse(STATUS_BAD, "ready", "no memory");
	}
	if (names.count > 0)
		status = print_rows(&names) ? print_verdict(&names)
					    : refuse(STATUS_BAD, "ready", "no memory");
	else
		status = refuse(
			STATUS_BAD, "ready",
			"nobody has been counted%s%s%s; `cfshim doctor --all` says which ports are "
			"covered",
			port ? " on port " : "", port ? port : "",
			all->unseen == 0 ? ""
			: geteuid() == 0
				? ", in the processes that can be looked into"
				: ", in the processes that this user may look into: ask as root");
	free(names.list);
	return status;
}

enum status ready_verb(int argc, char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);
	const char *port = arguments.operands[0];
	struct counted_all all;

	if (status != STATUS_GOOD)
		return status;
	if (arguments.count > 1)
		return refuse_usage("ready", "one port is enough: %s is too much",
				    arguments.operands[1]);
	if (port != NULL && (strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 ||
			     strtoul(port, NULL, 10) == 0 || strtoul(port, NULL, 10) > 65535))
		return refuse_usage("ready", "\"%s\" is no port: 1 to 65535", port);
	if (!counted_read(&all, 0))
		return refuse(STATUS_BAD, "ready", "the processes cannot be read: %s",
			      strerror(errno));
	status = show(&all, port);
	counted_clear(&all);
	return status;
}
