/* probe.c - `cfshim probe HOST:PORT ...`: what strangers see of a server, and whether any got in.
 */
#include "arguments.h"
#include "columns.h"
#include "probe_identities.h"
#include "probe_target.h"
#include "sight.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RED   "\033[1;31m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

#define ROWS_MAX 24
/* Over TLS up to 1.2, and over 1.3. */
static const enum speech speeches[] = {SPEECH_TLS_OLD, SPEECH_TLS_1_3};
#define SPEECH_COUNT (sizeof(speeches) / sizeof(speeches[0]))

struct row {
	struct stranger stranger;
	struct sight sight;
	bool is_untried; /* it takes a session, and the server gave none */
	enum finding finding;
};

struct probe {
	const struct target *target;
	struct identity given; /* no leaf: there is none */
	struct identity made[IDENTITY_COUNT];
	const struct addrinfo *address;
	struct row rows[ROWS_MAX]; /* first those with the certificate given */
	size_t count, given_count;
	size_t strangers, unclear, ways_in, let_in, reached; /* over all addresses */
	char first[128];                                     /* of the worst finding */
};

/* ---- one after another ---- */

static bool shows_progress(void)
{
	return isatty(STDERR_FILENO) == 1;
}

/* How many there will be at this address. */
static size_t row_total(const struct probe *probe)
{
	size_t kinds = 2 + IDENTITY_COUNT; /* without a certificate, and its session */

	kinds += probe->given.leaf != NULL ? 1 : 0;
	kinds += probe->target->server_name != NULL ? 1 : 0;
	return kinds * SPEECH_COUNT + 2;
}

/* NULL: it is over, and leaves no trace. */
static void show_progress(const struct probe *probe, const struct stranger *stranger)
{
	if (!shows_progress())
		return;
	fprintf(stderr, "\r%60s\r", "");
	if (stranger != NULL)
		fprintf(stderr, "%zu of %zu: %s", probe->count, row_total(probe), stranger->who);
}

static struct row *add_row(struct probe *probe, const char *who, enum speech speech)
{
	struct row *row = &probe->rows[probe->count++];

	*row = (struct row){.stranger = {.who = who,
					 .speech = speech,
					 .server_name = probe->target->server_name,
					 .request = probe->target->request,
					 .request_bytes = probe->target->request_bytes}};
	return row;
}

static void go(struct probe *probe, struct row *row)
{
	show_progress(probe, &row->stranger);
	stranger_go(&row->sight, &row->stranger, probe->address);
}

static void try_identity(struct probe *probe, const struct identity *identity)
{
	for (size_t i = 0; i < SPEECH_COUNT; i++) {
		struct row *row = add_row(probe, identity->who, speeches[i]);

		row->stranger.leaf = identity->leaf;
		row->stranger.chain = identity->chain;
		row->stranger.key = identity->key;
		go(probe, row);
	}
}

/* A session is the earlier connection's; where there was none, there is nothing to try. */
static void try_session(struct probe *probe, const char *who, enum speech speech,
			SSL_SESSION *session)
{
	struct row *row = add_row(probe, who, speech);

	row->stranger.session = session;
	row->is_untried = session == NULL;
	if (session != NULL)
		go(probe, row);
}

/* What was let in under no name, or another site's, asks for this one. */
static void try_session_of_no_name(struct probe *probe, enum speech speech)
{
	struct row earlier = {.stranger = {.who = "no server name",
					   .speech = speech,
					   .request = probe->target->request,
					   .request_bytes = probe->target->request_bytes}};

	go(probe, &earlier);
	try_session(probe, "session of no name", speech, earlier.sight.session);
	probe->rows[probe->count - 1].stranger.session = NULL;
	sight_clear(&earlier.sight);
}

/* The CA that the server asks for is known then.  False: it cannot be connected to. */
static bool try_without_certificate(struct probe *probe)
{
	static const struct identity none = {.who = "no certificate"};
	struct row *anonymous;

	try_identity(probe, &none);
	if (probe->rows[probe->given_count].sight.unreached != 0)
		return false;
	anonymous = add_row(probe, "anonymous ciphers", SPEECH_TLS_OLD);
	anonymous->stranger.is_anonymous = true;
	go(probe, anonymous);
	return true;
}

