/* Whose connection is it?  Hosts that take, pass on and use again what they listen on: a stranger
 * of the enforced port never gets in by the rule of another one. */
#include "attack.h"
#include "scratch.h"
#include "test.h"
#include "veil.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- addresses ---- */

/* Listens on every address of both families. */
static int host_everywhere(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)strtoul(words[2 + ENFORCED], NULL, 10)),
	};
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 8) != 0)
		return 1;
	for (;;)
		host_serve(context, accept(listener, NULL, NULL));
}

/* ---- who listens ---- */

/* Twins on one port, each in a process of its own. */
static int host_twins(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(words[2 + ENFORCED], NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener, on = 1;

	host_socket(SOCK_STREAM, words[2 + SECOND]);
	fork();
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 8) != 0)
		return 1;
	for (;;)
		host_serve(context, accept(listener, NULL, NULL));
}

static int receive_descriptor(int channel, bool many)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct mmsghdr message = {.msg_hdr = {
					  .msg_iov = &data,
					  .msg_iovlen = 1,
					  .msg_control = control.bytes,
					  .msg_controllen = sizeof(control.bytes),
				  }};
	int descriptor = -1;

	if (many ? recvmmsg(channel, &message, 1, MSG_CMSG_CLOEXEC, NULL) != 1
		 : recvmsg(channel, &message.msg_hdr, MSG_CMSG_CLOEXEC) != 1)
		exit(0);
	if (CMSG_FIRSTHDR(&message.msg_hdr) != NULL)
		memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message.msg_hdr)), sizeof(descriptor));
	return descriptor;
}

static void send_descriptor(int channel, int descriptor)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = {.aligned = {
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS,
			     .cmsg_len = CMSG_LEN(sizeof(int)),
		     }};
	struct iovec data = {.iov_base = (char[]){"*"}, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	memcpy(CMSG_DATA(&control.aligned), &descriptor, sizeof(descriptor));
	if (sendmsg(channel, &message, 0) != 1)
		exit(1);
	close(descriptor);
}

/* A child listens on the enforced port, and passes on what it accepts. */
static int channel_of_acceptor(const char *port)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	if (fork() == 0) {
		int listener = host_socket(SOCK_STREAM, port);

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		for (;;)
			send_descriptor(pair[1], accept(listener, NULL, NULL));
	}
	close(pair[1]);
	return pair[0];
}

_Noreturn static void host_receiving(char **words, bool many)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int channel = channel_of_acceptor(words[2 + ENFORCED]);

	host_socket(SOCK_STREAM, words[2 + SECOND]);
	for (;;)
		host_serve(context, receive_descriptor(channel, many));
}

static int host_of_received(char **words)
{
	host_receiving(words, false);
}

static int host_of_many_received(char **words)
{
	host_receiving(words, true);
}

/* Executes itself once it listens, and listens on the open port then. */
static int host_over_exec(char **words)
{
	const char *kept = getenv("KEPT_LISTENER");
	SSL_CTX *context = host_context(TLS_server_method(), words);
	char text[16];
	int listener;

	if (kept == NULL) {
		listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);
		fcntl(listener, F_SETFD, 0);
		snprintf(text, sizeof(text), "%d", listener);
		setenv("KEPT_LISTENER", text, 1);
		execv("/proc/self/exe", words - 3);
		return 1;
	}
	host_socket(SOCK_STREAM, words[2 + SECOND]);
	listener = (int)strtol(kept, NULL, 10);
	for (;;)
		host_serve(context, accept(listener, NULL, NULL));
}

/* ---- connections that no listener of the policy took: FTP ---- */

static int loopback_listener(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		return -1;
	*port = ntohs(address.sin_port);
	return listener;
}

static int loopback_connection(unsigned port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

/* On the second port a client gets, or gives, the number of a port: in plain text. */
_Noreturn static void host_of_data(char **words, bool passive)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int orders = host_socket(SOCK_STREAM, words[2 + SECOND]);

	if (fork() == 0) {
		int listener = host_socket(SOCK_STREAM, words[2 + ENFORCED]);

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		for (;;)
			host_serve(context, accept(listener, NULL, NULL));
	}
	for (;;) {
		int order = accept(orders, NULL, NULL), data = -1;
		unsigned port = 0;

		if (passive) {
			int listener = loopback_listener(&port);

			if (write(order, &port, sizeof(port)) == sizeof(port) &&
			    recv(order, &port, 1, 0) == 1)
				data = accept(listener, NULL, NULL);
			close(listener);
		} else if (recv(order, &port, sizeof(port), MSG_WAITALL) == sizeof(port)) {
			data = loopback_connection(port);
		}
		if (data >= 0)
			host_serve(context, data);
		close(order);
	}
}

static int host_of_passive_data(char **words)
{
	host_of_data(words, true);
}

