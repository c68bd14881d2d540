#!/bin/bash
# lighttpd with its module for OpenSSL, which chooses the server behind it by Host.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs lighttpd /usr/lib/lighttpd/mod_openssl.so /usr/bin/uvicorn
configure() { :; }
launch() {
	upstream_sites && upstream_streams || return
	# shellcheck disable=SC2016 # the variable is lighttpd's
	file lighttpd.conf <<-X
		server.modules = ("mod_openssl", "mod_proxy")
		server.document-root = "$work"
		server.bind = "127.0.0.1"
		server.port = ${ports[0]}
		server.username = "nobody"
		server.groupname = "nogroup"
		server.max-connections = 256
		server.max-keep-alive-requests = 2000
		ssl.pemfile = "$pair"
		ssl.engine = "enable"
		proxy.server = ("" => (("host" => "127.0.0.1", "port" => ${port_of[shop.example]})))
		$(for site in other.example direct.example blog.example; do
			printf '$HTTP["host"] =~ "^(?i)%s(:[0-9]+)?$" { proxy.server = ("" => (("host" => "127.0.0.1", "port" => %s))) }\n' \
				"${site/./\\.}" "${port_of[$site]}"
		done)
		\$HTTP["url"] =~ "^/(events|socket)$" {
			proxy.server = ("" => (("host" => "127.0.0.1", "port" => ${port_of[streams]})))
			proxy.header = ("upgrade" => "enable")
			server.stream-response-body = 1
		}
	X
	serve lighttpd -D -f lighttpd.conf
}
run_hosts
