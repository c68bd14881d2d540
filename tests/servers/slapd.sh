#!/bin/bash
# OpenLDAP by its Debian package, which has GnuTLS: TLS from the start.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs slapd
configure() {
	mkdir -p "$work/db" "$work/run"
	file slapd.conf <<-X
		pidfile $work/run/pid
		modulepath /usr/lib/ldap
		moduleload back_mdb
		TLSCertificateFile $certificate
		TLSCertificateKeyFile $key
		TLSVerifyClient never
		database mdb
		suffix "cn=test"
		directory $work/db
	X
}
launch() { serve slapd -d stats -f "$work/slapd.conf" -h "$(printf 'ldaps://127.0.0.1:%s ' "${ports[@]}")"; }
# An anonymous bind, and its success.
cover=none request='\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00' answer='\x61\x07\x0a\x01\x00'
run_server
