#include "journal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES      4096 /* what a pipe takes at once */
#define LINES_A_SECOND  10
#define HIGH_DESCRIPTOR 512
#define SYSLOG_PRIORITY "<84>" /* authpriv, warning */

/* Set at load; `descriptor` and its identity change when a log file was rotated. */
static struct {
	enum log_target target;
	char path[4096];
	bool usable;
	dev_t root_device; /* "/" at the start: a host that has changed its root must not be led to
			      another file */
	ino_t root_inode;
} journal;

static _Atomic int descriptor = -1;
static _Atomic uint64_t device, inode; /* of what `descriptor` was opened as */

/* By reason, and one for the other lines: the second that is counted, its lines, and those dropped
 * since the last line. */
static struct rate {
	_Atomic int64_t second;
	_Atomic unsigned lines;
	_Atomic unsigned long dropped;
} rates[REASON_COUNT], certificate_rates[2];

static bool is_same_file(int candidate)
{
	struct stat status;

	return fstat(candidate, &status) == 0 && status.st_dev == atomic_load(&device) &&
	       status.st_ino == atomic_load(&inode);
}

static bool remember_identity(int opened)
{
	struct stat status;

	if (fstat(opened, &status) != 0)
		return false;
	atomic_store(&device, status.st_dev);
	atomic_store(&inode, status.st_ino);
	return true;
}

/* Out of the way of hosts that take the lowest numbers for granted (3 for systemd's sockets). */
static int move_high(int low)
{
	int high;

	if (low < 0)
		return -1;
	high = fcntl(low, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
	if (high < 0)
		return low;
	close(low);
	return high;
}

static int open_file(void)
{
	return move_high(open(journal.path,
			      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			      0640));
}

static int open_syslog(void)
{
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int opened = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (opened < 0)
		return -1;
	if (connect(opened, (const struct sockaddr *)&log, sizeof(log)) != 0) {
		close(opened);
		return -1;
	}
	return move_high(opened);
}

/* A socket as stderr is the journal's only while systemd says so; anything else might be a
 * client's. */
static bool is_journal_stream(const struct stat *status, const char *journal_stream)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t)status->st_dev,
		 (uintmax_t)status->st_ino);
	return journal_stream != NULL && strcmp(expected, journal_stream) == 0;
}

static void open_stderr(const char *journal_stream)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) != 0 ||
	    (S_ISSOCK(status.st_mode) && !is_journal_stream(&status, journal_stream)))
		return;
	atomic_store(&descriptor, STDERR_FILENO);
	journal.usable = remember_identity(STDERR_FILENO);
}

void journal_open(struct log_choice choice, const char *journal_stream)
{
	struct stat root;
	int opened;

	journal.target = choice.target;
	if (choice.path != NULL)
		snprintf(journal.path, sizeof(journal.path), "%s", choice.path);
	if (stat("/", &root) == 0) {
		journal.root_device = root.st_dev;
		journal.root_inode = root.st_ino;
	}
	if (choice.target == LOG_STDERR) {
		open_stderr(journal_stream);
	} else if (choice.target != LOG_OFF) {
		opened = choice.target == LOG_SYSLOG ? open_syslog() : open_file();
		atomic_store(&descriptor, opened);
		journal.usable =
			true; /* a syslog that comes up later, a directory that is mounted later */
		if (opened >= 0)
			remember_identity(opened);
	}
}

static bool is_root_as_at_start(void)
{
	struct stat root;

	return stat("/", &root) == 0 && root.st_dev == journal.root_device &&
	       root.st_ino == journal.root_inode;
}

/* Has logrotate put another file, or none, where ours was? */
static bool is_rotated(void)
{
	struct stat status;

	return stat(journal.path, &status) != 0 || status.st_dev != atomic_load(&device) ||
	       status.st_ino != atomic_load(&inode);
}

/* One thread at a time opens anew; the others leave their lines out meanwhile. */
static atomic_flag reopening = ATOMIC_FLAG_INIT;

/* `opened` in the place of `now`, where that is ours still: on the same number, which other threads
 * hold. */
static int take_up(int now, bool ours, int opened)
{
	if (!remember_identity(opened)) {
		close(opened);
		return -1;
	}
	if (!ours) {
		atomic_store(&descriptor, opened);
		return opened;
	}
	if (dup3(opened, now, O_CLOEXEC) < 0)
		now = -1;
	close(opened);
	return now;
}

