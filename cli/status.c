/* status.c - `cfshim status [PID] [--json|--metrics|--watch] [--output FILE]`: what the covered
 * processes have counted. */
#include "arguments.h"
#include "columns.h"
#include "status_forms.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_SECONDS     (24 * 60 * 60)
#define PROCESSES_SHOWN 5
#define LABELLED        11 /* the column behind a label */

struct options {
	pid_t process; /* 0: all */
	bool (*print)(const struct counted_all *all, FILE *file);
	bool watch;
	const char *output; /* NULL: stdout */
};

/* ---- for people ---- */

static void print_processes(const struct counted_group *group, FILE *file)
{
	size_t shown = group->process_count;

	if (shown > PROCESSES_SHOWN)
		shown = PROCESSES_SHOWN;
	for (size_t i = 0; i < shown; i++)
		fprintf(file, "%s%d", i > 0 ? ", " : "", (int)group->processes[i]);
	if (shown < group->process_count)
		fprintf(file, " and %zu more", group->process_count - shown);
}

/* Workers may be of a user who sees less than the one that started the server. */
static void print_stale(const struct counters *block, FILE *file)
{
	const struct passwd *user = getpwuid(block->stale_user); /* NOLINT(concurrency-mt-unsafe) */
	char name[PLAIN_TEXT_BYTES], why[PLAIN_TEXT_BYTES], *text = NULL;

	if (user != NULL)
		plain_text(name, user->pw_name);
	else
		snprintf(name, sizeof(name), "%u", (unsigned)block->stale_user);
	plain_text(why, block->why_stale);
	if (asprintf(&text, "process %d, of user %s, says: %s", (int)block->stale_process, name,
		     why) < 0)
		return;
	fprintf(file, "%*s", LABELLED, "");
	print_folded(file, LABELLED, LABELLED, text);
	fputc('\n', file);
	free(text);
}

static void print_policy(const struct counters *block, FILE *file)
{
	char text[PLAIN_TEXT_BYTES];

	fprintf(file, "  policy   %s\n", plain_text(text, block->policy));
	if (block->rules == 0) {
		fputs("           it cannot be used: everybody is refused\n", file);
		return;
	}
	fprintf(file, "           %llu rules, generation %llu%s\n",
		(unsigned long long)block->rules, (unsigned long long)block->generation,
		block->stale ? "; stale: what is there now is not in force" : "");
	if (block->stale)
		print_stale(block, file);
}

static void print_expiry(const struct counters *block, FILE *file)
{
	int64_t left = block->ca_expires - (int64_t)time(NULL);

	if (block->ca_expires == 0)
		fputs("  CA       none that is valid\n", file);
	else if (left < 0)
		fputs("  CA       expired\n", file);
	else
		fprintf(file, "  CA       %lld days left\n", (long long)(left / DAY_SECONDS));
}

static void print_head(const struct counted_group *group, FILE *file)
{
	const struct counters *block = group->block;
	char plain[PLAIN_TEXT_BYTES], versions[256], stamp[32] = "-";
	const time_t began = (time_t)block->began;
	struct tm local;

	fprintf(file, "%s%s%s  ", wants_color(file) ? "\033[1m" : "",
		plain_text(plain, counted_program(group)), wants_color(file) ? "\033[0m" : "");
	print_processes(group, file);
	fputc('\n', file);
	print_policy(block, file);
	print_expiry(block, file);
	counted_openssls(block, versions, sizeof(versions));
	fprintf(file, "  OpenSSL  %s\n", plain_text(plain, versions));
	fprintf(file, "  library  %s\n", plain_text(plain, block->version));
	if (localtime_r(&began, &local) != NULL)
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local);
	fprintf(file, "  since    %s\n", stamp);
	fprintf(file, "  refused  %.1f a second\n", counted_refusals(block));
}

