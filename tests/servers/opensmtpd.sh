#!/bin/bash
# OpenSMTPD, whose processes have the private key by messages, and do their handshakes with libtls or OpenSSL.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs smtpd
configure() {
	user opensmtpd 976
	user opensmtpq 977
	mkdir -p -m 711 /var/spool/smtpd && mkdir -p /etc/mail
	chmod 600 "$key"
	echo 'root: root' >/etc/aliases
	file smtpd.conf <<-X
		pki localhost cert "$certificate"
		pki localhost key "$key"
		table aliases file:/etc/aliases
		$(each_port 'listen on 127.0.0.1 port @ smtps pki localhost')
		action "local" mbox alias <aliases>
		match for local action "local"
	X
	chmod 600 "$work/smtpd.conf"
}
launch() { serve smtpd -dF -f "$work/smtpd.conf"; }
request='EHLO test\r\nQUIT\r\n' answer='^221 '
run_server
