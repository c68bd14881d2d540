#!/bin/bash
# socat that hands each connection to a program of its own.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs socat
ports_wanted=1
configure() { :; }
# shellcheck disable=SC2016 # the line is that of the program's shell
launch() {
	serve socat "OPENSSL-LISTEN:${ports[0]},bind=127.0.0.1,reuseaddr,fork,cert=$certificate,key=$key,verify=0" \
		'SYSTEM:read -r line; echo "hello from a shell, $line"'
}
request='you\r\n' answer='hello from a shell, you'
run_server
