#!/bin/bash
# coturn: STUN over TLS, by libevent.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs turnserver
ports_wanted=1
configure() { :; }
launch() {
	spare_port
	serve turnserver -c /dev/null -n -L 127.0.0.1 --tls-listening-port="${ports[0]}" --listening-port="$spare" --no-udp --no-dtls --no-auth \
		--no-cli --log-file=stdout --simple-log --pidfile="$work/pid" --userdb="$work/db" --cert="$certificate" --pkey="$key" \
		--proc-user=nobody --proc-group=nogroup --relay-threads=2
}
versions=1.2 request='\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl' answer='^\x01\x01.*abcdefghijkl' host_log='^N: '
run_server
