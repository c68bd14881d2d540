#!/bin/bash
# ZNC, an IRC bouncer; its web page is asked for.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs znc
configure() {
	mkdir -p "$work/znc/configs" "$work/znc/moddata"
	cp "$pair" "$work/znc/znc.pem"
	file znc/configs/znc.conf <<-X
		Version = 1.8.2
		SSLCertFile = $work/znc/znc.pem
		SSLProtocols = -SSLv2 -SSLv3 -TLSv1 -TLSv1.1
		LoadModule = webadmin
		$(each_port "<Listener l@>${nl}Port = @${nl}IPv4 = true${nl}IPv6 = false${nl}SSL = true${nl}AllowIRC = true${nl}AllowWeb = true${nl}URIPrefix = /${nl}</Listener>")
		<User u>
		Pass = sha256#0000000000000000000000000000000000000000000000000000000000000000#aaaaaaaaaaaaaaaaaaaa#
		Admin = true
		Nick = u
		</User>
	X
	chown -R nobody "$work/znc"
}
launch() { serve setpriv --reuid=65534 --regid=65534 --clear-groups znc -f -d "$work/znc"; }
nl=$'\n' answer='^HTTP/1.. [0-9]+.*ZNC' host_log='^\['
run_server
