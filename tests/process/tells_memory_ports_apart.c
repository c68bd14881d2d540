/* Apache and asyncio move the bytes themselves, and libssl sees no socket: the ClientHello tells by
 * which port a connection came. */
#include "credentials.h"
#include "enforcement.h"
#include "raw_client.h"
#include "scratch.h"
#include "test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server *apache_with(size_t ports)
{
	return server_new(server_kind_named("Apache event"), ports);
}

static void visit(const struct server *server, struct log *log, unsigned port,
		  const struct visitor *visitor, const char *answer)
{
	const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < 2; i++) {
		const struct client client = {
			.port = port,
			.version = versions[i],
			.request = "GET / HTTP/1.0\r\n\r\n",
		};

		expect_verdict(server, &client, visitor, answer, log);
	}
}

static void open_port_does_not_open_its_neighbour(void **state)
{
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nverify = off\n", server->ports[0],
		      certificate_file("ca"), server->ports[1]);
	server_start(server);
	visit(server, &log, server->ports[0], &stranger, "reject");
	visit(server, &log, server->ports[0], &edge, "reject");
	expect_open(server, NULL, server->ports[1]);
	expectations_met();
	server_stop(server);
}

static void each_port_has_its_ca(void **state)
{
	const struct visitor other_edge = {.certificate = "other"};
	struct visitor lost_edge = {.certificate = "edge"};
	struct server *server = apache_with(2);
	struct log log = {.path = server->log};

	(void)state;
	lost_edge.reason = foreigner.reason;
	lost_edge.alert_1_2 = foreigner.alert_1_2;
	lost_edge.alert_1_3 = foreigner.alert_1_3;
	server_policy(server, "[port %u]\nca = %s\n[port %u]\nca = %s\nrefuse = close reset\n",
		      server->ports[0], certificate_file("ca"), server->ports[1],
		      certificate_file("other-ca"));
	server_start(server);
	visit(server, &log, server->ports[0], &edge, "reject");
	visit(server, &log, server->ports[0], &foreigner, "reject");
	visit(server, &log, server->ports[1], &other_edge, "close reset");
	visit(server, &log, server->ports[1], &lost_edge, "close reset");
	expectations_met();
	server_stop(server);
}

/* ---- beside plain text ---- */

static unsigned plain_port;

/* There a request is answered by the kernel, and then one waits for more. */
static void prepare_beside_plain(struct server *server)
{
	plain_port = port_pick();
	server_file(server, "index.html", "%s", SERVER_ANSWER);
	server_file(server, "server.py",
		    "import asyncio, ssl\n"
		    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
		    "context.load_cert_chain('%s', '%s')\n"
		    "async def serve(reader, writer):\n"
		    "    await reader.readuntil(b'\\r\\n\\r\\n')\n"
		    "    writer.write(b'HTTP/1.0 200 OK\\r\\n\\r\\n' + open('index.html', "
		    "'rb').read())\n"
		    "    writer.close()\n"
		    "async def serve_plain(reader, writer):\n"
		    "    await reader.readuntil(b'\\r\\n\\r\\n')\n"
		    "    await asyncio.get_running_loop().sendfile(\n"
		    "        writer.transport, open('index.html', 'rb'), fallback=False)\n"
		    "    while await reader.read(4096):\n"
		    "        pass\n"
		    "    writer.close()\n"
		    "async def main():\n"
		    "    await asyncio.start_server(serve_plain, '127.0.0.1', %u)\n"
		    "    for port in %u, %u:\n"
		    "        await asyncio.start_server(serve, '127.0.0.1', port, ssl=context)\n"
		    "    await asyncio.Event().wait()\n"
		    "asyncio.run(main())\n",
		    certificate_file("server"), certificate_key("server"), plain_port,
		    server->ports[0], server->ports[1]);
	server_command(server, "/usr/bin/python3 server.py");
}

static const struct server_kind asyncio_beside_plain = {.name = "asyncio beside plain text",
							.prepare = prepare_beside_plain};

/* The begin of a hello that another record breaks off. */
#define BROKEN_OFF "\x16\x03\x01\0\x0a\x01\0\x01\0\x03\x03zzzzz"

struct plain {
	const char *request;
	size_t bytes;
};

static void plain_text_spoils_no_handshake(void **state)
{
	const struct plain *plain = *state;
	struct server *server = server_new(&asyncio_beside_plain, 2);
	struct log log = {.path = server->log};
	char answer[sizeof(SERVER_ANSWER) - 1];
	int client;

	/* asyncio itself sends no alert. */
	server_policy(server, "[port %u]\nca = %s\nrefuse = close\n[port %u]\nverify = off\n",
		      server->ports[0], certificate_file("ca"), server->ports[1]);
	server_start(server);
	client = raw_connect(NULL, plain_port);
	send(client, plain->request, plain->bytes, MSG_NOSIGNAL);
	expect(recv(client, answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) &&
		       memcmp(answer, SERVER_ANSWER, sizeof(answer)) == 0,
	       "no answer in plain text");
	visit(server, &log, server->ports[0], &edge, "close");
	visit(server, &log, server->ports[0], &stranger, "close");
	expect_open(server, NULL, server->ports[1]);
	close(client);
	expectations_met();
	server_stop(server);
}

#define BESIDE(sentence, text) \
	TEST_ROW(sentence, plain_text_spoils_no_handshake, struct plain, (text), sizeof(text) - 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an open port of Apache does not open the enforced one beside it, nor the "
		     "other way round",
		     open_port_does_not_open_its_neighbour),
		TEST("two ports of Apache trust each its own CA, and answer each in its own way",
		     each_port_has_its_ca),
		BESIDE("a connection that was served by sendfile(), and is kept, spoils no "
		       "handshake of asyncio beside it",
		       "GET / HTTP/1.1\r\n\r\n"),
		BESIDE("nor does plain text that nobody can tell from a hello",
		       "POST / HTTP/1.1\r\n\r\n" BROKEN_OFF),
	};

	return RUN_TESTS("tells-memory-ports-apart", tests);
}
