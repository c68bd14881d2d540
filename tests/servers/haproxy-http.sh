#!/bin/bash
# HAProxy as Debian runs it: master and worker, threads, chroot; a BIO of its own; HTTP/2 offered.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs haproxy
configure() { mkdir -p "$work/empty"; }
launch() {
	upstream
	file haproxy.cfg <<-X
		global
			chroot $work/empty
			user nobody
			group nogroup
			nbthread 2
			log stderr local0
		defaults
			mode http
			log global
			option httplog
			timeout connect 5s
			timeout client 10s
			timeout server 10s
		frontend f
			$(each_port "bind 127.0.0.1:@ ssl crt $pair alpn h2,http/1.1")
			default_backend b
		backend b
			server s 127.0.0.1:$spare
	X
	serve haproxy -W -f haproxy.cfg
}
answer='hello from upstream' access_line='"GET [^ ]* HTTP' http2=yes
run_server