static bool try_all(struct probe *probe)
{
	struct row *without;
	X509_NAME *ca;

	if (probe->given.leaf != NULL)
		try_identity(probe, &probe->given);
	probe->given_count = probe->count;
	if (!try_without_certificate(probe))
		return true;
	without = &probe->rows[probe->given_count];
	ca = without[0].sight.ca ? without[0].sight.ca : without[1].sight.ca;
	if (!identities_make(probe->made, ca))
		return false;
	for (size_t i = 0; i < IDENTITY_COUNT; i++)
		try_identity(probe, &probe->made[i]);
	for (size_t i = 0; i < SPEECH_COUNT; i++)
		try_session(probe, "an earlier session", speeches[i], without[i].sight.session);
	for (size_t i = 0; i < SPEECH_COUNT && probe->target->server_name != NULL; i++)
		try_session_of_no_name(probe, speeches[i]);
	go(probe, add_row(probe, "no TLS, plain text", SPEECH_PLAIN));
	return true;
}

/* ---- what it comes to ---- */

static bool is_given(const struct probe *probe, const struct row *row)
{
	return row < probe->rows + probe->given_count;
}

/* The edge's own server may say nothing before it is spoken to in its own way. */
static bool is_let_in(const struct sight *sight)
{
	return sight_is_answer(sight) ||
	       (sight->is_accepted && sight->alert < 0 && sight->ending == ENDING_OPEN);
}

static const char *version_words(const struct row *row)
{
	switch (row->sight.version) {
	case TLS1_VERSION:
		return "1.0";
	case TLS1_1_VERSION:
		return "1.1";
	default:
		return row->stranger.speech == SPEECH_PLAIN     ? "-"
		       : row->stranger.speech == SPEECH_TLS_1_3 ? "1.3"
								: "1.2";
	}
}

static void note_finding(struct probe *probe, const struct row *row)
{
	const bool is_worst = row->finding == FINDING_WAY_IN ? probe->ways_in == 0
							     : probe->ways_in + probe->unclear == 0;

	probe->strangers += !row->is_untried;
	if (row->finding == FINDING_CLOSED)
		return;
	if (is_worst)
		snprintf(probe->first, sizeof(probe->first), "%s%s%s", row->stranger.who,
			 row->stranger.speech == SPEECH_PLAIN ? "" : ", TLS ",
			 row->stranger.speech == SPEECH_PLAIN ? "" : version_words(row));
	probe->ways_in += row->finding == FINDING_WAY_IN;
	probe->unclear += row->finding == FINDING_UNCLEAR;
}

static void judge_rows(struct probe *probe)
{
	const struct sight *good = NULL;

	for (size_t i = 0; i < probe->count; i++) {
		struct row *row = &probe->rows[i];

		if (is_given(probe, row)) {
			good = good == NULL && is_let_in(&row->sight) ? &row->sight : good;
			probe->let_in += is_let_in(&row->sight);
			continue;
		}
		row->finding = row->is_untried ? FINDING_CLOSED : sight_judge(&row->sight, good);
		note_finding(probe, row);
	}
}

static bool add_cells(struct columns *columns, const struct probe *probe, const struct row *row)
{
	static const char *const words[] = {
		[FINDING_CLOSED] = "closed",
		[FINDING_UNCLEAR] = "unclear",
		[FINDING_WAY_IN] = "A WAY IN",
	};
	char text[SIGHT_LINE_BYTES];
	const char *word = is_given(probe, row) ? is_let_in(&row->sight) ? "let in" : "not let in"
						: words[row->finding];

	if (row->is_untried)
		snprintf(text, sizeof(text), "was given no session");
	else
		sight_print(text, &row->sight);
	return columns_add(
		columns, (const char *const[]){row->stranger.who, version_words(row), text, word});
}