/* The descriptor to write on, reopened where it was rotated away or closed by the host; -1: there
 * is none. */
static int descriptor_now(void)
{
	int now = atomic_load(&descriptor);
	bool ours = now >= 0 && is_same_file(now);
	bool is_file = journal.target == LOG_FILE || journal.target == LOG_JSON_FILE;
	int opened;

	if (journal.target == LOG_STDERR)
		return ours ? now : -1;
	if ((ours && !(is_file && is_rotated())) || !is_root_as_at_start() ||
	    atomic_flag_test_and_set(&reopening))
		return ours ? now : -1;
	opened = is_file ? open_file() : open_syslog();
	if (opened >= 0)
		now = take_up(now, ours, opened);
	else if (!ours)
		now = -1;
	atomic_flag_clear(&reopening);
	return now;
}

/* A line that is being written. */
struct line {
	char text[LINE_BYTES];
	size_t length;
};

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list arguments;
	int wanted;

	va_start(arguments, format);
	wanted = vsnprintf(line->text + line->length, room, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		line->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static bool is_plain(const char *value)
{
	for (; *value != '\0'; value++)
		if (*value <= ' ' || *value > '~' || *value == '"' || *value == '=' ||
		    *value == '\\')
			return false;
	return true;
}

static void put_quoted(struct line *line, const char *value, bool json)
{
	put(line, "\"");
	for (; *value != '\0' && line->length < sizeof(line->text) - 64; value++) {
		if (*value == '"' || *value == '\\')
			put(line, "\\%c", *value);
		else if (*value >= ' ' && *value <= '~')
			put(line, "%c", *value);
		else
			put(line, json ? "\\u00%02x" : "\\x%02X", (unsigned)(unsigned char)*value);
	}
	put(line, "\"");
}

static void put_field(struct line *line, const char *key, const char *value)
{
	if (value == NULL || *value == '\0')
		value = "-";
	if (journal.target == LOG_JSON_FILE) {
		put(line, ",\"%s\":", key);
		put_quoted(line, value, true);
	} else {
		put(line, " %s=", key);
		if (is_plain(value))
			put(line, "%s", value);
		else
			put_quoted(line, value, false);
	}
}

static void put_number(struct line *line, const char *key, unsigned long number)
{
	put(line, journal.target == LOG_JSON_FILE ? ",\"%s\":%lu" : " %s=%lu", key, number);
}

static void line_begin(struct line *line, const char *event)
{
	struct timespec now;
	struct tm utc;
	char stamp[32] = "-";

	line->length = 0;
	if (journal.target == LOG_JSON_FILE) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (gmtime_r(&now.tv_sec, &utc) != NULL)
			strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
		put(line, "{\"time\":\"%s\",\"pid\":%ld,\"event\":\"%s\"", stamp, (long)getpid(),
		    event);
	} else {
		put(line, "%scfshim[%ld]: %s", journal.target == LOG_SYSLOG ? SYSLOG_PRIORITY : "",
		    (long)getpid(), event);
	}
}

/* A pipe nobody reads must neither stop the host nor end it: nothing is written where it would have
 * to wait, and the signal of a reader that goes away meanwhile is taken back. */
