/* plain_host PORT... - a host that speaks no TLS, and writes or reads in the way whose name
 * stands in the file `way` when a connection comes.
 *
 * What came of it goes into the file `report`, a line each: the way, what the call returned, errno
 * where it failed, and 1 where the host has got the request.
 * While there is a file `no-memory`, calloc() fails within accept().
 * plain_host fgets - one line from stdin to stdout: what it runs in a child.
 */
#include "plain_host.h"
#include "listen_at.h"

#include <aio.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_PORTS 4

/* Exported, and in no header. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
ssize_t __write(int descriptor, const void *bytes, size_t size);
ssize_t __send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __read(int descriptor, void *bytes, size_t size);
ssize_t __read_chk(int descriptor, void *bytes, size_t size, size_t room);
ssize_t __recv_chk(int descriptor, void *bytes, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int descriptor, void *bytes, size_t size, size_t room, int flags,
		       __SOCKADDR_ARG address, socklen_t *length);
int __dup2(int descriptor, int copy);
int __fcntl(int descriptor, int command, ...);
FILE *_IO_fdopen(int descriptor, const char *mode);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* What the way writes, or has read. */
static char text[256];
static struct iovec piece = {.iov_base = text};
static struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

static FILE *stdout_at_start;

#define FOUND_ON_DISK "answer"

/* ---- writing: what the last call returned ---- */

static long write_sendmmsg(int descriptor)
{
	struct mmsghdr one = {.msg_hdr = message};

	return sendmmsg(descriptor, &one, 1, 0);
}

static long write_stdio(FILE *file)
{
	if (file == NULL)
		return -1;
	fputs(text, file);
	return fflush(file);
}

static int answer_file(void)
{
	return open(FOUND_ON_DISK, O_RDONLY | O_CLOEXEC);
}

static long write_spliced(int descriptor, bool by_number)
{
	int ends[2];

	if (pipe(ends) != 0 || write(ends[1], text, piece.iov_len) < 0)
		return -2;
	return by_number ? syscall(SYS_splice, ends[0], NULL, descriptor, NULL, piece.iov_len, 0)
			 : splice(ends[0], NULL, descriptor, NULL, piece.iov_len, 0);
}

static long finish(struct aiocb *request)
{
	while (aio_error(request) == EINPROGRESS)
		poll(NULL, 0, 1);
	errno = aio_error(request);
	return aio_return(request);
}

static struct aiocb request_on(int descriptor, int operation)
{
	return (struct aiocb){.aio_fildes = descriptor,
			      .aio_buf = text,
			      .aio_nbytes = piece.iov_len,
			      .aio_lio_opcode = operation};
}

static long by_aio(int descriptor, int (*start)(struct aiocb *))
{
	struct aiocb request = request_on(descriptor, 0);

	return start(&request) == 0 ? finish(&request) : -1;
}

static long by_list(int descriptor, int operation)
{
	struct aiocb request = request_on(descriptor, operation), *list[] = {NULL, &request};

	return lio_listio(LIO_WAIT, list, 2, NULL) == 0 ? finish(&request) : -1;
}

/* The kernel's own, as libaio has it. */
static long by_kernel_aio(int descriptor, unsigned short operation)
{
	struct iocb request = {.aio_fildes = (unsigned)descriptor,
			       .aio_lio_opcode = operation,
			       .aio_buf = (uintptr_t)text,
			       .aio_nbytes = piece.iov_len};
	struct iocb *list[] = {&request};
	struct io_event event;
	aio_context_t context = 0;
	long result;

	if (syscall(SYS_io_setup, 1, &context) != 0)
		return -2;
	result = syscall(SYS_io_submit, context, 1L, list);
	if (result == 1 && syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) == 1)
		result = (long)event.res;
	syscall(SYS_io_destroy, context);
	return result;
}