static bool print_table(const struct counted_group *group, FILE *file)
{
	static const char *const headings[] = {"PORT", "SERVER", "VERDICT", "REASON", "COUNT"};
	struct columns *columns = columns_begin(headings, 5);
	char port[PLAIN_TEXT_BYTES], server[PLAIN_TEXT_BYTES], reason[PLAIN_TEXT_BYTES], count[32];
	struct counted_numbers numbers = {.count = 0};
	bool good = columns != NULL && counted_numbers(group, 1, &numbers);

	for (size_t i = 0; good && i < numbers.count; i++) {
		const struct counted_number *number = &numbers.list[i];

		snprintf(count, sizeof(count), "%llu", (unsigned long long)number->count);
		good = columns_add(
			columns, (const char *const[]){plain_text(port, number->port),
						       plain_text(server, number->server),
						       verdict_word(number->verdict),
						       plain_text(reason, number->reason), count});
	}
	if (good && numbers.count == 0)
		fputs("  nobody has come yet\n", file);
	else if (good)
		fputc('\n', file), columns_print(columns, file);
	free(numbers.list);
	columns_end(columns);
	return good;
}

/* Those that have nothing to show. */
static bool print_others(const struct counted_all *all, size_t count, FILE *file)
{
	static const char *const headings[] = {"PROGRAM", "PROCESS", "NOTHING IS COUNTED"};
	struct columns *columns = columns_begin(headings, 3);
	char name[PLAIN_TEXT_BYTES], process[48];
	bool good = columns != NULL;

	for (size_t i = 0; good && i < all->count; i++) {
		const struct counted_group *group = &all->groups[i];

		if (group->block != NULL)
			continue;
		snprintf(process, sizeof(process), "%d", (int)group->processes[0]);
		if (group->process_count > 1)
			snprintf(process, sizeof(process), "%d and %zu more",
				 (int)group->processes[0], group->process_count - 1);
		good = columns_add(columns,
				   (const char *const[]){plain_text(name, counted_program(group)),
							 process, group->why});
	}
	if (good && count > 0)
		columns_print(columns, file);
	columns_end(columns);
	return good;
}

static bool print_text(const struct counted_all *all, FILE *file)
{
	size_t shown = 0;
	bool good = true;

	for (size_t i = 0; good && i < all->count; i++) {
		if (all->groups[i].block == NULL)
			continue;
		if (shown++ > 0)
			fputc('\n', file);
		print_head(&all->groups[i], file);
		good = print_table(&all->groups[i], file);
	}
	if (shown > 0 && shown < all->count)
		fputc('\n', file);
	good = good && print_others(all, all->count - shown, file);
	if (all->count == 0)
		fputs("no covered process can be seen\n", file);
	if (all->unseen > 0)
		fprintf(file, "%sprocesses that this user cannot look into: %zu\n",
			all->count > 0 ? "\n" : "", all->unseen);
	return good;
}

/* ---- where it goes ---- */

/* Whoever reads `path` finds the old or the new, and never a part. */
static enum status write_file(const struct counted_all *all, const struct options *options)
{
	char temporary[PATH_MAX];
	FILE *file;
	bool good;
	int opened;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", options->output) >=
	    sizeof(temporary))
		return refuse(STATUS_BAD, "status", "%s: too long a path", options->output);
	opened = mkstemp(temporary);
	file = opened >= 0 ? fdopen(opened, "w") : NULL;
	if (file == NULL)
		return refuse(STATUS_BAD, "status", "%s: %s", temporary, strerror(errno));
	good = options->print(all, file) && fchmod(opened, 0644) == 0 && fflush(file) == 0;
	good = fclose(file) == 0 && good && rename(temporary, options->output) == 0;
	if (good)
		return STATUS_GOOD;
	refuse(STATUS_BAD, "status", "%s cannot be written: %s", options->output, strerror(errno));
	unlink(temporary);
	return STATUS_BAD;
}