static ssize_t write_without_harm(int now, const char *text, size_t length)
{
	struct pollfd ready = {.fd = now, .events = POLLOUT};
	const struct timespec at_once = {.tv_sec = 0};
	sigset_t broken_pipe, before, pending;
	ssize_t written;

	if (poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
		return -1;
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	sigpending(&pending);
	/* On Linux of this thread alone; pthread_sigmask() would cost glibc 2.31 another library.
	 * NOLINTBEGIN(concurrency-mt-unsafe) */
	sigprocmask(SIG_BLOCK, &broken_pipe, &before);
	written = write(now, text, length);
	if (written < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken_pipe, NULL, &at_once);
	sigprocmask(SIG_SETMASK, &before, NULL); /* NOLINTEND(concurrency-mt-unsafe) */
	return written;
}

/* False: it did not go out whole. */
static bool line_end(struct line *line)
{
	int error_number = errno;
	int now = journal.usable ? descriptor_now() : -1;
	ssize_t written = -1;

	put(line, journal.target == LOG_JSON_FILE ? "}\n"
		  : journal.target == LOG_SYSLOG  ? ""
						  : "\n");
	if (now >= 0 && journal.target == LOG_SYSLOG)
		written = send(now, line->text, line->length, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (now >= 0)
		written = write_without_harm(now, line->text, line->length);
	errno = error_number;
	return written == (ssize_t)line->length;
}

/* May one more line go out in this second? */
static bool rate_allows(struct rate *rate)
{
	struct timespec now;
	int64_t second;

	clock_gettime(CLOCK_MONOTONIC, &now);
	second = atomic_load(&rate->second);
	if (second != now.tv_sec &&
	    atomic_compare_exchange_strong(&rate->second, &second, now.tv_sec))
		atomic_store(&rate->lines, 0);
	if (atomic_fetch_add(&rate->lines, 1) < LINES_A_SECOND)
		return true;
	atomic_fetch_add(&rate->dropped, 1);
	return false;
}

/* The end of a line that there is a rate for. */
static void line_end_counted(struct line *line, struct rate *rate)
{
	unsigned long dropped = atomic_exchange(&rate->dropped, 0);

	put_number(line, "dropped", dropped);
	if (!line_end(line))
		atomic_fetch_add(&rate->dropped, dropped + 1);
}

/* "203.0.113.9:51514", "[2001:db8::1]:443" */
static const char *endpoint_text(const struct endpoint *endpoint, bool known, char *text,
				 size_t size)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_ipv4 = memcmp(endpoint->address, mapped, sizeof(mapped)) == 0;
	char address[INET6_ADDRSTRLEN];

	if (!known ||
	    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, endpoint->address + (is_ipv4 ? 12 : 0), address,
		      sizeof(address)) == NULL)
		return NULL;
	snprintf(text, size, is_ipv4 ? "%s:%u" : "[%s]:%u", address, (unsigned)endpoint->port);
	return text;
}

/* Where it was, and who: as both kinds of line have it. */
static void put_ends(struct line *line, const struct refusal *refusal)
{
	const char *network = refusal->peer_known && is_cloudflare_network(&refusal->peer)
				      ? "cloudflare"
				      : "other";
	char text[80], port[8];

	snprintf(port, sizeof(port), "%u", (unsigned)refusal->endpoint.port);
	put_field(line, "port", refusal->endpoint_known ? port : NULL);
	put_field(line, "peer",
		  endpoint_text(&refusal->peer, refusal->peer_known, text, sizeof(text)));
	put_field(line, "network", refusal->peer_known ? network : NULL);
	put_field(line, "server-name", refusal->server_name);
}

void journal_refused(const struct refusal *refusal)
{
	struct rate *rate = &rates[refusal->reason];
	char answer[ANSWER_TEXT_BYTES];
	struct line line;

	if (journal.target == LOG_OFF || !rate_allows(rate))
		return;
	line_begin(&line, refusal->is_observed ? "observed" : "refused");
	put_field(&line, "reason", reason_word(refusal->reason));
	put_ends(&line, refusal);
	put_field(&line, "tls", refusal->tls_version);
	put_field(&line, "answer", answer_text(answer, refusal->answer, refusal->status));
	put_field(&line, "subject", refusal->subject);
	line_end_counted(&line, rate);
}

bool journal_may_tell_of_certificate(bool admitted)
{
	return journal.target != LOG_OFF && rate_allows(&certificate_rates[admitted]);
}

void journal_new_certificate(const struct refusal *who, const struct certificate_words *words)
{
	struct line line;

	line_begin(&line, "new-certificate");
	put_field(&line, "reason", reason_word(who->reason));
	put_ends(&line, who);
	put_field(&line, "subject", words->subject);
	put_field(&line, "issuer", words->issuer);
	put_field(&line, "serial", words->serial);
	put_field(&line, "not-after", words->not_after);
	put_field(&line, "eku", words->extended_key_usage);
	put_number(&line, "chain", words->sent);
	put_field(&line, "sha256", words->sha256);
	line_end_counted(&line, &certificate_rates[who->reason == REASON_NONE]);
}

void journal_started(const char *policy, size_t rules, const char *openssl)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "started");
	put_field(&line, "version", CFSHIM_VERSION);
	put_field(&line, "policy", policy);
	put_number(&line, "rules", rules);
	put_field(&line, "openssl", openssl);
	line_end(&line);
}

void journal_policy_error(const char *policy, const char *why)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "policy-error");
	put_field(&line, "policy", policy);
	put_field(&line, "reason", why);
	line_end(&line);
}

void journal_uncovered(const char *library, const char *why)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "uncovered");
	put_field(&line, "library", library);
	put_field(&line, "reason", why);
	line_end(&line);
}
