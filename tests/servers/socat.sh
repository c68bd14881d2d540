#!/bin/bash
# socat, a process for each connection; one port.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs socat
ports_wanted=1
configure() { :; }
launch() {
	upstream
	serve socat "OPENSSL-LISTEN:${ports[0]},bind=127.0.0.1,reuseaddr,fork,cert=$certificate,key=$key,verify=0" "TCP:127.0.0.1:$spare"
}
answer='hello from upstream'
run_server
