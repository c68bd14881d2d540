#!/bin/bash
# Exim by its Debian package, which has GnuTLS: STARTTLS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs exim4
configure() {
	user Debian-exim 975
	mkdir -p "$work/spool" "$work/log"
	chown -R Debian-exim "$work/spool" "$work/log"
	file exim.conf <<-X
		exim_user = Debian-exim
		exim_group = Debian-exim
		spool_directory = $work/spool
		log_file_path = $work/log/%s
		primary_hostname = localhost
		local_interfaces = <; $(each_port '[127.0.0.1]:@;' | tr '\n' ' ')
		tls_on_connect_ports = $(printf '%s : ' "${ports[@]}")
		tls_advertise_hosts = *
		tls_certificate = $certificate
		tls_privatekey = $key
		host_lookup =
		acl_smtp_mail = accept
		begin acl
		accept:
		  accept
	X
	chmod 644 "$work/exim.conf"
}
launch() { serve exim4 -C "$work/exim.conf" -bdf; }
cover=none uncovered_reason=plaintext request='EHLO test\r\nQUIT\r\n' answer='^221 '
run_server
