#!/bin/bash
# hitch: TLS before a plain HTTP server, workers that are not root.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs hitch
configure() { :; }
launch() {
	upstream
	file hitch.conf <<-X
		$(each_port 'frontend = "[127.0.0.1]:@"')
		backend = "[127.0.0.1]:$spare"
		pem-file = "$pair"
		user = "nobody"
		group = "nogroup"
		workers = 2
		daemon = off
		tls-protos = TLSv1.2 TLSv1.3
		syslog = off
		ocsp-dir = ""
	X
	serve hitch --config=hitch.conf
}
answer='hello from upstream'
run_server