static int host_of_active_data(char **words)
{
	host_of_data(words, false);
}

static void fetch_passively(struct victim *victim, const struct client *client,
			    struct outcome *outcome)
{
	struct client fetching = *client;
	int order = loopback_connection(victim->server->ports[SECOND]);

	if (recv(order, &fetching.port, sizeof(fetching.port), MSG_WAITALL) <= 0 ||
	    write(order, "*", 1) != 1)
		fail_msg("no port for data");
	attack_run(victim, &fetching, outcome);
	close(order);
}

static void fetch_actively(struct victim *victim, const struct client *client,
			   struct outcome *outcome)
{
	struct client fetching = *client;
	int order = loopback_connection(victim->server->ports[SECOND]);
	unsigned port = 0;
	int listener = loopback_listener(&port);

	if (write(order, &port, sizeof(port)) != sizeof(port))
		fail_msg("no order");
	fetching.descriptor = accept(listener, NULL, NULL);
	attack_run(victim, &fetching, outcome);
	close(listener);
	close(order);
}

/* ---- the table ---- */

static const struct attack attacks[] = {
	{
		.name = "a stranger on an IPv4 address of a listener for both families",
		.source = "RFC 4291 2.5.5.2",
		.host = host_everywhere,
		.versions = ONLY_1_3,
		.sections = "[port 127.0.0.1:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger over IPv6",
		.source = "RFC 4291 2.5.3",
		.host = host_everywhere,
		.client = {.address = "::1"},
		.versions = ONLY_1_3,
		.sections = "[port [::1]:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger on another address of the same listener",
		.source = "RFC 1122 3.2.1.3",
		.host = host_everywhere,
		.client = {.address = "127.0.0.2"},
		.versions = ONLY_1_3,
		.sections = "[port 127.0.0.2:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger on an address that a host with memory BIOs does not tell",
		.source = "RFC 1122 3.2.1.3",
		.host = host_everywhere,
		.serve = host_serve_by_memory,
		.client = {.address = "127.0.0.2"},
		.versions = ONLY_1_3,
		.sections = "[port 127.0.0.2:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n[port *]\nca = {ca}\n",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger on an address of which a host does not tell, and no door",
		.source = "RFC 1122 3.2.1.3; io_uring(7)",
		.host = host_everywhere,
		.connect = veil_hide_bytes,
		.client = {.address = "127.0.0.2"},
		.versions = ONLY_1_3,
		.sections = "[port 127.0.0.2:{enforced}]\nca = {ca}\nrefuse = {answer}\n"
			    "[port {enforced}]\nverify = off\n[port *]\nca = {ca}\n",
		.reason = "no-certificate",
		.answer = "close",
	},
	{
		.name = "a stranger at twins on one port",
		.source = "socket(7), SO_REUSEPORT",
		.host = host_twins,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose connection another process accepted",
		.source = "unix(7), SCM_RIGHTS",
		.host = host_of_received,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose connection was received, at a host with memory BIOs",
		.source = "unix(7), SCM_RIGHTS",
		.host = host_of_received,
		.serve = host_serve_by_memory,
		.versions = ONLY_1_3,
		.second = "verify = off\n[port *]\nca = {ca}",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose connection was received among others",
		.source = "recvmmsg(2)",
		.host = host_of_many_received,
		.serve = host_serve_by_memory,
		.versions = ONLY_1_3,
		.second = "verify = off\n[port *]\nca = {ca}",
		.reason = "no-certificate",
	},
	{
		.name = "a stranger whose connection was received, and whose bytes no door sees",
		.source = "unix(7), SCM_RIGHTS; io_uring(7)",
		.host = host_of_received,
		.connect = veil_hide_bytes,
		.versions = ONLY_1_3,
		ANYWHERE,
	},
	{
		.name = "a stranger on a listener kept over exec",
		.source = "systemd.socket(5); nginx, ngx_add_inherited_sockets()",
		.host = host_over_exec,
		.connect = veil_hide_bytes,
		.versions = ONLY_1_3,
		ANYWHERE,
	},
	{
		.name = "a stranger on a data port that no section names",
		.source = "RFC 959 4.1.2, PASV; RFC 4217 7",
		.host = host_of_passive_data,
		.attack = fetch_passively,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
		.answer = "reject",
	},
	{
		.name = "a stranger to whom the host connects, as the TLS server",
		.source = "RFC 959 4.1.2, PORT; RFC 4217 7",
		.host = host_of_active_data,
		.attack = fetch_actively,
		.versions = ONLY_1_3,
		.second = "verify = off",
		.reason = "no-certificate",
		.answer = "reject",
	},
};

int main(int count, char **words)
{
	return attacks_main(count, words, "endpoint", attacks,
			    sizeof(attacks) / sizeof(attacks[0]));
}
