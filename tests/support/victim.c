#include "victim.h"

#include "credentials.h"
#include "log.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define READY_LIMIT_MS 10000
#define RULE           "ca = {ca}"

const char *attack_program;
const struct attack *attack_table;

static void prepare_host(struct server *server)
{
	char command[PATH_MAX], ports[64] = "";

	built_path(command, sizeof(command), attack_program);
	for (size_t i = 0; i < server->port_count; i++)
		snprintf(ports + strlen(ports), sizeof(ports) - strlen(ports), " %u",
			 server->ports[i]);
	server_command(server, "%s host %s %s %s%s", command, server->options,
		       certificate_file("server"), certificate_key("server"), ports);
}

static const struct server_kind attacked_host = {.name = "host", .prepare = prepare_host};

/* What {NAME} stands for: a port, the answer, or the path of that certificate. */
static void expand_name(char *out, size_t size, const struct victim *victim, const char *name)
{
	if (strcmp(name, "enforced") == 0)
		text_format(out, size, "%u", victim->server->ports[ENFORCED]);
	else if (strcmp(name, "second") == 0)
		text_format(out, size, "%u", victim->server->ports[SECOND]);
	else
		text_format(out, size, "%s",
			    strcmp(name, "answer") == 0 ? victim->answer : certificate_file(name));
}

static void expand(char *out, size_t size, const struct victim *victim, const char *lines)
{
	char name[64];
	size_t used = 0;
	int length;

	out[0] = '\0';
	while (*lines != '\0') {
		if (sscanf(lines, "{%63[a-z0-9-]}%n", name, &length) == 1) {
			expand_name(out + used, size - used, victim, name);
			lines += length;
		} else {
			text_format(out + used, size - used, "%c", *lines++);
		}
		used += strlen(out + used);
	}
}

static void set_policy(const struct victim *victim, const char *rule)
{
	const struct server *server = victim->server;
	char first[1024], second[1024] = "";

	if (victim->attack->sections != NULL) {
		expand(first, sizeof(first), victim, victim->attack->sections);
		server_policy(victim->server, "%s", first);
		return;
	}
	expand(first, sizeof(first), victim, rule);
	if (victim->attack->second != NULL) {
		char lines[768];

		expand(lines, sizeof(lines), victim, victim->attack->second);
		text_format(second, sizeof(second), "[port %u]\n%s\n", server->ports[SECOND],
			    lines);
	}
	server_policy(victim->server, "[port %u]\n%s\nrefuse = %s\n%s", server->ports[ENFORCED],
		      first, victim->answer, second);
}

static void wait_until_ready(const struct server *server)
{
	long long deadline = clock_ms() + READY_LIMIT_MS;
	char output[PATH_MAX + 64];

	text_format(output, sizeof(output), "%s/server.log", server->directory);
	while (log_count(output, "ready") == 0) {
		if (clock_ms() > deadline)
			fail_msg("the host does not say that it is ready");
		clock_nap();
	}
}

static void start(struct victim *victim)
{
	server_start(victim->server);
	if (victim->attack->datagrams)
		wait_until_ready(victim->server);
	victim->log = (struct log){.path = victim->server->log};
}

static struct server *new_host(const struct attack *attack)
{
	static char options[8];
	bool is_named = attack->sections != NULL && strstr(attack->sections, "{second}") != NULL;
	struct server *server =
		server_new(&attacked_host, attack->second != NULL || is_named ? 2 : 1);

	text_format(options, sizeof(options), "%zu", (size_t)(attack - attack_table));
	server->options = options;
	server->datagrams = attack->datagrams;
	return server;
}

struct victim victim_start(const struct attack *attack, const char *answer)
{
	struct victim victim = {
		.attack = attack,
		.server = new_host(attack),
		.answer = answer,
	};

	if (answer != NULL)
		set_policy(&victim, attack->rule ? attack->rule : RULE);
	start(&victim);
	return victim;
}

void victim_restart(struct victim *victim, const char *rule)
{
	unsigned ports[SERVER_MAX_PORTS];

	memcpy(ports, victim->server->ports, sizeof(ports));
	server_stop(victim->server);
	victim->server = new_host(victim->attack);
	memcpy(victim->server->ports, ports, sizeof(ports));
	if (victim->answer != NULL)
		set_policy(victim, rule);
	start(victim);
}

struct server *victim_bare_twin(const struct victim *victim)
{
	return victim_start(victim->attack, NULL).server;
}

/* How often something of a client's has come to the application. */
size_t victim_times_in(const struct server *server)
{
	char output[PATH_MAX + 64];

	text_format(output, sizeof(output), "%s/server.log", server->directory);
	return log_count(output, "in: ");
}
