#!/bin/bash
# Tcl's tls channels, BIOs of its own kind.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs tclsh
configure() {
	file server.tcl <<-'X'
		package require tls
		set ports [lassign $argv certificate key]
		proc bgerror message { puts stderr "tls: $message" }
		proc greet {channel peer port} {
			fconfigure $channel -blocking 0 -translation crlf
			fileevent $channel readable [list answer $channel]
		}
		proc answer channel {
			if {[catch {gets $channel line} count] || ($count < 0 && [eof $channel])} { catch {close $channel}; return }
			if {$count >= 0} { catch {puts $channel "HTTP/1.0 200 OK\n\nhello from tcl"; flush $channel}; catch {close $channel} }
		}
		foreach port $ports { tls::socket -server greet -myaddr 127.0.0.1 -certfile $certificate -keyfile $key -request 0 -require 0 $port }
		vwait forever
	X
}
launch() { serve tclsh server.tcl "$certificate" "$key" "${ports[@]}"; }
answer='hello from tcl'
run_server
