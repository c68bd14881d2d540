#!/bin/bash
# HAProxy, which chooses the server behind it by Host.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs haproxy /usr/bin/uvicorn
configure() { :; }
launch() {
	upstream_sites && upstream_streams || return
	file haproxy.cfg <<-X
		global
			nbthread 2
			log stderr local0
		defaults
			mode http
			timeout connect 5s
			timeout client 10s
			timeout server 10s
			timeout tunnel 30s
		frontend f
			bind 127.0.0.1:${ports[0]} ssl crt $pair alpn h2,http/1.1
			use_backend streams if { path /events /socket }
			$(each_site 'use_backend @ if { hdr(host),field(1,:),lower -m str @ }')
			default_backend shop.example
		$(for site in streams "${sites[@]}"; do printf 'backend %s\nserver s 127.0.0.1:%s\n' "$site" "${port_of[$site]}"; done)
	X
	serve haproxy -f haproxy.cfg
}
run_hosts
