#!/bin/bash
# Prosody: XMPP, by LuaSec and libevent's kin.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs prosody
configure() {
	user prosody 983
	mkdir -p "$work/data" "$work/run"
	cp "$certificate" "$work/data/localhost.crt"
	cp "$key" "$work/data/localhost.key"
	chown -R prosody "$work/data" "$work/run"
	file prosody.cfg.lua <<-X
		daemonize = false
		pidfile = "$work/run/pid"
		data_path = "$work/data"
		modules_enabled = { "tls", "saslauth", "http" }
		modules_disabled = { "s2s", "c2s", "posix", "offline" }
		http_ports = { }
		https_ports = { $(printf '%s, ' "${ports[@]}") }
		https_interfaces = { "127.0.0.1" }
		https_ssl = { certificate = "$work/data/localhost.crt", key = "$work/data/localhost.key" }
		log = { { levels = { min = "warn" }, to = "console" } }
		VirtualHost "localhost"
	X
}
launch() { serve setpriv --reuid=983 --regid=983 --clear-groups prosody --config "$work/prosody.cfg.lua" -F; }
answer='^HTTP/1.. [0-9]+'
run_server