/* A child has the socket, and `do_it` is what it does there. */
static long in_child(int descriptor, void (*do_it)(int descriptor))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		do_it(descriptor);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void child_writes(int descriptor)
{
	_exit(write(descriptor, text, piece.iov_len) < 0);
}

/* As a handler of inetd's has it. */
static void child_runs_echo(int descriptor)
{
	dup2(descriptor, 1);
	execlp("env", "env", "echo", "-n", text, (char *)NULL);
}

static void child_runs_printf(int descriptor)
{
	dup3(descriptor, 1, 0);
	execlp("env", "env", "printf", "%s", text, (char *)NULL);
}

static void child_runs_shell(int descriptor)
{
	dup2(descriptor, 1);
	execlp("sh", "sh", "-c", "printf %s \"$0\"", text, (char *)NULL);
}

/* NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork): it is what is
 * tried */
static long in_vfork_child(int descriptor)
{
	pid_t child = vfork();
	int status = 0;

	if (child == 0) {
		dup2(descriptor, 1);
		execlp("env", "env", "echo", "-n", text, (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

/* As a daemon that forks for each connection, and starts a helper in between. */
static void child_writes_to_copy(int descriptor)
{
	if (vfork() == 0) {
		close(descriptor);
		_exit(0);
	}
	_exit(write(dup(descriptor), text, piece.iov_len) < 0);
}
/* NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */

/* The host itself, with the connection for its stdout or stderr, for a while. */
static long as_standard(int descriptor, FILE **stream, FILE *kept)
{
	int number = stream == &stdout ? 1 : 2, saved = dup(number), error_number;
	FILE *file;
	long result;

	dup2(descriptor, number);
	file = kept ? kept : *stream;
	result = fputs(text, file) < 0 ? -1 : fflush(file);
	error_number = errno;
	dup2(saved, number);
	clearerr(file);
	errno = error_number;
	return result;
}

static long by_copy(int copy)
{
	return write(copy, text, piece.iov_len);
}

/* Sent to itself, and so another number for the same connection; the last one before is closed. */
static int receive_again(int descriptor)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	char byte = 0;
	struct iovec one = {.iov_base = &byte, .iov_len = 1};
	struct msghdr packet = {.msg_iov = &one,
				.msg_iovlen = 1,
				.msg_control = control.room,
				.msg_controllen = sizeof(control.room)};
	int pair[2], again = -1;

	close(dup(descriptor));
	memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && sendmsg(pair[0], &packet, 0) == 1 &&
	    recvmsg(pair[1], &packet, 0) == 1)
		memcpy(&again, CMSG_DATA(&control.header), sizeof(again));
	return again;
}

struct way {
	const char *name;
	long (*go)(int descriptor);
};

#define WAY(way, call)                        \
	static long way_##way(int descriptor) \
	{                                     \
		return (call);                \
	}
#define SIZE (piece.iov_len)

WAY(write, write(descriptor, text, SIZE))
WAY(__write, __write(descriptor, text, SIZE))
WAY(send, send(descriptor, text, SIZE, 0))
WAY(__send, __send(descriptor, text, SIZE, 0))
WAY(sendto, sendto(descriptor, text, SIZE, 0, NULL, 0))
WAY(sendmsg, sendmsg(descriptor, &message, 0))
WAY(sendmmsg, write_sendmmsg(descriptor))
WAY(writev, writev(descriptor, &piece, 1))
WAY(pwritev2, pwritev2(descriptor, &piece, 1, -1, 0))
WAY(pwritev64v2, pwritev64v2(descriptor, &piece, 1, -1, 0))
WAY(dprintf, dprintf(descriptor, "%s", text))
WAY(fdopen, write_stdio(fdopen(descriptor, "w")))
WAY(_IO_fdopen, write_stdio(_IO_fdopen(descriptor, "w")))
WAY(sendfile, sendfile(descriptor, answer_file(), NULL, SIZE))
WAY(sendfile64, sendfile64(descriptor, answer_file(), NULL, SIZE))
WAY(splice, write_spliced(descriptor, false))
WAY(aio_write, by_aio(descriptor, aio_write))
WAY(lio_listio, by_list(descriptor, LIO_WRITE))
WAY(io_submit, by_kernel_aio(descriptor, IOCB_CMD_PWRITE))
WAY(SYS_write, syscall(SYS_write, descriptor, text, SIZE))
WAY(SYS_writev, syscall(SYS_writev, descriptor, &piece, 1L))
WAY(SYS_sendto, syscall(SYS_sendto, descriptor, text, SIZE, 0L, NULL, 0L))
WAY(SYS_sendmsg, syscall(SYS_sendmsg, descriptor, &message, 0L))
WAY(SYS_pwritev2, syscall(SYS_pwritev2, descriptor, &piece, 1L, -1L, -1L, 0L))
WAY(SYS_sendfile, syscall(SYS_sendfile, descriptor, answer_file(), NULL, SIZE))
WAY(SYS_splice, write_spliced(descriptor, true))
WAY(dup, by_copy(dup(descriptor)))
WAY(dup2, by_copy(dup2(descriptor, 60)))
WAY(__dup2, by_copy(__dup2(descriptor, 61)))
WAY(dup3, by_copy(dup3(descriptor, 62, O_CLOEXEC)))
WAY(fcntl, by_copy(fcntl(descriptor, F_DUPFD, 50)))
WAY(fcntl_cloexec, by_copy(fcntl(descriptor, F_DUPFD_CLOEXEC, 50)))
WAY(__fcntl, by_copy(__fcntl(descriptor, F_DUPFD, 50)))
WAY(SYS_dup, by_copy((int)syscall(SYS_dup, descriptor)))
WAY(SYS_dup3, by_copy((int)syscall(SYS_dup3, descriptor, 63L, 0L)))
WAY(SYS_fcntl, by_copy((int)syscall(SYS_fcntl, descriptor, (long)F_DUPFD, 50L)))
WAY(child, in_child(descriptor, child_writes))
WAY(child_echo, in_child(descriptor, child_runs_echo))
WAY(child_printf, in_child(descriptor, child_runs_printf))
WAY(child_shell, in_child(descriptor, child_runs_shell))
WAY(child_vfork, in_vfork_child(descriptor))
WAY(child_copy, in_child(descriptor, child_writes_to_copy))
WAY(received, by_copy(receive_again(descriptor)))
WAY(stdout, as_standard(descriptor, &stdout, NULL))
WAY(old_stdout, as_standard(descriptor, &stdout, stdout_at_start))
WAY(stderr, as_standard(descriptor, &stderr, NULL))

static const struct way writing[] = {
#define WRITING(way) {#way, way_##way},
#include "plain_ways.def"
};

/* ---- reading ---- */

static long read_recvmmsg(int descriptor)
{
	struct mmsghdr one = {.msg_hdr = message};
	int count = recvmmsg(descriptor, &one, 1, 0, NULL);

	return count == 1 ? (long)one.msg_len : count;
}

/* -2: the kernel does not say that nobody is named, nothing is beside the bytes, and none is left
 * out. */
static long read_lengths(int descriptor)
{
	char name[128], beside[128];
	struct msghdr all = {
		.msg_name = name,
		.msg_namelen = sizeof(name),
		.msg_control = beside,
		.msg_controllen = sizeof(beside),
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_flags = MSG_TRUNC,
	};
	ssize_t count = recvmsg(descriptor, &all, 0);

	return all.msg_namelen == 0 && all.msg_controllen == 0 && all.msg_flags == 0 ? count : -2;
}

static long read_stdio(FILE *file)
{
	if (file == NULL)
		return -1;
	return fgets(text, (int)piece.iov_len, file) ? (long)strlen(text) : 0;
}

/* What has come out at the other end of the pipe counts. */
static long read_spliced(int descriptor, bool by_sendfile)
{
	int ends[2];
	long count;

	if (pipe(ends) != 0)
		return -2;
	count = by_sendfile ? sendfile(ends[1], descriptor, NULL, SIZE)
			    : splice(descriptor, NULL, ends[1], NULL, SIZE, 0);
	return count > 0 ? read(ends[0], text, SIZE) : count;
}

/* Again, as soon as there is something, for ten seconds at most. */
static long read_polled(int descriptor)
{
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
	time_t end = time(NULL) + 10;
	long result;

	fcntl(descriptor, F_SETFL, O_NONBLOCK);
	do {
		poll(&waiting, 1, 1000);
		result = read(descriptor, text, SIZE);
		/* A line is what it waits for. */
	} while (((result < 0 && errno == EAGAIN) || (result > 0 && text[0] == 22)) &&
		 time(NULL) < end);
	return result;
}

static void child_reads(int descriptor)
{
	_exit(read(descriptor, text, SIZE) > 0 ? 77 : 0);
}

static long read_in_child(int descriptor)
{
	long status = in_child(descriptor, child_reads);

	if (status == 77)
		memcpy(text, PLAIN_REQUEST, sizeof(PLAIN_REQUEST));
	return status;
}

/* What it prints counts. */
static void child_runs_fgets(int descriptor)
{
	int out = open("read-by-child", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(descriptor, 0);
	dup2(out, 1);
	execl("/proc/self/exe", "plain_host", "fgets", (char *)NULL);
}

static long read_by_child(int descriptor)
{
	long status = in_child(descriptor, child_runs_fgets);
	FILE *file = fopen("read-by-child", "r");

	if (file == NULL)
		return -2;
	if (fgets(text, (int)SIZE, file) == NULL)
		text[0] = '\0';
	fclose(file);
	return status;
}

static long read_stdin(int descriptor)
{
	int saved = dup(0), error_number;
	long result;

	dup2(descriptor, 0);
	result = read_stdio(stdin);
	error_number = errno;
	dup2(saved, 0);
	clearerr(stdin);
	errno = error_number;
	return result;
}

static long by_copy_in(int copy)
{
	return read(copy, text, SIZE);
}

WAY(read, read(descriptor, text, SIZE))
WAY(polled_read, read_polled(descriptor))
WAY(__read, __read(descriptor, text, SIZE))
WAY(__read_chk, __read_chk(descriptor, text, SIZE, sizeof(text)))
WAY(readv, readv(descriptor, &piece, 1))
WAY(preadv2, preadv2(descriptor, &piece, 1, -1, 0))
WAY(preadv64v2, preadv64v2(descriptor, &piece, 1, -1, 0))
WAY(recv, recv(descriptor, text, SIZE, 0))
WAY(__recv_chk, __recv_chk(descriptor, text, SIZE, sizeof(text), 0))
WAY(recvfrom, recvfrom(descriptor, text, SIZE, 0, NULL, NULL))
WAY(__recvfrom_chk, __recvfrom_chk(descriptor, text, SIZE, sizeof(text), 0, NULL, NULL))
WAY(recvmsg, recvmsg(descriptor, &message, 0))
WAY(recvmsg_lengths, read_lengths(descriptor))
WAY(recvmmsg, read_recvmmsg(descriptor))
WAY(peek, recv(descriptor, text, SIZE, MSG_PEEK))
WAY(waitall, recv(descriptor, text, sizeof(PLAIN_REQUEST) - 1, MSG_WAITALL))
WAY(truncated, recv(descriptor, text, SIZE, MSG_TRUNC))
WAY(fdopen_in, read_stdio(fdopen(descriptor, "r")))
WAY(splice_in, read_spliced(descriptor, false))
WAY(sendfile_in, read_spliced(descriptor, true))
WAY(aio_read, by_aio(descriptor, aio_read))
WAY(lio_listio_in, by_list(descriptor, LIO_READ))
WAY(io_submit_in, by_kernel_aio(descriptor, IOCB_CMD_PREAD))
WAY(SYS_read, syscall(SYS_read, descriptor, text, SIZE))
WAY(SYS_readv, syscall(SYS_readv, descriptor, &piece, 1L))
WAY(SYS_recvfrom, syscall(SYS_recvfrom, descriptor, text, SIZE, 0L, NULL, NULL))
WAY(SYS_recvmsg, syscall(SYS_recvmsg, descriptor, &message, 0L))
WAY(SYS_preadv2, syscall(SYS_preadv2, descriptor, &piece, 1L, -1L, -1L, 0L))
WAY(dup_in, by_copy_in(dup(descriptor)))
WAY(child_in, read_in_child(descriptor))
WAY(child_fgets, read_by_child(descriptor))
WAY(stdin, read_stdin(descriptor))

static const struct way reading[] = {
#define READING(way) {#way, way_##way},
#include "plain_ways.def"
};

/* ---- the host ---- */

static bool starves;

/* In place of libc's: the library is to find no memory, and the host has no other use of it. */
__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	/* gcc makes calloc() of malloc() and memset(). */
	void *memory = starves ? NULL : reallocarray(NULL, count, size);

	return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

static int take_client(int listener)
{
	int descriptor;

	starves = access("no-memory", F_OK) == 0;
	descriptor = accept(listener, NULL, NULL);
	starves = false;
	return descriptor;
}

static long go(const struct way *ways, size_t count, const char *name, int descriptor, bool *found)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(ways[i].name, name) == 0) {
			*found = true;
			errno = 0;
			return ways[i].go(descriptor);
		}
	}
	return 0;
}

