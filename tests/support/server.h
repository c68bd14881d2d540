/* server.h - unmodified servers, with the shim or without it, each in a folder and a session of its
 * own.
 *
 * server_new() picks the ports; one of the server_policy*() says that the shim is loaded, and under
 * which policy; without any, the server is bare.  server_start() returns when every port takes
 * connections. A server that its test did not stop is one whose test failed: server_stop_all()
 * shows its policy and logs.
 */
#ifndef SERVER_H
#define SERVER_H

#include "program.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SERVER_MAX_PORTS 2

struct server;

/* One kind of server: a row of the table in server_kinds.c. */
struct server_kind {
	const char *name;
	/* Writes its configuration into the server's folder, and the words of its command. */
	void (*prepare)(struct server *server);
	/* It reads by a BIO of OpenSSL's, which no door sees: where a status is asked for, the
	 * stream ends. */
	bool reads_unseen;
	/* Each connection is a program's of its own, and so are the counters. */
	bool executes;
};

struct server {
	const struct server_kind *kind;
	char directory[PATH_MAX];
	unsigned ports[SERVER_MAX_PORTS];
	size_t port_count;
	const char *address; /* NULL: 127.0.0.1, "::1", or "::" for both families; of small_server
				only */
	const char *options; /* further words of small_server, of nginx's `listen`, or lines of
				Apache's configuration; NULL: none */
	bool datagrams;      /* its ports are not TCP's: there is nothing to wait for */
	bool talks_first;    /* clients wait for its answer, and send nothing */
	bool shim;
	char policy[PATH_MAX]; /* CFSHIM_POLICY; empty: not set */
	char log[PATH_MAX];    /* CFSHIM_LOG */
	char command[4096];    /* words between blanks */
	pid_t pid;
};

/* The servers that everybody knows; the last row has no name. */
extern const struct server_kind server_kinds[];
#define SERVER_KINDS 7

/* tests/process/servers/small_server.c */
extern const struct server_kind small_server;

const struct server_kind *server_kind_named(const char *name);

/* What every kind answers to every request, after what HTTP puts before it. */
#define SERVER_ANSWER "the answer of the server itself, and nothing else\n"

struct server *server_new(const struct server_kind *kind, size_t port_count);

/* The shim, with this policy; with the file of another's making; with none, which is the built-in
 * one. */
void server_policy(struct server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void server_policy_file(struct server *server, const char *path);
void server_built_in_policy(struct server *server);

void server_start(struct server *server);
void server_stop(struct server *server);
void server_stop_all(void);

/* For the kinds: one more file of the server's folder; its command. */
void server_file(const struct server *server, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void server_command(struct server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
