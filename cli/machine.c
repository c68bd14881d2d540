#include "machine.h"

#include "columns.h"
#include "tls_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A folder is held open for each process that has sockets. */
static void want_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Those that are not known yet. */
static void add_processes(struct machine *machine)
{
	size_t numbers = 0;
	pid_t *list = process_numbers(&numbers);
	struct process *grown = realloc(machine->processes,
					(machine->count + numbers + 1) * sizeof(struct process));

	machine->processes = grown ? grown : machine->processes;
	for (size_t i = 0; grown != NULL && i < numbers; i++) {
		struct process *process = &machine->processes[machine->count];

		if (machine_find(machine, list[i]) != NULL)
			continue;
		if (!process_begin(process, list[i])) {
			process_end(process);
			continue;
		}
		machine->unseen += !process->saw_sockets && !process->is_kernel;
		machine->count++;
	}
	free(list);
}

/* A second look finds what a process that was just ending had forked meanwhile. */
void machine_begin(struct machine *machine, const char *given)
{
	*machine = (struct machine){.given = given};
	want_descriptors();
	add_processes(machine);
	add_processes(machine);
}

void machine_end(struct machine *machine)
{
	for (size_t i = 0; i < machine->count; i++)
		process_end(&machine->processes[i]);
	free(machine->processes);
	known_policies_free(machine->policies);
}

struct process *machine_find(struct machine *machine, pid_t pid)
{
	for (size_t i = 0; i < machine->count; i++)
		if (machine->processes[i].pid == pid)
			return &machine->processes[i];
	return NULL;
}

bool machine_descends(struct machine *machine, const struct process *process, pid_t ancestor)
{
	/* A table that is read while it changes may have a ring in it. */
	for (size_t steps = 0; process != NULL && steps <= machine->count; steps++) {
		if (process->pid == ancestor)
			return true;
		process = machine_find(machine, process->parent);
	}
	return false;
}

const char *process_text(const struct process *process, char text[PROCESS_TEXT_BYTES])
{
	char name[4 * sizeof(process->name)];

	snprintf(text, PROCESS_TEXT_BYTES, "%s[%d]", printable(name, sizeof(name), process->name),
		 (int)process->pid);
	/* Cells are folded at blanks. */
	for (char *at = text; *at != '\0'; at++)
		if (*at == ' ')
			*at = '_';
	return text;
}

/* ---- the table ---- */

/* The endpoints of one kind, for its finding. */
struct group {
	char *text;
};

struct table {
	struct columns *columns;
	struct group groups[COVERAGE_COUNT];
	char last[LISTENER_TEXT_BYTES + PROCESS_TEXT_BYTES + 40]; /* endpoint and holder */
	size_t rows;
};

static void add_to_group(struct group *group, const char *endpoint)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s%s", group->text ? group->text : "", group->text ? ", " : "",
		     endpoint) < 0)
		return;
	free(group->text);
	group->text = longer;
}

/* Who holds it; only now is looked for their TLS. */
static struct holders find_holders(struct machine *machine, const struct listener *listener,
				   pid_t of, bool *wanted)
{
	struct holders holders = {.first = NULL};

	*wanted = of == 0;
	for (size_t i = 0; i < machine->count; i++) {
		struct process *process = &machine->processes[i];

		if (!process_holds(process, listener))
			continue;
		if (process->kinds == 0)
			process_look_for_tls(process, &machine->file_unseen);
		holders_add(&holders, process);
		*wanted = *wanted || machine_descends(machine, process, of);
	}
	return holders;
}

/* UDP sockets are QUIC's where the policy names the port, where there is TCP on it, or where a
 * library for QUIC is in the process: others are clients', or speak something else. */
static bool is_of_interest(const struct listeners *listeners, const struct listener *listener,
			   const struct holders *holders, const struct known_policy *known)
{
	if (!listener->datagrams || holders->kinds & TLS_QUIC ||
	    (known != NULL && known->policy != NULL &&
	     policy_names_listener(known->policy, listener)))
		return true;
	for (size_t i = 0; i < listeners->count; i++)
		if (!listeners->list[i].datagrams &&
		    listeners->list[i].here.port == listener->here.port)
			return true;
	return false;
}