static void report(const char *name, long result, int error_number, bool has_request)
{
	FILE *file = fopen("report", "a");

	if (file == NULL)
		exit(1);
	fprintf(file, "%s %ld %d %d\n", name, result, result < 0 ? error_number : 0, has_request);
	fclose(file);
}

static void serve(int descriptor)
{
	FILE *file = fopen("way", "r");
	bool found = false;
	char name[64] = "";
	long result;
	int error_number;

	if (file == NULL || fscanf(file, "%63s", name) != 1)
		exit(1);
	fclose(file);
	strcpy(text, PLAIN_ANSWER);
	piece.iov_len = strlen(text);
	result = go(writing, sizeof(writing) / sizeof(*writing), name, descriptor, &found);
	if (!found) {
		memset(text, 0, sizeof(text));
		piece.iov_len = sizeof(text) - 1;
		result = go(reading, sizeof(reading) / sizeof(*reading), name, descriptor, &found);
	}
	error_number = errno;
	report(name, result, error_number, strncmp(text, "GET ", 4) == 0);
	for (int i = 3; i < 128; i++) /* copies, pipes and files of whatever way it was */
		if (i != descriptor && i >= descriptor)
			close(i);
	close(descriptor);
}

int main(int count, char **words)
{
	struct pollfd listeners[MOST_PORTS];
	nfds_t ports = 0;
	FILE *file;

	if (count == 2 && strcmp(words[1], "fgets") == 0)
		return fgets(text, sizeof(text), stdin) == NULL || fputs(text, stdout) < 0;
	file = fopen(FOUND_ON_DISK, "w");
	signal(SIGPIPE, SIG_IGN);
	stdout_at_start = stdout;
	if (file == NULL || fputs(PLAIN_ANSWER, file) < 0 || fclose(file) != 0)
		return 1;
	for (int i = 1; i < count && ports < MOST_PORTS; i++)
		listeners[ports++] = (struct pollfd){.fd = listen_at(words[i]), .events = POLLIN};
	for (;;) {
		poll(listeners, ports, -1);
		for (nfds_t i = 0; i < ports; i++)
			if (listeners[i].revents & POLLIN)
				serve(take_client(listeners[i].fd));
	}
}
