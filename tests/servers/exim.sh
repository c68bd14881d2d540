#!/bin/bash
# Exim by its Debian package, which has GnuTLS: TLS from the start, and STARTTLS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs exim4
wrapped=yes
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
		tls_on_connect_ports = $(if [[ $wrapped == yes ]]; then printf '%s : ' "${ports[@]}"; fi)
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
more() {
	wrapped=no starttls=smtp
	configure
	start_or_give_up 'with STARTTLS' "$(policy_of reject "${ports[0]}")
$(policy_of off "${ports[1]}")"
	check "$name gives nothing behind STARTTLS, to a stranger" is_silent "${ports[0]}" '' uncovered-tls
	check "$name gives nothing behind STARTTLS, to the edge" is_silent "${ports[0]}" edge uncovered-tls
	check "$name answers behind STARTTLS on the port that is open" answers "${ports[1]}" ''
	stop
}
run_server