static bool print_rows(const struct probe *probe)
{
	static const char *const headings[] = {"CLIENT", "TLS", "WHAT IT SAW", "RESULT"};
	struct columns *columns = columns_begin(headings, 4);
	bool good = columns != NULL;

	for (size_t i = 0; good && i < probe->count; i++)
		good = add_cells(columns, probe, &probe->rows[i]);
	columns_print(columns, stdout);
	columns_end(columns);
	return good;
}

static void print_address(const struct probe *probe)
{
	char address[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
	const char *name = probe->target->server_name;

	getnameinfo(probe->address->ai_addr, probe->address->ai_addrlen, address, sizeof(address),
		    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	printf(probe->address->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", address, port);
	printf("%s%s\n", name ? ", server name " : ", no server name", name ? name : "");
}

/* All strangers, at one address. */
static enum status probe_address(struct probe *probe)
{
	enum status status = STATUS_GOOD;
	const bool is_made = try_all(probe);
	const int unreached = probe->rows[probe->given_count].sight.unreached;

	show_progress(probe, NULL);
	if (!is_made) {
		status = refuse(STATUS_BAD, "probe", "OpenSSL cannot make certificates");
	} else if (unreached != 0) {
		print_address(probe);
		printf("no connection: %s\n\n", strerror(unreached));
	} else {
		probe->reached++;
		judge_rows(probe);
		print_address(probe);
		putchar('\n');
		status = print_rows(probe) ? STATUS_GOOD : STATUS_BAD;
		putchar('\n');
	}
	for (size_t i = 0; i < probe->count; i++)
		sight_clear(&probe->rows[i].sight);
	identities_clear(probe->made, IDENTITY_COUNT);
	probe->count = probe->given_count = 0;
	return status;
}

/* One line, and how the command ends. */
static enum status print_verdict(const struct probe *probe)
{
	const char *server = probe->target->spelling;
	const bool is_shut_to_all = probe->given.leaf != NULL && probe->let_in == 0;
	const bool is_good = probe->ways_in + probe->unclear == 0 && !is_shut_to_all;
	const bool color = wants_color(stdout);

	fputs(!color ? "" : is_good ? GREEN : RED, stdout);
	if (probe->ways_in > 0)
		printf("A way in to %s: %zu of %zu strangers, first: %s.", server, probe->ways_in,
		       probe->strangers, probe->first);
	else if (probe->unclear > 0)
		printf("%s is not shown to be closed: %zu of %zu strangers, first: %s.", server,
		       probe->unclear, probe->strangers, probe->first);
	else
		printf("%s is closed to strangers: %zu of them, none got in.%s", server,
		       probe->strangers, is_shut_to_all ? "  Nor did the certificate given." : "");
	puts(color ? PLAIN : "");
	return is_good ? STATUS_GOOD : STATUS_BAD;
}

static enum status probe_target(struct probe *probe)
{
	enum status status = STATUS_GOOD;

	for (const struct addrinfo *at = probe->target->addresses; at != NULL && !status;
	     at = at->ai_next) {
		probe->address = at;
		status = probe_address(probe);
	}
	if (status != STATUS_GOOD)
		return status;
	if (probe->reached == 0)
		return refuse(STATUS_BAD, "probe", "%s: no connection, nothing was tried",
			      probe->target->spelling);
	return print_verdict(probe);
}

enum status probe_verb(int argc, char **argv)
{
	struct arguments arguments;
	struct target target;
	struct probe probe = {.target = &target};
	enum status status = arguments_read(&arguments, argc, argv, OPTIONS_ANYWHERE);
	const char *certificate = arguments.options[OPTION_probe_cert];
	const char *key = arguments.options[OPTION_probe_key];

	if (status != STATUS_GOOD)
		return status;
	if (key != NULL && certificate == NULL)
		return refuse_usage("probe", "--key goes with --cert");
	signal(SIGPIPE, SIG_IGN);
	status = target_read(&target, &arguments);
	if (status == STATUS_GOOD && certificate != NULL &&
	    !identity_read(&probe.given, certificate, key ? key : certificate))
		status = STATUS_BAD;
	if (status == STATUS_GOOD)
		status = probe_target(&probe);
	target_clear(&target);
	identities_clear(&probe.given, 1);
	return status;
}
