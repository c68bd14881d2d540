#!/bin/bash
# Kamailio: SIP, by processes that pass connections on to each other; BIOs in memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs kamailio "/usr/lib/$multiarch/kamailio/modules/tls.so"
configure() {
	printf '[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = %s\ncertificate = %s\n' "$key" "$certificate" |
		file tls.cfg
	file kamailio.cfg <<-X
		debug=1
		log_stderror=yes
		children=1
		auto_aliases=no
		enable_tls=yes
		disable_core_dump=yes
		$(each_port 'listen=tls:127.0.0.1:@')
		mpath="/usr/lib/$multiarch/kamailio/modules/"
		loadmodule "sl.so"
		loadmodule "pv.so"
		loadmodule "tls.so"
		modparam("tls", "config", "$work/tls.cfg")
		request_route { sl_send_reply("200", "OK hello from kamailio"); exit; }
	X
}
launch() {
	rm -f "$work/pid"
	serve kamailio -DD -E -f "$work/kamailio.cfg" -Y "$work" -P "$work/pid" -u nobody -g nogroup -m 32 -M 4
}
request='OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:b@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: 1@x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n'
answer='^SIP/2.0 200 OK hello'
run_server
