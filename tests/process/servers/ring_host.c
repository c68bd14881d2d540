/* ring_host syscall|inline|none [PORT] - makes an io_uring, by syscall() or by a system call of its
 * own, and then accepts and closes connections.  Ends with 77 where the kernel has none.
 */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As liburing has it. */
static long inline_setup(unsigned entries, struct io_uring_params *parameters)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_io_uring_setup), "D"(entries), "S"(parameters)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long number __asm__("x8") = SYS_io_uring_setup;
	register long first __asm__("x0") = entries;
	register struct io_uring_params *second __asm__("x1") = parameters;

	__asm__ volatile("svc 0" : "+r"(first) : "r"(number), "r"(second) : "memory");
	return first;
#else
	return syscall(SYS_io_uring_setup, entries, parameters);
#endif
}

int main(int count, char **words)
{
	struct io_uring_params parameters = {0};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	long ring = 0;

	if (count < 2)
		return 2;
	if (strcmp(words[1], "syscall") == 0)
		ring = syscall(SYS_io_uring_setup, 4, &parameters);
	else if (strcmp(words[1], "inline") == 0)
		ring = inline_setup(4, &parameters);
	if (ring < 0)
		return 77;
	if (count < 3)
		return 0;
	address.sin_port = htons((uint16_t)strtoul(words[2], NULL, 10));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 16) != 0)
		return 1;
	for (;;)
		close(accept(listener, NULL, NULL));
}
