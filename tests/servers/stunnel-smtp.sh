#!/bin/bash
# stunnel that speaks SMTP's STARTTLS, for a mail server that cannot.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs stunnel4
configure() { :; }
launch() {
	local port
	spare_port
	/usr/bin/python3 -IS "$here/smtp_upstream.py" "$spare" >"$work/upstream.log" 2>&1 </dev/null &
	await_port "$spare"
	{
		printf '%s\n' foreground=yes "pid=$work/pid" syslog=no "cert=$certificate" "key=$key" protocol=smtp
		for port in "${ports[@]}"; do printf '%s\n' "[s$port]" "accept=127.0.0.1:$port" "connect=127.0.0.1:$spare"; done
	} | file stunnel.conf
	serve stunnel4 stunnel.conf
}
starttls=smtp request='NOOP\r\n' answer='^250 noop'
run_server
