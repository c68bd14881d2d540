#!/bin/bash
# Monit's own HTTP server.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs monit
ports_wanted=1
configure() {
	file monitrc <<-X
		set daemon 30
		set log /dev/stderr
		set idfile $work/id
		set statefile $work/state
		set pidfile $work/pid
		set httpd
		    port ${ports[0]} and
		    use address 127.0.0.1
		    with ssl { pemfile: $pair }
		    allow u:p
	X
	chmod 600 "$work/monitrc"
	chmod 600 "$pair"
}
launch() { serve monit -I -c monitrc; }
request='GET / HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic dTpw\r\n\r\n' answer='Monit Service Manager'
run_server