static enum status show(const struct options *options, FILE *file)
{
	struct counted_all all;
	enum status status = STATUS_GOOD;

	if (!counted_read(&all, options->process))
		return refuse(STATUS_BAD, "status", "the processes cannot be read: %s",
			      strerror(errno));
	if (options->process != 0 && all.count == 0)
		status = refuse(
			STATUS_BAD, "status",
			kill(options->process, 0) != 0 && errno == ESRCH ? "there is no process %d"
			: all.unseen > 0
				? "process %d is not covered, or not this user's to look into"
				: "process %d is not covered",
			(int)options->process);
	else if (options->output != NULL)
		status = write_file(&all, options);
	else if (!options->print(&all, file))
		status = refuse(STATUS_BAD, "status", "no memory");
	counted_clear(&all);
	return status;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		lines++;
	return lines;
}

/* To the upper left, and clear: nothing of the last picture stays.  What does not fit would push
 * its beginning out of sight. */
static void draw(const char *picture)
{
	struct winsize window = {.ws_row = 0};
	const size_t lines = count_lines(picture);
	size_t fit = lines;

	if (!isatty(STDOUT_FILENO)) {
		printf("%s\n", picture);
		return;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 2 &&
	    lines >= window.ws_row)
		fit = window.ws_row - 2u;
	fputs("\033[H\033[2J", stdout);
	for (size_t i = 0; i < fit; i++) {
		const size_t length = strcspn(picture, "\n") + 1;

		fwrite(picture, 1, length, stdout);
		picture += length;
	}
	if (fit < lines)
		printf("%s... and %zu lines more: in a higher terminal, or by `cfshim status "
		       "PID`\n",
		       wants_color(stdout) ? "\033[0m" : "", lines - fit);
}

/* Until it is interrupted. */
static enum status watch(const struct options *options)
{
	const struct timespec second = {.tv_sec = 1};
	enum status status;

	do {
		char *picture = NULL;
		size_t size;
		FILE *memory = open_memstream(&picture, &size);

		if (memory == NULL)
			return refuse(STATUS_BAD, "status", "no memory");
		status = show(options, memory);
		if (fclose(memory) == 0 && status == STATUS_GOOD)
			draw(picture);
		free(picture);
	} while (status == STATUS_GOOD && fflush(stdout) == 0 && nanosleep(&second, NULL) == 0);
	return status;
}

/* ---- arguments ---- */

static bool take_process(const char *word, pid_t *process)
{
	char *end;
	long number = strtol(word, &end, 10);

	*process = (pid_t)number;
	return *end == '\0' && number > 0 && number <= INT_MAX;
}

static enum status read_options(struct options *options, int argc, char **argv)
{
	struct arguments arguments;
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);
	bool json = arguments.options[OPTION_status_json] != NULL;
	bool metrics = arguments.options[OPTION_status_metrics] != NULL;

	if (status != STATUS_GOOD)
		return status;
	options->print = json ? print_json : metrics ? print_metrics : print_text;
	options->watch = arguments.options[OPTION_status_watch] != NULL;
	options->output = arguments.options[OPTION_status_output];
	if (json && metrics)
		return refuse_usage("status", "--json and --metrics are two forms: choose one");
	if (options->watch && (json || metrics || options->output != NULL))
		return refuse_usage("status", "--watch is for the table, on a terminal");
	if (arguments.count > 1)
		return refuse_usage("status", "one process is enough: %s is too much",
				    arguments.operands[1]);
	if (arguments.count == 1 && !take_process(arguments.operands[0], &options->process))
		return refuse_usage("status", "\"%s\" is no process", arguments.operands[0]);
	return STATUS_GOOD;
}

enum status status_verb(int argc, char **argv)
{
	struct options options = {.print = print_text};
	enum status status = read_options(&options, argc, argv);

	if (status != STATUS_GOOD)
		return status;
	return options.watch ? watch(&options) : show(&options, stdout);
}
