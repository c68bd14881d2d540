#!/bin/bash
# Mumble's server, by Qt.  It asks for client certificates by itself, and what it cannot verify it refuses with and without the
# shim: it gets the CAs.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs murmurd
ports_wanted=1
configure() {
	file murmur.ini <<-X
		database=$work/murmur.sqlite
		logfile=
		host=127.0.0.1
		port=${ports[0]}
		sslCert=$certificate
		sslKey=$key
		sslCA=$edges
		bonjour=false
		autobanAttempts=0
		[Ice]
	X
}
launch() { serve env QT_LOGGING_RULES='*.debug=false' murmurd -fg -ini murmur.ini; }
# Both say their version first.
request='\x00\x00\x00\x00\x00\x05\x08\x80\x8c\x04' answer='^\x00\x00\x00\x00' host_log='^<.>D?'
alerts=no
run_server
