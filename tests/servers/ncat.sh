#!/bin/bash
# Nmap's ncat with --ssl, a process for each connection.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs ncat
ports_wanted=1
configure() { :; }
# shellcheck disable=SC2016 # the line is that of the program's shell
launch() {
	serve ncat --ssl --ssl-cert "$certificate" --ssl-key "$key" -k -l 127.0.0.1 "${ports[0]}" --sh-exec 'read -r line; echo "hello from a shell, $line"'
}
request='you\r\n' answer='hello from a shell, you'
run_server
