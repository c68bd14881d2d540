#!/bin/bash
# libwebsockets' test server.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs libwebsockets-test-server
ports_wanted=1
configure() { :; }
launch() {
	serve libwebsockets-test-server --port="${ports[0]}" --ssl -C "$certificate" -K "$key" --interface=lo
}
request='GET /libwebsockets.org-logo.svg HTTP/1.1\r\nHost: localhost\r\n\r\n' answer='HTTP/1.1 200'
run_server
