#!/bin/bash
# HAProxy without HTTP, one process.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs haproxy
configure() { :; }
launch() {
	upstream
	file haproxy.cfg <<-X
		global
			user nobody
			group nogroup
			log stderr local0
		defaults
			mode tcp
			log global
			timeout connect 5s
			timeout client 10s
			timeout server 10s
		listen l
			$(each_port "bind 127.0.0.1:@ ssl crt $pair")
			server s 127.0.0.1:$spare
	X
	serve haproxy -db -f haproxy.cfg
}
answer='hello from upstream'
run_server
