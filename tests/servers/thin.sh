#!/bin/bash
# thin, by EventMachine's own TLS in memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/thin
ports_wanted=1
configure() {
	file config.ru <<-'X'
		run lambda { |environment| [200, {"Content-Type" => "text/plain"}, ["hello from thin\n"]] }
	X
}
launch() {
	serve /usr/bin/thin -R config.ru -a 127.0.0.1 -p "${ports[0]}" -e production --ssl --ssl-key-file "$key" --ssl-cert-file "$certificate" \
		--ssl-disable-verify start
}
answer='hello from thin'
alerts=no
run_server
