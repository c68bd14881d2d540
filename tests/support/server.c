#include "server.h"

#include "client.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SERVERS    8
#define START_LIMIT_MS 10000

static struct server *servers[MAX_SERVERS];

struct server *server_new(const struct server_kind *kind, size_t port_count)
{
	struct server *server = calloc(1, sizeof(*server));
	size_t slot = 0;

	while (slot < MAX_SERVERS && servers[slot] != NULL)
		slot++;
	if (server == NULL || slot == MAX_SERVERS || port_count > SERVER_MAX_PORTS)
		abort();
	servers[slot] = server;
	server->kind = kind;
	server->port_count = port_count;
	scratch_new_dir(server->directory, sizeof(server->directory), "server");
	for (size_t i = 0; i < port_count; i++)
		server->ports[i] = port_pick();
	return server;
}

void server_built_in_policy(struct server *server)
{
	server->shim = true;
	text_format(server->log, sizeof(server->log), "%s/shim.log", server->directory);
}

void server_policy_file(struct server *server, const char *path)
{
	server_built_in_policy(server);
	text_format(server->policy, sizeof(server->policy), "%s", path);
}

void server_policy(struct server *server, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	server_file(server, "policy.conf", "%s", text);
	server_built_in_policy(server);
	text_format(server->policy, sizeof(server->policy), "%s/policy.conf", server->directory);
}

void server_file(const struct server *server, const char *name, const char *format, ...)
{
	char path[PATH_MAX + 64];
	char text[8192];
	va_list arguments;

	text_format(path, sizeof(path), "%s/%s", server->directory, name);
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	scratch_write(path, "%s", text);
}

void server_command(struct server *server, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(server->command, sizeof(server->command), format, arguments);
	va_end(arguments);
}

static void show_file(const struct server *server, const char *name)
{
	char path[PATH_MAX + 64];
	char *text;

	text_format(path, sizeof(path), "%s/%s", server->directory, name);
	text = scratch_read(path);
	if (text[0] != '\0')
		show_text(name, text);
	free(text);
}

static void show_server(const struct server *server)
{
	fprintf(stderr, "# %s, %s: %s\n", server->kind->name,
		server->shim ? "with the shim" : "bare", server->command);
	show_file(server, "policy.conf");
	show_file(server, "server.log");
	show_file(server, "shim.log");
}

static void wait_for_port(const struct server *server, const char *address, unsigned port)
{
	long long deadline = clock_ms() + START_LIMIT_MS;
	int status;

	while (!client_can_connect(address, port)) {
		if (program_has_ended(server->pid, &status))
			fail_msg("%s ended with %d while it started", server->kind->name, status);
		if (clock_ms() > deadline)
			fail_msg("%s does not take connections on %s port %u", server->kind->name,
				 address, port);
		clock_nap();
	}
	/* It may be somebody else who answers there. */
	if (program_has_ended(server->pid, &status))
		fail_msg("%s ended with %d, and %s port %u is another's", server->kind->name,
			 status, address, port);
}

void server_start(struct server *server)
{
	char output[PATH_MAX + 64];
	char words[sizeof(server->command)];
	char *rest = words;
	char *word;
	size_t count = 0;
	struct program program = {
		.directory = server->directory,
		.shim = server->shim,
		.policy = server->policy[0] ? server->policy : NULL,
		.log = server->log[0] ? server->log : NULL,
		.output = output,
		.errors = output,
	};

	server->kind->prepare(server);
	text_format(output, sizeof(output), "%s/server.log", server->directory);
	text_format(words, sizeof(words), "%s", server->command);
	while ((word = strsep(&rest, " ")) != NULL && count < PROGRAM_MAX_WORDS) {
		if (word[0] != '\0')
			program.words[count++] = word;
	}
	server->pid = program_start(&program);
	for (size_t i = 0; !server->datagrams && i < server->port_count; i++)
		wait_for_port(server,
			      strcmp(server->address ? server->address : "", "::1") == 0
				      ? "::1"
				      : "127.0.0.1",
			      server->ports[i]);
}

void server_stop(struct server *server)
{
	for (size_t i = 0; i < MAX_SERVERS; i++) {
		if (servers[i] == server)
			servers[i] = NULL;
	}
	if (server->pid > 0)
		program_end(server->pid);
	free(server);
}

void server_stop_all(void)
{
	for (size_t i = 0; i < MAX_SERVERS; i++) {
		if (servers[i] != NULL) {
			show_server(servers[i]);
			server_stop(servers[i]);
		}
	}
}
