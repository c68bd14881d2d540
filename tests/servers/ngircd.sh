#!/bin/bash
# ngIRCd by its Debian package, which has GnuTLS: IRC.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs ngircd
configure() {
	file ngircd.conf <<-X
		[Global]
		Name = irc.test
		Info = x
		AdminInfo1 = x
		AdminEMail = x@x.test
		Listen = 127.0.0.1
		ServerUID = nobody
		ServerGID = nogroup
		[Limits]
		[Options]
		Ident = no
		PAM = no
		DNS = no
		[SSL]
		CertFile = $certificate
		KeyFile = $key
		Ports = $(printf '%s, ' "${ports[@]}" | sed 's/, $//')
	X
}
launch() { serve ngircd -n -f "$work/ngircd.conf"; }
cover=none request='CAP LS\r\n' answer='CAP \* LS'
run_server
