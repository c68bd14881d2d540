#!/bin/bash
# BIND: DNS over TLS, by libuv and memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs named
# shellcheck source=tests/servers/common/dns.sh
source "$here/dns.sh"
configure() {
	user bind 981
	mkdir "$work/zones"
	echo "$zone" >"$work/zones/example.org"
	chown -R bind "$work/zones"
	file named.conf <<-X
		tls t { key-file "$key"; cert-file "$certificate"; };
		options {
			directory "$work/zones"; pid-file none; session-keyfile none; lock-file none; recursion no;
			$(each_port 'listen-on port @ tls t { 127.0.0.1; };')
			listen-on-v6 { none; };
		};
		controls { };
		zone "example.org" { type primary; file "example.org"; };
	X
}
launch() { serve named -g -n 2 -u bind -c "$work/named.conf"; }
alerts=no
run_server
