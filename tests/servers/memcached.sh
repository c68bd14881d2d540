#!/bin/bash
# memcached: the versions of its ports have TLS in common.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs memcached
ports_wanted=1
configure() { :; }
launch() {
	serve memcached -u nobody -l 127.0.0.1 -p "${ports[0]}" -U 0 -t 2 -Z -o "ssl_chain_cert=$certificate,ssl_key=$key" -v
}
request='version\r\n' answer='^VERSION' host_log='^acceptN\(\)'
run_server
