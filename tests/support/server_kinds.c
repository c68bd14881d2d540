#include "credentials.h"
#include "scratch.h"
#include "server.h"
#include "test.h"

#include <string.h>
#include <sys/stat.h>

/* For printf(1). */
#define HTTP_HEAD "HTTP/1.0 200 OK\\r\\nConnection: close\\r\\n\\r\\n"

/* Since 1.19.5 nginx can be told to leave the log that it was built for alone. */
static const char *nginx_log_option(void)
{
	static const char *option;
	struct result result;

	if (option == NULL) {
		program_run(&result, &(struct program){.words = {"nginx", "-h"}});
		option = strstr(result.errors, "-e filename") ? "-e stderr" : "";
		result_clear(&result);
	}
	return option;
}

/* Two workers, which give up root where they had it. */
static void prepare_nginx(struct server *server)
{
	char listeners[256] = "";

	for (size_t i = 0; i < server->port_count; i++) {
		size_t used = strlen(listeners);

		text_format(listeners + used, sizeof(listeners) - used,
			    "listen 127.0.0.1:%u ssl %s;\n", server->ports[i],
			    server->options ? server->options : "");
	}
	server_file(
		server, "nginx.conf",
		"daemon off;\nworker_processes 2;\npid nginx.pid;\nerror_log stderr;\n"
		"events { worker_connections 64; }\n"
		"http {\naccess_log off;\nkeepalive_timeout 0;\n"
		"client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\n"
		"uwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n"
		"server {\n%sssl_certificate %s;\nssl_certificate_key %s;\n"
		"ssl_protocols TLSv1.2 TLSv1.3;\nssl_session_cache shared:all:1m;\n"
		"location / { default_type text/plain; return 200 '" SERVER_ANSWER "'; }\n}\n}\n",
		listeners, certificate_file("server"), certificate_key("server"));
	server_command(server, "nginx -p %s %s -c nginx.conf", server->directory,
		       nginx_log_option());
}

static void prepare_apache(struct server *server, const char *processing)
{
	char listeners[256] = "";

	for (size_t i = 0; i < server->port_count; i++) {
		size_t used = strlen(listeners);

		text_format(listeners + used, sizeof(listeners) - used, "Listen 127.0.0.1:%u\n",
			    server->ports[i]);
	}
	server_file(server, "index.html", "%s", SERVER_ANSWER);
	server_file(server, "mime.types", "text/html html\n");
	server_file(server, "apache.conf",
		    "ServerRoot %s\nDefaultRuntimeDir %s\nPidFile pid\nErrorLog /dev/stderr\n"
		    "User #65534\nGroup #65534\nServerName localhost\nMutex pthread\nTypesConfig "
		    "mime.types\n"
		    "Define modules /usr/lib/apache2/modules\n"
		    "LoadModule mpm_%s_module ${modules}/mod_mpm_%s.so\n"
		    "LoadModule authz_core_module ${modules}/mod_authz_core.so\n"
		    "LoadModule dir_module ${modules}/mod_dir.so\n"
		    "LoadModule mime_module ${modules}/mod_mime.so\n"
		    "LoadModule socache_shmcb_module ${modules}/mod_socache_shmcb.so\n"
		    "LoadModule ssl_module ${modules}/mod_ssl.so\n"
		    "<IfModule !unixd_module>\nLoadModule unixd_module ${modules}/mod_unixd.so\n"
		    "</IfModule>\n"
		    "StartServers 2\nKeepAlive off\nGracefulShutdownTimeout 3\n"
		    "SSLSessionCache shmcb:%s/sessions(64000)\n%s%s\n"
		    "SSLEngine on\nSSLCertificateFile %s\nSSLCertificateKeyFile %s\n"
		    "DocumentRoot %s\n<Directory %s>\nRequire all granted\n</Directory>\n",
		    server->directory, server->directory, processing, processing, server->directory,
		    listeners, server->options ? server->options : "", certificate_file("server"),
		    certificate_key("server"), server->directory, server->directory);
	server_command(server, "apache2 -d %s -f apache.conf -D FOREGROUND", server->directory);
}

static void prepare_apache_prefork(struct server *server)
{
	prepare_apache(server, "prefork");
}

static void prepare_apache_event(struct server *server)
{
	prepare_apache(server, "event");
}

