/* journal_target.c - where lines go: what is opened at load, whether it is still that, and the only
 * write. */
#include "journal_inside.h"

#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HIGH_DESCRIPTOR 512

/* Its identity, and that of `descriptor`, change when a log file was rotated. */
struct journal journal;

static _Atomic bool has_spoken;

static _Atomic int descriptor = -1;
static _Atomic uint64_t device, inode; /* of what `descriptor` was opened as */

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
	int opened;

	journal.target = choice.target;
	if (choice.path != NULL)
		snprintf(journal.path, sizeof(journal.path), "%s", choice.path);
	root_remember();
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
	if ((ours && !(is_file && is_rotated())) || !root_is_as_at_start() ||
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

bool line_end(struct line *line)
{
	int error_number = errno;
	int now = journal.usable ? descriptor_now() : -1;
	ssize_t written = -1;

	atomic_store(&has_spoken, true);
	line_finish(line);
	if (now >= 0 && journal.target == LOG_SYSLOG)
		written = send(now, line->text, line->length, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (now >= 0)
		written = write_without_harm(now, line->text, line->length);
	errno = error_number;
	return written == (ssize_t)line->length;
}

bool journal_has_spoken(void)
{
	return journal.target == LOG_OFF || atomic_load(&has_spoken);
}
