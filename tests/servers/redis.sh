#!/bin/bash
# Redis.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs redis-server
ports_wanted=1
configure() { mkdir -m 777 "$work/data"; }
launch() {
	serve redis-server --bind 127.0.0.1 --port 0 --tls-port "${ports[0]}" --tls-cert-file "$certificate" --tls-key-file "$key" \
		--tls-ca-cert-file "$work/ca/server-ca.pem" --tls-auth-clients no --save '' --dir "$work/data" --io-threads "${threads:-1}"
}
request='PING\r\n' answer='^\+PONG'
run_server
