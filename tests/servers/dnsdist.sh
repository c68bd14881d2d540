#!/bin/bash
# dnsdist: DNS over TLS, answered by itself.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs dnsdist
# shellcheck source=tests/servers/common/dns.sh
source "$here/dns.sh"
configure() {
	file dnsdist.conf <<-X
		setSecurityPollSuffix("")
		newServer({address="127.0.0.1:1"})
		$(each_port "addTLSLocal('127.0.0.1:@', '$certificate', '$key', {provider='openssl'})")
		addAction(AllRule(), SpoofAction({"192.0.2.7"}))
	X
}
launch() { serve dnsdist --supervised --disable-syslog -l 127.0.0.1:5353 -C dnsdist.conf; }
run_server
