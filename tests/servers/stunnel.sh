#!/bin/bash
# stunnel before a plain HTTP server, a section for each port.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs stunnel4
configure() { :; }
launch() {
	local port
	upstream
	{
		printf '%s\n' foreground=yes "pid=$work/pid" syslog=no "cert=$certificate" "key=$key"
		for port in "${ports[@]}"; do printf '%s\n' "[s$port]" "accept=127.0.0.1:$port" "connect=127.0.0.1:$spare"; done
	} | file stunnel.conf
	serve stunnel4 stunnel.conf
}
answer='hello from upstream'
run_server
