/* A TLS server that inetd starts, with the connection for its stdin and stdout. */
#include "credentials.h"
#include "enforcement.h"
#include "test.h"

#include <string.h>
#include <sys/stat.h>

/* socat is the inetd here: it accepts, and the program that it becomes in a child has the socket.
 */
static void prepare(struct server *server)
{
	server_file(
		server, "service.sh",
		"#!/bin/sh\nwhile read -r line && [ ${#line} -gt 1 ]; do :; done\nprintf "
		"'HTTP/1.0 200 OK\\r\\nConnection: close\\r\\n\\r\\n'\nprintf '%%s\\n' '%.*s'\n",
		(int)strlen(SERVER_ANSWER) - 1, SERVER_ANSWER);
	server_file(server, "stunnel.conf",
		    "syslog = no\ncert = %s\nkey = %s\nexec = %s/service.sh\n",
		    certificate_file("server"), certificate_key("server"), server->directory);
	server_file(server, "run.sh", "#!/bin/sh\nexec stunnel4 %s/stunnel.conf\n",
		    server->directory);
	server_command(server,
		       "sh -c chmod${IFS}+x${IFS}service.sh${IFS}run.sh;exec${IFS}socat${IFS}"
		       "TCP-LISTEN:%u,bind=127.0.0.1,fork,reuseaddr${IFS}EXEC:./run.sh,nofork",
		       server->ports[0]);
}

static const struct server_kind from_inetd = {
	.name = "stunnel from inetd", .prepare = prepare, .executes = true};

static void run_bare(void **state)
{
	struct server *server = server_new(&from_inetd, 1);

	(void)state;
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	expectations_met();
	server_stop(server);
}

static void run_enforced(void **state)
{
	struct server *server = server_new(&from_inetd, 1);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n", server->ports[0], certificate_file("ca"));
	server_start(server);
	expect_guarded(server, NULL, server->ports[0], "reject", &log);
	expectations_met();
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a bare stunnel that inetd started serves everybody", run_bare),
		TEST("stunnel that inetd started serves the edge alone", run_enforced),
	};

	return RUN_TESTS("serves-from-inetd", tests);
}