/* Several sockets may share a port (SO_REUSEPORT), and are told of one after the other. */
static bool is_told_of(struct table *table, const char *endpoint, const char *protocol,
		       const char *holder)
{
	char row[sizeof(table->last)];
	bool same;

	snprintf(row, sizeof(row), "%s %s %s", endpoint, protocol, holder);
	same = strcmp(row, table->last) == 0;
	memcpy(table->last, row, sizeof(row));
	return same;
}

static void add_row(struct table *table, const struct listener *listener,
		    const struct holders *holders, const struct rule *rule, enum coverage coverage)
{
	const char *protocol = listener->datagrams ? "udp" : "tcp";
	char endpoint[LISTENER_TEXT_BYTES], who[PROCESS_TEXT_BYTES] = "-",
					    all[PROCESS_TEXT_BYTES + 24];

	if (holders->first != NULL)
		process_text(holders->first, who);
	snprintf(all, sizeof(all), holders->count > 1 ? "%s +%zu" : "%s", who, holders->count - 1);
	listener_text(listener, endpoint);
	if (is_told_of(table, endpoint, protocol, all))
		return;
	columns_add(table->columns,
		    (const char *const[]){endpoint, protocol, all, rule ? rule->section : "-",
					  coverage_words(coverage)});
	add_to_group(&table->groups[coverage], endpoint);
	table->rows++;
}

static void add_listener(struct machine *machine, struct table *table,
			 const struct listeners *listeners, const struct listener *listener,
			 pid_t of)
{
	bool wanted;
	const struct holders holders = find_holders(machine, listener, of, &wanted);
	const struct process *covered =
		holders.first != NULL && holders.covered ? holders.first : NULL;
	struct known_policy *known;
	const struct rule *rule;
	enum coverage coverage;

	if (!wanted)
		return;
	known = policy_of_process(&machine->policies, covered, machine->given, NULL);
	if (!is_of_interest(listeners, listener, &holders, known))
		return;
	coverage = coverage_of(listener, &holders, known, &rule);
	add_row(table, listener, &holders, rule, coverage);
}

static bool is_first_of_namespace(const struct machine *machine, size_t index)
{
	char ours[128], theirs[128];

	process_link(&machine->processes[index], "ns/net", ours, sizeof(ours));
	if (*ours == '\0')
		return false; /* this command's own can be seen in any case */
	for (size_t i = 0; i < index; i++) {
		process_link(&machine->processes[i], "ns/net", theirs, sizeof(theirs));
		if (strcmp(ours, theirs) == 0)
			return false;
	}
	return true;
}

size_t machine_show(struct machine *machine, struct findings *findings, pid_t of)
{
	static const char *const headings[] = {"ENDPOINT", "", "PROCESS", "SECTION", "WHAT"};
	struct table table = {.columns = columns_begin(headings, 5)};

	for (size_t i = 0; i < machine->count; i++) {
		struct listeners listeners = {.list = NULL};

		if (!is_first_of_namespace(machine, i))
			continue;
		listeners_read(&listeners, &machine->processes[i]);
		for (size_t j = 0; j < listeners.count; j++)
			add_listener(machine, &table, &listeners, &listeners.list[j], of);
		listeners_clear(&listeners);
	}
	if (table.rows > 0) {
		putchar('\n');
		columns_print(table.columns, stdout);
		putchar('\n');
	}
	columns_end(table.columns);
	machine->unseen += table.groups[COVERAGE_UNSEEN].text != NULL;
	for (int kind = 0; kind < COVERAGE_COUNT; kind++) {
		if (table.groups[kind].text != NULL)
			find_coverage(findings, (enum coverage)kind, table.groups[kind].text);
		free(table.groups[kind].text);
	}
	return table.rows;
}
