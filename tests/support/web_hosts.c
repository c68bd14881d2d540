#include "web_hosts.h"

#include "credentials.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

#define REQUESTS "requests"

static void prepare_nginx_http2(struct server *server)
{
	server_file(server, "nginx.conf",
		    "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log errors;\n"
		    "events { worker_connections 4096; }\n"
		    "http {\naccess_log " REQUESTS ";\nclient_max_body_size 0;\n"
		    "client_body_temp_path body;\nproxy_temp_path proxy;\n"
		    "fastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n"
		    "server {\nlisten 127.0.0.1:%u ssl http2;\nssl_certificate %s;\n"
		    "ssl_certificate_key %s;\nssl_protocols TLSv1.2 TLSv1.3;\n"
		    "ssl_session_cache shared:all:1m;\n"
		    "location / { default_type text/plain; return 200 '" SERVER_ANSWER
		    "'; }\n}\n}\n",
		    server->ports[0], certificate_file("server"), certificate_key("server"));
	server_command(server, "nginx -p %s -c nginx.conf", server->directory);
}

static void prepare_asyncio(struct server *server)
{
	server_file(server, "server.py",
		    "import asyncio, ssl\n"
		    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
		    "context.load_cert_chain('%s', '%s')\n"
		    "async def serve(reader, writer):\n"
		    "    data = b''\n"
		    "    while b'\\r\\n\\r\\n' not in data:\n"
		    "        more = await reader.read(4096)\n"
		    "        if not more:\n"
		    "            break\n"
		    "        data += more\n"
		    "        open('" REQUESTS "', 'a').write('came\\n')\n"
		    "    if data:\n"
		    "        writer.write(b'HTTP/1.0 200 OK\\r\\n\\r\\n' + b'''" SERVER_ANSWER
		    "''')\n"
		    "    writer.close()\n"
		    "async def main():\n"
		    "    server = await asyncio.start_server(serve, '127.0.0.1', %u, ssl=context,\n"
		    "                                        backlog=1024)\n"
		    "    await server.serve_forever()\n"
		    "asyncio.run(main())\n",
		    certificate_file("server"), certificate_key("server"), server->ports[0]);
	server_command(server, "/usr/bin/python3 server.py");
}

static void prepare_node(struct server *server)
{
	server_file(server, "server.js",
		    "const fs = require('fs');\n"
		    "const options = {cert: fs.readFileSync('%s'), key: fs.readFileSync('%s')};\n"
		    "require('https').createServer(options, (request, response) => {\n"
		    "  fs.appendFileSync('" REQUESTS "', 'came\\n');\n"
		    "  response.shouldKeepAlive = false;\n"
		    "  response.end(`" SERVER_ANSWER "`);\n"
		    "}).listen(%u, '127.0.0.1', 1024);\n",
		    certificate_file("server"), certificate_key("server"), server->ports[0]);
	server_command(server, "node server.js");
}

const struct server_kind nginx_http2 = {.name = "nginx with HTTP/2",
					.prepare = prepare_nginx_http2};
const struct server_kind python_asyncio = {.name = "asyncio", .prepare = prepare_asyncio};
const struct server_kind node = {.name = "Node.js", .prepare = prepare_node};

const struct server_kind node_with_openssl = {
	.name = "Node.js with an OpenSSL inside", .prepare = prepare_node, .reads_unseen = true};

size_t web_host_requests(const struct server *server)
{
	char path[PATH_MAX];
	size_t lines = 0;
	char *all;

	text_format(path, sizeof(path), "%s/" REQUESTS, server->directory);
	all = scratch_read(path);
	for (const char *at = all; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	free(all);
	return lines;
}