/* The ssl module as people use it: accept, then wrap_socket() with its handshake. */
static void prepare_python(struct server *server)
{
	server_file(server, "server.py",
		    "import http.server, ssl\n"
		    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
		    "context.load_cert_chain('%s', '%s')\n"
		    "class Handler(http.server.BaseHTTPRequestHandler):\n"
		    "    def do_GET(self):\n"
		    "        self.send_response(200)\n"
		    "        self.end_headers()\n"
		    "        self.wfile.write(b'''" SERVER_ANSWER "''')\n"
		    "class Server(http.server.ThreadingHTTPServer):\n"
		    "    def get_request(self):\n"
		    "        plain, peer = self.socket.accept()\n"
		    "        return context.wrap_socket(plain, server_side=True), peer\n"
		    "Server(('127.0.0.1', %u), Handler).serve_forever()\n",
		    certificate_file("server"), certificate_key("server"), server->ports[0]);
	server_command(server, "/usr/bin/python3 server.py");
}

static void prepare_s_server(struct server *server)
{
	server_file(server, "index.html", "%s", SERVER_ANSWER);
	server_command(server, "openssl s_server -accept 127.0.0.1:%u -cert %s -key %s -quiet -WWW",
		       server->ports[0], certificate_file("server"), certificate_key("server"));
}

/* A service for servers that run one for each connection: reads a request to its blank line, and
 * answers. */
static void write_service(const struct server *server)
{
	char path[PATH_MAX + 64];

	server_file(server, "service.sh",
		    "#!/bin/sh\nwhile read -r line && [ ${#line} -gt 1 ]; do :; done\nprintf "
		    "'%s'\nprintf '%%s\\n' '%.*s'\n",
		    HTTP_HEAD, (int)strlen(SERVER_ANSWER) - 1, SERVER_ANSWER);
	text_format(path, sizeof(path), "%s/service.sh", server->directory);
	if (chmod(path, 0755) != 0)
		fail_msg("cannot make %s executable", path);
}

static void prepare_socat(struct server *server)
{
	write_service(server);
	server_command(
		server,
		"socat OPENSSL-LISTEN:%u,bind=127.0.0.1,fork,reuseaddr,verify=0,cert=%s,key=%s "
		"EXEC:./service.sh",
		server->ports[0], certificate_file("server"), certificate_key("server"));
}

static void prepare_stunnel(struct server *server)
{
	write_service(server);
	server_file(server, "stunnel.conf",
		    "foreground = yes\npid =\nsyslog = no\n[service]\naccept = 127.0.0.1:%u\n"
		    "cert = %s\nkey = %s\nexec = %s/service.sh\n",
		    server->ports[0], certificate_file("server"), certificate_key("server"),
		    server->directory);
	server_command(server, "stunnel4 %s/stunnel.conf", server->directory);
}

static void prepare_small_server(struct server *server)
{
	char command[PATH_MAX];
	size_t used;

	built_path(command, sizeof(command), "tests/process/servers/small_server");
	server_command(server, "%s %s %s %s", command, certificate_file("server"),
		       certificate_key("server"), server->options ? server->options : "");
	for (size_t i = 0; i < server->port_count; i++) {
		used = strlen(server->command);
		text_format(server->command + used, sizeof(server->command) - used, " %s %u",
			    server->address ? server->address : "127.0.0.1", server->ports[i]);
	}
}

const struct server_kind small_server = {.name = "small_server", .prepare = prepare_small_server};

const struct server_kind server_kinds[SERVER_KINDS + 1] = {
	{.name = "nginx", .prepare = prepare_nginx},
	{.name = "Apache prefork", .prepare = prepare_apache_prefork},
	{.name = "Apache event", .prepare = prepare_apache_event},
	{.name = "Python's ssl", .prepare = prepare_python},
	{.name = "openssl s_server", .prepare = prepare_s_server, .reads_unseen = true},
	{.name = "socat", .prepare = prepare_socat},
	{.name = "stunnel", .prepare = prepare_stunnel},
	{.name = NULL},
};

const struct server_kind *server_kind_named(const char *name)
{
	for (const struct server_kind *kind = server_kinds; kind->name != NULL; kind++) {
		if (strcmp(kind->name, name) == 0)
			return kind;
	}
	fail_msg("there is no server called %s", name);
	return NULL;
}
