#!/bin/bash
# BIND: DNS over HTTPS; the question is asked as HTTP/2.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs named
configure() {
	user bind 981
	mkdir "$work/zones"
	chown -R bind "$work/zones"
	file named.conf <<-X
		tls t { key-file "$key"; cert-file "$certificate"; };
		http h { endpoints { "/dns-query"; }; };
		options {
			directory "$work/zones"; pid-file none; session-keyfile none; lock-file none; recursion no;
			$(each_port 'listen-on port @ tls t http h { 127.0.0.1; };')
			listen-on-v6 { none; };
		};
		controls { };
	X
}
launch() { serve named -g -n 2 -u bind -c "$work/named.conf"; }
# Without a question: 404 by its status line in HPACK, which is index 13.
alpn=h2 request=$http2_request answer='\x01[\x04\x05]\x00\x00\x00\x01\x8d|:status'
run_server
